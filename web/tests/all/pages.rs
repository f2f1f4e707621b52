//! What holds at every page, whoever wrote it: the routes are read from the source of the pages, so a new one is asked like the others.

#[path = "pages/network.rs"]
mod network;
#[path = "pages/nowhere.rs"]
mod nowhere;
#[path = "pages/own.rs"]
mod own;
#[path = "pages/routes.rs"]
mod routes;

use network::{Network, OPERATOR, header, set_cookies};
use routes::{OUTSIDE, Route, all};

/// Paths and values that people paste.
const HOSTILE: &[&str] = &[
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
    "%0d%0aset-cookie:%20a=b",
    "..%2f..%2fetc%2fpasswd",
    "%ff%fe",
    "%00",
];

/// What every answer must carry, whatever it says; what is wrong with this one.
fn bare(answer: &crate::house::Answer, path: &str) -> Vec<String> {
    let said = |name: &str| answer.headers.get(name).map(String::as_str).unwrap_or_default();
    let policy = said("content-security-policy");
    let kept = said("cache-control");
    let html = said("content-type").starts_with("text/html");
    let asset = path.starts_with("/assets/") && answer.status == 200;
    let holds = [
        ("nosniff", said("x-content-type-options") == "nosniff"),
        ("nothing by default", policy.contains("default-src 'none'")),
        ("no frames", policy.contains("frame-ancestors 'none'")),
        ("nothing inline", !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:")),
        ("no referrer", said("referrer-policy") == "no-referrer"),
        ("not embedded", said("cross-origin-resource-policy") == "same-origin"),
        ("not kept", asset || kept.contains("no-store") || kept.contains("private") || kept == "no-cache"),
        ("no proxy keeps it", asset || !kept.contains("public")),
        ("plain is not told to be TLS", !answer.headers.contains_key("strict-transport-security")),
        ("no inline script", !html || !answer.text.contains("<script>") && !answer.text.contains(" onclick=")),
        ("no inline style", !html || !answer.text.contains(" style=") && !answer.text.contains("<style")),
    ];
    holds.iter().filter(|(_, holds)| !holds).map(|(what, _)| format!("{path}: {}: {what}", answer.status)).collect()
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} answer(s) are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_answer_of_every_page_carries_the_headers_that_keep_browsers_from_doing_more() {
    let network = Network::open().await;
    let operator = network.session(OPERATOR).await;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for route in all() {
        for put in ["x1"].iter().chain(HOSTILE) {
            let path = route.path(put);
            for session in [Some(&operator), None] {
                for method in ["GET", "POST", "DELETE", "PUT"] {
                    let answer = network.ask(method, &path, session, "", "").await;
                    assert_ne!(answer.status, 500, "{method} {path}: {}", answer.text);
                    wrong.extend(bare(&answer, &path));
                    count += 1;
                }
            }
        }
    }
    for path in ["/nothing-here", "/runs/x/y/z", "/assets/../../etc/passwd", "/%zz"] {
        wrong.extend(bare(&network.ask("GET", path, Some(&operator), "", "").await, path));
    }
    none(&wrong);
    assert!(count > 50 * all().len(), "{count} answers");
    network.close().await;
}

#[tokio::test]
async fn nobody_gets_anything_but_the_way_in_whatever_they_keep_in_a_cookie() {
    let network = Network::open().await;
    let link = network.link(OPERATOR).await;
    let session = network.session(OPERATOR).await;
    let ended = network.session(OPERATOR).await;
    network.engine().sign_out(&ended).await.expect("signed out");
    let last = if session.ends_with('0') { '1' } else { '0' };
    let guess = format!("{}{last}", &session[..session.len() - 1]);
    let shown = [
        String::new(),
        format!("kentai={link}"),
        format!("kentai={}", network.token().await),
        format!("kentai={ended}"),
        format!("kentai={guess}"),
        format!("kentai={}", session.to_uppercase()),
        format!("session={session}"),
        "kentai=".into(),
        "kentai=ks__".into(),
        "kentai=\"; kentai-language=<script>".into(),
    ];
    let before = network.commits();
    let mut wrong = Vec::new();
    for Route { method, path } in all().into_iter().filter(|route| !OUTSIDE.contains(&route.path.as_str())) {
        for cookie in &shown {
            let route = Route { method: method.clone(), path: path.clone() };
            let at = route.path("x1");
            let answer = network.raw(&method, &at, &format!("cookie: {cookie}\r\n"), "a=b").await;
            let to = header(&answer, "location");
            let sent = answer.status == 303 && to.starts_with("/sign-in") && method == "GET";
            if !(sent || answer.status == 401) {
                wrong.push(format!("{method} {at} with `{cookie}`: {} {to}", answer.status));
            }
            if answer.headers.contains_key("set-cookie") {
                wrong.push(format!("{method} {at}: a cookie for nobody"));
            }
        }
    }
    none(&wrong);
    assert_eq!(network.commits(), before, "somebody who is nobody changed something");
    assert_eq!(
        network.ask("GET", "/settings", Some(&session), "", "").await.status,
        200,
        "and the session still counts"
    );
    network.close().await;
}

#[tokio::test]
async fn what_another_site_makes_a_browser_send_is_refused_everywhere() {
    let network = Network::open().await;
    let operator = network.session(OPERATOR).await;
    let own = network.origin();
    // The scheme says nothing: TLS may end at a proxy before us.
    let foreign = [
        "origin: http://evil.example\r\n".to_owned(),
        "origin: null\r\n".to_owned(),
        format!("origin: {own}0\r\n"),
        "sec-fetch-site: cross-site\r\n".to_owned(),
        format!("sec-fetch-site: cross-site\r\norigin: {own}\r\n"),
        "sec-fetch-site: same-site\r\norigin: http://other.example\r\n".to_owned(),
    ];
    let before = network.commits();
    let mut wrong = Vec::new();
    let posts: Vec<Route> = all().into_iter().filter(|route| route.method != "GET").collect();
    assert!(posts.iter().any(|route| route.path == "/sign-in") && posts.iter().any(|route| route.path == "/sign-out"));
    for route in &posts {
        let path = route.path("x1");
        for headers in &foreign {
            let answer = network.ask(&route.method, &path, Some(&operator), headers, "name=a&password=b").await;
            if answer.status != 403 || !set_cookies(&answer).is_empty() {
                wrong.push(format!("{path} with {headers:?}: {}", answer.status));
            }
        }
    }
    none(&wrong);
    assert_eq!(network.commits(), before, "another site changed something");
    // The same form, sent by the site's own page, is taken.
    let same = format!("sec-fetch-site: same-origin\r\norigin: {own}\r\n");
    let answer = network.ask("POST", "/sign-out", Some(&operator), &same, "").await;
    assert_eq!((answer.status, header(&answer, "location")), (303, "/sign-in".into()));
    assert_eq!(network.ask("GET", "/settings", Some(&operator), "", "").await.status, 303, "signed out");
    network.close().await;
}

#[tokio::test]
async fn every_sign_in_is_a_new_secret_that_no_script_and_no_other_site_gets() {
    let network = Network::open().await;
    network.account("sato", "correct horse battery").await;
    let form = "name=sato&password=correct+horse+battery&back=/settings";
    let planted = network.session(OPERATOR).await;
    let mut seen = vec![planted.clone()];
    for _ in 0..2 {
        // Whoever planted a session in this browser shares nothing with who signs in.
        let before = seen.last().cloned();
        let answer = network.ask("POST", "/sign-in", before.as_ref(), "", form).await;
        assert_eq!((answer.status, header(&answer, "location")), (303, "/settings".into()), "{}", answer.text);
        let cookies = set_cookies(&answer);
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        let parts: Vec<&str> = cookies[0].split("; ").collect();
        let secret = parts[0].strip_prefix("kentai=").expect("the name where the way is this machine alone").to_owned();
        for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(parts.contains(&flag), "{flag} in {parts:?}");
        }
        assert!(parts.iter().all(|part| !part.starts_with("Domain") && *part != "Secure"), "{parts:?}");
        assert!(secret.starts_with("ks_") && !seen.contains(&secret), "a new one");
        let old = network.ask("GET", "/settings", before.as_ref(), "", "").await;
        assert_eq!(old.status, 303, "what the browser showed before is over");
        let page = network.ask("GET", "/settings", Some(&secret), "", "").await.check(200);
        assert!(page.text.contains("sato") && !page.text.contains(&secret), "and it stands in no page");
        seen.push(secret);
    }
    network.close().await;
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_by_an_address_of_ours() {
    let network = Network::open().await;
    network.account("sato", "correct horse battery").await;
    let evil = [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "/%0a/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "%2f%2fevil.example",
        "/%5cevil.example",
        ".evil.example",
        "@evil.example",
    ];
    for back in evil {
        for path in [format!("/language/ja?back={back}"), format!("/theme/dark?back={back}")] {
            let answer = network.ask("GET", &path, None, "", "").await.check(303);
            assert_eq!(header(&answer, "location"), "/", "{path}");
        }
        let page = network.ask("GET", &format!("/sign-in?back={back}"), None, "", "").await.check(200);
        assert!(page.text.contains(r#"name="back" value="/""#), "{back}: {}", page.text);
    }
    for back in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let form = format!("name=sato&password=correct+horse+battery&back={back}");
        let answer = network.ask("POST", "/sign-in", None, "", &form).await.check(303);
        assert_eq!(header(&answer, "location"), "/", "{back}");
    }
    network.close().await;
}

#[tokio::test]
async fn a_language_or_a_theme_that_is_none_is_nothing() {
    let network = Network::open().await;
    for odd in ["<script>alert(1)</script>", "ja\"><img src=x>", "", "EN", "../../ja", &"x".repeat(4000)] {
        let headers = format!("cookie: kentai-language={odd}; kentai-theme={odd}\r\n");
        let page = network.raw("GET", "/sign-in", &headers, "").await.check(200);
        assert!(page.text.contains(r#"<html lang="en">"#), "{odd}: {}", &page.text[..200]);
        assert!(!page.text.contains("alert(1)") && !page.text.contains("img src"), "{odd}");
    }
    for odd in ["%3Cscript%3E", "fr", "JA", "ja%0d%0aset-cookie:x=y"] {
        for kind in ["language", "theme"] {
            let answer = network.ask("GET", &format!("/{kind}/{odd}"), None, "", "").await.check(404);
            assert!(set_cookies(&answer).is_empty() && !answer.text.contains("<script>"), "{odd}");
        }
    }
    network.close().await;
}

#[tokio::test]
async fn a_link_shows_whom_it_signs_in_and_only_its_button_uses_it_up() {
    let network = Network::open().await;
    let link = network.link(OPERATOR).await;
    let address = format!("/sign-in/link?secret={link}");
    for method in ["GET", "HEAD", "GET"] {
        let page = network.ask(method, &address, None, "", "").await.check(200);
        assert!(set_cookies(&page).is_empty(), "looking signs nobody in");
        assert!(method == "HEAD" || page.text.contains("Sign in as ops-01"), "{}", page.text);
    }
    let foreign = "origin: http://evil.example\r\n";
    network.ask("POST", "/sign-in/link", None, foreign, &format!("secret={link}")).await.check(403);
    let opened = network.ask("POST", "/sign-in/link", None, "", &format!("secret={link}")).await.check(303);
    let cookie = set_cookies(&opened).remove(0);
    let secret = cookie.strip_prefix("kentai=").and_then(|rest| rest.split(';').next()).expect("a session").to_owned();
    let settings = network.ask("GET", "/settings", Some(&secret), "", "").await.check(200);
    assert!(settings.text.contains("ops-01"), "{}", settings.text);
    for used in [link.as_str(), "", "kl__", "kl_x_00", "<script>", &link.replace("kl_", "ks_")] {
        let again = network.ask("POST", "/sign-in/link", None, "", &format!("secret={used}")).await.check(410);
        assert!(set_cookies(&again).is_empty() && !again.text.contains("<script>"), "{used}");
        let used = used.replace('<', "%3C").replace('>', "%3E");
        network.ask("GET", &format!("/sign-in/link?secret={used}"), None, "", "").await.check(410);
    }
    // Whoever the site's file does not know any more is nobody, and what it takes from them is gone at once.
    network.forget(OPERATOR);
    assert_eq!(network.ask("GET", "/settings", Some(&secret), "", "").await.status, 303);
    network.close().await;
}

#[tokio::test]
async fn a_locked_name_is_told_so_and_nothing_more() {
    let network = Network::open().await;
    network.account("sato", "correct horse battery").await;
    let wrong = "name=sato&password=no";
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(network.ask("POST", "/sign-in", None, "", wrong).await.check(422).text);
    }
    let right = network.ask("POST", "/sign-in", None, "", "name=sato&password=correct+horse+battery").await.check(422);
    let nobody = network.ask("POST", "/sign-in", None, "", "name=sato2&password=no").await.check(422);
    for text in said.iter().chain([&right.text, &nobody.text.replace("sato2", "sato")]) {
        assert!(text.contains("wait a quarter of an hour"), "{text}");
        assert_eq!(text, &said[0], "nobody learns which names there are, nor that one is locked");
        assert!(!text.contains("correct horse"), "a password comes back");
    }
    network.close().await;
}

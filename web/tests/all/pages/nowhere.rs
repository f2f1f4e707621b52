//! Addresses that nobody has, and methods that an address does not know: a page to people, a problem to programs.

use super::network::{Network, OPERATOR, header};

const BROWSER: &str = "accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

#[tokio::test]
async fn whoever_looks_where_nothing_is_gets_a_page_in_their_language_with_the_way_on() {
    let network = Network::open().await;
    let session = network.session(OPERATOR).await;
    let asked = [
        ("GET", "/nothing-here", 404),
        ("GET", "/runs/x/y/z", 404),
        ("POST", "/nothing-here", 404),
        ("DELETE", "/runs", 405),
        ("PUT", "/settings", 405),
    ];
    for (method, path, status) in asked {
        for language in ["en", "ja"] {
            let headers = format!("{BROWSER}accept-language: {language}\r\n");
            let page = network.ask(method, path, Some(&session), &headers, "").await.check(status);
            assert!(header(&page, "content-type").starts_with("text/html"), "{method} {path}: {:?}", page.headers);
            assert!(page.text.contains(&format!(r#"<html lang="{language}">"#)), "{}", page.text);
            assert!(page.text.contains("ops-01") && page.text.contains(r#"href="/hand-off""#), "{}", page.text);
            assert!(page.text.contains("<h1>") && !page.text.contains("problem+json"), "{}", page.text);
            // Nobody who is signed in nowhere is told who others are.
            let page = network.ask(method, path, None, &headers, "").await.check(status);
            assert!(page.text.contains("<h1>") && !page.text.contains("ops-01"), "{}", page.text);
        }
        for accept in ["", "accept: */*\r\n", "accept: application/json\r\n"] {
            network.ask(method, path, Some(&session), accept, "").await.problem(status, code(status));
        }
    }
    let japanese = format!("{BROWSER}accept-language: ja\r\n");
    let page = network.ask("GET", "/%3Cscript%3Ealert(1)", Some(&session), &japanese, "").await.check(404);
    assert!(page.text.contains("というページはありません") && !page.text.contains("<script>alert"), "{}", page.text);
    network.close().await;
}

#[tokio::test]
async fn where_only_programs_ask_it_is_a_problem_whatever_they_accept() {
    let network = Network::open().await;
    let session = network.session(OPERATOR).await;
    for path in ["/api/v2/nothing", "/api/v1/nothing", "/ga4gh/nothing", "/deliveries"] {
        let answer = network.ask("GET", path, Some(&session), BROWSER, "").await;
        assert_eq!(header(&answer, "content-type"), "application/problem+json", "{path}: {}", answer.text);
    }
    network.ask("PATCH", "/api/v1/runs", Some(&session), BROWSER, "").await.problem(405, "usage");
    network.close().await;
}

#[tokio::test]
async fn who_is_nobody_any_more_is_told_so_in_words_when_they_send_a_form() {
    let network = Network::open().await;
    let answer = network.ask("POST", "/settings/password", None, BROWSER, "a=b").await.check(401);
    assert!(header(&answer, "content-type").starts_with("text/html"), "{}", answer.text);
    network.close().await;
}

fn code(status: u16) -> &'static str {
    if status == 404 { "not_found" } else { "usage" }
}

//! One's own account at the page: sessions that are seen and ended, a password that is changed with the one before.

use super::network::{Network, OPERATOR, header, set_cookies};

const PASSWORD: &str = "correct horse battery";

async fn sign_in(network: &Network, password: &str) -> String {
    let form = format!("name=sato&password={}", password.replace(' ', "+"));
    let answer = network.ask("POST", "/sign-in", None, "", &form).await.check(303);
    let cookie = set_cookies(&answer).remove(0);
    cookie.strip_prefix("kentai=").and_then(|rest| rest.split(';').next()).expect("a session").to_owned()
}

fn id(secret: &str) -> &str {
    secret.split('_').nth(1).expect("an id")
}

#[tokio::test]
async fn somebody_sees_where_they_are_signed_in_and_ends_it() {
    let network = Network::open().await;
    network.account("sato", PASSWORD).await;
    let [first, second, third] = [(), (), ()].map(|()| sign_in(&network, PASSWORD));
    let (first, second, third) = (first.await, second.await, third.await);
    let other = network.session(OPERATOR).await;
    network.ask("GET", "/settings", Some(&second), "", "").await.check(200);
    let page = network.ask("GET", "/settings", Some(&first), "", "").await.check(200).text;
    for secret in [&first, &second, &third] {
        assert!(page.contains(&format!(r#"<tr id="{}""#, id(secret))) && !page.contains(secret.as_str()), "{page}");
    }
    assert!(!page.contains(id(&other)), "somebody else's");
    assert_eq!(page.matches("127.0.0.1").count(), 4, "where the two that were seen came from, in cell and button");
    assert_eq!((page.matches("this one").count(), page.matches("not since this server began").count()), (1, 1));
    // Another's session is not there, whoever asks.
    let ask = async |who: &String, form: String| network.ask("POST", "/settings/sessions", Some(who), "", &form).await;
    ask(&first, format!("session={}", id(&other))).await.check(404);
    let gone = ask(&first, format!("session={}", id(&second))).await.check(303);
    assert_eq!(header(&gone, "location"), "/settings?done=sessions");
    assert_eq!(network.ask("GET", "/settings", Some(&second), "", "").await.status, 303, "it is over");
    ask(&first, "session=".to_owned()).await.check(303);
    assert_eq!(network.ask("GET", "/settings", Some(&third), "", "").await.status, 303, "all others");
    network.ask("GET", "/settings", Some(&first), "", "").await.check(200);
    network.ask("GET", "/settings", Some(&other), "", "").await.check(200);
    network.close().await;
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_every_other_session_ends() {
    let network = Network::open().await;
    network.account("sato", PASSWORD).await;
    let (here, there) = (sign_in(&network, PASSWORD).await, sign_in(&network, PASSWORD).await);
    let ask = async |form: &str| network.ask("POST", "/settings/password", Some(&here), "", form).await;
    let new = "another+long+password";
    for (form, said) in [
        (format!("now=wrong&new={new}&again={new}"), "The password or the code is wrong"),
        (format!("now=correct+horse+battery&new={new}&again=x"), "not the same as above"),
        ("now=correct+horse+battery&new=short&again=short".to_owned(), "fewer than 12"),
    ] {
        let page = ask(&form).await.check(422).text;
        assert!(page.contains(said), "{page}");
        assert!(!page.contains("correct horse") && !page.contains("another long"), "a password comes back");
    }
    network.ask("GET", "/settings", Some(&there), "", "").await.check(200);
    ask(&format!("now=correct+horse+battery&new={new}&again={new}")).await.check(303);
    assert_eq!(
        network.ask("GET", "/settings", Some(&there), "", "").await.status,
        303,
        "it was opened with the old one"
    );
    network.ask("GET", "/settings", Some(&here), "", "").await.check(200);
    network.ask("POST", "/sign-in", None, "", "name=sato&password=correct+horse+battery").await.check(422);
    sign_in(&network, "another long password").await;
    // A guess at the page counts as one at the door.
    for _ in 0..5 {
        ask(&format!("now=wrong&new={new}&again={new}")).await.check(422);
    }
    ask(&format!("now={new}&new={new}&again={new}")).await.check(422);
    network.close().await;
}

#[tokio::test]
async fn a_key_is_told_once_on_an_answer_that_nobody_stores() {
    let network = Network::open().await;
    network.account("sato", PASSWORD).await;
    let here = sign_in(&network, PASSWORD).await;
    let made = network.ask("POST", "/settings/code", Some(&here), "", "now=correct+horse+battery").await.check(200);
    assert!(made.text.contains("otpauth://totp/") && header(&made, "cache-control") == "no-store", "{}", made.text);
    let page = network.ask("GET", "/settings", Some(&here), "", "").await.check(200).text;
    assert!(!page.contains("otpauth") && page.contains("<dd>set</dd>"), "{page}");
    // From now on the password alone is not enough.
    network.ask("POST", "/settings/code", Some(&here), "", "now=correct+horse+battery").await.check(422);
    // Who is known by the site's file has nothing to change here.
    let operator = network.session(OPERATOR).await;
    let page = network.ask("POST", "/settings/code", Some(&operator), "", "now=x").await.check(409).text;
    assert!(page.contains("no password here to change"), "{page}");
    network.close().await;
}

//! What no real provider does, and what happens on the way: every answer that must not be believed, and a provider that is away, slow,
//! endless or changes its keys. Each is refused for its own reason, which the audit log has.

use anyhow::{Context as _, Result, ensure};
use kentai_tests::tool;
use serde_json::Value;

use super::{Both, PASSWORD, Seen, with_password};

impl Both {
    /// From now on the false provider does this.
    fn be(&self, how: &str) -> Result<()> {
        let url = format!("{}/be?{how}", self.provider.issuer);
        tool("curl", &["-sSf", &url], &self.door.site.path()).map(drop)
    }

    fn asked(&self) -> Result<Value> {
        let url = format!("{}/seen", self.provider.issuer);
        Ok(serde_json::from_str(&tool("curl", &["-sSf", &url], &self.door.site.path())?)?)
    }

    /// The address that leads back from it, for this browser.
    fn way_back(&self, name: &str) -> Result<String> {
        let browser = self.browser(name);
        let sent = browser.ask("/sign-in/oidc", &[])?;
        let at = browser.ask(&sent.header("location"), &[])?;
        let back = at.header("location");
        ensure!(back.starts_with(&self.page), "{} {} {}", sent.status, sent.body, at.headers);
        Ok(back)
    }

    /// The whole way in a new browser: what came of it, and whether somebody is signed in.
    fn whole(&self, name: &str) -> Result<(Seen, bool)> {
        let back = self.way_back(name)?;
        let browser = self.browser(name);
        let seen = browser.ask(&back, &[])?;
        Ok((seen, browser.is_known()?))
    }

    fn refused(&self, what: &str, why: &str) -> Result<()> {
        let (seen, known) = self.whole(what)?;
        ensure!(!known && seen.status == "403" && !seen.headers.contains("kentai=ks_"), "{what}: {}", seen.headers);
        ensure!(self.why()? == why, "{what}: {} and not {why}", self.why()?);
        Ok(())
    }

    fn signs_in(&self, what: &str) -> Result<()> {
        let (seen, known) = self.whole(what)?;
        ensure!(known && seen.status == "303", "{what}: {} {}", seen.headers, seen.body);
        Ok(())
    }
}

/// Everything that was not as it must be, not only the first.
#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn note(&mut self, went: Result<()>) {
        self.0.extend(went.err().map(|error| format!("{error:#}")));
    }

    fn none(self) -> Result<()> {
        ensure!(self.0.is_empty(), "{}", self.0.join("\n"));
        Ok(())
    }
}

#[test]
fn a_token_that_is_not_for_us_not_of_the_provider_or_over_signs_nobody_in() -> Result<()> {
    let Some(both) = Both::open("false_provider.mjs", "claim: sub")? else { return Ok(()) };
    both.link("sato")?;
    both.signs_in("good")?;
    let mut all = Found::default();
    for (wrong, why) in [
        ("nonce", "nonce"),
        ("no%20nonce", "nonce"),
        ("issuer", "issuer"),
        ("audience", "audience"),
        ("audiences", "audience"),
        ("party", "audience"),
        ("expired", "expired"),
        ("old", "expired"),
        ("signature", "signature"),
        ("none", "signature"),
        ("hs256", "signature"),
        ("no%20token", "token"),
    ] {
        both.be(&format!("wrong={wrong}"))?;
        all.note(both.refused(wrong, why));
    }
    both.be("sub=somebody-else")?;
    all.note(both.refused("somebody else", "unknown identity"));
    both.be("sub=sato")?;
    all.note(both.signs_in("good again"));
    all.none()
}

#[test]
fn only_the_browser_that_began_comes_back_once_and_with_the_state_that_it_was_given() -> Result<()> {
    let Some(both) = Both::open("false_provider.mjs", "claim: sub")? else { return Ok(()) };
    both.link("sato")?;
    let refused = |name: &str, url: &str, why: &str| -> Result<()> {
        let browser = both.browser(name);
        let seen = browser.ask(url, &[])?;
        ensure!(seen.status == "403" && !browser.is_known()?, "{why}: {}", seen.body);
        ensure!(both.why()? == why, "{} and not {why}", both.why()?);
        ensure!(!seen.body.contains("callback"), "nothing leads to it again: {}", seen.body);
        Ok(())
    };
    let mut all = Found::default();
    // The victim's browser is given the attacker's answer, or an answer that it never asked for.
    let back = both.way_back("attacker")?;
    all.note(refused("victim without a way", &back, "not on the way"));
    both.way_back("victim")?;
    all.note(refused("victim", &back, "state"));
    // A wrong state uses the way up: nobody guesses twice.
    let back = both.way_back("guesser")?;
    all.note(refused("guesser", &back.replace("state=", "state=x"), "state"));
    all.note(refused("guesser", &back, "not on the way"));
    let back = both.way_back("stateless")?;
    let code_only = back.split('&').next().context("a code")?.to_owned();
    all.note(refused("stateless", &code_only, "state"));
    // Somebody has read the cookie and the answer: both were used, and the provider is not even asked.
    let browser = both.browser("read");
    let sent = browser.ask("/sign-in/oidc", &[])?;
    let way = sent.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let back = browser.ask(&sent.header("location"), &[])?.header("location");
    all.note(is(browser.ask(&back, &[])?.status == "303" && browser.is_known()?, &sent));
    let asked = both.asked()?["tokens"].clone();
    let thief = both.browser("thief").ask(&back, &["-H", &format!("cookie: {way}")])?;
    all.note(is(thief.status == "403" && both.why()? == "not on the way", &thief));
    all.note(is(both.asked()?["tokens"] == asked, &thief));
    // An answer that says itself another's (RFC 9207), and one that says no.
    both.be("iss=https://evil.example")?;
    let back = both.way_back("mixed")?;
    all.note(refused("mixed", &back, "issuer"));
    both.be("")?;
    let back = both.way_back("denied")?;
    all.note(refused("denied", &format!("{back}&error=access_denied"), "provider"));
    // A code that another browser has used is refused by the provider, and one without its verifier is worth nothing.
    let [one, two] = [both.way_back("one")?, both.way_back("two")?];
    let code = |url: &str| url.split(['?', '&', '=']).nth(2).unwrap_or_default().to_owned();
    let mixed = two.replace(&code(&two), &code(&one));
    ensure!(mixed.contains(&code(&one)) && code(&one) != code(&two), "{mixed}");
    all.note(refused("two", &mixed, "exchange"));
    all.note(both.signs_in("good"));
    // A page that another site opens leads to the form first.
    let forced = both.browser("forced").ask("/sign-in/oidc?back=/runs", &["-H", "sec-fetch-site: cross-site"])?;
    all.note(is(forced.header("location") == "/sign-in?back=%2Fruns", &forced));
    // And nobody is sent to another site afterwards.
    let browser = both.browser("led away");
    let sent = browser.ask("/sign-in/oidc?back=https%3A%2F%2Fevil.example%2F", &[])?;
    let at = browser.ask(&sent.header("location"), &[])?;
    let home = browser.ask(&at.header("location"), &[])?;
    all.note(is(home.status == "303" && home.header("location") == "/", &home));
    ensure!(both.asked()?["asked"]["redirect_uri"] == format!("{}/sign-in/oidc/callback", both.page));
    all.none()
}

fn is(holds: bool, seen: &Seen) -> Result<()> {
    ensure!(holds, "{}\n{}", seen.url, seen.headers);
    Ok(())
}

#[test]
fn new_keys_are_asked_for_when_a_token_has_one_and_not_again_for_a_minute() -> Result<()> {
    let Some(both) = Both::open("false_provider.mjs", "claim: sub")? else { return Ok(()) };
    both.link("sato")?;
    let keys = || -> Result<u64> { both.asked()?["keys"].as_u64().context("a count") };
    both.signs_in("first")?;
    both.signs_in("first again")?;
    ensure!(keys()? == 1, "asked for once: {}", keys()?);
    both.be("rotate=second")?;
    both.signs_in("second")?;
    ensure!(keys()? == 2, "{}", keys()?);
    for name in ["third", "fourth", "fifth"] {
        both.be(&format!("rotate={name}"))?;
        both.refused(name, "key")?;
    }
    ensure!(keys()? == 2, "a provider, or whoever can make tokens, sets us no work: {}", keys()?);
    Ok(())
}

#[test]
fn a_provider_that_is_away_slow_endless_or_odd_is_told_in_place_and_passwords_still_work() -> Result<()> {
    for (how, begins) in [
        ("at=/.well-known/openid-configuration&odd=silent", false),
        ("at=/.well-known/openid-configuration&odd=endless", false),
        ("at=/.well-known/openid-configuration&odd=moved", false),
        ("at=/jwks&odd=endless", false),
        ("discovery=issuer", false),
        ("discovery=plain", false),
        ("at=/token&odd=silent", true),
        ("at=/token&odd=endless", true),
        ("at=/token&odd=moved", true),
    ] {
        let Some(both) = Both::open("false_provider.mjs", "claim: sub")? else { return Ok(()) };
        both.link("sato")?;
        both.be(how)?;
        let seen = if begins {
            let (seen, known) = both.whole("somebody")?;
            ensure!(!known, "{how}");
            seen
        } else {
            both.browser("somebody").ask("/sign-in/oidc?back=/runs", &[])?
        };
        let told = seen.status == "503" && seen.body.contains("No answer from “Sign in with the hospital”");
        let told = told || how.contains("moved") && begins && seen.status == "403";
        ensure!(told && seen.body.contains("name=\"password\""), "{how}: {} {}", seen.status, seen.body);
        if !begins {
            ensure!(seen.body.contains("value=\"/runs\""), "and where they wanted is kept: {}", seen.body);
        }
    }
    let Some(both) = Both::open("false_provider.mjs", "claim: sub")? else { return Ok(()) };
    with_password(&both)?;
    let (door, page) = (&both.door, &both.page);
    tool("kill", &[&both.provider.child.id().to_string()], &door.site.path())?;
    let browser = both.browser("somebody");
    let doctor = door.site.run(["doctor"])?;
    ensure!(
        doctor.1.contains("sign-in elsewhere") && doctor.1.contains("passwords of this site still work"),
        "{doctor:?}"
    );
    let away = browser.ask("/sign-in/oidc", &["-H", "accept-language: ja"])?;
    ensure!(away.status == "503" && away.body.contains("応答がありません"), "{}", away.body);
    let form = ["--data-urlencode", "name=dr-sato", "--data-urlencode", &format!("password={PASSWORD}")];
    let opened = browser.ask(&format!("{page}/sign-in"), &form)?;
    ensure!(opened.status == "303" && browser.is_known()?, "{}", opened.body);
    Ok(())
}

#[test]
fn the_doctor_says_where_people_are_sent_and_what_it_cannot_use() -> Result<()> {
    let Some(both) = Both::open("false_provider.mjs", "claim: sub")? else { return Ok(()) };
    let (_, told, _) = both.door.site.run(["doctor"])?;
    ensure!(told.contains(&format!("people are sent to {}/auth; 1 keys", both.provider.issuer)), "{told}");
    ensure!(told.contains("secret sso") && told.contains("every key that it sets has an effect"), "{told}");
    both.be("discovery=issuer")?;
    let (_, told, _) = both.door.site.run(["doctor"])?;
    ensure!(told.contains("evil.example") && told.contains("sign_in.oidc.issuer"), "{told}");
    Ok(())
}

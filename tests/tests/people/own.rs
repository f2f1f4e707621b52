//! What somebody changes about their own account is proved by what counts now, and a try counts as one at the door does.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_tests::house::{House, person};
use kentai_tests::tool;

use super::{NOON, PASSWORD, add, ask, house, offered, password};

const NEW: &str = "another long password";
const OTHER: &str = "a third long password";

/// RFC 6238 by another program: key, then seconds since 1970.
const CODE: &str = "
import base64, hmac, struct, sys
key, now = base64.b32decode(sys.argv[1]), int(sys.argv[2])
mac = hmac.new(key, struct.pack('>Q', now // 30), 'sha1').digest()
at = mac[19] & 15
print('%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000))
";

fn code(key: &str, now_us: i64) -> Result<String> {
    let seconds = (now_us / 1_000_000).to_string();
    Ok(tool("python3", &["-c", CODE, key, &seconds], Path::new("/"))?.trim().to_owned())
}

/// Why changes were refused, in order.
fn refused(house: &House) -> Result<String> {
    house.sql(
        "select group_concat(body, ' ') from (select body from event where kind = 'own_change_refused' order by seq)",
    )
}

#[tokio::test]
async fn a_code_of_ones_own_counts_once_and_without_it_the_password_is_not_enough() -> Result<()> {
    let (house, clock) = house().await?;
    add(&house, "sato", false, "operator").await?;
    password(&house, "sato").await?;
    let (handle, sato) = (house.handle(), person("sato", "operator"));
    let told = handle.own_code_key(&sato, (PASSWORD, "")).await?.0;
    let key = told.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let now = code(key, NOON)?;
    let wrong = if now == "000000" { "111111" } else { "000000" };
    for bad in ["", wrong] {
        let said = handle.own_password(&sato, (PASSWORD, bad), NEW, "").await;
        ensure!(matches!(said, Err(Refusal::NotAllowed(_))), "`{bad}`: {said:?}");
    }
    handle.own_password(&sato, (PASSWORD, &now), NEW, "").await?;
    let again = handle.own_password(&sato, (NEW, &now), OTHER, "").await;
    ensure!(matches!(again, Err(Refusal::NotAllowed(_))), "a code that was used: {again:?}");
    ensure!(handle.sign_in("sato", NEW, &now).await.is_err(), "nor at the door");
    clock.advance(30_000_000);
    handle.own_password(&sato, (NEW, &code(key, NOON + 30_000_000)?), OTHER, "").await?;
    ensure!(refused(&house)? == [r#"{"why":"code"}"#; 3].join(" "), "{}", refused(&house)?);
    Ok(())
}

#[tokio::test]
async fn wrong_tries_about_ones_own_account_lock_it_at_every_door_and_are_written_down() -> Result<()> {
    let (house, clock) = house().await?;
    add(&house, "sato", false, "operator").await?;
    password(&house, "sato").await?;
    let (handle, sato) = (house.handle(), person("sato", "operator"));
    for _ in 0..5 {
        ensure!(handle.own_password(&sato, ("wrong", ""), NEW, "").await.is_err());
    }
    let locked = handle.own_password(&sato, (PASSWORD, ""), NEW, "").await;
    ensure!(matches!(locked, Err(Refusal::NotAllowed(_))), "it is locked: {locked:?}");
    ensure!(handle.sign_in("sato", PASSWORD, "").await.is_err(), "at the door as well");
    let told = format!("{} {}", [r#"{"why":"password"}"#; 5].join(" "), r#"{"why":"locked"}"#);
    ensure!(refused(&house)? == told, "{}", refused(&house)?);
    clock.advance(i64::try_from(Duration::from_secs(15 * 60).as_micros())?);
    handle.own_password(&sato, (PASSWORD, ""), NEW, "").await?;
    Ok(())
}

#[tokio::test]
async fn of_two_changes_at_once_the_second_is_proved_by_what_the_first_left() -> Result<()> {
    let (house, _) = house().await?;
    add(&house, "sato", false, "operator").await?;
    password(&house, "sato").await?;
    let (handle, sato) = (house.handle(), person("sato", "operator"));
    // Both compare with the password that was there when they came.
    let (one, other) = tokio::join!(
        handle.own_password(&sato, (PASSWORD, ""), NEW, ""),
        handle.own_password(&sato, (PASSWORD, ""), OTHER, "")
    );
    ensure!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let kept = if one.is_ok() { NEW } else { OTHER };
    handle.sign_in("sato", kept, "").await?;
    Ok(())
}

#[tokio::test]
async fn a_new_password_of_ones_own_takes_back_links_that_nobody_opened_and_a_disabled_account_changes_nothing()
-> Result<()> {
    let (house, _) = house().await?;
    add(&house, "sato", false, "operator").await?;
    password(&house, "sato").await?;
    let (handle, sato) = (house.handle(), person("sato", "operator"));
    let link = offered(&house, &sato).await?;
    handle.own_password(&sato, (PASSWORD, ""), NEW, "").await?;
    ensure!(handle.open_link(&link).await.is_err(), "made before the new password");
    add(&house, "tanaka", false, "operator").await?;
    let none = handle.own_password(&person("tanaka", "operator"), ("", ""), OTHER, "").await;
    ensure!(matches!(none, Err(Refusal::State(_))), "who has no password has none to change: {none:?}");
    ask(&house, Request::DisablePerson { name: "sato".into() }).await?;
    let said = handle.own_password(&sato, (NEW, ""), OTHER, "").await;
    ensure!(matches!(said, Err(Refusal::State(_))), "{said:?}");
    Ok(())
}

/// A token is its owner's within what it was made for, and an account is not among that.
#[tokio::test]
async fn a_token_changes_nothing_of_its_owners_account() -> Result<()> {
    let (house, _) = house().await?;
    add(&house, "sato", false, "operator").await?;
    password(&house, "sato").await?;
    let handle = house.handle();
    let sato = person("sato", "operator");
    let session = handle.sign_in("sato", PASSWORD, "").await?.0;
    let id = session.split('_').nth(1).unwrap_or_default().to_owned();
    let narrow = Actor { scopes: Some(Default::default()), ..sato.clone() };
    let said = [
        handle.own_password(&narrow, (PASSWORD, ""), NEW, "").await.err(),
        handle.own_code_key(&narrow, (PASSWORD, "")).await.err(),
        handle.end_other_sessions(&narrow, "").await.err(),
        handle.end_session(&narrow, &id).await.err(),
        handle.revoke_own_token(&narrow, "k0").await.err(),
    ];
    for said in said {
        let Some(Refusal::NotAllowed(said)) = said else { bail!("{said:?}") };
        ensure!(said.contains("a token does not change its owner's account"), "{said}");
    }
    ensure!(handle.who(&session).await.is_ok() && handle.sign_in("sato", PASSWORD, "").await.is_ok());
    Ok(())
}

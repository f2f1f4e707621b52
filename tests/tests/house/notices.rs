//! Notices leave the house: as webhooks that Standard Webhooks' own library verifies and the CloudEvents SDK parses, until somebody has
//! them or a person must look. What is not confirmed is sent again under the same id, whatever happens to the engine.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::clock::{Clock, now};
use kentai_engine::decide::letters::{Next, TRIES_MAX, after, spread};
use kentai_engine::people::permission::Principal;
use kentai_engine::people::role::Role;
use kentai_engine::port::messenger::{self, Error as Failure, Messenger as _};
use kentai_engine::scheduler::Subscriber;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::record::{Letter, Notice};
use kentai_engine::view::center::report::{OmissionFilter, omissions};
use kentai_engine::view::center::{self};
use kentai_executors::messenger::webhook::{Key, Options, Webhook};
use kentai_tests::house::{House, Plan, operator};
use kentai_tests::receiver::Receiver;
use kentai_tests::tool;
use kentai_workflows::diagnostic::Language;

pub(crate) const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A subscriber behind a port of this machine.
pub(crate) fn hook(to: &str, port: u16, secrets: &[&str]) -> Result<Subscriber> {
    let address = format!("http://127.0.0.1:{port}/kentai");
    let keys = secrets.iter().map(|secret| Key::parse(secret)).collect::<Result<_, _>>()?;
    let options = Options { url: address.clone(), keys, allow_private: true, authorities: None };
    let messenger = Some(Arc::new(Webhook::new(options)?) as _);
    Ok(Subscriber { to: to.into(), channel: "webhook".into(), address, messenger })
}

async fn house(subscribers: Vec<Subscriber>, clock: Clock) -> Result<House> {
    House::with(Plan { subscribers, clock, ..Plan::default() }).await
}

/// Asks for a notice that says nothing, and gives its id.
async fn test(house: &House, to: &str) -> Result<String> {
    let answer = house.handle().center(Request::NoticeTest { to: to.into() }, &operator()).await?;
    let id = answer.changed.first().and_then(|said| said.strip_prefix("notice ")).context("a notice")?;
    Ok(id.to_owned())
}

fn status(house: &House, id: &str) -> Result<String> {
    house.sql(&format!("select status from record where kind = 'notice' and record_id = '{id}'"))
}

async fn until(house: &House, id: &str, wanted: &str) -> Result<()> {
    house.until(&format!("notice {id} to be {wanted}"), async |house| Ok(status(house, id)? == wanted)).await
}

fn letter(house: &House, id: &str) -> Result<Letter> {
    let text = house.sql(&format!("select document from record where kind = 'notice' and record_id = '{id}'"))?;
    let notice: Notice = serde_json::from_str(&text)?;
    notice.letters.into_iter().next().context("a letter")
}

fn events(house: &House, id: &str) -> Result<Vec<String>> {
    let kinds = house.sql(&format!("select kind from event where stream = 'notice:{id}' order by n"))?;
    Ok(kinds.lines().map(str::to_owned).collect())
}

#[tokio::test]
async fn a_receiver_verifies_parses_and_has_it_once() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "204"]).await? else { return Ok(()) };
    // Who asked by name and for everything gets one; who asked for others' gets none.
    let subscribers = vec![
        hook("biobank", receiver.port, &[OLD])?,
        hook("*", receiver.port, &[OLD])?,
        hook("outbox", receiver.port, &[NEW])?,
    ];
    let house = house(subscribers, Clock::Machine).await?;
    let id = test(&house, "biobank").await?;
    until(&house, &id, "sent").await?;
    let seen = receiver.next().await?;
    ensure!(seen["verified"] == true && seen["id"] == id.as_str() && seen["signatures"] == 1, "{seen}");
    ensure!(
        seen["content_type"].as_str().is_some_and(|kind| kind.starts_with("application/cloudevents+json")),
        "{seen}"
    );
    let attributes = &seen["attributes"];
    ensure!(attributes["specversion"] == "1.0" && attributes["id"] == id.as_str(), "{attributes}");
    ensure!(attributes["type"] == "kentai.test" && attributes["source"] == "house", "{attributes}");
    ensure!(attributes["datacontenttype"] == "application/json", "{attributes}");
    ensure!(attributes["time"].as_str().is_some_and(|time| time.starts_with("20")), "{attributes}");
    ensure!(seen["data"]["to"] == "biobank" && seen["data"]["notice"] == "test", "{seen}");
    receiver.no_more().await?;
    ensure!(events(&house, &id)? == ["notice_written", "letter_taken"], "{:?}", events(&house, &id)?);
    // The signed file lies there as well.
    let file = std::fs::read_to_string(house.site().join(format!("notices/{id}.json")))?;
    let file: serde_json::Value = serde_json::from_str(&file)?;
    ensure!(file["to"] == "biobank" && file["signature"].as_str().is_some_and(|text| text.contains(':')), "{file}");
    house.check().await
}

#[tokio::test]
async fn while_secrets_change_a_receiver_may_hold_either_and_no_other() -> Result<()> {
    let other = "whsec_//////////////////////////////////////////8=";
    for (held, wanted) in [(OLD, "sent"), (NEW, "sent"), (other, "sending")] {
        let Some(mut receiver) = Receiver::start("webhook.py", &[held, "200"]).await? else { return Ok(()) };
        let house = house(vec![hook("biobank", receiver.port, &[NEW, OLD])?], Clock::Machine).await?;
        let id = test(&house, "biobank").await?;
        let seen = receiver.next().await?;
        ensure!(seen["signatures"] == 2 && seen["verified"] == (wanted == "sent"), "{held}: {seen}");
        house.until("an answer", async |house| Ok(letter(house, &id)?.tries == 1)).await?;
        ensure!(status(&house, &id)? == wanted, "{held}: {}", status(&house, &id)?);
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_not_confirmed_is_sent_again_by_the_next_engine_with_the_same_id_and_words() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "hang", "200"]).await? else { return Ok(()) };
    let mut house = house(vec![hook("biobank", receiver.port, &[OLD])?], Clock::Machine).await?;
    let id = test(&house, "biobank").await?;
    let first = receiver.next().await?;
    // The receiver has it, and nobody knows.
    house.stop().await?;
    ensure!(status(&house, &id)? == "sending", "{}", status(&house, &id)?);
    house.start().await?;
    let second = receiver.next().await?;
    ensure!(first["id"] == id.as_str() && second["id"] == first["id"], "{first} {second}");
    ensure!(first["body"] == second["body"] && second["verified"] == true, "{first} {second}");
    until(&house, &id, "sent").await?;
    // A third engine has nothing to send.
    house.stop().await?;
    house.start().await?;
    house.rest().await?;
    receiver.no_more().await?;
    house.check().await
}

#[tokio::test]
async fn a_receiver_in_trouble_is_asked_again_when_the_pure_function_says() -> Result<()> {
    let answers = [OLD, "500", "503", "500", "204"];
    let Some(mut receiver) = Receiver::start("webhook.py", &answers).await? else { return Ok(()) };
    let clock = Clock::standing_at(now());
    let house = house(vec![hook("biobank", receiver.port, &[OLD])?], clock.clone()).await?;
    let id = test(&house, "biobank").await?;
    for tries in 1..=3 {
        let seen = receiver.next().await?;
        ensure!(seen["id"] == id.as_str() && seen["timestamp"] == clock.now() / 1_000_000, "{seen}");
        house.until("the answer", async |house| Ok(letter(house, &id)?.tries == tries)).await?;
        let found = letter(&house, &id)?;
        let failure = Failure::Passing { reason: String::new(), wait_s: None };
        let Next::At(at) = after(&found, &failure, clock.now(), spread(&id, 0, tries)) else {
            anyhow::bail!("given up")
        };
        ensure!(found.next_us == at, "try {tries}: {} and not {at}", found.next_us);
        // Not a microsecond before: the engine has looked at the time when it has answered.
        clock.advance(at - clock.now() - 1);
        house.handle().checkpoint(&kentai_tests::house::person("kato", "auditor")).await?;
        receiver.no_more().await?;
        clock.advance(1);
    }
    ensure!(receiver.next().await?["id"] == id.as_str());
    until(&house, &id, "sent").await?;
    let wanted = ["notice_written", "letter_failed", "letter_failed", "letter_failed", "letter_taken"];
    ensure!(events(&house, &id)? == wanted, "{:?}", events(&house, &id)?);
    house.check().await
}

fn who(role: Role) -> Principal {
    Principal { name: role.word().into(), roles: vec![role], ..Principal::default() }
}

/// What is said of undelivered notices to somebody with this role.
async fn undelivered(house: &House, role: Role) -> Result<Vec<String>> {
    let filter = OmissionFilter { kind: Some("undelivered_notice".into()), after: None, limit: 9 };
    let found = omissions(house.handle().reader(), &who(role), now(), &filter).await?;
    Ok(found
        .into_iter()
        .flat_map(|page| page.items)
        .map(|one| format!("{} {} {}", one.thing, one.owner, one.en))
        .collect())
}

#[tokio::test]
async fn a_letter_that_is_given_up_is_seen_and_sent_again_by_a_person() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "410", "204"]).await? else { return Ok(()) };
    let house = house(vec![hook("biobank", receiver.port, &[OLD])?], Clock::Machine).await?;
    let id = test(&house, "biobank").await?;
    until(&house, &id, "undelivered").await?;
    let found = letter(&house, &id)?;
    ensure!(found.said.starts_with("410") && found.tries == 1, "{found:?}");
    let said = undelivered(&house, Role::Operator).await?;
    ensure!(
        said.len() == 1 && said[0].contains(&id) && said[0].contains("operator") && said[0].contains("410"),
        "{said:?}"
    );
    let reader = house.handle().reader();
    let why = center::why(reader, &who(Role::Operator), &id, now(), Language::En).await?.context("known")?;
    ensure!(why[0].status == "undelivered" && why[0].said.contains(&format!("kentai notice again {id}")), "{why:?}");
    let listed = center::notices(reader, &who(Role::Operator), Some("undelivered"), None, 9).await?;
    ensure!(listed.items.len() == 1 && listed.items[0].letters[0].address.contains("/kentai"), "{listed:?}");
    let again = Request::NoticeAgain { notice: id.clone() };
    let refused = house.handle().center(again.clone(), &kentai_tests::house::person("tanaka", "reviewer")).await;
    ensure!(matches!(refused, Err(Refusal::NotAllowed(_))), "{refused:?}");
    house.handle().center(again, &operator()).await?;
    until(&house, &id, "sent").await?;
    let (first, second) = (receiver.next().await?, receiver.next().await?);
    ensure!(first["id"] == second["id"] && first["body"] == second["body"], "{first} {second}");
    ensure!(undelivered(&house, Role::Operator).await?.is_empty());
    house.check().await
}

#[tokio::test]
async fn nobody_there_for_days_is_a_dead_letter_and_not_a_lost_one() -> Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    drop(listener);
    let clock = Clock::standing_at(now());
    let mut house = house(vec![hook("biobank", port, &[OLD])?], clock.clone()).await?;
    let began = clock.now();
    let id = test(&house, "biobank").await?;
    for tries in 1..=TRIES_MAX {
        house.until("a try", async |house| Ok(letter(house, &id)?.tries == tries)).await?;
        // An engine that is started anew in the middle counts on.
        if tries == 10 {
            house.stop().await?;
            house.start().await?;
        }
        clock.advance((letter(&house, &id)?.next_us - clock.now()).max(0));
    }
    until(&house, &id, "undelivered").await?;
    let hours = (clock.now() - began) / 3_600_000_000;
    ensure!((50..80).contains(&hours), "it was tried for {hours} hours");
    ensure!(letter(&house, &id)?.said.starts_with(&format!("tried {TRIES_MAX} times")), "{:?}", letter(&house, &id)?);
    ensure!(events(&house, &id)?.last().is_some_and(|last| last == "letter_given_up"));
    house.check().await
}

#[tokio::test]
async fn an_address_that_was_mended_gets_what_the_wrong_one_did_not() -> Result<()> {
    let Some(mut wrong) = Receiver::start("webhook.py", &[OLD, "410"]).await? else { return Ok(()) };
    let Some(mut right) = Receiver::start("webhook.py", &[OLD, "204"]).await? else { return Ok(()) };
    let mut house = house(vec![hook("biobank", wrong.port, &[OLD])?], Clock::Machine).await?;
    let id = test(&house, "biobank").await?;
    until(&house, &id, "undelivered").await?;
    wrong.next().await?;
    house.stop().await?;
    house.plan.subscribers = vec![hook("biobank", right.port, &[OLD])?];
    house.start().await?;
    house.handle().center(Request::NoticeAgain { notice: id.clone() }, &operator()).await?;
    ensure!(right.next().await?["id"] == id.as_str());
    until(&house, &id, "sent").await?;
    wrong.no_more().await?;
    house.check().await
}

#[tokio::test]
async fn a_subscriber_who_was_taken_out_gets_nothing_and_it_is_seen() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "hang"]).await? else { return Ok(()) };
    let mut house = house(vec![hook("biobank", receiver.port, &[OLD])?], Clock::Machine).await?;
    let id = test(&house, "biobank").await?;
    receiver.next().await?;
    house.stop().await?;
    house.plan.subscribers = Vec::new();
    house.start().await?;
    until(&house, &id, "undelivered").await?;
    ensure!(letter(&house, &id)?.said.contains("no such subscriber any more"));
    receiver.no_more().await?;
    let refused = house.handle().center(Request::NoticeTest { to: "biobank".into() }, &operator()).await;
    ensure!(matches!(refused, Err(Refusal::Bad(_))), "{refused:?}");
    house.check().await
}

#[tokio::test]
async fn nothing_is_sent_without_an_engine_and_everything_by_the_next() -> Result<()> {
    let Some(mut receiver) = Receiver::start("webhook.py", &[OLD, "204"]).await? else { return Ok(()) };
    let subscribers = vec![hook("biobank", receiver.port, &[OLD])?];
    let mut house = House::with(Plan { subscribers, drain: true, ..Plan::default() }).await?;
    let id = test(&house, "biobank").await?;
    house.stop().await?;
    receiver.no_more().await?;
    ensure!(status(&house, &id)? == "sending");
    house.plan.drain = false;
    house.start().await?;
    ensure!(receiver.next().await?["id"] == id.as_str());
    until(&house, &id, "sent").await?;
    house.check().await
}

#[tokio::test]
async fn a_receiver_is_believed_by_its_certificate() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [authority, certificate, key] = authority(folder.path())?;
    let tls = format!("--tls={},{}", certificate.display(), key.display());
    let Some(mut receiver) = Receiver::start("webhook.py", &[&tls, OLD, "204"]).await? else { return Ok(()) };
    let send = async |host: &str, trusted: bool| -> Result<Result<String, Failure>> {
        let authorities = if trusted { Some(std::fs::read(&authority)?) } else { None };
        let url = format!("https://{host}:{}/", receiver.port);
        let options = Options { url, keys: vec![Key::parse(OLD)?], allow_private: true, authorities };
        let letter = messenger::Letter {
            notice: "n1".into(),
            site: "house".into(),
            to: "biobank".into(),
            subject: "test".into(),
            about: "d1".into(),
            written_us: now(),
            due_us: None,
            body: serde_json::json!({ "検体": "T1" }),
            signature: String::new(),
        };
        Ok(Webhook::new(options)?.send(&letter, now()).await)
    };
    // Nobody vouches for it; then, for another name than the one that is asked.
    for (host, trusted) in [("localhost", false), ("127.0.0.1", true)] {
        let refused = send(host, trusted).await?;
        ensure!(matches!(refused, Err(Failure::Passing { .. })), "{host} {trusted}: {refused:?}");
    }
    let taken = send("localhost", true).await?;
    ensure!(taken == Ok("204 No Content".into()), "{taken:?}");
    let seen = receiver.next().await?;
    ensure!(
        seen["verified"] == true && seen["attributes"]["subject"] == "d1" && seen["data"]["検体"] == "T1",
        "{seen}"
    );
    receiver.no_more().await
}

/// An authority of a test's own, and a certificate by it for `localhost`: paths of authority, certificate, key.
pub(crate) fn authority(folder: &std::path::Path) -> Result<[std::path::PathBuf; 3]> {
    let [authority, key, certificate, own, asked] =
        ["ca.pem", "ca.key", "own.pem", "own.key", "own.csr"].map(|name| folder.join(name));
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let extension = folder.join("san.cnf");
    std::fs::write(&extension, "subjectAltName=DNS:localhost\n")?;
    let ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj"];
    let run = |arguments: Vec<&str>| tool("openssl", &arguments, folder).map(drop);
    let mut first = vec!["req", "-x509", "-days", "2"];
    first.extend(ec);
    let (a, k, c, o, q, e) =
        (text(&authority), text(&key), text(&certificate), text(&own), text(&asked), text(&extension));
    first.extend(["/CN=Test", "-keyout", &k, "-out", &a]);
    run(first)?;
    let mut second = vec!["req"];
    second.extend(ec);
    second.extend(["/CN=localhost", "-keyout", &o, "-out", &q]);
    run(second)?;
    run(vec![
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        &q,
        "-CA",
        &a,
        "-CAkey",
        &k,
        "-CAcreateserial",
        "-extfile",
        &e,
        "-out",
        &c,
    ])?;
    Ok([authority, certificate, own])
}

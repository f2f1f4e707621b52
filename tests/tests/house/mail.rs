//! Notices by mail, to a mail server that is not ours; what it was given is read by Python's own mail library.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::clock::{Clock, now};
use kentai_engine::people::secret::Hidden;
use kentai_engine::port::messenger::{Error, Letter, Messenger};
use kentai_engine::scheduler::Subscriber;
use kentai_engine::scheduler::center::request::Request;
use kentai_executors::messenger::mail::{Mail, Relay, Security};
use kentai_tests::house::{House, Plan, operator};
use kentai_tests::receiver::Receiver;
use serde_json::{Value, json};

use super::notices::authority;

const FROM: &str = "kentai@center.example";
const TO: &str = "intake@biobank.example";

fn relay(port: u16) -> Relay {
    Relay { server: "127.0.0.1".into(), port, security: Security::None, credentials: None, authorities: None }
}

fn header<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let all = mail["headers"].as_array().into_iter().flatten();
    all.filter(|one| one[0] == name).filter_map(|one| one[1].as_str()).collect()
}

fn letter(subject: &str, about: &str) -> Letter {
    Letter {
        notice: "n1".into(),
        site: "house".into(),
        to: "biobank".into(),
        subject: subject.into(),
        about: about.into(),
        written_us: 1_790_000_000_000_000,
        due_us: Some(1_791_000_000_000_000),
        body: json!({ "case": "k1", "custody": "検体" }),
        signature: "key:ab".into(),
    }
}

#[tokio::test]
async fn a_mail_that_was_put_off_comes_again_as_the_same_mail() -> Result<()> {
    let answers = ["-", "-", "-", "-", "451 later", "250 kept"];
    let Some(mut server) = Receiver::start("smtp.py", &answers).await? else { return Ok(()) };
    let messenger = Some(Arc::new(Mail::new(&relay(server.port), FROM, TO)?) as _);
    let subscriber = Subscriber { to: "biobank".into(), channel: "mail".into(), address: TO.into(), messenger };
    let clock = Clock::standing_at(now());
    let house = House::with(Plan { subscribers: vec![subscriber], clock: clock.clone(), ..Plan::default() }).await?;
    let answer = house.handle().center(Request::NoticeTest { to: "biobank".into() }, &operator()).await?;
    let id = answer.changed.first().and_then(|said| said.strip_prefix("notice ")).context("a notice")?;
    let first = server.next().await?;
    let tries = "select json_extract(document, '$.letters[0].tries') from record where kind = 'notice'";
    house.until("its answer", async |house| Ok(house.sql(tries)? == "1")).await?;
    clock.advance(5_000_000);
    let second = server.next().await?;
    house
        .until("sent", async |house| Ok(house.sql("select status from record where kind = 'notice'")? == "sent"))
        .await?;
    ensure!(first == second, "another mail:\n{first}\n{second}");
    ensure!(first["from"] == FROM && first["to"] == json!([TO]) && first["hello"] == "center.example", "{first}");
    ensure!(header(&first, "Message-ID") == [format!("<{id}@house.kentai>")], "{first}");
    ensure!(header(&first, "From") == [FROM] && header(&first, "To") == [TO], "{first}");
    ensure!(header(&first, "Subject") == ["[kentai house] test"], "{first}");
    ensure!(header(&first, "Auto-Submitted") == ["auto-generated"], "{first}");
    ensure!(header(&first, "Content-Type").iter().all(|kind| kind.starts_with("text/plain")), "{first}");
    ensure!(
        first["text"].as_str().is_some_and(|text| text.contains(id) && text.contains("\"to\": \"biobank\"")),
        "{first}"
    );
    let said = house.sql("select json_extract(document, '$.letters[0].said') from record where kind = 'notice'")?;
    ensure!(said == "250 kept", "{said}");
    house.check().await
}

#[tokio::test]
async fn nothing_that_a_notice_says_becomes_a_header_or_a_command() -> Result<()> {
    let Some(mut server) = Receiver::start("smtp.py", &["-", "-", "-", "-", "250 ok"]).await? else { return Ok(()) };
    let mail = Mail::new(&relay(server.port), FROM, TO)?;
    let hostile = Letter {
        notice: "n1>\r\nBcc: a@evil.example".into(),
        signature: "x\r\nBcc: b@evil.example".into(),
        body: json!({ "a": "\r\n.\r\nRCPT TO:<c@evil.example>\r\n", "検体": "T1" }),
        ..letter("withdrawal\r\nBcc: d@evil.example\r\n\r\nbody", &format!("k1\u{0}\n{}", "長い".repeat(400)))
    };
    let said = mail.send(&hostile, 0).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    ensure!(said.starts_with("250"), "{said}");
    let seen = server.next().await?;
    ensure!(seen["to"] == json!([TO]) && header(&seen, "Bcc").is_empty(), "{seen}");
    let names: Vec<&str> = seen["headers"].as_array().into_iter().flatten().filter_map(|one| one[0].as_str()).collect();
    let known = [
        "From",
        "To",
        "Date",
        "Message-ID",
        "Subject",
        "Auto-Submitted",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    ];
    ensure!(names.iter().all(|name| known.contains(name)), "{names:?}");
    ensure!(seen["text"].as_str().is_some_and(|text| text.contains("検体") && text.contains("evil.example")), "{seen}");
    server.no_more().await
}

#[tokio::test]
async fn a_relay_is_believed_by_its_certificate_and_gets_the_password_only_then() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [authority, certificate, key] = authority(folder.path())?;
    let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
    let arguments = [&*certificate, &*key, "center", "s3cret", "250 ok"];
    let Some(mut server) = Receiver::start("smtp.py", &arguments).await? else { return Ok(()) };
    let with = |trusted: bool, password: &str| -> Result<Mail> {
        let relay = Relay {
            server: "localhost".into(),
            security: Security::StartTls,
            credentials: Some(("center".into(), Hidden(password.into()))),
            authorities: if trusted { Some(std::fs::read(&authority)?) } else { None },
            ..relay(server.port)
        };
        Ok(Mail::new(&relay, FROM, TO)?)
    };
    let unknown = with(false, "s3cret")?.send(&letter("test", ""), 0).await;
    ensure!(matches!(unknown, Err(Error::Passing { .. })), "{unknown:?}");
    let wrong = with(true, "guess")?.send(&letter("test", ""), 0).await;
    ensure!(matches!(&wrong, Err(Error::Refused { reason }) if !reason.contains("guess")), "{wrong:?}");
    let good = with(true, "s3cret")?.send(&letter("test", ""), 0).await;
    ensure!(good.is_ok(), "{good:?}");
    let seen = server.next().await?;
    ensure!(seen["encrypted"] == true && seen["authenticated"] == true, "{seen}");
    server.no_more().await
}

#[tokio::test]
async fn a_relay_that_refuses_is_told_from_one_that_is_not_there() -> Result<()> {
    let Some(mut server) = Receiver::start("smtp.py", &["-", "-", "-", "-", "550 no"]).await? else { return Ok(()) };
    let refused = Mail::new(&relay(server.port), FROM, TO)?.send(&letter("test", ""), 0).await;
    ensure!(matches!(&refused, Err(Error::Refused { reason }) if reason.contains("no")), "{refused:?}");
    server.next().await?;
    let port = server.port;
    drop(server);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let closed = listener.local_addr()?.port();
    drop(listener);
    ensure!(port != closed);
    let gone = Mail::new(&relay(closed), FROM, TO)?.send(&letter("test", ""), 0).await;
    ensure!(matches!(gone, Err(Error::Passing { .. })), "{gone:?}");
    // Without encryption only to this machine.
    let elsewhere = Relay { server: "relay.example".into(), ..relay(25) };
    ensure!(Mail::new(&elsewhere, FROM, TO).is_err());
    Ok(())
}

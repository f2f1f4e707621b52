//! What people do with a delivery on its page: each act is about what was shown, is refused in its place with what was typed, and what
//! needs two people is done by two.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use kentai_engine::decide::retain::Rule;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::{Actor, Subscriber, Target};
use kentai_tests::house::{House, Plan, operator, person};
use kentai_tests::receivers::Door;
use kentai_tests::tool;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::desk::Center;
use super::receivers::{fetched, offered};

const OPERATOR: usize = 0;
const RELEASER: usize = 1;
const AUDITOR: usize = 2;
const DC1: usize = 3;
const DC2: usize = 4;

/// The page of a house on a socket, and whose turn it is.
struct Page {
    socket: String,
    turn: Arc<AtomicUsize>,
    _open: DropGuard,
}

impl Page {
    fn open(house: &House) -> Result<Self> {
        let at = |name: &str, center: &str| Actor { data_center: Some(center.into()), ..person(name, "data_center") };
        let people = [
            person("oda", "operator"),
            person("mori", "releaser"),
            person("aud-01", "auditor"),
            at("d1", "dc1"),
            at("d2", "dc2"),
        ];
        let turn = Arc::new(AtomicUsize::new(OPERATOR));
        let asks = Arc::clone(&turn);
        let people: kentai_web::People = Arc::new(move |_| people.get(asks.load(Ordering::SeqCst)).cloned());
        let router = kentai_web::router(house.handle().clone(), people, kentai_web::TimeZone::UTC);
        let socket = house.directory.path().join("page.sock");
        let listener = kentai_web::bind(&socket)?;
        let token = CancellationToken::new();
        tokio::spawn(kentai_web::serve(listener, router, token.clone()));
        Ok(Self { socket: socket.to_string_lossy().into_owned(), turn, _open: token.drop_guard() })
    }

    fn to(&self, who: usize) -> &Self {
        self.turn.store(who, Ordering::SeqCst);
        self
    }

    fn curl(&self, path: &str, fields: &[(&str, &str)]) -> Result<(u16, String)> {
        let url = format!("http://kentai{path}");
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut arguments = vec!["--silent", "--unix-socket", &self.socket, "--write-out", "\n%{http_code}"];
        for field in &fields {
            arguments.extend(["--data-urlencode", field]);
        }
        arguments.push(&url);
        let told = tool("curl", &arguments, Path::new("/"))?;
        let (text, status) = told.rsplit_once('\n').context("a status")?;
        Ok((status.parse()?, text.to_owned()))
    }

    fn get(&self, path: &str, wanted: u16) -> Result<String> {
        let (status, text) = self.curl(path, &[])?;
        ensure!(status == wanted, "{path}: {status} and not {wanted}\n{text}");
        Ok(text)
    }

    fn post(&self, path: &str, fields: &[(&str, &str)], wanted: u16) -> Result<String> {
        let (status, text) = self.curl(path, fields)?;
        ensure!(status == wanted, "{path} {fields:?}: {status} and not {wanted}\n{text}");
        Ok(text)
    }

    /// What an act's form is bound to.
    fn shown(&self, path: &str, what: &str) -> Result<String> {
        let form = self.get(&format!("{path}?what={what}"), 200)?;
        let rest = form.split(r#"name="shown" value=""#).nth(1).with_context(|| format!("a form: {form}"))?;
        Ok(rest.split('"').next().context("its end")?.to_owned())
    }
}

/// The status of a delivery, as the database has it.
fn stands(center: &Center, id: &str) -> Result<String> {
    center.house.sql(&format!("select status from record where kind = 'delivery' and record_id = '{id}'"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_on_a_delivery_is_about_what_was_shown_and_only_for_whoever_may() -> Result<()> {
    let (to, channel, address) = ("dc1".into(), "webhook".into(), "https://dc1.example/".into());
    // No messenger goes there: a letter to them is given up at once.
    let subscribers = vec![Subscriber { to, channel, address, messenger: None }];
    let center = Center::built(&fetched(), Plan { subscribers, ..Plan::default() }).await?;
    let (_, id) = offered(&center, "{\"q\": 35}".into()).await?;
    let page = Page::open(&center.house)?;
    let (one, act) = (format!("/hand-off/{id}"), format!("/hand-off/{id}/act"));
    let told = page.get(&one, 200)?;
    for what in ["recall", "reoffer", "archived", "ask"] {
        ensure!(told.contains(&format!("act?what={what}")), "{what}: {told}");
    }
    ensure!(!told.contains("act?what=retire") && told.contains("kept for ever"), "{told}");
    page.to(AUDITOR);
    let read = page.get(&one, 200)?;
    ensure!(!read.contains("act?what=") && read.contains("Only: operator"), "{read}");
    ensure!(page.get(&format!("{act}?what=recall"), 200)?.contains("who-may"), "the form is not replaced by who may");
    page.post(&act, &[("what", "recall"), ("reason", "x")], 403)?;
    page.to(DC1);
    let theirs = page.get(&one, 200)?;
    ensure!(!theirs.contains("act?what=") && !theirs.contains("id=\"letters\""), "{theirs}");
    page.post(&act, &[("what", "recall"), ("reason", "x")], 403)?;
    page.to(DC2);
    page.get(&one, 404)?;
    page.get(&format!("{act}?what=recall"), 404)?;
    page.post(&act, &[("what", "recall"), ("reason", "x")], 404)?;
    page.to(OPERATOR);
    let shown = page.shown(&act, "recall")?;
    page.post(&act, &[("what", "recall"), ("reason", " "), ("shown", &shown)], 422)?;
    page.post(&act, &[("what", "burn"), ("reason", "x"), ("shown", &shown)], 422)?;
    let days = page.post(&act, &[("what", "reoffer"), ("days", "x"), ("reason", "<b>"), ("shown", &shown)], 422)?;
    ensure!(days.contains("days-wrong") && days.contains("&#60;b&#62;"), "{days}");
    page.post(&act, &[("what", "archived"), ("place", ""), ("shown", &shown)], 422)?;
    page.post(&act, &[("what", "archived"), ("place", "tape <7>"), ("note", "vault"), ("shown", &shown)], 303)?;
    let told = page.get(&one, 200)?;
    ensure!(told.contains("tape &#60;7&#62;") && told.contains("vault"), "{told}");
    // Somebody was quicker than whoever still looks at the older page.
    let stale = page.post(&act, &[("what", "recall"), ("reason", "my reason"), ("shown", &shown)], 409)?;
    ensure!(stale.contains("my reason") && stale.contains("nothing was done"), "{stale}");
    ensure!(stands(&center, &id)? == "offered");
    let shown = page.shown(&act, "recall")?;
    page.post(&act, &[("what", "recall"), ("reason", "two tubes"), ("shown", &shown)], 303)?;
    ensure!(stands(&center, &id)? == "recalled");
    let told = page.get(&one, 200)?;
    ensure!(told.contains("two tubes") && !told.contains("act?what=reoffer"), "{told}");
    let shown = page.shown(&act, "reoffer")?;
    let refused = page.post(&act, &[("what", "reoffer"), ("reason", "try it"), ("shown", &shown)], 409)?;
    ensure!(refused.contains("try it"), "{refused}");
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_about_a_delivery_is_sent_again_from_its_page() -> Result<()> {
    let (to, channel, address) = ("dc1".into(), "webhook".into(), "https://dc1.example/".into());
    let subscribers = vec![Subscriber { to, channel, address, messenger: None }];
    let center = Center::built(&fetched(), Plan { subscribers, ..Plan::default() }).await?;
    let (_, id) = offered(&center, "{\"q\": 35}".into()).await?;
    let page = Page::open(&center.house)?;
    let given_up = "select record_id from record where kind = 'notice' and status = 'undelivered'";
    center.house.until("a letter that was given up", async |house| Ok(!house.sql(given_up)?.is_empty())).await?;
    let notice = center.house.sql(given_up)?;
    let act = format!("/hand-off/{id}/act");
    let shown = page.shown(&act, &format!("ask&notice={notice}"))?;
    // A letter about something else is not there.
    page.get(&format!("{act}?what=ask&notice=n0"), 404)?;
    page.post(&act, &[("what", "ask"), ("notice", &notice), ("shown", &shown)], 303)?;
    let again = format!("select count(*) from event where stream = 'notice:{notice}' and kind = 'notice_sent_again'");
    ensure!(center.house.sql(&again)? == "1", "it was not sent again");
    center.house.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_go_from_the_page_when_two_people_said_so() -> Result<()> {
    let retain = Some(Rule { after_receipt_us: 0, copies: 2 });
    let targets = [("dc1".to_owned(), Target { retain, ..Target::pulled() })].into();
    let center = Center::built(&fetched(), Plan { targets, ..Plan::default() }).await?;
    let door = Door::open(&center.house).await?;
    let (order, id) = offered(&center, "{\"q\": 35}".into()).await?;
    let page = Page::open(&center.house)?;
    let (one, act) = (format!("/hand-off/{id}"), format!("/hand-off/{id}/act"));
    let early = page.get(&one, 200)?;
    ensure!(early.contains("They stay:") && !early.contains("act?what=retire"), "{early}");
    let offer = door.json("dc1", &format!("/api/v1/offers/{id}"))?;
    let entries = offer["entries"].as_array().context("entries")?.iter();
    let payload = entries.filter(|entry| entry["path"].as_str().is_some_and(|path| path.starts_with("data/")));
    let said = |entry: &Value| json!({ "path": entry["path"], "outcome": "accepted", "sha256": entry["sha256"] });
    let receipt = json!({ "receipt": "R1", "copies": 2, "files": payload.map(said).collect::<Vec<_>>() });
    let (status, answer) = door.post("dc1", &format!("/api/v1/offers/{id}/receipts"), &receipt.to_string())?;
    ensure!(status == 200 && answer["status"] == "acknowledged", "{status} {answer}");
    let open = page.get(&one, 200)?;
    ensure!(open.contains("Nothing stands against it") && open.contains("act?what=retire"), "{open}");
    let shown = page.shown(&act, "retire")?;
    page.post(&act, &[("what", "retire"), ("reason", "the time is over"), ("shown", &shown)], 303)?;
    let proposal = center.house.sql("select record_id from record where kind = 'proposal'")?;
    // Who proposed is no second person.
    let first = page.get(&one, 200)?;
    ensure!(first.contains("not oda") && !first.contains("act?what=confirm"), "{first}");
    let confirm = format!("confirm&proposal={proposal}");
    ensure!(page.get(&format!("{act}?what={confirm}"), 200)?.contains("who-may"));
    let fields =
        |shown: &str| [("what", "confirm".to_owned()), ("proposal", proposal.clone()), ("shown", shown.to_owned())];
    let post = |shown: &str, wanted: u16| {
        let fields = fields(shown);
        page.post(&act, &fields.each_ref().map(|(name, value)| (*name, value.as_str())), wanted)
    };
    let standing = shown_of(&page, &act, &confirm, RELEASER)?;
    page.to(OPERATOR);
    post(&standing, 403)?;
    page.to(RELEASER);
    let needs = page.get("/needs?kind=proposal", 200)?;
    ensure!(needs.contains(&format!("act?what=confirm&#38;proposal={proposal}")), "{needs}");
    ensure!(page.get(&one, 200)?.contains("act?what=confirm"));
    // A proposal about something else is not confirmed under this delivery's name.
    center.ask(Request::Cancel { order_line: second(&center).await?, reason: "x".into() }, &operator()).await?;
    let other = Request::Reopen { order_line: second_id(&center)?, reason: "x".into() };
    let other = center.ask(other, &operator()).await?.proposal.context("a proposal")?;
    page.post(&act, &[("what", "confirm"), ("proposal", &other), ("shown", &standing)], 409)?;
    let still = format!("select status from record where kind = 'proposal' and record_id = '{other}'");
    ensure!(center.house.sql(&still)? == "proposed", "it was confirmed");
    post(&standing, 303)?;
    let certified = "select count(*) from record where kind = 'retirement' and status = 'done'";
    center.house.until("the certificate", async |house| Ok(house.sql(certified)? == "1")).await?;
    let gone = page.get(&one, 200)?;
    ensure!(gone.contains("They are gone.") && gone.contains("oda") && gone.contains("mori"), "{gone}");
    ensure!(stands(&center, &id)? == "retired" && !order.is_empty());
    drop(door);
    center.house.check().await
}

fn shown_of(page: &Page, act: &str, what: &str, who: usize) -> Result<String> {
    page.to(who).shown(act, what)
}

/// Another order line.
async fn second(center: &Center) -> Result<String> {
    Ok(center.announce("T2", "P2").await?.1)
}

fn second_id(center: &Center) -> Result<String> {
    center.house.sql("select order_line_id from order_line where stage = 'canceled'")
}

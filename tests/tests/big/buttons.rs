//! Every button of the first screen, pressed by whoever may, without JavaScript, until nobody's first screen has one left; and every number
//! of it held against the list that it leads to.
//!
//! What is pressed is read off the page. A button that has no row in [`ROWS`] is a failure, and so is a row whose button never came.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use kentai_tests::demo::{Demo, demo_of_today, demo_site};
use kentai_tests::page::{Element, Shown, Visitor};

use super::{SPECIMENS, counted, exported, folded, stage};

pub(super) const PASSWORD: &str = "insecure-demo";
/// Who looks at the first screen, each again and again. Of releases and withdrawals two people are needed.
const PEOPLE: [&str; 8] = ["ops-01", "rev-01", "rel-01", "rel-02", "rel-03", "wdo-01", "wdo-02", "aud-01"];
/// Sooner than after so many looks at all of them nothing is left.
const ROUNDS: usize = 60;

/// Something to press.
#[derive(Clone, Debug)]
struct Act {
    /// Part of the page; empty: what stands around every page.
    section: String,
    /// The row's id.
    row: String,
    /// What it says; of a form where it goes.
    label: String,
    href: String,
    hidden: bool,
}

impl Act {
    /// `release` of `release-r01…`
    fn kind(&self) -> &str {
        self.row.split('-').next().unwrap_or_default()
    }

    /// The thing's id: what stands behind the kind.
    fn thing(&self) -> &str {
        self.row.split('-').nth(1).unwrap_or_default()
    }

    /// `O01` of `/order-lines/O01/decide`
    fn part(&self, at: usize) -> Result<&str> {
        let path = self.href.split(['?', '#']).next().unwrap_or_default();
        path.split('/').nth(at).with_context(|| format!("{} has no part {at}", self.href))
    }
}

/// Everything that a first screen has to press.
fn acts(screen: &Shown) -> Vec<Act> {
    let is_act = |one: &&Element| match one.tag.as_str() {
        "a" => one.is("button") || one.stands_in("td", "act"),
        "button" => !one.is_in("form"),
        "form" => true,
        _ => false,
    };
    let act = |one: &Element| Act {
        section: one.of("section").to_owned(),
        row: one.of("tr").to_owned(),
        label: if one.tag == "form" { one.get("action").to_owned() } else { one.text.clone() },
        href: one.get("href").to_owned(),
        hidden: one.attributes.contains_key("hidden"),
    };
    screen.elements().iter().filter(is_act).map(act).collect()
}

/// What came of a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// It is done, and the site says so.
    Done,
    /// Something else stands against it, and the page said what.
    Refused,
}

type Press = fn(&Demo, &Visitor, &Act) -> Result<Came>;

/// Part, kind of row, what the button says, and how it is pressed and seen to have moved something.
const ROWS: &[(&str, &str, &str, Press)] = &[
    ("", "", "Search", opens),
    ("", "", "Menu", is_here),
    ("", "", "/search", searches),
    ("", "", "Pause", needs_javascript),
    ("needs", "receipt_late", "Ask", ask),
    ("needs", "receipt_refused", "Open", reoffer),
    ("needs", "recalled", "Decide", reanalyze),
    ("needs", "rejected", "Decide", new_material),
    ("needs", "reads", "Decide", top_up),
    ("needs", "deviation", "Open", close),
    ("needs", "identity", "Decide", know),
    ("needs", "qc_hold", "Decide", let_pass),
    ("needs", "release", "Review", release),
    ("needs", "run_failed", "Decide", retry),
    ("needs", "proposal", "Confirm", confirm),
    ("needs", "withdrawal", "Open case", work_off),
    ("late", "late", "Ask again", ask),
    ("late", "late", "Start alone", start_alone),
    // What is late is told where people are needed too: who was quicker there has left nothing here.
    ("late", "late", "Decide", decide),
    ("late", "late", "Top up", top_up),
];

fn row(act: &Act) -> Option<usize> {
    let fits = |(section, kind, label, _): &(&str, &str, &str, Press)| {
        act.section == *section && act.kind() == *kind && act.label == *label
    };
    ROWS.iter().position(fits)
}

#[test]
fn every_button_of_the_first_screen_moves_what_it_is_about() -> Result<()> {
    let (demo, origin) = served(demo_of_today(SPECIMENS)?)?;
    let people = PEOPLE.map(|name| Visitor::sign_in(&origin, name, PASSWORD));
    let people = people.into_iter().collect::<Result<Vec<_>>>()?;
    let (mut pressed, mut settled, mut refused) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for round in 0.. {
        ensure!(round < ROUNDS, "there is no end of what can be pressed");
        let mut any = false;
        for visitor in &people {
            let all = acts(&visitor.page("/")?);
            for act in &all {
                ensure!(row(act).is_some(), "{}: nobody says how this is pressed: {act:?}", visitor.name);
            }
            let key = |act: &Act| (visitor.name.clone(), act.section.clone(), act.row.clone(), act.label.clone());
            for act in all.iter().filter(|act| !settled.contains(&key(act))) {
                let at = row(act).context("a row")?;
                let came =
                    ROWS[at].3(&demo, visitor, act).with_context(|| format!("{} pressed {act:?}", visitor.name))?;
                if came == Came::Done {
                    pressed.insert(at);
                    settled.insert(key(act));
                    any = true;
                    // What was pressed changes what is there.
                    break;
                }
                // Somebody else has to do something first.
                refused.insert(act.row.clone());
                any = true;
            }
        }
        if !any {
            break;
        }
    }
    let rare = ["Start alone", "Decide", "Top up"];
    let never = ROWS
        .iter()
        .enumerate()
        .filter(|(at, (section, _, label, _))| !(pressed.contains(at) || *section == "late" && rare.contains(label)));
    let never: Vec<_> = never.map(|(_, (section, kind, label, _))| (section, kind, label)).collect();
    ensure!(never.is_empty(), "these buttons never came: {never:?}");
    // Who it is was in doubt while it was first reviewed.
    ensure!(!refused.is_empty(), "nothing stood against any release");
    // What is left can only wait for somebody outside.
    for visitor in &people {
        let left = acts(&visitor.page("/")?);
        let left: Vec<_> = left
            .iter()
            .filter(|act| !act.section.is_empty() && act.label != "Ask" && act.label != "Ask again")
            .collect();
        ensure!(left.is_empty(), "{} has left: {left:?}", visitor.name);
    }
    kentai_tests::invariants::check(&demo.path())
}

/// Numbers that are no count of what their link leads to, each with what it is instead: part, and how its row begins.
const NO_LISTS: &[(&str, &str)] = &[
    // Shares, sizes, times and names; they lead to where they are explained.
    ("charts", "Values that passed"),
    ("capacity", ""),
    ("waste", ""),
    ("withdrawals", "to stop"),
    ("withdrawals", "to last receipt"),
    ("decisions", ""),
];

/// A number that leads somewhere: part, row's text, number, where.
type Number = (String, String, i64, String);

/// Every link of the screen that begins with a number.
fn numbers(screen: &Shown) -> Vec<Number> {
    let mut found = Vec::new();
    let all = screen.elements();
    for one in all.iter().filter(|one| one.tag == "a" && one.is_in("main") && !one.stands_in("td", "act")) {
        let text = one.text.strip_prefix("All ").unwrap_or(&one.text);
        let digits: String =
            text.trim_start_matches('+').chars().take_while(|one| one.is_ascii_digit() || *one == ',').collect();
        let rest = text.trim_start_matches('+').strip_prefix(digits.as_str()).unwrap_or_default();
        if digits.is_empty() || !(rest.is_empty() || rest.starts_with(' ')) {
            continue;
        }
        let mut row =
            all.iter().filter(|row| row.tag == "tr" && row.inside.iter().any(|at| std::ptr::eq(&all[*at], one)));
        let row = row.next_back().map(|row| row.text.clone()).unwrap_or_default();
        let number = digits.replace(',', "").parse().unwrap_or(-1);
        found.push((one.of("section").to_owned(), row, number, one.get("href").to_owned()));
    }
    found
}

/// Rows of a CSV file, its head too; what is quoted may hold line ends.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}

/// How many a list has, read to its end.
fn listed(visitor: &Visitor, href: &str) -> Result<i64> {
    let csv = format!("{href}{}format=csv", if href.contains('?') { '&' } else { '?' });
    let (path, csv) = (href.split('?').next().unwrap_or_default(), visitor.get(&csv)?);
    let count = |number: usize| i64::try_from(number).context("a count");
    if csv.status != 200 {
        // A short list has no file: its rows are all on the page.
        let page = visitor.page(href)?;
        return count(page.all("tr").iter().filter(|row| row.is_in("main") && !row.get("id").is_empty()).count());
    }
    let rows = rows(&csv.text);
    let sum = |column: &str| -> Result<i64> {
        let at = rows[0].iter().position(|name| name == column).with_context(|| format!("{href} has no {column}"))?;
        rows.iter().skip(1).map(|row| row[at].parse::<i64>().with_context(|| format!("{column} {}", row[at]))).sum()
    };
    match path {
        "/queue" => sum("waiting"),
        // Of every metric; the number is that of those out of control.
        "/quality" => {
            let at = rows[0].iter().position(|name| name == "out").context("a column of what is out of control")?;
            count(rows.iter().skip(1).filter(|row| row[at] != "0").count())
        }
        _ => count(rows.len() - 1),
    }
}

#[test]
fn every_number_of_the_first_screen_is_what_its_list_has_and_what_the_log_says() -> Result<()> {
    let demo = demo_site(SPECIMENS)?;
    let events = exported(&demo)?;
    let stages = counted(folded(&events)?.into_values());
    let (demo, origin) = served(demo)?;
    let roles = "operator,reviewer,releaser,withdrawal_officer,auditor";
    demo.done(&["admin", "user", "add", "everybody", "--roles", roles])?;
    demo.password("everybody", PASSWORD)?;
    let visitor = Visitor::sign_in(&origin, "everybody", PASSWORD)?;
    let charts = |screen: &Shown| screen.text.contains("Metrics out of control");
    let mut screen = visitor.page("/")?;
    demo.until("everything to be counted", |_| {
        screen = visitor.page("/")?;
        Ok(charts(&screen))
    })?;
    let (mut wrong, mut seen, mut parts) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    for (section, row, number, href) in numbers(&screen) {
        if NO_LISTS.iter().any(|(part, begins)| section == *part && row.starts_with(begins)) {
            continue;
        }
        parts.insert(section.clone());
        let list = match (section.as_str(), row.as_str()) {
            ("withdrawals", row) if row.starts_with("wait for an answer") => {
                let waiting = format!("{href}?format=csv");
                let rows = rows(&visitor.page(&waiting)?.text);
                let of = |row: &[String], back: usize| row[row.len() - back].parse::<i64>();
                rows.iter().skip(1).map(|row| Ok::<_, anyhow::Error>(of(row, 2)? - of(row, 1)?)).sum::<Result<i64>>()?
            }
            _ => listed(&visitor, &href)?,
        };
        if list != number {
            wrong.push(format!("{section}: {row}: says {number}, and {href} has {list}"));
        }
        if let Some(stage) = href.strip_prefix("/order-lines?stage=").filter(|stage| !stage.contains('&')) {
            seen.insert(stage.to_owned(), number);
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    seen.retain(|_, count| *count > 0);
    ensure!(seen == stages, "the line is another than the log says: {seen:?} {stages:?}");
    for part in ["", "line", "late", "queue", "hand-off", "failures", "intake", "omissions", "schedules", "withdrawals"]
    {
        ensure!(parts.contains(part), "no number of `{part}` was looked at: {parts:?}");
    }
    Ok(())
}

pub(super) fn served(mut demo: Demo) -> Result<(Demo, String)> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    demo.serve(port)?;
    Ok((demo, format!("http://127.0.0.1:{port}")))
}

fn opens(_: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    visitor.page(&act.href)?;
    Ok(Came::Done)
}

fn is_here(_: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let id = act.href.strip_prefix('#').context("a place on the page")?;
    ensure!(visitor.page("/")?.elements().iter().any(|one| one.get("id") == id), "there is no {id}");
    Ok(Came::Done)
}

fn searches(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let form = visitor.page("/")?.form(&act.label, "")?;
    ensure!(form.method == "get" && form.open.keys().eq(["q"]), "{form:?}");
    let specimen = demo.sql("select max(specimen_id) from order_line")?;
    let found = visitor.page(&format!("{}?q={specimen}", act.label))?;
    ensure!(found.text.contains(&specimen), "{specimen} is not found");
    Ok(Came::Done)
}

fn needs_javascript(_: &Demo, _: &Visitor, act: &Act) -> Result<Came> {
    ensure!(act.hidden, "without JavaScript it does nothing, and shows all the same");
    Ok(Came::Done)
}

/// A receiver that is late: whoever subscribes to letters is asked again; of whom nobody does, the page says so and offers it again.
fn ask(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let page = visitor.page(&act.href)?;
    // A list leads to deliveries, a delivery to what can be done about it.
    let deliveries = page.all("a").into_iter().map(|one| one.get("href").to_owned());
    let mut places: Vec<String> = deliveries.filter(|href| href.starts_with("/hand-off/d0")).collect();
    places.retain(|place| !place.contains("/act"));
    places.insert(0, act.href.clone());
    for place in places {
        let page = visitor.page(&place)?;
        if !page.text.contains(r#"href="/hand-off?target=d-"#) || !place.starts_with("/hand-off/d0") {
            continue;
        }
        let all = page.all("a");
        let way = |what: &str| all.iter().map(|one| one.get("href")).find(|href| href.contains(what));
        ensure!(way("what=ask").is_none(), "nobody subscribes to letters of this site, and they can be sent");
        if visitor.name != "ops-01" {
            // To offer it again is the operator's: whoever may only ask is told how.
            ensure!(page.text.contains(r#"id="by-hand""#), "nobody says how they are asked: {}", page.text);
            return Ok(Came::Done);
        }
        let way = way("what=reoffer").context("a way to offer it again")?.to_owned();
        // What it has delivered stays delivered; it is the answer that is asked for anew.
        let delivery = place.rsplit('/').next().unwrap_or_default();
        return offer(demo, visitor, delivery, &way, &["offered", "delivered"]);
    }
    bail!("nobody can be asked")
}

fn until_stage(demo: &Demo, order: &str, stages: &[&str]) -> Result<Came> {
    demo.until(&format!("{order} to be in {stages:?}"), |demo| Ok(stages.contains(&stage(demo, order)?.as_str())))?;
    Ok(Came::Done)
}

/// A refused delivery is offered again.
fn reoffer(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let all = visitor.page(&act.href)?.all("a");
    let way = all.iter().map(|one| one.get("href")).find(|href| href.ends_with("what=reoffer"));
    offer(demo, visitor, act.thing(), way.context("a way to offer it again")?, &["offered"])
}

/// Offers a delivery again: it, its order line, and the time in which it is answered.
fn offer(demo: &Demo, visitor: &Visitor, delivery: &str, way: &str, stages: &[&str]) -> Result<Came> {
    let form = visitor.page(way)?.form(&format!("/hand-off/{delivery}/act"), "act")?;
    visitor.done(&form, &[("days", "30"), ("reason", "their disk was full")])?;
    let of = |what: &str| {
        demo.sql(&format!("select {what} from record where kind = 'delivery' and record_id = '{delivery}'"))
    };
    ensure!(of("status")? == "offered", "it is {}", of("status")?);
    let late = of("coalesce(json_extract(document, '$.receipt_due_us') < updated_us, 0)")?;
    ensure!(late == "0", "it is late all the same");
    until_stage(demo, &of("json_extract(document, '$.order_line')")?, stages)
}

/// The form of an order line's decisions.
fn choose(demo: &Demo, visitor: &Visitor, act: &Act, way: &str, stages: &[&str]) -> Result<Came> {
    let order = act.part(2)?;
    let form = visitor.page(&act.href)?.form(&act.href, "decide")?;
    visitor.done(&form, &[("way", way), ("reason", "looked at it")])?;
    until_stage(demo, order, stages)
}

fn reanalyze(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    choose(demo, visitor, act, "reanalysis_requested", &["release_review"])
}

fn new_material(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    choose(demo, visitor, act, "new_material", &["awaiting_material"])
}

fn start_alone(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    choose(demo, visitor, act, "singleton", &["release_review"])
}

fn top_up(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    choose(demo, visitor, act, "top_up", &["awaiting_top_up"])
}

/// Who it is, is decided: the order line may be released now. What is left is a deviation.
fn know(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let waived = format!(
        "select coalesce(json_extract(document, '$.values_waived'), '') from order_line where order_line_id = '{}'",
        act.thing()
    );
    ensure!(demo.sql(&waived)?.is_empty(), "it is let pass already");
    choose(demo, visitor, act, "release", &["release_review"])?;
    ensure!(!demo.sql(&waived)?.is_empty(), "nothing is let pass");
    Ok(Came::Done)
}

/// A deviation is closed with what was done.
fn close(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let form = visitor.page(&act.href)?.form(&act.href, "")?;
    visitor.done(&form, &[("reason", "asked the hospital; the requisition was wrong")])?;
    let status = format!("select status from record where kind = 'deviation' and record_id = '{}'", act.thing());
    ensure!(demo.sql(&status)? == "closed", "it is {}", demo.sql(&status)?);
    Ok(Came::Done)
}

/// The question of a step, on its run's page.
fn question(visitor: &Visitor, act: &Act) -> Result<(String, String, kentai_tests::page::Form)> {
    let (run, anchor) = (act.part(2)?, act.href.split('#').nth(1).context("a question")?);
    let form = visitor.page(&act.href)?.form(&format!("/runs/{run}/answer"), anchor)?;
    let order = format!("select order_line_id from run where run_id = '{run}'");
    Ok((run.to_owned(), order, form))
}

fn let_pass(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let (_, order, form) = question(visitor, act)?;
    visitor.done(&form, &[("verdict", "release"), ("reason", "a relative of the other one")])?;
    until_stage(demo, &demo.sql(&order)?, &["release_review"])
}

/// One of two yeses; with the second the order line leaves. While it is open who it is, nobody's yes is taken, and the page says why.
fn release(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let (run, order, form) = question(visitor, act)?;
    let order = demo.sql(&order)?;
    let answers = format!(
        "select coalesce(json_array_length(detail, '$.answers'), 0) from step where run_id = '{run}' and step = 'release'"
    );
    let before: i64 = demo.sql(&answers)?.parse()?;
    let doubt = format!(
        "select count(*) from order_line join record on kind = 'evaluation' and parent = order_line_id and status = 'fail'
         where order_line_id = '{order}' and coalesce(json_extract(order_line.document, '$.values_waived'), '') <> record_id"
    );
    let typed = [("verdict", "approve"), ("reason", "read all of it")];
    let shown = visitor.fill(&form, &typed)?;
    if shown.status == 409 {
        let (heading, text) = (shown.heading(), &shown.text);
        // Nothing moved: the question stands, with what stands against it and what was typed.
        ensure!(!heading.contains("moved on") && text.contains("read all of it"), "{heading}\n{text}");
        ensure!(text.contains(r#"role="alert""#) && text.contains("offered: `kentai qc decide"), "{text}");
        ensure!(demo.sql(&answers)? == before.to_string(), "it counted");
        if demo.sql(&doubt)? == "0" {
            // Nothing was measured of what was analyzed anew: a reviewer says that it may pass, as the page says.
            let act = Act { href: format!("/order-lines/{order}/decide"), ..act.clone() };
            choose(demo, &visitor.other("rev-01", PASSWORD)?, &act, "release", &["release_review"])?;
        }
        return Ok(Came::Refused);
    }
    ensure!(shown.status == 303 && demo.sql(&doubt)? == "0", "{}: {}", shown.status, shown.text);
    ensure!(demo.sql(&answers)?.parse::<i64>()? == before + 1, "{} answers", demo.sql(&answers)?);
    if before == 0 { Ok(Came::Done) } else { until_stage(demo, &order, &["released", "offered", "delivered"]) }
}

/// A run that failed is done again: from its page, or as another analysis of its order line.
fn retry(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    if act.part(1)? == "order-lines" {
        return reanalyze(demo, visitor, act);
    }
    let run = act.part(2)?;
    let form = visitor.page(&act.href)?.form(&format!("/runs/{run}/retry"), "decide")?;
    visitor.done(&form, &[])?;
    let order = demo.sql(&format!("select order_line_id from run where run_id = '{run}'"))?;
    until_stage(demo, &order, &["release_review"])
}

/// The second person's yes to an order line that is opened again.
fn confirm(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let id = act.part(2)?;
    let of =
        |what: &str| demo.sql(&format!("select {what} from record where kind = 'proposal' and record_id = '{id}'"));
    let order = of("json_extract(document, '$.request.order_line')")?;
    let before = stage(demo, &order)?;
    let form = visitor.page(&act.href)?.form(&format!("/proposals/{id}"), "confirm")?;
    visitor.done(&form, &[])?;
    ensure!(of("status")? == "confirmed", "it is {}", of("status")?);
    ensure!(stage(demo, &order)? != before, "{order} is still {before}");
    Ok(Came::Done)
}

/// What others proposed is confirmed, the rest is proposed; when all of it is done and answered, the case is closed.
fn work_off(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    let (case, things) = (act.thing(), format!("{}/things", act.href));
    let count = |status: &str| -> Result<i64> {
        let of = "select count(*) from record where kind = 'case_item'";
        Ok(demo.sql(&format!("{of} and parent = '{case}' and status in ({status})"))?.parse()?)
    };
    for (standing, typed) in [
        ("proposed", &[("act", "confirm")][..]),
        ("listed", &[("act", "propose"), ("decision", "stub"), ("reason", "the letter says so")]),
    ] {
        let form = visitor.page(&act.href)?.form(&things, "things")?;
        let own = |thing: &&String| thing.split('|').nth(3) == Some(visitor.name.as_str());
        let all = form.open.get("thing").into_iter().flatten();
        let all: Vec<&String> = all.filter(|thing| thing.split('|').nth(1) == Some(standing) && !own(thing)).collect();
        if !all.is_empty() {
            let before = count(&format!("'{standing}'"))?;
            let things = all.iter().map(|thing| ("thing", thing.as_str()));
            visitor.done(&form, &things.chain(typed.iter().copied()).collect::<Vec<_>>())?;
            let gone = i64::try_from(all.len())?;
            demo.until("the things to move on", |_| Ok(count(&format!("'{standing}'"))? == before - gone))?;
        }
    }
    if count("'listed', 'proposed'")? > 0 {
        return Ok(Came::Done);
    }
    demo.until("everything to be done", |_| Ok(count("'confirmed'")? == 0))?;
    let notices =
        format!("select record_id from record where kind = 'notice' and parent = '{case}' and status = 'pending'");
    if visitor.name.starts_with("wdo") {
        for notice in demo.sql(&notices)?.lines() {
            let page = visitor.page(&format!("/notices/{notice}"))?;
            visitor
                .done(&page.form(&format!("/notices/{notice}/answered"), "")?, &[("receipt", "destroyed 2026-11")])?;
        }
        let form = visitor.page(&act.href)?.form(&format!("{}/close", act.href), "close")?;
        visitor.done(&form, &[])?;
        let status = format!("select status from record where kind = 'case' and record_id = '{case}'");
        ensure!(demo.sql(&status)? == "closed", "the case is {}", demo.sql(&status)?);
    }
    Ok(Came::Done)
}

/// An order line that is late or stuck goes on.
fn decide(demo: &Demo, visitor: &Visitor, act: &Act) -> Result<Came> {
    if act.part(1)? == "runs" {
        let run = act.part(2)?;
        let all = visitor.page(&act.href)?.elements();
        let asks = all.iter().find(|one| one.tag == "section" && one.get("id").starts_with("ask-"));
        let Some(asks) = asks.map(|one| one.get("id").to_owned()) else { return retry(demo, visitor, act) };
        let act = Act { href: format!("/runs/{run}#{asks}"), row: format!("-{run}"), ..act.clone() };
        return if asks == "ask-release" { release(demo, visitor, &act) } else { let_pass(demo, visitor, &act) };
    }
    match stage(demo, act.part(2)?)?.as_str() {
        "received" => choose(demo, visitor, act, "accession", &["accessioned"]),
        "ready" => choose(demo, visitor, act, "resume", &["release_review"]),
        "sequence_qc_failed" => top_up(demo, visitor, act),
        "rejected" => new_material(demo, visitor, act),
        "refused" => choose(demo, visitor, act, "reoffered", &["offered"]),
        other => bail!("nobody says what is decided about an order line that is {other}"),
    }
}

//! A withdrawal written down on the page, without JavaScript: from a specimen, for everything and for one use, with what is wrong in its
//! place, in both languages, and by nobody else than an officer.

use anyhow::{Context, Result, ensure};
use kentai_tests::demo::{Demo, demo_site};
use kentai_tests::page::Visitor;

use super::buttons::{PASSWORD, served};
use super::{SPECIMENS, stage};

const FORM: &str = "/withdrawals/new";

/// An order line under analysis: itself, its specimen, its participant.
fn at_work(demo: &Demo, other: &str) -> Result<(String, String, String)> {
    let found = demo.sql(&format!(
        "select order_line_id || ' ' || specimen_id || ' ' || participant_id from order_line
         join participant using (participant_id)
         where stage in ('analyzing', 'in_lab', 'sequencing') and participant_id <> '{other}' and json_array_length(scopes) > 1
         order by stage, 1 limit 1"
    ))?;
    let parts: Vec<String> = found.split(' ').map(str::to_owned).collect();
    let [order, specimen, participant] = parts.try_into().ok().context("an order line at work")?;
    Ok((order, specimen, participant))
}

fn consent(demo: &Demo, participant: &str) -> Result<String> {
    demo.sql(&format!("select consent || ' ' || scopes from participant where participant_id = '{participant}'"))
}

/// The way from a specimen's page to the form.
fn way(visitor: &Visitor, specimen: &str) -> Result<String> {
    let page = visitor.page(&format!("/specimens/{specimen}"))?;
    let way = page.all("a").into_iter().find(|one| one.get("id") == "act-withdraw").context("a way to the form")?;
    Ok(way.get("href").to_owned())
}

#[test]
fn a_withdrawal_is_written_down_from_a_specimens_page_and_acts_at_once() -> Result<()> {
    let (demo, origin) = served(demo_site(SPECIMENS)?)?;
    let visitor = Visitor::sign_in(&origin, "wdo-01", PASSWORD)?;
    let (order, specimen, participant) = at_work(&demo, "")?;
    let way = way(&visitor, &specimen)?;
    let form = visitor.page(&way)?.form(FORM, "record")?;
    ensure!(form.required == ["what", "evidence"] && form.open["use"].len() > 1, "{form:?}");
    let hostile = r#""><script>alert(1)</script>"#;
    for (typed, said) in [
        (&[("evidence", hostile)][..], "Choose what is taken back."),
        (&[("what", "some"), ("evidence", hostile)], "Choose the uses that are taken back."),
        (&[("what", "some"), ("use", "nonsense"), ("evidence", hostile)], "Choose the uses that are taken back."),
        (&[("what", "all"), ("reason", hostile)], "Say where the notice lies"),
        (&[("what", "all"), ("evidence", "l"), ("noticed", "2999-01-01T00:00")], "This time is still to come."),
        (&[("what", "all"), ("evidence", "l"), ("noticed", hostile)], "Give date and time"),
    ] {
        let hidden = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let shown = visitor.send(FORM, &hidden.chain(typed.iter().copied()).collect::<Vec<_>>())?;
        ensure!(shown.status == 422 && shown.text.contains(said), "{typed:?}: {} {}", shown.status, shown.text);
        ensure!(!shown.text.contains("<script>alert"), "{}", shown.text);
        let back = shown.elements();
        let kept = |name: &str, value: &str| {
            let mut all = back.iter().filter(|one| one.get("name") == name);
            all.any(|one| one.get("value") == value || one.text == value)
        };
        for (name, value) in typed.iter().filter(|(name, _)| *name != "use") {
            ensure!(kept(name, value), "{name}: what was typed is gone: {}", shown.text);
        }
    }
    ensure!(!stage(&demo, &order)?.contains("withdrawn"), "something wrong acted");
    let typed =
        [("what", "all"), ("evidence", "letter 77"), ("noticed", "2026-11-01T09:30"), ("reason", "moved abroad")];
    let led = visitor.done(&form, &typed)?.location;
    let case = led.strip_prefix("/withdrawals/").context("to the case")?;
    ensure!(stage(&demo, &order)? == "withdrawn" && consent(&demo, &participant)? == "withdrawn []");
    let page = visitor.page(&led)?.text;
    ensure!(page.contains("letter 77") && page.contains("moved abroad") && page.contains("Nov, 09:30"), "{page}");
    // Sent again, and by whoever looked before: it is told how things stand, and nothing is done.
    let shown = visitor.fill(&form, &typed)?;
    ensure!(shown.status == 409 && shown.text.contains("has changed since you looked"), "{}", shown.text);
    ensure!(shown.text.contains(&led), "it does not lead to {case}");
    let cases = format!("select count(*) from record where kind = 'case' and parent = '{participant}'");
    ensure!(demo.sql(&cases)? == "1", "{} cases", demo.sql(&cases)?);
    let page = visitor.page(&format!("/specimens/{specimen}"))?;
    ensure!(page.all("a").iter().all(|one| one.get("id") != "act-withdraw"), "it may be withdrawn again");
    kentai_tests::invariants::check(&demo.path())
}

#[test]
fn one_use_is_taken_back_by_an_officer_in_either_language_and_by_nobody_else() -> Result<()> {
    let (demo, origin) = served(demo_site(SPECIMENS)?)?;
    let visitor = Visitor::sign_in(&origin, "wdo-01", PASSWORD)?;
    let (order, specimen, participant) = at_work(&demo, "")?;
    let (before, way) = (stage(&demo, &order)?, way(&visitor, &specimen)?);
    for name in ["ops-01", "rel-01", "aud-01", "adm-01", "h-017-desk"] {
        let other = Visitor::sign_in(&origin, name, PASSWORD)?;
        ensure!(other.get(&way)?.status == 403 && other.get(FORM)?.status == 403, "{name} may look");
        let sent = other.send(FORM, &[("program", "x"), ("pseudonym", "x"), ("what", "all"), ("evidence", "x")])?;
        ensure!(sent.status == 403, "{name}: {}", sent.status);
        ensure!(!other.get(&format!("/specimens/{specimen}"))?.text.contains("act-withdraw"), "{name} is led there");
    }
    // The list leads there by name; nobody of that name is said in its place.
    let list = visitor.page("/withdrawals")?.all("a");
    ensure!(list.iter().any(|one| one.get("href") == FORM), "the list does not lead there");
    let lookup = visitor.page(FORM)?.form(FORM, "")?;
    ensure!(lookup.method == "get" && lookup.required == ["program", "pseudonym"], "{lookup:?}");
    let program = lookup.open["program"][0].clone();
    let nobody = visitor.get(&format!("{FORM}?program={program}&pseudonym=%3Cb%3E"))?;
    ensure!(nobody.status == 404 && nobody.text.contains("Nobody of this program"), "{}", nobody.text);
    ensure!(!nobody.text.contains("<b>\"") && nobody.text.contains(r#"value="&#60;b&#62;""#), "{}", nobody.text);
    visitor.get("/language/ja?back=/")?;
    let page = visitor.page(&way)?;
    ensure!(page.heading() == "同意撤回の記録" && page.text.contains("一部の利用のみ"), "{}", page.text);
    let form = page.form(FORM, "record")?;
    let scopes = form.open["use"].clone();
    let wrong = visitor.fill(&form, &[("what", "some"), ("evidence", "手紙 5")])?;
    ensure!(wrong.status == 422 && wrong.text.contains("撤回する利用を選んでください。"), "{}", wrong.text);
    let taken = scopes.last().context("a use")?;
    let led = visitor.done(&form, &[("what", "some"), ("use", taken), ("evidence", "手紙 5")])?.location;
    let left: Vec<&String> = scopes.iter().filter(|scope| *scope != taken).collect();
    ensure!(consent(&demo, &participant)? == format!("partial {}", serde_json::to_string(&left)?));
    ensure!(stage(&demo, &order)? == before, "work for other uses goes on");
    let page = visitor.page(&led)?.text;
    ensure!(page.contains("手紙 5") && page.contains(taken.as_str()), "{page}");
    kentai_tests::invariants::check(&demo.path())
}

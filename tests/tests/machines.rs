//! Every pair of every state machine, against the page that people read. The page is parsed cell by cell; the code is asked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use kentai_engine::state::{
    Illegal, attempt, case_item, consent, custody, delivery, instrument_run, notice, order, parcel, retirement, run,
    shipment_item, step, transfer, withdrawal, work_request,
};

/// Status and event in, what follows out.
type Next = Box<dyn Fn(&str, &str) -> Option<&'static str>>;

/// Asks a machine: statuses, events, and what follows a pair.
struct Machine {
    statuses: Vec<&'static str>,
    events: Vec<&'static str>,
    next: Next,
}

macro_rules! machine {
    ($status:ty, $event:ty) => {
        Machine {
            statuses: <$status>::ALL.iter().map(|one| one.word()).collect(),
            events: <$event>::ALL.iter().map(|one| one.word()).collect(),
            next: Box::new(|status, event| {
                let (status, event) = (<$status>::parse(status)?, <$event>::parse(event)?);
                let next: Result<$status, Illegal> = status.next(event);
                next.ok().map(|next| next.word())
            }),
        }
    };
}

fn machines() -> BTreeMap<&'static str, Machine> {
    BTreeMap::from([
        ("order line", machine!(order::Stage, order::Event)),
        ("consent", machine!(consent::Status, consent::Event)),
        ("custody", machine!(custody::Status, custody::Event)),
        ("delivery", machine!(delivery::Status, delivery::Event)),
        ("work request", machine!(work_request::Status, work_request::Event)),
        ("instrument run", machine!(instrument_run::Status, instrument_run::Event)),
        ("withdrawal", machine!(withdrawal::Status, withdrawal::Event)),
        ("case item", machine!(case_item::Status, case_item::Event)),
        ("notice", machine!(notice::Status, notice::Event)),
        ("shipment", machine!(parcel::Status, parcel::Event)),
        ("retirement", machine!(retirement::Status, retirement::Event)),
        ("transfer", machine!(transfer::Status, transfer::Event)),
        ("shipment item", machine!(shipment_item::Status, shipment_item::Event)),
        ("run", machine!(run::Status, run::Event)),
        ("step", machine!(step::Status, step::Event)),
        ("attempt", machine!(attempt::Status, attempt::Event)),
    ])
}

/// Machine → event → status → what follows.
type Page = BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<String>>>>;

fn page() -> Result<Page> {
    let text = std::fs::read_to_string(kentai_tests::root().join("docs/state-machines.md"))?;
    let (mut page, mut machine, mut heads) = (Page::new(), String::new(), Vec::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            machine = title.to_owned();
            heads.clear();
        } else if let Some(cells) = line.strip_prefix('|') {
            let cells: Vec<&str> = cells.trim_end_matches('|').split('|').map(str::trim).collect();
            match cells.first() {
                Some(&"") => heads = cells[1..].iter().map(|cell| (*cell).to_owned()).collect(),
                Some(first) if first.starts_with("**") => {
                    ensure!(cells.len() == heads.len() + 1, "{machine}: {line}");
                    let cell = |text: &str| (text != "–").then(|| text.to_owned());
                    let row = heads.iter().cloned().zip(cells[1..].iter().map(|text| cell(text))).collect();
                    page.entry(machine.clone()).or_default().insert(first.trim_matches('*').to_owned(), row);
                }
                _ => {}
            }
        }
    }
    Ok(page)
}

#[test]
fn every_pair_of_every_machine_is_as_the_page_says() -> Result<()> {
    let (page, machines) = (page()?, machines());
    let titles: BTreeSet<&str> = page.keys().map(String::as_str).collect();
    ensure!(titles == machines.keys().copied().collect(), "the page has {titles:?}");
    let mut pairs = 0;
    for (title, machine) in &machines {
        let rows = &page[*title];
        ensure!(rows.len() == machine.events.len(), "{title}: the page has {} events", rows.len());
        for event in &machine.events {
            let row = rows.get(*event).with_context(|| format!("{title}: the page lacks {event}"))?;
            ensure!(row.len() == machine.statuses.len(), "{title}: the page has {} states", row.len());
            for status in &machine.statuses {
                let said = row.get(*status).with_context(|| format!("{title}: the page lacks {status}"))?;
                let found = (machine.next)(status, event);
                ensure!(
                    said.as_deref() == found,
                    "{title}: {status} and {event}: the page says {said:?}, the code {found:?}"
                );
                pairs += 1;
            }
        }
    }
    eprintln!("{} machines, {pairs} pairs", machines.len());
    Ok(())
}

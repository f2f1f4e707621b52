//! Reports: by page, whole, and with every kind of omission; late notices to whoever may see them.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::people::permission::Principal;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::specimen::import::Table;
use kentai_engine::view::center::Refused;
use kentai_engine::view::center::report::{self, OmissionFilter, Omissions, Progress};
use kentai_tests::house::{operator, person};

use super::desk::{Center, officer, short};

const DAY_US: i64 = 86_400_000_000;
const BEGAN_US: i64 = 1_780_000_000_000_000;

fn of(role: &str) -> Principal {
    person("somebody", role).principal()
}

fn hospital(institution: &str) -> Principal {
    Principal { institution: Some(institution.into()), ..of("institution") }
}

async fn omissions(center: &Center, who: &Principal, now: i64, filter: OmissionFilter) -> Result<Vec<Omissions>> {
    Ok(report::omissions(center.house.handle().reader(), who, now, &filter).await?)
}

/// Kinds that are not empty, with how many they show.
async fn found(center: &Center, who: &Principal, now: i64) -> Result<Vec<(String, usize)>> {
    let filter = OmissionFilter { limit: 100, ..OmissionFilter::default() };
    let all = omissions(center, who, now, filter).await?;
    Ok(all.into_iter().filter(|one| !one.items.is_empty()).map(|one| (one.kind, one.items.len())).collect())
}

/// Every page of a kind, one thing at a time; each page must say how many are left.
async fn paged(center: &Center, who: &Principal, now: i64, kind: &str) -> Result<Vec<String>> {
    let (mut after, mut things, mut left) = (None, Vec::new(), None);
    loop {
        let filter = OmissionFilter { kind: Some(kind.into()), after, limit: 1 };
        let page = omissions(center, who, now, filter).await?.pop().context("the kind")?;
        ensure!(page.items.len() <= 1 && left.is_none_or(|left| page.more == left), "{page:?} after {left:?}");
        left = Some(page.more - 1);
        things.extend(page.items.into_iter().map(|one| one.thing));
        after = page.next;
        if after.is_none() {
            ensure!(page.more == 0, "{} more and no next page", page.more);
            return Ok(things);
        }
    }
}

async fn announced(center: &Center, number: usize, assay: &str) -> Result<()> {
    let (barcode, pseudonym) = (format!("T{number}"), format!("P{number}"));
    let cells = [
        ("shipment", "SH1"),
        ("barcode", &*barcode),
        ("pseudonym", &*pseudonym),
        ("program", "rare"),
        ("assay", assay),
    ];
    center.import(Table::Shipment, &[&cells], "H1").await?;
    Ok(())
}

/// Three of each kind of omission but of notices.
async fn center_with_omissions(clock: &Clock) -> Result<Center> {
    let center = Center::open_at(&short(), clock.clone()).await?;
    for number in 1..=3 {
        let (specimen, order) = center.announce(&format!("T1{number}"), &format!("P1{number}")).await?;
        center.consent(&format!("P1{number}"), &["sequencing"]).await?;
        center.receive(&format!("T1{number}")).await?;
        center.accession(&specimen).await?;
        let report = Request::Report { order_line: order, event: "lab_started".into(), reason: String::new() };
        center.ask(report, &operator()).await?;
        clock.advance(DAY_US / 24);
        center.announce(&format!("T2{number}"), &format!("P2{number}")).await?;
        center.receive(&format!("T2{number}")).await?;
        announced(&center, 30 + number, "").await?;
        center.receive(&format!("T3{number}")).await?;
        center.receive(&format!("X{number}")).await?;
        let lane = [("instrument_run", "R1"), ("lane", "1"), ("sample", &*format!("Z{number}")), ("reads", "5")];
        center.import(Table::Lanes, &[&lane], "").await?;
        announced(&center, 40 + number, "wgs").await?;
        center.consent(&format!("P4{number}"), &["sequencing"]).await?;
    }
    center.ask(Request::CloseShipment { shipment: "SH1".into() }, &operator()).await?;
    Ok(center)
}

const KINDS: [&str; 6] = [
    "order_without_consent",
    "order_without_data",
    "data_without_specimen",
    "specimen_without_order",
    "extra_item",
    "missing_item",
];

#[tokio::test]
async fn every_kind_of_omission_is_found_and_read_by_page() -> Result<()> {
    let clock = Clock::standing_at(BEGAN_US);
    let center = center_with_omissions(&clock).await?;
    let early = found(&center, &of("operator"), clock.now()).await?;
    ensure!(early.iter().all(|(kind, _)| kind != "order_without_data"), "data is late on the first day: {early:?}");
    let now = clock.now() + 40 * DAY_US;
    let wanted = KINDS.map(|kind| (kind.to_owned(), 3)).to_vec();
    let all = found(&center, &of("operator"), now).await?;
    ensure!(all == wanted, "{all:?}");
    for kind in KINDS {
        let things = paged(&center, &of("operator"), now, kind).await?;
        let different: BTreeSet<&String> = things.iter().collect();
        ensure!(things.len() == 3 && different.len() == 3, "{kind}: {things:?}");
    }
    let filter = OmissionFilter { kind: Some("order_without_data".into()), limit: 9, after: None };
    let late = omissions(&center, &of("operator"), now, filter).await?.pop().context("the kind")?.items;
    ensure!(late.iter().all(|one| one.owner == "lab" && one.due.is_some()), "{late:?}");
    ensure!(late.is_sorted_by_key(|one| one.due.clone()), "the longest late is not the first: {late:?}");
    // A lane of a specimen that nobody knows is nobody's; everything else is of the hospital that sent it.
    let ours = found(&center, &hospital("H1"), now).await?;
    ensure!(ours == wanted.into_iter().filter(|(kind, _)| kind != "data_without_specimen").collect::<Vec<_>>());
    ensure!(found(&center, &hospital("H2"), now).await?.is_empty(), "H2 sees what H1 omitted");
    // It is ordered after all: no omission any more.
    announced(&center, 31, "wgs").await?;
    let left = paged(&center, &of("operator"), now, "specimen_without_order").await?;
    ensure!(left.len() == 2, "{left:?}");
    Ok(())
}

#[tokio::test]
async fn a_notice_that_nobody_answered_in_time_is_an_omission_until_it_is_answered() -> Result<()> {
    let clock = Clock::standing_at(BEGAN_US);
    let center = Center::open_at(&short(), clock.clone()).await?;
    for number in 1..=3 {
        let (specimen, _) = center.announce(&format!("T{number}"), &format!("P{number}")).await?;
        center.consent(&format!("P{number}"), &["sequencing"]).await?;
        center.receive(&format!("T{number}")).await?;
        for step in ["packed", "handed_over"] {
            let custody = Request::Custody {
                specimen: specimen.clone(),
                event: step.into(),
                holder: "biobank".into(),
                transfer: String::new(),
                accession: String::new(),
                receipt: String::new(),
            };
            center.ask(custody, &operator()).await?;
        }
        let withdraw = Request::Withdraw {
            program: "rare".into(),
            pseudonym: format!("P{number}"),
            scopes: Vec::new(),
            evidence: "letter".into(),
            noticed_us: None,
            reason: String::new(),
        };
        center.ask(withdraw, &officer("sato")).await?;
        clock.advance(DAY_US);
    }
    let kind = "unanswered_notice";
    let officer_sees = async |now: i64| paged(&center, &of("withdrawal_officer"), now, kind).await;
    ensure!(officer_sees(BEGAN_US + 14 * DAY_US - 1).await?.is_empty(), "late before its time");
    ensure!(officer_sees(BEGAN_US + 14 * DAY_US).await?.len() == 1, "not late at its time");
    let now = BEGAN_US + 60 * DAY_US;
    let all = officer_sees(now).await?;
    ensure!(all.len() == 3 && all.iter().collect::<BTreeSet<_>>().len() == 3, "{all:?}");
    let filter = OmissionFilter { kind: Some(kind.into()), after: None, limit: 9 };
    let page = omissions(&center, &of("auditor"), now, filter.clone()).await?.pop().context("the kind")?;
    let first = page.items.first().context("a notice")?;
    ensure!(first.owner == "withdrawal_officer" && first.due.is_some() && first.en.contains("biobank"), "{first:?}");
    // What a withdrawal is about stays with those who may see it, though others may read reports.
    for who in [of("operator"), of("reviewer"), hospital("H1")] {
        let refused = report::omissions(center.house.handle().reader(), &who, now, &filter).await;
        ensure!(matches!(refused, Err(Refused::NotAllowed(_))), "{refused:?}");
        ensure!(found(&center, &who, now).await?.iter().all(|(found, _)| found != kind), "{} sees it", who.name);
    }
    let notice = first.thing.strip_prefix("notice ").context("a notice")?.to_owned();
    center.ask(Request::NoticeAnswered { notice, receipt: "mail 12".into() }, &officer("sato")).await?;
    ensure!(officer_sees(now).await? == all[1..], "what is answered is still late");
    Ok(())
}

#[tokio::test]
async fn progress_is_the_same_in_pages_of_any_size() -> Result<()> {
    let clock = Clock::standing_at(BEGAN_US);
    let center = center_with_omissions(&clock).await?;
    let reader = center.house.handle().reader();
    let read = async |who: &Principal, limit: i64| -> Result<Vec<Progress>> {
        let (mut after, mut all) = (None::<String>, Vec::new());
        loop {
            let page = report::progress(reader, who, after.as_deref(), limit).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    };
    let whole = read(&of("operator"), 1_000).await?;
    ensure!(whole.len() == 9, "{} order lines", whole.len());
    for limit in [1, 2, 3, 9, 10] {
        ensure!(read(&of("operator"), limit).await? == whole, "pages of {limit} differ");
        ensure!(read(&hospital("H1"), limit).await? == whole, "pages of {limit} differ for H1");
    }
    ensure!(read(&hospital("H2"), 2).await?.is_empty(), "H2 sees lines of H1");
    let first = whole.first().context("an order line")?;
    let said = [&first.barcode, &first.consent, &first.specimen_status, &first.send_receive].map(String::as_str);
    ensure!(said == ["T11", "given", "in_lab", "accepted"], "{said:?}");
    let times = report::turnaround(reader, &of("operator")).await?;
    let arrived = times.iter().find(|one| one.gate == "arrival").context("what arrived")?;
    ensure!(arrived.assay == "wgs@1" && arrived.count == 6, "{arrived:?}");
    ensure!(report::turnaround(reader, &hospital("H2")).await?.is_empty(), "H2 sees times of H1");
    Ok(())
}

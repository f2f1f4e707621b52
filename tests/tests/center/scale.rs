//! Many specimens: the lists and the questions of a day stay quick. Small by itself; `KENTAI_TEST_SPECIMENS=100000` for the real thing.

use std::time::Instant;

use anyhow::{Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::people::permission::Principal;
use kentai_engine::store::read::{OrderFilter, Reader};
use kentai_engine::view::center;
use kentai_engine::view::center::report::{self, OmissionFilter};
use kentai_tests::house::{House, Plan, person};
use kentai_tests::seed::{Seed, fill};
use kentai_workflows::diagnostic::Language;

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}

#[tokio::test]
async fn a_center_with_a_past_is_made_by_requests_and_read_by_page() -> Result<()> {
    let wanted = std::env::var("KENTAI_TEST_SPECIMENS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500);
    let number = std::env::var("KENTAI_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let house = House::with(Plan { clock: clock.clone(), ..Plan::default() }).await?;
    let began = Instant::now();
    fill(house.handle(), &clock, Seed { specimens: wanted, number }).await?;
    clock.advance(40 * 86_400_000_000);
    let seconds = began.elapsed().as_secs_f64();
    let reader = house.handle().reader();
    let counts = reader.stage_counts().await?;
    let all: i64 = counts.iter().map(|one| one.count).sum();
    ensure!(usize::try_from(all)? == wanted, "the counts sum to {all}");
    let events: i64 = house.sql("select max(seq) from event")?.parse()?;
    eprintln!("{wanted} specimens, {events} events in {seconds:.0} s (seed {number})");
    let who = person("suzuki", "operator").principal();
    let mut times = Vec::new();
    let (mut after, mut some) = (None, Vec::new());
    for _ in 0..50 {
        let began = Instant::now();
        let filter = OrderFilter { after: after.clone(), limit: 100, ..OrderFilter::default() };
        let page = center::order_lines(reader, &who, filter).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        some.extend(page.items.iter().step_by(10).map(|line| line.id.clone()));
        after = page.next;
    }
    eprintln!("specimen list, a page of 100: {:.2} ms at the median", median(times));
    let mut times = Vec::new();
    for id in some.iter().take(200) {
        let began = Instant::now();
        let why = center::why(reader, &who, id, clock.now(), Language::En).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(why.is_some_and(|why| !why[0].said.is_empty()), "no reason for {id}");
    }
    eprintln!("why an order line: {:.2} ms at the median", median(times));
    let mut times = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        let stuck = center::stuck(reader, &who, clock.now(), (None, 100)).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(!stuck.items.is_empty(), "nothing is stuck after forty days");
    }
    eprintln!("the first 100 that are stuck: {:.2} ms at the median", median(times));
    let mut times = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        ensure!(!center::stages(reader, &who).await?.is_empty());
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    eprintln!("how many stand in each stage: {:.2} ms at the median", median(times));
    reports(reader, &who, clock.now(), wanted).await
}

/// What reports cost: the first page of each, and all of progress page by page, as an export reads it.
async fn reports(reader: &Reader, who: &Principal, now: i64, wanted: usize) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        let page = report::progress(reader, who, None, 100).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(page.items.len() == 100.min(wanted), "a page of {}", page.items.len());
    }
    eprintln!("progress, the first page of 100: {:.2} ms at the median", median(times));
    let (mut times, mut after, mut lines) = (Vec::new(), None::<String>, 0);
    let all = Instant::now();
    loop {
        let began = Instant::now();
        let page = report::progress(reader, who, after.as_deref(), 1_000).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        lines += page.items.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    ensure!(lines == wanted, "{lines} lines of {wanted}");
    let (seconds, pages) = (all.elapsed().as_secs_f64(), times.len());
    eprintln!(
        "progress, all {lines} in {pages} pages of 1000: {seconds:.2} s, a page {:.2} ms at the median",
        median(times)
    );
    let hospital = Principal { institution: Some("H7".into()), ..person("h7", "institution").principal() };
    for (name, who) in [("omissions", who), ("omissions of H7", &hospital)] {
        let (mut times, mut said) = (Vec::new(), String::new());
        for _ in 0..20 {
            let filter = OmissionFilter { limit: 100, ..OmissionFilter::default() };
            let began = Instant::now();
            let found = report::omissions(reader, who, now, &filter).await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            let many = found.iter().filter(|one| !one.items.is_empty());
            said = many.map(|one| format!(" {} {}+{}", one.kind, one.items.len(), one.more)).collect();
        }
        eprintln!("{name}, 100 of each kind: {:.2} ms at the median;{said}", median(times));
    }
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        ensure!(report::turnaround(reader, who).await?.iter().any(|one| one.gate == "arrival"), "nothing arrived");
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    eprintln!("turnaround, all of it: {:.1} ms at the median", median(times));
    Ok(())
}

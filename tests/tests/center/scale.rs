//! Many specimens: the lists and the questions of a day stay quick. Small by itself; `KENTAI_TEST_SPECIMENS=100000` for the real thing.

use std::time::Instant;

use anyhow::{Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::store::read::OrderFilter;
use kentai_tests::house::{House, Plan};
use kentai_tests::seed::{Seed, fill};

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
    let mut times = Vec::new();
    let mut after = None;
    for _ in 0..50 {
        let began = Instant::now();
        let page =
            reader.order_lines(&OrderFilter { after: after.clone(), limit: 50, ..OrderFilter::default() }).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        after = page.last().map(|row| row.order_line_id.clone());
    }
    eprintln!("a page of 50 order lines: {:.2} ms at the median", median(times));
    let mut times = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        let stuck = reader.stuck(clock.now(), None, 50).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        ensure!(!stuck.is_empty(), "nothing is stuck after forty days");
    }
    eprintln!("the first 50 that are stuck: {:.2} ms at the median", median(times));
    Ok(())
}

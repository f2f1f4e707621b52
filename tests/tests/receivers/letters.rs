//! Letters of what is called back: those that wait are not sent any more, one that is on its way may arrive, and the recall is told.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use kentai_engine::clock::{Clock, Micros, now};
use kentai_engine::port::BoxFuture;
use kentai_engine::port::messenger::{Error, Letter, Messenger};
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::{Subscriber, Target};
use kentai_tests::house::Plan;
use kentai_tests::receivers::Receivers;
use tokio::sync::Semaphore;

const DAY_US: i64 = 86_400_000_000;

/// Somebody who is not there for offers, and takes everything else; an offer is held until it may come back.
struct Away {
    seen: Mutex<Vec<String>>,
    may: Semaphore,
    /// Says that it has offers after all.
    takes: bool,
}

impl Away {
    fn new(may: usize, takes: bool) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), may: Semaphore::new(may), takes })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn subscriber(self: &Arc<Self>) -> Subscriber {
        let messenger = Some(Arc::clone(self) as Arc<dyn Messenger>);
        Subscriber { to: "dc1".into(), channel: "webhook".into(), address: "https://dc1.example/".into(), messenger }
    }
}

impl Messenger for Away {
    fn send<'a>(&'a self, letter: &'a Letter, _: Micros) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(letter.subject.clone());
            if letter.subject != "sample.offered" {
                return Ok("200".into());
            }
            let turn = self.may.acquire().await.map_err(|_| Error::Gone { reason: "closed".into() })?;
            turn.forget();
            if self.takes { Ok("200".into()) } else { Err(Error::Passing { reason: "503".into(), wait_s: None }) }
        })
    }
}

async fn open(away: &Arc<Away>, clock: &Clock) -> Result<Receivers> {
    let plan = Plan { clock: clock.clone(), subscribers: vec![away.subscriber()], ..Plan::default() };
    Receivers::with(plan, Target::pulled()).await
}

/// Status of the offer's notice, and state and words of its letter.
fn offer(site: &Receivers, id: &str) -> Result<String> {
    site.house.sql(&format!(
        "select status || ' ' || json_extract(document, '$.letters[0].state') || ' ' || json_extract(document, '$.letters[0].said') \
         from record where kind = 'notice' and parent = '{id}' and document ->> 'subject' = 'sample.offered'"
    ))
}

async fn recall(site: &Receivers, id: &str) -> Result<()> {
    let request = Request::Recall { delivery: id.into(), reason: "two tubes were exchanged".into() };
    site.ask("operator", request).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_nobody_took_yet_is_not_sent_after_its_recall() -> Result<()> {
    let (away, clock) = (Away::new(1_000, false), Clock::standing_at(now()));
    let mut site = open(&away, &clock).await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    site.house.until("a try", async |_| Ok(offer(&site, &id)?.contains("503"))).await?;
    recall(&site, &id).await?;
    let stands = offer(&site, &id)?;
    ensure!(stands == "called_back called_back called back: two tubes were exchanged", "{stands}");
    let tries = away.seen().iter().filter(|subject| *subject == "sample.offered").count();
    // Neither this engine nor the next sends it, however long they wait.
    clock.advance(DAY_US);
    site.house
        .until("the recall to be told", async |_| Ok(away.seen().iter().any(|one| one == "delivery.recalled")))
        .await?;
    site.again().await?;
    clock.advance(DAY_US);
    let again = Request::NoticeAgain {
        notice: site.house.sql("select record_id from record where kind = 'notice' and status = 'called_back'")?,
    };
    let refused = site.ask("operator", again).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("called back")), "it was sent again");
    ensure!(away.seen().iter().filter(|subject| *subject == "sample.offered").count() == tries, "{:?}", away.seen());
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_on_its_way_may_arrive_and_then_it_is_said_so() -> Result<()> {
    for (takes, wanted) in [
        (true, "called_back taken 200"),
        (false, "called_back called_back called back while it was on its way, it may arrive: two tubes were exchanged"),
    ] {
        let (away, clock) = (Away::new(0, takes), Clock::standing_at(now()));
        let site = open(&away, &clock).await?;
        let (_, id) = site.offered("S1", "calls\n").await?;
        site.house.until("it to leave", async |_| Ok(away.seen().iter().any(|one| one == "sample.offered"))).await?;
        recall(&site, &id).await?;
        ensure!(offer(&site, &id)?.starts_with("called_back called_back"), "{}", offer(&site, &id)?);
        away.may.add_permits(1);
        let told = |_: &_| Ok(offer(&site, &id)? == wanted);
        site.house.until(wanted, async |house| told(house)).await?;
        clock.advance(DAY_US);
        recall(&site, &id).await.expect_err("it is called back already");
        ensure!(offer(&site, &id)? == wanted, "{}", offer(&site, &id)?);
        ensure!(away.seen().iter().filter(|subject| *subject == "sample.offered").count() == 1, "{:?}", away.seen());
        site.check().await?;
    }
    Ok(())
}

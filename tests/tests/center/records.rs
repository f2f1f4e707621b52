//! Records that move by their machines: tubes that came before their manifest, consent that ends by itself, and `why` for each.

use anyhow::{Context, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::people::permission::Principal;
use kentai_engine::people::role::Role;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::record::Consent;
use kentai_engine::view::center;
use kentai_tests::house::{Act, operator, person};
use kentai_workflows::diagnostic::Language;

use super::desk::{Center, officer, short};

const DAY_US: i64 = 86_400_000_000;

async fn why_as(center: &Center, actor: &Actor, thing: &str, now: i64) -> Result<String> {
    let who: Principal = actor.principal();
    let reader = center.house.handle().reader().clone();
    let said = |language| center::why(&reader, &who, thing, now, language);
    let japanese = said(Language::Ja).await?.context("in Japanese too")?;
    ensure!(japanese.iter().all(|one| !one.said.is_empty()), "{thing}: nothing in Japanese");
    let found = said(Language::En).await?.with_context(|| format!("no answer about {thing}"))?;
    Ok(found.iter().map(|one| format!("{} is {}: {}", one.about, one.status, one.said)).collect::<Vec<_>>().join("\n"))
}

async fn why(center: &Center, thing: &str) -> Result<String> {
    why_as(center, &operator(), thing, kentai_engine::clock::now()).await
}

#[tokio::test]
async fn a_tube_that_came_before_its_manifest_is_extra_no_more() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.receive("T1").await?;
    ensure!(why(&center, "T1").await?.contains("nobody announced it"), "{}", why(&center, "T1").await?);
    let (specimen, order) = center.announce("T1", "P1").await?;
    ensure!(center.stage(&order)? == "received", "{}", center.stage(&order)?);
    let item = "select status || ' ' || parent || ' ' || specimen_id from record where kind = 'item'";
    ensure!(center.house.sql(item)? == format!("accepted SH1 {specimen}"), "{}", center.house.sql(item)?);
    // Announced twice, and scanned twice: it stays one.
    center.announce("T1", "P1").await.err().context("a second order")?;
    ensure!(center.house.sql("select count(*) from record where kind = 'item'")? == "1");
    Ok(())
}

#[tokio::test]
async fn a_tube_that_was_rejected_before_its_manifest_is_no_good_order() -> Result<()> {
    let center = Center::open(&short()).await?;
    let reject = Request::Reject {
        barcode: "T1".into(),
        institution: "H1".into(),
        condition: "leaking".into(),
        disposition: "return".into(),
        note: "all over the box".into(),
    };
    center.ask(reject, &operator()).await?;
    let (_, order) = center.announce("T1", "P1").await?;
    ensure!(center.stage(&order)? == "rejected", "{}", center.stage(&order)?);
    Ok(())
}

fn ending(expires_us: Option<i64>) -> Request {
    let consent = Consent {
        document: "form".into(),
        document_version: "3".into(),
        scopes: vec!["sequencing".into(), "research".into()],
        evidence: "shelf 1".into(),
        expires_us,
        ..Consent::default()
    };
    Request::Consent { program: "rare".into(), pseudonym: "P1".into(), consent, status: "given".into() }
}

#[tokio::test]
async fn consent_ends_by_the_clock_and_nothing_starts_on_it() -> Result<()> {
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let center = Center::open_at(&short(), clock.clone()).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    let (specimen, order) = center.announce("T1", "P1").await?;
    center.ask(ending(Some(clock.now() + 2 * DAY_US)), &operator()).await?;
    center.receive("T1").await?;
    center.accession(&specimen).await?;
    clock.advance(DAY_US);
    ensure!(!why_as(&center, &operator(), &order, clock.now()).await?.contains("consent"));
    clock.advance(2 * DAY_US);
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center
        .house
        .until("the end of the consent", async |house| Ok(house.sql("select consent from participant")? == "expired"))
        .await?;
    ensure!(center.stage(&order)? == "ready" && center.run(&order)?.is_empty(), "it started without consent");
    let said = why_as(&center, &operator(), &order, clock.now()).await?;
    ensure!(said.contains("the consent of P1 is expired"), "{said}");
    ensure!(
        center.house.sql("select count(*) from event where kind = 'consent_in_force' and actor = 'engine'")? == "1"
    );
    // A new form is a new record, and the work goes on by itself.
    center.ask(ending(None), &operator()).await?;
    center.until_stage(&order, "release_review").await?;
    Ok(())
}

#[tokio::test]
async fn why_answers_for_barcodes_shipments_runs_and_cases() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.announce("T1", "P1").await?;
    center.announce("T2", "P2").await?;
    ensure!(why(&center, "SH1").await?.contains("2 tube(s) announced"), "{}", why(&center, "SH1").await?);
    center.consent("P1", &["sequencing", "research"]).await?;
    center.receive("T1").await?;
    ensure!(why(&center, "SH1").await?.contains("1 of 2 tube(s) scanned"), "{}", why(&center, "SH1").await?);
    center.ask(Request::CloseShipment { shipment: "SH1".into() }, &operator()).await?;
    ensure!(why(&center, "SH1").await?.contains("1 of 2 tube(s) missing"), "{}", why(&center, "SH1").await?);
    // By its barcode, full-width too, it is the same answer as by its id.
    ensure!(why(&center, "Ｔ１").await? == why(&center, &specimen).await?);
    ensure!(why(&center, &specimen).await?.starts_with(&format!("order_line {order} is received: ")));
    center.accession(&specimen).await?;
    center.lane("RUN1", "1", &specimen, "594600000").await?;
    let short = why(&center, &order).await?;
    let exact = "sequence_qc_failed: waits for reads: 594.6 M of 600.0 M ordered (0.9 % short); owner: lab; offered: top-up, release with reason";
    ensure!(short.contains(exact), "{short}");
    ensure!(why(&center, "RUN1").await?.contains("is taken in"));
    ensure!(why(&center, &format!("RUN1/1/{specimen}")).await?.contains("it counts toward the order"));
    let withdraw = Request::Withdraw {
        program: "rare".into(),
        pseudonym: "P1".into(),
        scopes: Vec::new(),
        evidence: "letter".into(),
        noticed_us: None,
        reason: String::new(),
    };
    center.ask(withdraw, &officer("sato")).await?;
    let case = center.house.sql("select record_id from record where kind = 'case'")?;
    center
        .house
        .until("the seal", async |house| Ok(house.sql("select status from record where kind = 'case'")? == "sealed"))
        .await?;
    let now = kentai_engine::clock::now();
    let said = why_as(&center, &officer("sato"), &case, now).await?;
    ensure!(said.contains("waits for people: 3 thing(s) to decide"), "{said}");
    // Who may not see a case is told so; who is from outside is told what they are told of nothing.
    let reader = center.house.handle().reader().clone();
    let refused = center::why(&reader, &operator().principal(), &case, now, Language::En).await;
    ensure!(refused.is_err_and(|refused| refused.to_string().contains("needs the role")));
    Ok(())
}

#[tokio::test]
async fn an_institution_is_told_of_its_own_in_coarse_words_and_of_nothing_else() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "594600000").await?;
    let reader = center.house.handle().reader().clone();
    let now = kentai_engine::clock::now();
    let hospital = |institution: &str| Actor {
        institution: Some(institution.into()),
        ..person("nurse", Role::Institution.word())
    };
    let own = why_as(&center, &hospital("H1"), &order, now).await?;
    ensure!(own.contains("is at the center") && !own.contains("594"), "{own}");
    ensure!(why_as(&center, &hospital("H1"), "T1", now).await? == own);
    for thing in
        [order.as_str(), specimen.as_str(), "T1", "SH1", "RUN1", &format!("RUN1/1/{specimen}"), "nothing at all"]
    {
        let told = center::why(&reader, &hospital("H2").principal(), thing, now, Language::En).await;
        ensure!(matches!(told, Ok(None)), "{thing} was told to a stranger: {told:?}");
    }
    let stopped = center.refused(Request::Accession { specimen }, &hospital("H2")).await?;
    ensure!(matches!(stopped, Refusal::NotFound(_)));
    Ok(())
}

#[tokio::test]
async fn a_lane_that_is_taken_out_after_it_was_used_holds_what_was_made_of_it() -> Result<()> {
    let center = Center::open(&short()).await?;
    center.house.hands.plan("a", [Act::Make(vec![("m.json", "{\"q\": 35}".into())])]);
    let (specimen, order) = center.bring("T1", "P1").await?;
    center.lane("RUN1", "1", &specimen, "600000000").await?;
    center.until_stage(&order, "release_review").await?;
    let lane = Request::Lane {
        lane_library: format!("RUN1/1/{specimen}"),
        counts: true,
        r#use: false,
        reason: "index hopping".into(),
    };
    let answer = center.ask(lane, &person("tanaka", "reviewer")).await?;
    ensure!(answer.notes.iter().any(|note| note.contains("is held")), "{answer:?}");
    ensure!(why(&center, &order).await?.contains("was taken out: index hopping"), "{}", why(&center, &order).await?);
    let run = center.run(&order)?;
    let refused = center.release(&kentai_engine::id::RunId::from(run.as_str()), "review").await;
    ensure!(refused.is_err_and(|refusal| refusal.to_string().contains("is held")), "it was released while it was held");
    ensure!(center.stage(&order)? == "release_review", "it left with a lane that was taken out");
    ensure!(center.house.sql("select count(*) from record where kind = 'deviation' and status = 'open'")? == "1");
    ensure!(std::fs::read_dir(center.house.outbox()).map_or(0, Iterator::count) == 0);
    Ok(())
}

#[tokio::test]
async fn a_barcode_that_lost_its_zeros_is_shown_as_a_near_miss_and_never_matched() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (_, order) = center.announce("AB-0012", "P1").await?;
    let answer = center.receive("AB12").await?;
    ensure!(answer.said.contains("is extra"), "{answer:?}");
    ensure!(answer.notes.iter().any(|note| note.contains("nearly `AB-0012`")), "{answer:?}");
    ensure!(center.stage(&order)? == "expected", "it was matched");
    let none = center.receive("AB13").await?;
    ensure!(!none.notes.iter().any(|note| note.contains("nearly")), "{none:?}");
    Ok(())
}

//! Several executors at one site: who takes which step, drains, moves after a failure, and one that is away while another works.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::decide::admit::Request as Amount;
use kentai_engine::decide::choose::Caps;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::Post;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::scheduler::post::Standing;
use kentai_tests::house::{Act, Hands, House, Plan, operator, person, specimen, workflow};

/// Only turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A tool step that asks for this.
fn step(id: &str, resources: &str) -> String {
    format!(
        "  {id}:\n    resources: {{ {resources} }}\n    outputs: {{ o: {{ path: o.txt, keep: true }} }}\n    script: x\n"
    )
}

fn post(name: &str, hands: &Hands) -> Post {
    Post::plain(Arc::new(hands.executor().named(name)))
}

fn labelled(post: Post, labels: &[&str]) -> Post {
    Post { labels: labels.iter().map(|label| (*label).to_owned()).collect(), ..post }
}

fn capped(post: Post, slots: usize, cpus: u32) -> Post {
    let resources = Amount { cpus, ..Amount::default() };
    Post { caps: Caps { slots, resources }, ..post }
}

fn elsewhere(post: Post) -> Post {
    Post { elsewhere: true, ..post }
}

/// A house whose machine has four cores, with these executors.
async fn house(executors: Vec<Post>) -> Result<House> {
    let resources = Amount { cpus: 4, ..Amount::default() };
    House::with(Plan { slots: 10, resources, executors: Some(executors), ..Plan::default() }).await
}

/// Waits until these hands run so many tools.
async fn running(hands: &Hands, count: usize) -> Result<()> {
    let mut changed = hands.changed();
    let look = async {
        while hands.running().len() != count {
            changed.changed().await?;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, look).await.with_context(|| format!("{:?} run", hands.running()))?
}

async fn executor_of(house: &House, run: &RunId, key: &str) -> Result<Vec<String>> {
    Ok(house.attempts(run, key).await?.into_iter().map(|attempt| attempt.executor).collect())
}

async fn standing(house: &House, name: &str) -> Result<Standing> {
    let all = house.handle().executors().await?;
    all.into_iter().find(|one| one.name == name).with_context(|| format!("no executor {name}"))
}

fn drain(executor: &str, reason: &str) -> Request {
    Request::DrainExecutor { executor: executor.into(), reason: reason.into() }
}

/// No attempt was started twice, at whichever hands.
fn once(all: &[&Hands]) -> Result<()> {
    let mut starts: BTreeMap<String, usize> = BTreeMap::new();
    for hands in all {
        for (attempt, times) in hands.starts() {
            *starts.entry(attempt).or_insert(0) += times;
        }
    }
    let twice: Vec<&String> = starts.iter().filter(|(_, times)| **times != 1).map(|(attempt, _)| attempt).collect();
    ensure!(twice.is_empty(), "{twice:?} were started twice");
    Ok(())
}

#[tokio::test]
async fn steps_go_to_the_first_and_on_to_the_next_when_it_is_full() -> Result<()> {
    let (here, hpc) = (Hands::new(), Hands::new());
    let house = house(vec![capped(post("here", &here), 1, 0), elsewhere(post("hpc", &hpc))]).await?;
    here.plan("a", [Act::Wait]);
    hpc.plan("b", [Act::Wait]);
    let run = house.submit(&workflow(&[step("a", "cpus: 2"), step("b", "cpus: 2")].concat()), &specimen("S1")).await?;
    running(&here, 1).await?;
    running(&hpc, 1).await?;
    let at = standing(&house, "here").await?;
    ensure!((at.running, at.steps_max) == (1, 1), "{at:?}");
    here.finish("a", &Act::Well);
    hpc.finish("b", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded");
    ensure!(executor_of(&house, &run, "a").await? == ["here"] && executor_of(&house, &run, "b").await? == ["hpc"]);
    once(&[&here, &hpc])?;
    house.check().await
}

#[tokio::test]
async fn more_than_this_machine_has_is_taken_by_an_executor_elsewhere() -> Result<()> {
    let (here, hpc) = (Hands::new(), Hands::new());
    let house = house(vec![post("here", &here), elsewhere(capped(post("hpc", &hpc), 0, 64))]).await?;
    let run = house.submit(&workflow(&step("a", "cpus: 48")), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(executor_of(&house, &run, "a").await? == ["hpc"]);
    let never = house.submit(&workflow(&step("b", "cpus: 65")), &specimen("S1")).await?;
    ensure!(house.end(&never).await? == "failed");
    let why = house.why(&never, None).await?;
    ensure!(why.contains("`here` lacks 65 cpus (0 of 4") && why.contains("`hpc` lacks 65 cpus (0 of 64"), "{why}");
    house.check().await
}

#[tokio::test]
async fn labels_lead_to_the_executor_that_has_all_of_them() -> Result<()> {
    let (here, large, fast) = (Hands::new(), Hands::new(), Hands::new());
    let only = Post { only_labelled: true, ..labelled(post("large", &large), &["large"]) };
    let both = labelled(post("fast", &fast), &["large", "fast_disk"]);
    let house = house(vec![only, both, post("here", &here)]).await?;
    let text = [step("a", "labels: [large]"), step("b", "labels: [large, fast_disk]"), step("c", "cpus: 1")].concat();
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(executor_of(&house, &run, "a").await? == ["large"]);
    ensure!(executor_of(&house, &run, "b").await? == ["fast"]);
    ensure!(executor_of(&house, &run, "c").await? == ["fast"], "it has labels and takes others too");
    let lost = house.submit(&workflow(&step("d", "labels: [gpu]")), &specimen("S1")).await?;
    ensure!(house.end(&lost).await? == "failed");
    ensure!(house.why(&lost, None).await?.contains("`here` has not all labels"));
    house.check().await
}

#[tokio::test]
async fn who_was_chosen_takes_every_step_and_nobody_else_takes_any() -> Result<()> {
    let (here, large) = (Hands::new(), Hands::new());
    let executors = vec![post("here", &here), labelled(post("large", &large), &["large"])];
    let house = House::with(Plan { executors: Some(executors), chosen: true, ..Plan::default() }).await?;
    let run = house.submit(&workflow(&step("a", "labels: [large]")), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(executor_of(&house, &run, "a").await? == ["here"]);
    ensure!(standing(&house, "large").await?.idle);
    house.check().await
}

#[tokio::test]
async fn a_drained_executor_ends_what_it_runs_and_gets_nothing_new_also_from_the_next_engine() -> Result<()> {
    let hands = Hands::new();
    let mut house = house(vec![capped(post("here", &hands), 1, 0)]).await?;
    hands.plan("a", [Act::Wait]);
    let first = house.submit(&workflow(&step("a", "cpus: 1")), &specimen("S1")).await?;
    running(&hands, 1).await?;
    let reader = house.handle().center(drain("here", "disk"), &person("eve", "auditor")).await;
    ensure!(matches!(reader, Err(Refusal::NotAllowed(_))), "an auditor changes nothing");
    let empty = house.handle().center(drain("here", " "), &operator()).await;
    ensure!(matches!(empty, Err(Refusal::Bad(_))), "it needs a reason");
    let unknown = house.handle().center(drain("hpc", "x"), &operator()).await;
    ensure!(unknown.is_err_and(|refused| refused.to_string().contains("it has here")));
    house.handle().center(drain("here", "new disk"), &operator()).await?;
    let again = house.handle().center(drain("here", "x"), &operator()).await;
    ensure!(matches!(again, Err(Refusal::State(_))), "it is drained already");
    let second = house.submit(&workflow(&step("b", "cpus: 1")), &specimen("S1")).await?;
    hands.finish("a", &Act::Well);
    ensure!(house.end(&first).await? == "succeeded", "what runs goes on");
    house.step_is(&second, "b", "ready").await?;
    for round in 0..2 {
        let why = house.why(&second, Some("b")).await?;
        ensure!(why.contains("`here`, drained by suzuki: new disk"), "round {round}: {why}");
        ensure!(why.contains("kentai admin executor resume here"), "round {round}: {why}");
        let standing = standing(&house, "here").await?;
        ensure!(standing.drained_by.as_deref() == Some("suzuki") && standing.waiting == 1, "{standing:?}");
        ensure!(hands.of("b").is_empty(), "round {round}: it was started");
        house.stop().await?;
        house.start().await?;
    }
    let resume = Request::ResumeExecutor { executor: "here".into() };
    house.handle().center(resume.clone(), &operator()).await?;
    ensure!(house.end(&second).await? == "succeeded");
    ensure!(matches!(house.handle().center(resume, &operator()).await, Err(Refusal::State(_))));
    let told = house.sql("select kind || ' ' || actor from event where kind like 'executor_%' order by seq")?;
    ensure!(told == "executor_drained suzuki\nexecutor_resumed suzuki", "{told}");
    house.check().await
}

#[tokio::test]
async fn a_step_that_failed_through_no_fault_of_its_own_moves_to_another_executor() -> Result<()> {
    let (here, hpc) = (Hands::new(), Hands::new());
    let house = house(vec![post("here", &here), post("hpc", &hpc)]).await?;
    here.plan("a", [Act::NotStarted]);
    here.plan("b", [Act::NoImage]);
    here.plan("c", [Act::Lost]);
    let text = [step("a", "cpus: 1"), step("b", "cpus: 1"), step("c", "cpus: 1")].concat();
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    for key in ["a", "b", "c"] {
        ensure!(executor_of(&house, &run, key).await? == ["here", "hpc"], "{key}");
    }
    once(&[&here, &hpc])?;
    house.check().await
}

#[tokio::test]
async fn it_does_not_move_to_one_that_was_drained_and_a_tool_that_fails_stays() -> Result<()> {
    let (here, hpc) = (Hands::new(), Hands::new());
    let house = house(vec![post("here", &here), post("hpc", &hpc)]).await?;
    house.handle().center(drain("hpc", "upgrade"), &operator()).await?;
    here.plan("a", [Act::NotStarted]);
    here.plan("b", [Act::Exit(1)]);
    let retry = "    retry: { attempts: 2, causes: [tool], wait: { first: 1s } }\n";
    let text = format!("{}{}{retry}", step("a", "cpus: 1"), step("b", "cpus: 1"));
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "{}", house.why(&run, None).await?);
    ensure!(executor_of(&house, &run, "a").await? == ["here", "here"]);
    ensure!(executor_of(&house, &run, "b").await? == ["here", "here"]);
    ensure!(hpc.seen().is_empty());
    house.check().await
}

#[tokio::test]
async fn while_one_is_away_another_works_and_what_fits_no_other_waits_until_it_is_back() -> Result<()> {
    let (here, hpc) = (Hands::new(), Hands::new());
    let house = house(vec![labelled(elsewhere(post("hpc", &hpc)), &["large"]), post("here", &here)]).await?;
    hpc.executor().set_unreachable(true);
    let probe = house.submit(&workflow(&step("p", "labels: [large]")), &specimen("S1")).await?;
    // Whoever looks first finds it silent; what was launched before may run there, so it is never given to another.
    house.until("hpc to be away", async |house| Ok(standing(house, "hpc").await?.away_since_us.is_some())).await?;
    let free = house.submit(&workflow(&step("a", "cpus: 1")), &specimen("S1")).await?;
    ensure!(house.end(&free).await? == "succeeded", "another works");
    ensure!(executor_of(&house, &free, "a").await? == ["here"]);
    let bound = house.submit(&workflow(&step("b", "labels: [large]")), &specimen("S1")).await?;
    house.step_is(&bound, "b", "ready").await?;
    let why = house.why(&bound, Some("b")).await?;
    ensure!(why.contains("`hpc`, which does not answer: "), "{why}");
    ensure!(house.attempts(&bound, "b").await?.is_empty(), "it was given an attempt");
    hpc.executor().set_unreachable(false);
    for run in [&probe, &bound] {
        ensure!(house.end(run).await? == "succeeded", "{}", house.why(run, None).await?);
    }
    ensure!(standing(&house, "hpc").await?.away_since_us.is_none());
    once(&[&here, &hpc])?;
    house.check().await
}

#[tokio::test]
async fn an_attempt_of_an_executor_that_the_site_has_no_more_waits_for_it_and_the_others_work() -> Result<()> {
    let (here, old) = (Hands::new(), Hands::new());
    let mut house = house(vec![post("old", &old), post("here", &here)]).await?;
    old.plan("a", [Act::Wait]);
    let run = house.submit(&workflow(&step("a", "cpus: 1")), &specimen("S1")).await?;
    running(&old, 1).await?;
    house.stop().await?;
    house.plan.executors = Some(vec![post("here", &here)]);
    house.start().await?;
    let other = house.submit(&workflow(&step("b", "cpus: 1")), &specimen("S1")).await?;
    ensure!(house.end(&other).await? == "succeeded");
    ensure!(house.why(&run, Some("a")).await?.contains("`old`"), "{}", house.why(&run, Some("a")).await?);
    house.stop().await?;
    house.plan.executors = Some(vec![post("here", &here), post("old", &old)]);
    house.start().await?;
    old.finish("a", &Act::Well);
    ensure!(house.end(&run).await? == "succeeded");
    ensure!(executor_of(&house, &run, "a").await? == ["old"]);
    once(&[&here, &old])?;
    house.check().await
}

#[tokio::test]
async fn what_is_large_is_passed_for_half_an_hour_and_then_no_more_but_other_machines_go_on() -> Result<()> {
    let (here, hpc) = (Hands::new(), Hands::new());
    let clock = Clock::standing_at(1_780_000_000_000_000);
    let executors = vec![labelled(post("here", &here), &["local"]), elsewhere(post("hpc", &hpc))];
    let resources = Amount { cpus: 4, ..Amount::default() };
    let plan = Plan { slots: 10, resources, executors: Some(executors), clock: clock.clone(), ..Plan::default() };
    let house = House::with(plan).await?;
    let submit = async |id: &str, asks: &str| house.submit(&workflow(&step(id, asks)), &specimen(id)).await;
    for id in ["a", "b"] {
        here.plan(id, [Act::Wait]);
    }
    let a = submit("a", "cpus: 2, labels: [local]").await?;
    running(&here, 1).await?;
    let large = submit("large", "cpus: 4, labels: [local]").await?;
    let passes = submit("b", "cpus: 1, labels: [local]").await?;
    running(&here, 2).await?;
    clock.advance(31 * 60 * 1_000_000);
    let waits = submit("c", "cpus: 1, labels: [local]").await?;
    let free = submit("d", "cpus: 1").await?;
    ensure!(house.end(&free).await? == "succeeded", "{}", house.why(&free, None).await?);
    ensure!(executor_of(&house, &free, "d").await? == ["hpc"], "it took what is kept free");
    ensure!(here.of("c").is_empty() && here.of("large").is_empty(), "{:?} were started", here.order());
    for id in ["a", "b"] {
        here.finish(id, &Act::Well);
    }
    for run in [&a, &passes, &large, &waits] {
        ensure!(house.end(run).await? == "succeeded", "{}", house.why(run, None).await?);
    }
    ensure!(here.order() == ["a", "b", "large", "c"], "{:?}", here.order());
    house.check().await
}

/// The same each time: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn few(&mut self, below: u32) -> u32 {
        u32::try_from(self.roll(below.into())).unwrap_or(0)
    }
}

/// One random site with one random run over it: `decide::choose` has a thousand of them without the house around it.
async fn random_site(seed: u64) -> Result<()> {
    let mut dice = Dice(seed);
    let labels = ["large", "fast"];
    let all: Vec<Hands> = (0..2 + dice.roll(3)).map(|_| Hands::new()).collect();
    let mut caps = Vec::new();
    let mut executors = Vec::new();
    for (n, hands) in all.iter().enumerate() {
        let some: Vec<&str> = labels.into_iter().filter(|_| dice.roll(2) == 0).collect();
        // The first has room for everything, so that everything fits somewhere.
        let (slots, cpus) = if n == 0 { (1 + dice.few(2), 4) } else { (dice.few(3), dice.few(5)) };
        caps.push((slots, cpus));
        let some = if n == 0 { labels.to_vec() } else { some };
        let slots = usize::try_from(slots)?;
        let post = labelled(capped(post(&format!("x{n}"), hands), slots, cpus), &some);
        executors.push(Post { elsewhere: dice.roll(2) == 0, ..post });
    }
    let mut text = String::new();
    for n in 0..8 {
        let asked: Vec<&str> = labels.into_iter().filter(|_| dice.roll(3) == 0).collect();
        text.push_str(&step(&format!("s{n}"), &format!("cpus: {}, labels: [{}]", 1 + dice.few(4), asked.join(", "))));
        if dice.roll(3) == 0 {
            let at = usize::try_from(dice.roll(u64::try_from(all.len())?))?;
            all[at].plan(
                &format!("s{n}"),
                [[Act::NotStarted, Act::Lost, Act::NoImage][usize::try_from(dice.roll(3))?].clone()],
            );
        }
    }
    let house = house(executors).await?;
    let run = house.submit(&workflow(&text), &specimen("S1")).await?;
    ensure!(house.end(&run).await? == "succeeded", "seed {seed}: {}", house.why(&run, None).await?);
    for (hands, (slots, cpus)) in all.iter().zip(caps) {
        let (most, most_cpus, _) = hands.most();
        ensure!(slots == 0 || most <= usize::try_from(slots)?, "seed {seed}: {most} tools at once");
        ensure!(cpus == 0 || most_cpus <= cpus, "seed {seed}: {most_cpus} cores at once");
    }
    once(&all.iter().collect::<Vec<_>>())?;
    house.check().await.with_context(|| format!("seed {seed}"))
}

#[tokio::test]
async fn over_random_sites_everything_ends_once_within_its_caps() -> Result<()> {
    for seed in 0..20 {
        random_site(seed).await?;
    }
    Ok(())
}

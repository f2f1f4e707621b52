//! What steps ask for, were granted and used: the page and the API tell the same.

use std::sync::Arc;

use kentai_engine::port::executor::{Granted, Report};
use kentai_engine::scheduler::{Actor, Post};
use kentai_executors::scripted::{ScriptedExecutor, exited};
use serde_json::{Value, json};

use crate::house::House;

/// Two steps that ask for two cores and 4 GiB; `work` works on one of them for a hundred seconds, with 1 GiB.
const WASTEFUL: &str = r#"kentai: 1
workflow: wasteful
version: "1"
steps:
  work:
    outputs: { out: { path: out.txt } }
    resources: { cpus: 2, memory: 4 GiB }
    script: echo done > "$out_out"
  both:
    outputs: { out: { path: out.txt } }
    resources: { cpus: 2, memory: 4 GiB }
    script: echo done > "$out_out"
"#;

#[tokio::test]
async fn what_steps_ask_for_is_held_against_what_they_were_granted_and_used() {
    let center = Actor { name: "ops-02".into(), roles: ["operator".to_owned()].into(), ..Actor::default() };
    let hands = ScriptedExecutor::new(|task| {
        let Report::Exited(mut evidence) = exited(task, 0) else { return None };
        let record = evidence.record.as_mut()?;
        (record.started_us, record.ended_us, record.max_rss_bytes) = (1_000_000, 101_000_000, 1 << 30);
        record.cpu_ms = 198_000;
        if task.step == "work" {
            record.cpu_ms = 101_000;
            // A cluster of whole cores of four threads.
            evidence.granted = Some(Granted { cpus: 4, memory_bytes: Some(8 << 30) });
        }
        Some(Report::Exited(evidence))
    });
    let hands = Arc::new(hands);
    let house = House::open_with(Arc::new(move |_| Some(center.clone())), |options| {
        options.executors = vec![Post::plain(hands)];
    })
    .await;
    let none = house.get("/capacity").await.check(200).text;
    assert!(none.contains("says what memory it used") && none.contains("says what processor time it used"), "{none}");
    for specimen in ["S1", "S2"] {
        house.run(WASTEFUL, specimen).await;
    }
    house.quiet().await;
    let told = |answer: Value, step: &str| {
        answer["steps"].as_array().expect("steps").iter().find(|one| one["step"] == step).expect("it is told").clone()
    };
    let two = told(house.get("/api/v1/capacity").await.check(200).json(), "work");
    assert_eq!((&two["attempts"], &two["cpus_suggested"], &two["suggested"]), (&json!(2), &Value::Null, &Value::Null));

    house.run(WASTEFUL, "S3").await;
    house.quiet().await;
    let answer = house.get("/api/v1/capacity").await.check(200).json();
    let work = json!({
        "workflow": "wasteful", "step": "work", "attempts": 3,
        "asked": 4_u64 << 30, "granted": 8_u64 << 30, "used": 1 << 30, "idle_byte_s": (7_u64 << 30) * 300, "suggested": 2_u64 << 30,
        "cpus_asked": 2, "cpus_granted": 4, "cpus_used_milli": 1_010, "idle_cpu_s": 3 * (400 - 101), "cpus_suggested": 1,
    });
    assert_eq!(told(answer.clone(), "work"), work);
    let both = told(answer, "both");
    assert_eq!(
        (&both["cpus_granted"], &both["granted"], &both["cpus_suggested"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!((&both["cpus_used_milli"], &both["idle_cpu_s"]), (&json!(1_980), &json!(6)));

    let page = house.get("/capacity").await.check(200).text;
    let cores =
        page.split("id=\"waste-cpus\"").nth(1).and_then(|rest| rest.split("</section>").next()).expect("a table");
    for part in ["<code>cpus: 1</code>", ">1.0<", ">2.0<", ">4<", "as asked", "Granted", "Used on average"] {
        assert!(cores.contains(part), "no {part} in {cores}");
    }
    assert!(page.contains("<code>memory: 2 GiB</code>"), "{page}");
    let page = house.ask("GET", "/capacity", "accept-language: ja\r\n", "").await.check(200).text;
    for part in ["コアの要求量と使用量", "割り当て", "要求どおり", "平均使用量"] {
        assert!(page.contains(part), "no {part} in {page}");
    }
}

#[tokio::test]
async fn a_disk_that_fills_in_centuries_is_not_forecast() {
    let center = Actor { name: "ops-02".into(), roles: ["operator".to_owned()].into(), ..Actor::default() };
    let house = House::open_with(Arc::new(move |_| Some(center.clone())), |_| {}).await;
    house.run(WASTEFUL, "S1").await;
    house.quiet().await;
    let page = house.get("/capacity").await.check(200).text;
    assert!(page.contains(">not within ten years<"), "{page}");
    let lead = page.split("id=\"lead\"").nth(1).and_then(|rest| rest.split("</p>").next()).expect("a sentence");
    assert!(lead.contains("no disk is full within ten years"), "{lead}");
}

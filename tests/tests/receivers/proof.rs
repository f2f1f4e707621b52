//! The answer to a receipt, as a proof: recomputed by Python and openssl from the answer and the center's public key alone.

use anyhow::{Context, Result, ensure};
use kentai_engine::audit::checkpoint::Public;
use kentai_engine::handoff::receipt::proof::prove;
use kentai_tests::receivers::Receivers;
use kentai_tests::tool;
use serde_json::{Value, json};

use super::receipts::{receipt, send};

/// Reads `kept.json` and `audit.pub`. The key's 12 bytes before it are those of an Ed25519 key in DER (RFC 8410).
const RECOMPUTE: &str = r#"
import hashlib, json, struct, subprocess, sys
kept, key = json.load(open("kept.json")), open("audit.pub").read().strip()
answer = kept["answer"]
event, signed = answer["proof"]["event"], answer["audit"]
link = hashlib.sha256(b"kentai audit link 1\n" + bytes.fromhex(answer["proof"]["previous"]))
for name in ("seq", "n", "at_us"): link.update(struct.pack(">q", event[name]))
for name in ("stream", "kind", "subject", "actor", "role", "body"):
    link.update(struct.pack(">Q", len(event[name].encode()))); link.update(event[name].encode())
if not link.hexdigest() == event["hash"] == signed["head"]: sys.exit("the event does not fit")
if event["seq"] != signed["events"]: sys.exit("the checkpoint is of another place")
lines = ["kentai audit checkpoint 1"] + [str(signed[name]) for name in ("events", "head", "at_us", "sha256", "key")]
open("statement", "w").write("".join(line + "\n" for line in lines))
open("signature", "wb").write(bytes.fromhex(signed["signature"]))
open("key.der", "wb").write(bytes.fromhex("302a300506032b6570032100" + key))
verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin", "-in", "statement"]
if subprocess.run(verify + ["-sigfile", "signature"], capture_output=True).returncode: sys.exit("the signature does not fit")
body = json.loads(event["body"])
statement = "kentai receipt 1\n%s\n%s\n" % (kept["delivery"], kept["receipt"]["receipt"])
for file in sorted(kept["receipt"]["files"], key=lambda file: file["path"]):
    fields = [file["path"], file["outcome"], file["sha256"], file.get("plain_sha256", ""), file.get("accession", "")]
    statement += "\t".join(fields) + "\n"
if body["statement"] != statement or event["stream"] != "delivery:" + kept["delivery"]: sys.exit("another receipt")
print(event["kind"], event["seq"])
"#;

/// What Python makes of a receipt and its answer.
fn recomputed(site: &Receivers, kept: &Value) -> Result<String> {
    let place = site.door.place("proof")?;
    std::fs::write(place.join("kept.json"), kept.to_string())?;
    std::fs::copy(site.house.site().join("secrets/audit.pub"), place.join("audit.pub"))?;
    Ok(tool("python3", &["-c", RECOMPUTE], &place)?.trim().to_owned())
}

fn key(site: &Receivers) -> Result<Public> {
    let text = std::fs::read_to_string(site.house.site().join("secrets/audit.pub"))?;
    Public::parse(&text).context("the site's key")
}

/// Flips the lowest bit of the first character of every text and number in `value`, one at a time.
fn each_changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => {
            let one = |(name, field): (&String, &Value)| {
                let changed = each_changed(field).into_iter().map(|other| (name.clone(), other)).collect::<Vec<_>>();
                changed.into_iter().map(|(name, other)| {
                    let mut copy = value.clone();
                    copy[&name] = other;
                    copy
                })
            };
            fields.iter().flat_map(one).collect()
        }
        Value::Number(number) => vec![json!(number.as_i64().unwrap_or_default() ^ 1)],
        Value::String(text) if text.is_empty() => vec![json!("0")],
        Value::String(text) => {
            let (mut first, mut last) = (text.clone().into_bytes(), text.clone().into_bytes());
            first[0] ^= 1;
            *last.last_mut().expect("not empty") ^= 1;
            [first, last].into_iter().map(|bytes| json!(String::from_utf8_lossy(&bytes))).collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_proves_a_receipt_from_its_answer_alone() -> Result<()> {
    let mut site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let mut said = receipt(&site, &id, "R1")?;
    said["files"][0]["accession"] = json!("EGAF00000000001");
    let (status, answer) = send(&site, &id, &said)?;
    ensure!(status == 200, "{status} {answer}");
    let kept = json!({ "delivery": id, "receipt": said, "answer": answer });
    let proven = recomputed(&site, &kept)?;
    let in_log =
        site.house.sql(&format!("select seq from event where stream = 'delivery:{id}' and kind = 'acknowledged'"))?;
    ensure!(proven == format!("acknowledged {in_log}"), "{proven}, and it is event {in_log}");
    let ours = prove(&kept, &key(&site)?)?.context("proven")?;
    ensure!(format!("{} {}", ours.outcome, ours.seq) == proven, "{ours:?}");
    // Much happens, the engine is another one, and the same receipt is proven by the same event.
    site.offered("S2", "others\n").await?;
    site.again().await?;
    let (_, again) = send(&site, &id, &said)?;
    ensure!(again["proof"] == answer["proof"], "{again}");
    ensure!(recomputed(&site, &json!({ "delivery": id, "receipt": said, "answer": again }))? == proven);
    // Nothing of anybody else is in it.
    ensure!(!answer["proof"].to_string().contains("S2") && answer["proof"]["event"]["subject"] == "S1", "{answer}");
    site.check().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_in_which_anything_was_changed_is_refused_by_both() -> Result<()> {
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let said = receipt(&site, &id, "R1")?;
    let (_, answer) = send(&site, &id, &said)?;
    let key = key(&site)?;
    let mut tried = 0;
    for part in ["audit", "proof"] {
        for changed in each_changed(&answer[part]) {
            let mut kept = json!({ "delivery": id, "receipt": said, "answer": answer });
            kept["answer"][part] = changed;
            ensure!(prove(&kept, &key).is_err(), "we believe {}", kept["answer"][part]);
            // The key's id is a name: Python verifies with the key itself, and it is signed with the rest.
            ensure!(recomputed(&site, &kept).is_err(), "Python believes {}", kept["answer"][part]);
            tried += 1;
        }
    }
    ensure!(tried > 25, "only {tried} changes");
    site.check().await
}

//! What an answer to a receipt proves, to anybody who has the center's public key: that this receipt, word for word, is in the center's
//! log. Where the delivery stands now, and how each file stands, are the answer's words and not the proof's.

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Receipt};
use crate::audit::checkpoint::Public;
use crate::audit::proof;
use crate::state::delivery::Event;

/// What a receipt can amount to: words of events.
const OUTCOMES: [Event; 4] = [Event::PartlyAcknowledged, Event::Acknowledged, Event::Mismatched, Event::Refused];

/// What is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Place in the center's log.
    pub seq: i64,
    /// The event's word: what the receipt amounted to for the whole delivery.
    pub outcome: String,
}

/// Why nothing is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Unproven {
    #[error("it is no receipt with its answer: {0}")]
    Unreadable(String),
    #[error("its proof is not written as a center writes it")]
    Spelling,
    #[error("one of checkpoint and proof is missing")]
    Half,
    #[error(transparent)]
    Chain(#[from] proof::Wrong),
    #[error("event {seq} is about something else than this receipt: {what}")]
    Foreign { seq: i64, what: &'static str },
}

/// A receipt and its answer, as `kentai pull` keeps them.
#[derive(Deserialize)]
struct Kept {
    delivery: String,
    receipt: Receipt,
    answer: Answer,
}

/// What the center's log says of a receipt.
#[derive(Deserialize)]
struct Body {
    receipt: String,
    sha256: String,
    statement: String,
    signature: Option<String>,
}

/// Checks a document `{"delivery": …, "receipt": …, "answer": …}`. None: its center gave no proof, as earlier versions did not.
///
/// # Errors
/// The first thing that does not fit.
pub fn prove(document: &Value, key: &Public) -> Result<Option<Proven>, Unproven> {
    let unreadable = |error: &dyn std::fmt::Display| Unproven::Unreadable(error.to_string());
    let kept = Kept::deserialize(document).map_err(|error| unreadable(&error))?;
    let (told, answer) = (&document["answer"], &kept.answer);
    let Some(proof) = &answer.proof else {
        // What is misspelled must not pass for what is not there.
        return if told.get("proof").is_none() { Ok(None) } else { Err(Unproven::Spelling) };
    };
    let signed = answer.audit.as_ref().ok_or(Unproven::Half)?;
    let written = |value: Result<Value, serde_json::Error>| value.map_err(|error| unreadable(&error));
    let (ours, audit) = (written(serde_json::to_value(proof))?, written(serde_json::to_value(signed))?);
    if told["proof"] != ours || told["audit"] != audit {
        return Err(Unproven::Spelling);
    }
    proof.verify(signed, key)?;
    let event = &proof.event;
    let foreign = |what| Unproven::Foreign { seq: event.seq, what };
    let body: Body = serde_json::from_str(&event.body).map_err(|_| foreign("no receipt is in it"))?;
    let statement = kept.receipt.statement(&kept.delivery).map_err(|error| unreadable(&error))?;
    let digest = kept.receipt.digest(&kept.delivery).map_err(|error| unreadable(&error))?;
    for (what, is_so) in [
        ("its kind", OUTCOMES.iter().any(|outcome| outcome.word() == event.kind)),
        ("the delivery", event.stream == format!("delivery:{}", kept.delivery) && answer.delivery == kept.delivery),
        ("the receipt's id", body.receipt == kept.receipt.id() && answer.receipt == kept.receipt.id()),
        ("what it says", body.statement == statement && body.sha256 == digest),
        ("its signature", body.signature.as_deref() == kept.receipt.signature()),
    ] {
        if !is_so {
            return Err(foreign(what));
        }
    }
    Ok(Some(Proven { seq: event.seq, outcome: event.kind.clone() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audit::checkpoint::{Secret, Stand};
    use crate::audit::export::EventLine;
    use crate::audit::hex;
    use crate::audit::link::link;
    use crate::audit::proof::Proof;
    use crate::handoff::receipt::{Outcome, Said};

    fn receipt(digit: char) -> Receipt {
        let sha256 = digit.to_string().repeat(64);
        let outcome = Outcome::Accepted { sha256, plain_sha256: None, accession: Some("EGAF1".into()) };
        Receipt::new("R1", vec![Said { path: "data/S1.cram".into(), outcome }]).expect("a receipt")
    }

    /// A receipt, the center's event for it, and the answer; `kind` is the event's.
    fn document(kind: &str, key: &Secret) -> Value {
        let receipt = receipt('a');
        let (statement, sha256) = (receipt.statement("d1").expect("said"), receipt.digest("d1").expect("said"));
        let body = json!({ "receipt": "R1", "sha256": sha256, "statement": statement, "signature": null });
        let mut event = EventLine {
            seq: 17,
            stream: "delivery:d1".into(),
            n: 4,
            at_us: 5,
            kind: kind.into(),
            subject: "S1".into(),
            actor: "dc1-robot".into(),
            role: "data_center".into(),
            body: body.to_string(),
            hash: String::new(),
        };
        let previous = [7; 32];
        event.hash = hex(&link(&previous, &event.fields()));
        let stand = Stand { events: 17, head: event.hash.clone(), at_us: 9, sha256: String::new() };
        let answer = Answer {
            receipt: "R1".into(),
            delivery: "d1".into(),
            audit: Some(key.sign(&stand)),
            proof: Some(Proof { previous: hex(&previous), event }),
            ..Answer::default()
        };
        json!({ "delivery": "d1", "receipt": receipt, "answer": answer })
    }

    #[test]
    fn a_receipt_is_proven_to_whoever_has_the_key_and_to_nobody_else() {
        let (key, other) = (Secret::from_bytes(&[1; 32]), Secret::from_bytes(&[2; 32]));
        let document = document("acknowledged", &key);
        let proven = Proven { seq: 17, outcome: "acknowledged".into() };
        assert_eq!(prove(&document, &key.public()), Ok(Some(proven)));
        assert_eq!(prove(&document, &other.public()), Err(Unproven::Chain(proof::Wrong::Signature)));
    }

    #[test]
    fn a_flipped_bit_anywhere_in_checkpoint_and_proof_is_refused() {
        let key = Secret::from_bytes(&[1; 32]);
        let document = document("acknowledged", &key);
        for part in ["audit", "proof"] {
            let text = document["answer"][part].to_string();
            for (place, bit) in (0..text.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let Ok(changed) = serde_json::from_slice::<Value>(&bytes) else { continue };
                let mut forged = document.clone();
                forged["answer"][part] = changed;
                assert!(prove(&forged, &key.public()).is_err(), "{part}: bit {bit} of byte {place} of {text}");
            }
        }
    }

    #[test]
    fn another_receipt_than_the_one_in_the_log_is_not_proven() {
        let key = Secret::from_bytes(&[1; 32]);
        let good = document("acknowledged", &key);
        let forged = |place: &str, value: Value| {
            let mut forged = good.clone();
            *forged.pointer_mut(place).expect("there") = value;
            prove(&forged, &key.public())
        };
        let foreign = |what| Err(Unproven::Foreign { seq: 17, what });
        assert_eq!(forged("/receipt", json!(receipt('b'))), foreign("what it says"));
        assert_eq!(forged("/delivery", json!("d2")), foreign("the delivery"));
        assert_eq!(forged("/answer/receipt", json!("R2")), foreign("the receipt's id"));
        assert_eq!(forged("/answer/audit", Value::Null), Err(Unproven::Half));
        assert_eq!(forged("/answer/proof", Value::Null), Err(Unproven::Spelling));
        // A line of the log that says that the receipt was not taken is no proof that it was.
        assert_eq!(prove(&document("receipt_not_taken", &key), &key.public()), foreign("its kind"));
    }

    #[test]
    fn an_answer_of_an_earlier_center_proves_nothing_and_is_no_fault() {
        let key = Secret::from_bytes(&[1; 32]);
        let mut document = document("acknowledged", &key);
        document["answer"].as_object_mut().expect("an object").remove("proof");
        assert_eq!(prove(&document, &key.public()), Ok(None));
    }
}

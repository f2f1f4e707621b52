//! What a mail says: its headers' texts and its body, each from the letter alone.

use kentai_engine::port::messenger::Letter;

use crate::messenger::harmless;

/// `<notice@site.kentai>`: by it a receiver knows a repeat.
pub(super) fn message_id(letter: &Letter) -> String {
    format!("<{}@{}.kentai>", atom(&letter.notice), atom(&letter.site))
}

/// One line, whatever stands in the letter.
pub(super) fn subject(letter: &Letter) -> String {
    harmless(&format!("[kentai {}] {} {}", letter.site, letter.subject, letter.about))
}

/// The notice in words and as the JSON that was signed.
pub(super) fn body(letter: &Letter) -> String {
    let Letter { notice, site, to, about, due_us, body, signature, written_us, .. } = letter;
    let answer = match due_us {
        Some(due) => format!("please answer by {}, with a reference of yours", time(*due)),
        None => "none is needed".to_owned(),
    };
    let mut facts = vec![
        ("notice", notice.clone()),
        ("says", letter.kind()),
        ("about", about.clone()),
        ("written", time(*written_us)),
        ("answer", answer),
    ];
    if !signature.is_empty() {
        facts.push(("signature", signature.clone()));
    }
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let facts: String = facts.map(|(name, value)| format!("{name:<10} {}\n", harmless(&value))).collect();
    format!(
        "The sequencing center `{site}` to `{to}`: this letter was written by a program, and may come twice with the same notice.\n\n\
         {facts}\n{body:#}\n",
        site = harmless(site),
        to = harmless(to),
    )
}

/// What may stand in a message id.
fn atom(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

fn time(at_us: i64) -> String {
    jiff::Timestamp::from_microsecond(at_us).map_or_else(|_| at_us.to_string(), |at| format!("{at:.0}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn letter(subject: &str, about: &str) -> Letter {
        Letter {
            notice: "n0\r\nBcc: evil@a.example".into(),
            site: "house".into(),
            to: "biobank".into(),
            subject: subject.into(),
            about: about.into(),
            written_us: 0,
            due_us: Some(86_400_000_000),
            body: json!({ "case": "k1" }),
            signature: "key:ab".into(),
        }
    }

    #[test]
    fn nothing_in_a_letter_begins_a_header() {
        let letter = letter("withdrawal\r\nBcc: evil@a.example", "k1\nX: y");
        assert_eq!(subject(&letter), "[kentai house] withdrawal Bcc: evil@a.example k1 X: y");
        assert_eq!(message_id(&letter), "<n0__Bcc__evil_a.example@house.kentai>");
    }

    #[test]
    fn the_body_says_what_the_notice_says_and_by_when_it_must_be_answered() {
        let text = body(&letter("withdrawal", "k1"));
        assert!(text.contains("\"case\": \"k1\"") && text.contains("please answer by 1970-01-02T00:00:00Z"), "{text}");
        let none = body(&Letter { due_us: None, ..letter("test", "") });
        assert!(none.contains("none is needed") && !none.contains("about"), "{none}");
    }
}

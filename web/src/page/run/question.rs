//! What a run asks people: a gate that holds, an approval, a step that waits to be let go; with what is asked about, and the ways out.

use kentai_engine::scheduler::handle::AnswerKind;
use kentai_engine::store::rows::detail::Verdict;
use kentai_engine::view::run_sheet::{self, TaskState};
use kentai_engine::view::{AskView, StepView};
use kentai_workflows::value::Value;

use super::graph::{comparison, number};
use super::words::Words;
use super::{Seen, url};
use crate::App;
use crate::error::Problem;
use crate::page::shape::{Shape, State};
use crate::page::shell::{Place, Shell};
use crate::page::visit::Visit;

/// Questions that the page shows at once; more of them are in the list of tasks.
const QUESTIONS: i64 = 8;
/// Ways out of a gate, as the engine knows them.
const WAYS_OUT: [&str; 6] = ["release", "top_up", "re_prep", "re_extract", "new_material", "give_up"];

/// The panel of one question.
pub(super) struct Question {
    pub(super) anchor: String,
    pub(super) step: String,
    pub(super) kind: &'static str,
    pub(super) heading: String,
    pub(super) note: String,
    pub(super) checks: Vec<Check>,
    pub(super) shown: Vec<(String, String)>,
    pub(super) answers: Vec<String>,
    pub(super) ways: Vec<Way>,
    /// Who may, when the reader may not.
    pub(super) who_may: Option<String>,
    pub(super) not_by: Option<String>,
    /// Names what was shown.
    pub(super) fingerprint: String,
    pub(super) page: String,
}

/// One check of a gate.
pub(super) struct Check {
    pub(super) state: State,
    pub(super) metric: String,
    pub(super) value: String,
    pub(super) pass: String,
    pub(super) warn: String,
}

/// One answer that can be given.
pub(super) struct Way {
    pub(super) verdict: &'static str,
    pub(super) label: String,
    pub(super) effect: &'static str,
}

/// The questions that are open.
pub(super) async fn open(
    app: &App,
    visit: &Visit,
    seen: &Seen,
    words: &'static Words,
) -> Result<Vec<Question>, Problem> {
    if seen.sheet.counts.of(TaskState::Needs) == 0 {
        return Ok(Vec::new());
    }
    let id = &seen.sheet.run.id;
    let found = run_sheet::tasks(app.engine.reader(), id, (Some(TaskState::Needs), None), None, QUESTIONS).await?;
    Ok(found.iter().filter_map(|task| of(visit, seen, &task.step, words)).collect())
}

/// What a step asks; none when it asks nothing.
pub(super) fn of(visit: &Visit, seen: &Seen, step: &StepView, words: &'static Words) -> Option<Question> {
    let ask = step.ask.as_ref().filter(|_| step.status == "awaiting_person")?;
    let shell = visit.shell(Place::Runs);
    let may = visit.who.has_any(&ask.roles);
    let kind = match ask.kind.as_str() {
        "qc" => "qc",
        "approve" => "approve",
        _ => "hold",
    };
    let verdicts: &[&'static str] = match kind {
        "qc" => &WAYS_OUT,
        "approve" => &["approve", "reject"],
        _ => &[],
    };
    let roles: Vec<&str> = ask.roles.iter().map(|role| named(role, &shell)).collect();
    let roles = roles.join(shell.say.pick(" or ", "、"));
    let excluded: Vec<String> = ask.not_by.iter().map(|relation| words.relation(relation)).collect();
    let key = step.key.to_string();
    Some(Question {
        anchor: format!("ask-{key}"),
        kind,
        heading: heading(step, ask, words),
        note: note(ask, step.answers.len(), (&roles, &shell), words),
        checks: checks(step, &shell),
        shown: shown(&ask.shown, kind),
        answers: step.answers.iter().map(|answer| said(answer, &shell, words)).collect(),
        ways: ways(verdicts, words),
        who_may: (!may).then(|| words.who_may(&roles)),
        not_by: (!excluded.is_empty()).then(|| {
            let who = excluded.join(words.pick(", ", "、"));
            words.pick(format!("Not by {who}."), format!("次の人は回答できません：{who}"))
        }),
        fingerprint: ask.fingerprint.clone(),
        page: format!("/runs/{}/answer?step={}", seen.sheet.run.id, url(&key)),
        step: key,
    })
}

/// A role as people are called by it; the site's own roles are what they are.
fn named<'a>(role: &'a str, shell: &Shell) -> &'a str {
    match shell.words.role(role) {
        "" => role,
        word => word,
    }
}

/// The engine's kind of a panel's answer.
pub(super) fn kind(word: &str) -> Option<AnswerKind> {
    match word {
        "qc" => Some(AnswerKind::Qc),
        "approve" => Some(AnswerKind::Approve),
        _ => None,
    }
}

fn ways(verdicts: &[&'static str], words: &'static Words) -> Vec<Way> {
    let way = |verdict: &&'static str| {
        let (label, effect) = words.way_out(verdict);
        Way { verdict, label, effect }
    };
    verdicts.iter().map(way).collect()
}

fn heading(step: &StepView, ask: &AskView, words: &'static Words) -> String {
    let key = &step.key;
    match ask.kind.as_str() {
        "qc" => words.pick(format!("{key} holds: a reviewer decides"), format!("{key} の判定が保留：QC審査が必要です")),
        "approve" if !ask.text.is_empty() => {
            let ja = ask.text_ja.as_ref().unwrap_or(&ask.text);
            words.pick(format!("{key} asks: {}", ask.text), format!("{key} の確認：{ja}"))
        }
        "approve" => words.pick(format!("{key} asks for approval"), format!("{key} が承認を待っています")),
        _ => words.pick(format!("{key} waits to be let go"), format!("{key} は開始の許可を待っています")),
    }
}

fn note(ask: &AskView, given: usize, (roles, shell): (&str, &Shell), words: &'static Words) -> String {
    let open = words.open_for(roles, &shell.say.age(&ask.asked));
    let many = match ask.count {
        0 | 1 => String::new(),
        count => words.pick(format!("; {given} of {count} answers"), format!("・{count}人中{given}人が回答")),
    };
    let until = ask.expires.as_ref().map(|at| shell.say.date_time(at));
    let until = until.map(|at| words.pick(format!("; until {at}"), format!("・期限 {at}"))).unwrap_or_default();
    format!("{open}{many}{until}")
}

fn checks(step: &StepView, shell: &Shell) -> Vec<Check> {
    let Some(gate) = &step.gate else { return Vec::new() };
    let check = |check: &kentai_engine::store::rows::detail::CheckReport| {
        let shape = match check.verdict {
            Verdict::Pass => Shape::Passed,
            Verdict::Warn => Shape::Warned,
            Verdict::NotMeasured => Shape::Needs,
            Verdict::Fail => Shape::Failed,
        };
        let word = match check.verdict {
            Verdict::NotMeasured => shell.say.pick("Not measured", "未測定"),
            Verdict::Fail => shell.say.pick("Failed", "不合格"),
            _ => shape.word(shell.language()),
        };
        Check {
            state: shape.called(word),
            metric: check.metric.clone(),
            value: check.value.map(|value| number(value, &check.unit)).unwrap_or_default(),
            pass: comparison(&check.pass),
            warn: check.warn.as_deref().map(comparison).unwrap_or_default(),
        }
    };
    gate.checks.iter().map(check).collect()
}

/// What an approval was shown: names and values. A gate's own report stands in its table.
fn shown(value: &Value, kind: &str) -> Vec<(String, String)> {
    match value {
        Value::Object(fields) if kind == "approve" => {
            fields.iter().map(|(name, value)| (name.clone(), one_line(value))).collect()
        }
        Value::Array(items) if kind == "approve" => {
            items.iter().zip(1..).map(|(value, number): (_, usize)| (number.to_string(), one_line(value))).collect()
        }
        _ => Vec::new(),
    }
}

/// A value in one line; of a file its name and checksum, never where it lies.
fn one_line(value: &Value) -> String {
    if let Some(file) = kentai_workflows::value::FileValue::of(value) {
        return format!("{} {}", file.name, file.sha256.unwrap_or_default());
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(one_line).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name}: {}", one_line(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn said(answer: &kentai_engine::view::AnswerView, shell: &Shell, words: &'static Words) -> String {
    let (verdict, _) = words.way_out(&answer.verdict);
    let at = shell.say.date_time(&answer.at);
    words.pick(
        format!("{}: {verdict}, {at}. “{}”", answer.person, answer.reason),
        format!("{}：{verdict}（{at}）「{}」", answer.person, answer.reason),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_that_is_shown_is_told_by_name_and_checksum_and_not_by_where_it_lies() {
        let value = json!({ "vcf": { "$file": { "name": "a.vcf.gz", "path": "/secret/place", "sha256": "ab" } }, "n": [1, "x"] });
        let found = shown(&value, "approve");
        assert!(found.contains(&("vcf".into(), "a.vcf.gz ab".into())), "{found:?}");
        assert!(found.contains(&("n".into(), "1, x".into())));
        assert!(shown(&value, "qc").is_empty());
    }
}

//! What the chapters of the analysis and the hand-off say: steps, gates, releases, packages, receipts.

use std::collections::BTreeMap;

use kentai_engine::handoff::offer::FileStatus;
use kentai_engine::qc::verdict::Evaluation;
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::story::{Chapter, DeliveryTold, RunTold};
use kentai_engine::view::{AttemptView, StepView};

use super::super::markup::Markup;
use super::super::shape::{Shape, State};
use super::chapter::{body, lasted};
use super::entry::{Said, Teller, Told};
use super::gates::{of_evaluation, of_gate};
use super::text::{Text, digest, path};
use super::words::word;

/// Rows of a table before the rest is the run's.
const ROWS_MAX: usize = 40;
/// The data of a package; what lies around it are its papers.
const DATA: &str = "data/";

/// One line of the table of steps.
pub(super) struct StepRow {
    pub(super) step: String,
    pub(super) done: String,
    pub(super) ran: String,
    pub(super) memory: String,
    pub(super) images: Vec<Markup>,
    pub(super) attempts: String,
}

/// One line of the table of files.
pub(super) struct FileRow {
    pub(super) name: String,
    pub(super) size: String,
    pub(super) sent: Markup,
    pub(super) seen: Option<Markup>,
    pub(super) outcome: State,
    pub(super) note: String,
    pub(super) accession: String,
}

/// The files of a delivery: its data, and what lies around it.
pub(super) struct FilesTold {
    pub(super) data: Vec<FileRow>,
    pub(super) papers: Vec<FileRow>,
    pub(super) note: String,
}

fn run_of<'s>(teller: &'s Teller<'_>, chapter: &Chapter) -> Option<&'s RunTold> {
    let named = body(chapter)["run"].as_str();
    let known = |id: &str| teller.story.runs.iter().find(|told| told.run.id.as_str() == id);
    named.and_then(known).or_else(|| teller.story.runs.iter().rfind(|told| told.run.created <= chapter.at))
}

pub(super) fn analysis(teller: &Teller<'_>, chapter: &Chapter) -> Told {
    let say = teller.say;
    let mut told = Told::default();
    let round = if chapter.round > 1 {
        say.pick(format!("round {}, ", chapter.round), format!("{}巡目、", chapter.round))
    } else {
        String::new()
    };
    told.note = format!("{round}{}", lasted(teller, chapter));
    let Some(found) = run_of(teller, chapter) else { return told };
    let run = &found.run;
    let href = path(&["runs", run.id.as_str()]);
    let mut line = Text::new(say.pick("Run ", "実行 ")).link(&href, run.id.as_str());
    line = line.text(format!("{}{} {}", say.pick(", ", "、"), run.workflow, run.version).trim_end());
    let reference = found.params.get("reference").and_then(|value| value.as_str().or_else(|| value["name"].as_str()));
    if let Some(reference) = reference {
        line = line.text(&say.pick(format!(", reference {reference}"), format!("、参照配列 {reference}")));
    }
    told.says(line.text(say.pick(".", "。")));
    if chapter.stage() == Some(Stage::AnalysisFailed) {
        let (step, reason) = (body(chapter)["step"].as_str(), body(chapter)["reason"].as_str());
        let reason = reason.map(|reason| say.engine(reason));
        let text = [step, reason.as_deref()].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        told.says(Text::new(&text.join(say.pick(": ", "："))));
    } else {
        told.steps = steps(teller, found);
        if found.attempts.is_empty() && found.attempts_made > 0 {
            let made = say.count(found.attempts_made);
            told.says(Text::new(
                &say.pick(format!("{made} attempts: see the run."), format!("試行{made}件。詳細は実行のページ。")),
            ));
        }
    }
    told.margin.push(Text::new(say.pick("workflow ", "ワークフロー ")).digest(say, &run.digest).done());
    if let Some((first, last, count)) = found.events {
        let (first, last, count) = (say.count(first), say.count(last), say.count(count));
        let words = say.pick(
            format!("{count} events of the run, {first} to {last}; "),
            format!("実行の記録{count}件（{first}～{last}）、"),
        );
        told.margin.push(Text::new(&words).link(&href, teller.words.all_attempts).done());
    }
    told
}

/// One row for each step of the workflow, its items together.
fn steps(teller: &Teller<'_>, found: &RunTold) -> Vec<StepRow> {
    let mut order: Vec<&str> = Vec::new();
    let mut items: BTreeMap<&str, Vec<&StepView>> = BTreeMap::new();
    for step in &found.steps {
        if !items.contains_key(step.step.as_str()) {
            order.push(&step.step);
        }
        items.entry(&step.step).or_default().push(step);
    }
    let mut rows = Vec::new();
    for name in order {
        let mut all = items.remove(name).unwrap_or_default();
        // A step with items is a group and is not counted itself.
        if all.len() > 1 {
            all.retain(|step| step.key.as_str() != step.step);
        }
        let keys: Vec<&str> = all.iter().map(|step| step.key.as_str()).collect();
        let attempts: Vec<&AttemptView> =
            found.attempts.iter().filter(|attempt| keys.contains(&attempt.step.as_str())).collect();
        if !attempts.is_empty() {
            rows.push(step_row(teller, name, &all, &attempts));
        }
    }
    rows.truncate(ROWS_MAX);
    rows
}

fn step_row(teller: &Teller<'_>, name: &str, items: &[&StepView], attempts: &[&AttemptView]) -> StepRow {
    let say = teller.say;
    let done = items.iter().filter(|step| matches!(step.status.as_str(), "succeeded" | "skipped")).count();
    let (done, all) = (i64::try_from(done).unwrap_or(0), i64::try_from(items.len()).unwrap_or(0));
    let ran: i64 = attempts.iter().filter_map(|attempt| attempt.duration_ms).sum();
    let peak = attempts.iter().filter_map(|attempt| attempt.max_rss_bytes).max();
    let asked = attempts.iter().filter_map(|attempt| attempt.memory_bytes).max().filter(|bytes| *bytes > 0);
    let memory = match (peak, asked) {
        (Some(peak), Some(asked)) => {
            let (peak, asked) = (say.memory(peak), say.memory(asked));
            say.pick(format!("{peak} of {asked}"), format!("{peak}／{asked}"))
        }
        (Some(peak), None) => say.memory(peak),
        (None, _) => "–".into(),
    };
    let mut images: Vec<&str> = attempts.iter().filter_map(|attempt| attempt.image.as_deref()).collect();
    images.sort_unstable();
    images.dedup();
    StepRow {
        step: name.to_owned(),
        done: say.pick(format!("{done} of {all}"), format!("{done}／{all}")),
        ran: say.duration(ran / 1_000),
        memory,
        images: images.into_iter().take(3).map(|image| digest(say, image)).collect(),
        attempts: retries(teller, items.len(), attempts),
    }
}

/// `one each`, `1 retry: out of memory`
fn retries(teller: &Teller<'_>, items: usize, attempts: &[&AttemptView]) -> String {
    let say = teller.say;
    let more = attempts.len().saturating_sub(items);
    if more == 0 {
        return teller.words.one_each.into();
    }
    let mut causes: Vec<String> = Vec::new();
    for attempt in attempts {
        let Some(cause) = &attempt.cause else { continue };
        let mut told = word(cause, say.language);
        if let Some(asked) = attempt.memory_bytes.filter(|_| attempt.oom_killed) {
            told += &say.pick(format!(" at {}", say.memory(asked)), format!("（{}）", say.memory(asked)));
        }
        if !causes.contains(&told) {
            causes.push(told);
        }
    }
    let causes = causes.into_iter().take(3).collect::<Vec<_>>().join(say.pick(", ", "、"));
    let retries =
        say.pick(format!("{more} {}", if more == 1 { "retry" } else { "retries" }), format!("再試行{more}回"));
    if causes.is_empty() { retries } else { format!("{retries}{}{causes}", say.pick(": ", "：")) }
}

/// What a gate found, and what the assay's criteria say, with whoever decided.
pub(super) fn judged(teller: &Teller<'_>, chapter: &Chapter) -> Told {
    let say = teller.say;
    let mut told = Told::default();
    let review = chapter.stage() == Some(Stage::ReleaseReview);
    let held_by = body(chapter)["step"].as_str().unwrap_or_default();
    if let Some(found) = run_of(teller, chapter) {
        for step in found.steps.iter().filter(|step| review || step.key.as_str() == held_by) {
            if let Some(gate) = &step.gate {
                told.checks.push(of_gate(step.key.as_str(), &gate.checks, say));
            }
        }
        if !review {
            for decision in found.decisions.iter().filter(|one| one.kind == "qc" && one.step.as_str() == held_by) {
                let way = word(&decision.verdict, say.language);
                told.margin.push(Text::default().bold(&decision.person).done());
                told.said.push(Said {
                    who: decision.person.clone(),
                    what: say.pick(format!("decided: {way}"), format!("判断：{way}")),
                    reason: decision.reason.clone(),
                    after: say.date_time(&decision.at),
                });
            }
        }
    }
    if review {
        told.checks.extend(newest_evaluation(teller, chapter).map(|evaluation| of_evaluation(&evaluation, say)));
    }
    if told.checks.is_empty() {
        let reason = body(chapter)["reason"].as_str().unwrap_or_default();
        told.says(Text::new(&say.engine(reason)));
    }
    told
}

/// What stood when the chapter ended.
fn newest_evaluation(teller: &Teller<'_>, chapter: &Chapter) -> Option<Evaluation> {
    let line = teller.story.line.as_ref()?;
    let until = chapter.until.as_deref().unwrap_or("9");
    let ours = teller.story.known.records.iter().filter(|one| one.kind == "evaluation" && one.parent == line.id);
    let newest =
        ours.filter(|one| one.created.as_str() <= until).max_by(|one, other| one.created.cmp(&other.created))?;
    serde_json::from_value(newest.document.clone()).ok()
}

/// Whose yes it rests on.
pub(super) fn released(teller: &Teller<'_>, chapter: &Chapter) -> Told {
    let say = teller.say;
    let mut told = Told::default();
    let Some(found) = run_of(teller, chapter) else { return told };
    // Whoever let a gate's verdict pass is one of those whose yes it rests on.
    let is_yes = |verdict: &str| matches!(verdict, "approve" | "release");
    let yes: Vec<_> = found.decisions.iter().filter(|one| is_yes(&one.verdict) && one.at <= chapter.at).collect();
    let mut people: Vec<&str> = yes.iter().map(|one| one.person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    if people.len() > 1 {
        told.note = say.pick(format!("{} people", people.len()), format!("{}人", people.len()));
    }
    for one in yes {
        let (what, reason) = match one.kind.as_str() {
            "approve" => (say.pick("said yes", "承認"), one.reason.clone()),
            // It was quoted where it was said.
            _ => (say.pick("let a verdict pass", "判定を通す判断"), String::new()),
        };
        told.said.push(Said { who: one.person.clone(), what: what.to_owned(), reason, after: say.date_time(&one.at) });
        told.margin.push(Text::default().bold(&one.person).done());
    }
    told
}

fn delivery_of<'s>(teller: &'s Teller<'_>, chapter: &Chapter) -> Option<&'s DeliveryTold> {
    let named = body(chapter)["delivery"].as_str().or_else(|| chapter.said("delivered")?.body["delivery"].as_str());
    let all = &teller.story.deliveries;
    let by_id = |id: &str| all.iter().find(|told| told.delivery.id.as_str() == id);
    let run = body(chapter)["run"].as_str();
    let of_run = |told: &&DeliveryTold| run.is_none_or(|run| told.delivery.run.as_str() == run);
    named
        .and_then(by_id)
        .or_else(|| all.iter().filter(of_run).rfind(|told| told.delivery.created <= chapter.at))
        .or(all.last())
}

pub(super) fn handed_off(teller: &Teller<'_>, chapter: &Chapter) -> Told {
    let say = teller.say;
    let mut told = Told::default();
    let reason = body(chapter)["reason"].as_str().unwrap_or_default();
    if !reason.is_empty() {
        let reason = say.engine(reason);
        told.says(Text::new(&say.pick(format!("Reason: {reason}"), format!("理由：{reason}"))));
    }
    let Some(found) = delivery_of(teller, chapter) else { return told };
    match chapter.stage() {
        Some(Stage::Offered | Stage::Delivered) => offered(teller, chapter, found, &mut told),
        Some(Stage::Acknowledged | Stage::Refused) => answered(teller, found, &mut told),
        _ => {}
    }
    told
}

fn offered(teller: &Teller<'_>, chapter: &Chapter, found: &DeliveryTold, told: &mut Told) {
    let say = teller.say;
    let delivery = &found.delivery;
    let href = path(&["hand-off", delivery.id.as_str()]);
    let files = say.count(i64::try_from(found.count).unwrap_or(0));
    let (bytes, target) = (say.bytes(found.bytes), delivery.target.as_str());
    let encrypted = found.files.iter().any(|file| file.encrypted);
    let sealed = if encrypted { say.pick(", encrypted with Crypt4GH", "、Crypt4GHで暗号化") } else { "" };
    let line = Text::new(say.pick("Delivery ", "送達 ")).link(&href, delivery.id.as_str());
    let mut line = line.text(&say.pick(
        format!(" to {target}: {}, {bytes}{sealed}.", several(found.count, "file")),
        format!(" を {target} へ：{files}ファイル、{bytes}{sealed}。"),
    ));
    if let Some((_, at)) = chapter.then.first() {
        told.note = say.date_time(at);
        let took = say.seconds_since(&chapter.at).unwrap_or(0) - say.seconds_since(at).unwrap_or(0);
        let took = say.duration(took);
        line = line.text(&say.pick(format!(" All bytes there after {took}."), format!("{took}後に全データが到着。")));
    }
    told.says(line);
    if let Some(manifest) = &delivery.manifest_sha256 {
        told.margin.push(Text::new(say.pick("manifest ", "送付目録 ")).digest(say, manifest).done());
    }
}

/// `1 file`, `8 files`
pub(super) fn several(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn answered(teller: &Teller<'_>, found: &DeliveryTold, told: &mut Told) {
    let say = teller.say;
    let row = |file: &kentai_engine::view::center::story::PackedFile| {
        let answer = found.delivery.answers.get(&file.path);
        let status = answer.map_or(FileStatus::Offered, |answer| answer.status);
        let shape = match status {
            FileStatus::Accepted => Shape::Passed,
            FileStatus::Refused | FileStatus::Mismatch => Shape::Failed,
            FileStatus::Offered | FileStatus::Unknown => Shape::Waiting,
        };
        let note = answer.map(|answer| [answer.reason.as_str(), answer.text.as_str()].join(" ").trim().to_owned());
        FileRow {
            name: file.path.strip_prefix(DATA).unwrap_or(&file.path).to_owned(),
            size: say.bytes(file.size),
            sent: digest(say, &file.sha256),
            seen: answer.filter(|answer| !answer.sha256.is_empty()).map(|answer| digest(say, &answer.sha256)),
            outcome: shape.called(word(status.word(), say.language)),
            note: note.unwrap_or_default(),
            accession: answer.map(|answer| answer.accession.clone()).unwrap_or_default(),
        }
    };
    let (data, papers): (Vec<_>, Vec<_>) = found.files.iter().partition(|file| file.path.starts_with(DATA));
    let accepted = data.iter().filter(|file| {
        found.delivery.answers.get(&file.path).is_some_and(|answer| answer.status == FileStatus::Accepted)
    });
    let (accepted, count) = (accepted.count(), data.len());
    told.note =
        say.pick(format!("{accepted} of {count} files accepted"), format!("{count}ファイル中{accepted}件を受領"));
    let shown = found.files.len();
    let note = if shown < found.count {
        say.pick(format!("{shown} of {} files", found.count), format!("{}ファイル中{shown}件", found.count))
    } else {
        String::new()
    };
    told.files.push(FilesTold {
        data: data.into_iter().map(row).collect(),
        papers: papers.into_iter().map(row).collect(),
        note,
    });
    for (id, receipt) in &found.delivery.receipts {
        let signed = receipt.signed_by.is_some();
        let words = match signed {
            true => say.pick("signed receipt ", "署名付き受領書 "),
            false => say.pick("receipt ", "受領書 "),
        };
        told.margin.push(Text::new(words).code(id).done());
        told.margin.push(Text::new(&format!("{} ", receipt.by)).digest(say, &receipt.sha256).done());
    }
}

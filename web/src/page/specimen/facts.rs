//! What stands over the story: the lead sentence and the strip of facts.

use kentai_engine::handoff::offer::FileStatus;
use kentai_engine::specimen::record;
use kentai_engine::state::order::Stage;
use kentai_engine::view::center::story::{Chapter, Story};
use kentai_engine::view::center::{OrderLineView, WhyView};

use super::super::shape::State;
use super::super::stage;
use super::chapter::document;
use super::entry::Teller;
use super::words::word;

const DAY: f64 = 86_400.0;

/// One fact.
pub(super) struct Fact {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) state: Option<State>,
    pub(super) value: String,
    pub(super) notes: Vec<String>,
}

fn fact(id: &'static str, label: &'static str, value: String, notes: Vec<String>) -> Fact {
    Fact { id, label, state: None, value, notes: notes.into_iter().filter(|note| !note.is_empty()).collect() }
}

fn reached(story: &Story, wanted: Stage) -> Option<&str> {
    let has = |chapter: &&Chapter| chapter.stage == wanted.word();
    let headed = story.chapters.iter().rfind(has).map(|chapter| chapter.at.as_str());
    let then = || story.chapters.iter().flat_map(|chapter| &chapter.then).rfind(|(stage, _)| stage == wanted.word());
    headed.or_else(|| then().map(|(_, at)| at.as_str()))
}

/// The facts in their order; people from outside get what is theirs.
pub(super) fn facts(teller: &Teller<'_>) -> Vec<Fact> {
    let mut all = Vec::new();
    let story = teller.story;
    if let Some(line) = &story.line {
        all.push(where_it_stands(teller, line));
        if teller.inside() {
            all.push(hold(teller, line));
        }
    }
    all.extend(consent(teller));
    all.extend(custody(teller));
    if let Some(line) = &story.line {
        let due = format!("{} {}", teller.words.due, teller.say.date(&line.due));
        all.push(fact("fact-priority", teller.words.priority, word(&line.priority, teller.language()), vec![due]));
        if teller.inside() {
            all.extend(clocks(teller, line));
        }
    }
    all
}

fn where_it_stands(teller: &Teller<'_>, line: &OrderLineView) -> Fact {
    let last = teller.story.chapters.last();
    let since = last.map(|last| last.then.last().map_or(&last.at, |(_, at)| at));
    let since = since.map(|at| {
        let at = teller.say.date_time(at);
        teller.say.pick(format!("since {at}"), format!("{at}から"))
    });
    let state = stage::of_line(line, teller.language());
    Fact {
        id: "fact-stage",
        label: teller.words.stage,
        value: state.word.clone(),
        state: Some(state),
        notes: since.into_iter().collect(),
    }
}

fn hold(teller: &Teller<'_>, line: &OrderLineView) -> Fact {
    let words = teller.words;
    match &line.held {
        Some(held) => {
            let since = teller.say.date_time(&held.since);
            let by = teller.say.pick(format!("by {}, since {since}", held.by), format!("{}、{since}から", held.by));
            fact("fact-hold", words.hold, words.held.to_owned(), vec![by, held.reason.clone()])
        }
        None => {
            let before = teller.story.chapters.iter().any(|chapter| chapter.said("held").is_some());
            let note = if before { words.held_before } else { words.never_held };
            fact("fact-hold", words.hold, words.none.to_owned(), vec![note.to_owned()])
        }
    }
}

fn consent(teller: &Teller<'_>) -> Option<Fact> {
    let participant = teller.story.known.participant.as_ref()?;
    let mut value = word(&participant.consent, teller.language());
    let newest = teller.story.consents.last();
    if let Some(newest) = newest {
        let doc: record::Consent = document(&newest.document);
        let (form, version) = (doc.document, doc.document_version);
        value += &teller.say.pick(format!(", {form} version {version}"), format!("、{form} 第{version}版"));
    }
    let scopes: Vec<String> = participant.scopes.iter().map(|scope| scope.replace('_', " ")).collect();
    let scopes = scopes.join(teller.say.pick(", ", "、"));
    Some(fact("fact-consent", teller.words.consent, value, vec![scopes]))
}

fn custody(teller: &Teller<'_>) -> Option<Fact> {
    let specimen: record::Specimen = document(&teller.story.known.specimen.document);
    if specimen.custody.is_empty() {
        return None;
    }
    let step = teller.story.known.records.iter().filter(|one| one.kind == "custody");
    let step = step.max_by(|one, other| one.updated.cmp(&other.updated));
    let (mut value, mut notes) = (word(&specimen.custody, teller.language()), Vec::new());
    if let Some(step) = step {
        let doc: record::Custody = document(&step.document);
        if !doc.holder.is_empty() {
            value = format!("{value}{}{}", teller.say.pick(", ", "、"), doc.holder);
        }
        let parts = [doc.accession, teller.say.date(&step.updated)].into_iter().filter(|part| !part.is_empty());
        notes.push(parts.collect::<Vec<_>>().join(teller.say.pick(", ", "、")));
    }
    Some(fact("fact-custody", teller.words.custody, value, notes))
}

#[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
fn days(seconds: i64) -> String {
    format!("{:.1}", seconds as f64 / DAY)
}

/// From data to hand-off, and from the order to the receipt: days of what is allowed, pauses left out.
fn clocks(teller: &Teller<'_>, line: &OrderLineView) -> Option<Fact> {
    let (say, story) = (teller.say, teller.story);
    let targets = story.targets.clone().unwrap_or_default();
    let doc: record::OrderLine = document(&line.document);
    let took = |from: Option<&str>, to: Option<&str>| -> Option<i64> {
        let from = say.seconds_since(from?)?;
        let to = to.and_then(|to| say.seconds_since(to)).unwrap_or(0);
        (from >= to).then_some(from - to)
    };
    let now = story.chapters.last().filter(|last| last.stage().is_some_and(Stage::is_end)).map(|last| last.at.as_str());
    let data = took(
        reached(story, Stage::Sequenced).or_else(|| reached(story, Stage::Ready)),
        reached(story, Stage::Offered).or_else(|| reached(story, Stage::Delivered)).or(now),
    );
    let total = took(Some(&line.created), reached(story, Stage::Acknowledged).or(now))?;
    let paused: i64 = doc.pauses.iter().filter_map(|pause| Some(pause.to_us? - pause.from_us)).sum::<i64>() / 1_000_000;
    let of = |seconds: i64, target: f64| {
        let (took, target) = (days(seconds), super::gates::number(target));
        say.pick(format!("{took} of {target}\u{a0}d"), format!("{took}／{target}日"))
    };
    let total = of(total - paused, targets.total);
    let pause = match paused {
        0 => say.pick("no pause".to_owned(), "停止なし".to_owned()),
        some => say.pick(format!("{}\u{a0}d paused", days(some)), format!("停止{}日", days(some))),
    };
    let total = say.pick(format!("Order to receipt {total}, {pause}"), format!("依頼→受領 {total}、{pause}"));
    Some(match data {
        Some(data) => {
            let data = of(data, targets.analysis);
            let value = say.pick(format!("Data to hand-off {data}"), format!("データ→引き渡し {data}"));
            fact("fact-clocks", teller.words.clocks, value, vec![total])
        }
        None => fact("fact-clocks", teller.words.clocks, total, Vec::new()),
    })
}

/// In one or two sentences: what it is, how far it came, and why it stands where it stands.
pub(super) fn lead(teller: &Teller<'_>, why: Option<&WhyView>) -> String {
    let (say, story) = (teller.say, teller.story);
    let specimen: record::Specimen = document(&story.known.specimen.document);
    let kind = word(&specimen.specimen_type, say.language);
    let sender = &story.sender;
    let Some(line) = &story.line else {
        let en = if kind.is_empty() { format!("From {sender}.") } else { format!("{kind} from {sender}.") };
        let ja = if kind.is_empty() { format!("{sender}から。") } else { format!("{sender}からの{kind}。") };
        return format!("{} {}", say.pick(en, ja), teller.words.no_order).trim_start().to_owned();
    };
    let assay = &line.assay;
    let first = match kind.is_empty() {
        true => say.pick(format!("From {sender}, ordered as {assay}."), format!("{sender}から{assay}として依頼。")),
        false => say.pick(
            format!("{kind} from {sender}, ordered as {assay}."),
            format!("{sender}からの{kind}、{assay}として依頼。"),
        ),
    };
    let mut sentences = vec![first];
    sentences.extend(way(teller));
    match Stage::parse(&line.stage) {
        Some(Stage::Acknowledged | Stage::Archived) if teller.inside() => sentences.extend(end(teller, line)),
        _ => sentences.extend(why.map(|why| closed(&why.said, say.pick(".", "。")))),
    }
    sentences.join(say.pick(" ", ""))
}

fn closed(text: &str, stop: &str) -> String {
    let mut letters = text.chars();
    let text: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if text.ends_with(['.', '。']) { text } else { text + stop }
}

/// `Received 21 Oct, topped up once, released on 13 Nov.`
fn way(teller: &Teller<'_>) -> Option<String> {
    let (say, story) = (teller.say, teller.story);
    let mut parts = Vec::new();
    if let Some(at) = reached(story, Stage::Received) {
        let at = say.date(at);
        parts.push(say.pick(format!("received {at}"), format!("{at}受領")));
    }
    let tops = story.chapters.iter().filter(|chapter| chapter.stage == Stage::AwaitingTopUp.word()).count();
    match tops {
        0 => {}
        1 => parts.push(say.pick("topped up once".into(), "シーケンスを1回追加".into())),
        more => parts.push(say.pick(format!("topped up {more} times"), format!("シーケンスを{more}回追加"))),
    }
    if let Some(at) = reached(story, Stage::Released) {
        let at = say.date(at);
        parts.push(say.pick(format!("released {at}"), format!("{at}引き渡し承認")));
    }
    if parts.is_empty() {
        return None;
    }
    Some(closed(&parts.join(say.pick(", ", "、")), say.pick(".", "。")))
}

/// `dc1 acknowledged all 8 files on 14 Nov, 14 d before the due date.`
fn end(teller: &Teller<'_>, line: &OrderLineView) -> Option<String> {
    let (say, story) = (teller.say, teller.story);
    let at = reached(story, Stage::Acknowledged)?;
    let found = story.deliveries.last()?;
    let target = &found.delivery.target;
    let accepted = found.delivery.answers.values().filter(|answer| answer.status == FileStatus::Accepted).count();
    let files = say.count(i64::try_from(accepted).unwrap_or(0));
    let named = if accepted == 1 { "its file".to_owned() } else { format!("{files} files") };
    let early = say.seconds_since(at)? - say.seconds_since(&line.due)?;
    let gap = say.duration(early);
    let on = say.date(at);
    Some(match early >= 0 {
        true => say.pick(
            format!("{target} acknowledged {named} on {on}, {gap} before the due date."),
            format!("{on}、{target}が{files}ファイルを受領確認（期限の{gap}前）。"),
        ),
        false => say.pick(
            format!("{target} acknowledged {named} on {on}, {gap} after the due date."),
            format!("{on}、{target}が{files}ファイルを受領確認（期限を{gap}超過）。"),
        ),
    })
}

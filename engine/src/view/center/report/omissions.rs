//! What nobody expected, what nobody brought, and what nobody answered: each kind found by an index that holds little else, a page of
//! each at a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::specimen::record::{Item, Kind, LetterState, Notice, is_of_withdrawal};
use crate::state::order::Stage;
use crate::store::read::{OmittedFilter, Omitting, Reader};
use crate::store::rows::report::Omitted;
use crate::view::center::access::{Refused, part};
use crate::view::center::line::owner_of;
use crate::view::center::notice::sees_withdrawals;
use crate::view::center::record::actions;
use crate::view::{document, time};

/// How far those beyond a page are counted: more than that is many, and counting on would read them all.
pub const MORE_MAX: i64 = 10_000;

/// Its word, and what is looked for at a time.
type Sort = (&'static str, fn(Micros) -> Omitting);

/// Kinds of omissions, those that somebody must act on first before the others.
const KINDS: &[Sort] = &[
    (UNANSWERED, Omitting::Answers),
    (UNDELIVERED, |_| Omitting::Letters(true)),
    (LATE_RECEIPT, Omitting::Receipts),
    ("order_without_consent", |_| Omitting::Consents),
    ("order_without_data", Omitting::Data),
    ("data_without_specimen", |_| Omitting::Records("lane_library", "unknown_specimen")),
    ("specimen_without_order", |_| Omitting::Specimens),
    ("extra_item", |_| Omitting::Records("item", "extra")),
    ("missing_item", |_| Omitting::Records("item", "missing")),
];

/// A message to somebody outside: only those see it who may see what a withdrawal is about.
const UNANSWERED: &str = "unanswered_notice";

/// A message that did not reach somebody outside. Those of withdrawals are left out for whoever may not see them.
const UNDELIVERED: &str = "undelivered_notice";

/// A delivery whose receiver owes an answer: whatever follows from that, it is shown until they give it.
const LATE_RECEIPT: &str = "late_receipt";

/// Something that nobody expected, that nobody brought, or that nobody answered. Shown, never dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Omission {
    /// `unanswered_notice`, `undelivered_notice`, `late_receipt`, `order_without_consent`, `order_without_data`, `data_without_specimen`,
    /// `specimen_without_order`, `extra_item`, `missing_item`.
    pub kind: String,
    /// `kind id`
    pub thing: String,
    /// Whose it is; may be empty.
    pub institution: String,
    /// In English.
    pub en: String,
    /// In Japanese.
    pub ja: String,
    /// Since when.
    pub since: String,
    /// Who must act: `institution`, `lab`, `instrument`, `withdrawal_officer`, `operator`, `data_center`.
    #[serde(default)]
    pub owner: String,
    /// By when something should have happened; absent where no time is set.
    #[serde(default)]
    pub due: Option<String>,
}

/// One kind of omissions: a page, and how many there are beyond it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Omissions {
    /// Which kind.
    pub kind: String,
    /// The longest late first, where something is late; else by id.
    pub items: Vec<Omission>,
    /// How many there are beyond these; 10,000 means that many or more.
    pub more: i64,
    /// Give this as `after`, with the kind, to get the next page; absent on the last one.
    pub next: Option<String>,
}

/// Which omissions are asked for.
#[derive(Clone, Debug, Default)]
pub struct OmissionFilter {
    /// Only this kind.
    pub kind: Option<String>,
    /// Only what follows this, the `next` of an earlier page; needs a kind.
    pub after: Option<String>,
    /// At most so many of each kind.
    pub limit: i64,
}

/// The words of the kinds, in the order in which they are told.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|(kind, _)| *kind).collect()
}

/// What nobody expected, brought or answered, at `now`: a page of each kind, or of the one that is asked for.
///
/// Each kind costs one query over an index that holds little else, and a second one that counts up to 10,000 more when the page is full.
/// Unanswered notices are only among them for whoever may see what a withdrawal is about.
///
/// # Errors
/// When they may not see reports, there is no such kind or page, or the database cannot be read.
pub async fn omissions(
    reader: &Reader,
    who: &Principal,
    now: Micros,
    filter: &OmissionFilter,
) -> Result<Vec<Omissions>, Refused> {
    let institution = part(who, &[Action::ReadReport], None)?.institution();
    let wanted = filter.kind.as_deref();
    if let Some(word) = wanted.filter(|word| KINDS.iter().all(|(kind, _)| kind != word)) {
        let word = word.escape_debug();
        return Err(Refused::Bad(format!("`{word}` is no kind of omission; one of {}", kinds().join(", "))));
    }
    if filter.after.is_some() && wanted.is_none() {
        return Err(Refused::Bad("the next page is one kind's: say which".into()));
    }
    let Some(institution) = institution else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (kind, what) in KINDS.iter().filter(|(kind, _)| wanted.is_none_or(|wanted| wanted == *kind)) {
        if *kind == UNANSWERED
            && let Err(refused) = part(who, actions(Kind::Notice).unwrap_or_default(), None)
        {
            match wanted {
                Some(_) => return Err(refused),
                None => continue,
            }
        }
        let what = match what(now) {
            Omitting::Letters(_) => Omitting::Letters(sees_withdrawals(who)),
            other => other,
        };
        all.push(page(reader, kind, what, institution.clone(), filter).await?);
    }
    Ok(all)
}

async fn page(
    reader: &Reader,
    kind: &str,
    what: Omitting,
    institution: Option<String>,
    filter: &OmissionFilter,
) -> Result<Omissions, Refused> {
    let after = filter.after.as_deref().map(|text| place(what, text)).transpose()?;
    let mut asked = OmittedFilter { institution, after, limit: filter.limit };
    let rows = reader.omitted(what, &asked).await?;
    let items = rows.iter().map(|row| omission(kind, row)).collect::<Result<_, Refused>>()?;
    let full = i64::try_from(rows.len()).is_ok_and(|len| len >= filter.limit);
    let (mut more, mut next) = (0, None);
    if let Some(last) = rows.last().filter(|_| full) {
        asked.after = Some((last.due_us, last.id.clone()));
        asked.limit = MORE_MAX;
        more = reader.omitted_count(what, &asked).await?;
        next = (more > 0).then(|| place_text(what, last));
    }
    Ok(Omissions { kind: kind.to_owned(), items, more, next })
}

/// Late things are in the order in which they were due, and that may change for one that was on a page: its time is part of the place.
fn is_by_time(what: Omitting) -> bool {
    matches!(what, Omitting::Data(_) | Omitting::Answers(_) | Omitting::Receipts(_))
}

fn place_text(what: Omitting, row: &Omitted) -> String {
    if is_by_time(what) { format!("{}/{}", row.due_us, row.id) } else { row.id.clone() }
}

fn place(what: Omitting, text: &str) -> Result<(i64, String), Refused> {
    if !is_by_time(what) {
        return Ok((i64::MIN, text.to_owned()));
    }
    let parts = text.split_once('/').and_then(|(due, id)| Some((due.parse().ok()?, id.to_owned())));
    parts.ok_or_else(|| Refused::Bad(format!("`{}` is not where a page ended", text.escape_debug())))
}

fn omission(kind: &str, row: &Omitted) -> Result<Omission, Refused> {
    let (en, ja) = said(kind, row)?;
    let owner = match kind {
        UNANSWERED => "withdrawal_officer".to_owned(),
        UNDELIVERED => mender(row)?,
        LATE_RECEIPT => owner_of(Stage::Delivered).unwrap_or_default(),
        "data_without_specimen" => "lab".to_owned(),
        "order_without_data" => Stage::parse(&row.word).and_then(owner_of).unwrap_or_default(),
        _ => "institution".to_owned(),
    };
    Ok(Omission {
        kind: kind.to_owned(),
        thing: format!("{} {}", row.what, row.id),
        institution: row.institution.clone(),
        en,
        ja,
        since: time(row.since_us),
        owner,
        due: (row.due_us != Micros::MAX).then(|| time(row.due_us)),
    })
}

/// Who puts a letter on its way again.
fn mender(row: &Omitted) -> Result<String, Refused> {
    let Notice { subject, .. } = document("a notice", &row.document)?;
    Ok(if is_of_withdrawal(&subject) { "withdrawal_officer" } else { "operator" }.to_owned())
}

fn said(kind: &str, row: &Omitted) -> Result<(String, String), Refused> {
    let word = &row.word;
    Ok(match kind {
        "order_without_consent" => {
            (format!("it is ordered, and consent is {word}"), format!("依頼がありますが、同意は {word} です"))
        }
        "order_without_data" => {
            (format!("it is {word}, and its data is late"), format!("{word} のまま、データが期限までに届いていません"))
        }
        "data_without_specimen" => (
            "this data belongs to no specimen that is known".to_owned(),
            "このデータに対応する検体がありません".to_owned(),
        ),
        "specimen_without_order" => {
            ("nothing was ordered for this specimen".to_owned(), "この検体には依頼がありません".to_owned())
        }
        LATE_RECEIPT => {
            let (to, id) = (&row.parent, &row.id);
            (
                format!("`{to}` has not answered for it in time; it is {word}; offered: `kentai handoff reoffer {id}`"),
                format!("「{to}」の受領確認が期限までにありません ({word})。選択肢: `kentai handoff reoffer {id}`"),
            )
        }
        "extra_item" | "missing_item" => {
            let Item { barcode, .. } = document("an item", &row.document)?;
            if kind == "extra_item" {
                (format!("nobody announced `{barcode}`"), format!("「{barcode}」は予告されていません"))
            } else {
                (format!("`{barcode}` was announced and did not come"), format!("「{barcode}」が届いていません"))
            }
        }
        UNDELIVERED => {
            let Notice { to, subject, letters, .. } = document("a notice", &row.document)?;
            let dead = letters.into_iter().find(|letter| letter.state == LetterState::Dead);
            let (address, why) = dead.map(|letter| (letter.address, letter.said)).unwrap_or_default();
            let id = &row.id;
            (
                format!("{subject} did not reach `{to}` ({address}): {why}; offered: `kentai notice again {id}`"),
                format!(
                    "「{to}」に {subject} が届きませんでした ({address}): {why}。選択肢: `kentai notice again {id}`"
                ),
            )
        }
        _ => {
            let Notice { to, subject, .. } = document("a notice", &row.document)?;
            let parent = &row.parent;
            (
                format!("`{to}` has not answered in time: {subject} of {parent}"),
                format!("「{to}」から期限までに回答がありません: {parent} の {subject}"),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_nonsense_is_refused() {
        let row = |id: &str, due_us| Omitted {
            id: id.into(),
            what: "item".into(),
            institution: String::new(),
            word: String::new(),
            parent: String::new(),
            document: String::new(),
            since_us: 0,
            due_us,
        };
        for (what, row) in
            [(Omitting::Data(9), row("O1", 7)), (Omitting::Records("item", "extra"), row("SH/S1", i64::MIN))]
        {
            let read = place(what, &place_text(what, &row)).ok();
            assert_eq!(read, Some((row.due_us, row.id)));
        }
        assert!(matches!(place(Omitting::Answers(9), "O1"), Err(Refused::Bad(_))));
    }

    #[test]
    fn every_kind_has_its_own_word() {
        let mut words: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), KINDS.len());
        assert_eq!(Kind::parse("lane_library"), Some(Kind::LaneLibrary));
        assert_eq!(Kind::parse("item"), Some(Kind::Item));
    }
}

//! Order lines that are late, near their time, or stuck, the worst first, each with its reason: a few rows by index.

use std::collections::BTreeSet;

use kentai_workflows::diagnostic::Language;

use super::access::Refused;
use super::board::{SOON_US, may_see};
use super::line::OrderLineView;
use super::list::LineWish;
use super::why;
use crate::clock::Micros;
use crate::people::permission::Principal;
use crate::specimen::sentence::Because;
use crate::store::read::{LineFilter, Reader};
use crate::store::rows::center::OrderLine;
use crate::view::Page;

const DAY_US: Micros = 86_400_000_000;

/// Why an order line is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worry {
    /// The whole order's time is over.
    Late,
    /// It is over within a day.
    Today,
    /// What had to happen next did not.
    Stuck,
    /// The whole order is due within [`SOON_US`].
    Soon,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// The order line.
    pub line: OrderLineView,
    /// Why it is here.
    pub worry: Worry,
    /// When its time was or is over, microseconds.
    pub at_us: Micros,
    /// Why it stands where it stands.
    pub said: String,
    /// The reason with its values.
    pub because: Because,
    /// Who must act, in the reader's language; empty at an end.
    pub owner: String,
    /// What is done about it first, in the reader's language; empty when only waiting helps.
    pub next: String,
}

/// The worst `limit` of them at `now`.
///
/// # Errors
/// When they may not see the site, or the database cannot be read.
pub async fn worst(
    reader: &Reader,
    who: &Principal,
    now: Micros,
    limit: usize,
    language: Language,
) -> Result<Vec<Trouble>, Refused> {
    may_see(who)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows: Vec<(Worry, Micros, OrderLine)> = Vec::new();
    for row in reader.due(now + SOON_US, most).await? {
        let worry = match row.due_us - now {
            left if left <= 0 => Worry::Late,
            left if left <= DAY_US => Worry::Today,
            _ => Worry::Soon,
        };
        rows.push((worry, row.due_us, row));
    }
    let seen: BTreeSet<String> = rows.iter().map(|(.., row)| row.order_line_id.clone()).collect();
    for row in reader.stuck(now, None, most + i64::try_from(seen.len()).unwrap_or(0)).await? {
        if !seen.contains(&row.order_line_id) {
            rows.push((Worry::Stuck, row.expect_us, row));
        }
    }
    rows.sort_by(|one, other| (one.0, one.1, &one.2.order_line_id).cmp(&(other.0, other.1, &other.2.order_line_id)));
    rows.truncate(limit);
    let mut all = Vec::with_capacity(rows.len());
    for (worry, at_us, row) in rows {
        let because = why::reason(reader, &row, now).await?;
        let pick = |(en, ja): (&'static str, &'static str)| match language {
            Language::En => en,
            Language::Ja => ja,
        };
        all.push(Trouble {
            line: OrderLineView::of(&row, false),
            worry,
            at_us,
            said: because.sentence(language),
            owner: because.owner().map(|owner| pick(owner.words())).unwrap_or_default().to_owned(),
            next: because.offered().first().copied().map(pick).unwrap_or_default().to_owned(),
            because,
        });
    }
    Ok(all)
}

/// The parts of the list, the worst first: due by the end of a day, stuck beside, due soon. What is in one is in no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Due,
    Stuck,
    Soon,
}

impl Part {
    const ALL: [Self; 3] = [Self::Due, Self::Stuck, Self::Soon];

    fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Stuck => "stuck",
            Self::Soon => "soon",
        }
    }

    /// Before everything of it.
    fn beginning(self, now: Micros) -> (Micros, String) {
        // The first microsecond that the first part does not hold.
        let at = if self == Self::Soon { now.saturating_add(DAY_US + 1) } else { Micros::MIN };
        (at, String::new())
    }

    async fn rows(
        self,
        reader: &Reader,
        wish: &LineWish,
        now: Micros,
        after: (Micros, String),
        limit: i64,
    ) -> Result<Vec<OrderLine>, Refused> {
        let until = |us: Micros| now.saturating_add(us + 1);
        let (stage, institution, assay) = (wish.stage.clone(), wish.institution.clone(), wish.assay.clone());
        let filter = LineFilter { stage, institution, assay, after, limit, ..LineFilter::default() };
        Ok(match self {
            Self::Due => reader.lines_listed(&LineFilter { late: true, now_us: until(DAY_US), ..filter }).await?,
            Self::Soon => reader.lines_listed(&LineFilter { late: true, now_us: until(SOON_US), ..filter }).await?,
            Self::Stuck => {
                let soon_us = now.saturating_add(SOON_US);
                reader.lines_stuck_beside(&LineFilter { now_us: now, ..filter }, soon_us).await?
            }
        })
    }

    fn key(self, row: &OrderLine) -> String {
        let at = if self == Self::Stuck { row.expect_us } else { row.due_us };
        format!("{}:{at}:{}", self.word(), row.order_line_id)
    }
}

/// All of them, as many as the board counts, in the order of [`worst`]. `super::list::lines` has asked who may see which.
pub(super) async fn all(reader: &Reader, wish: LineWish, now: Micros) -> Result<Page<OrderLineView>, Refused> {
    let mut from = (Part::Due, Part::Due.beginning(now));
    if let Some(after) = &wish.after {
        let bad = || Refused::Bad(format!("`{}` is no place in this list", after.escape_debug()));
        let mut parts = after.splitn(3, ':');
        let mut next = || parts.next().ok_or_else(bad);
        let (word, at, id) = (next()?, next()?, next()?);
        let part = Part::ALL.into_iter().find(|part| part.word() == word).ok_or_else(bad)?;
        from = (part, (at.parse().map_err(|_| bad())?, id.to_owned()));
    }
    let (mut items, mut next) = (Vec::new(), None);
    for part in Part::ALL.into_iter().skip_while(|part| *part != from.0) {
        let left = wish.limit - i64::try_from(items.len()).unwrap_or(wish.limit);
        if left <= 0 {
            break;
        }
        let after = if part == from.0 { from.1.clone() } else { part.beginning(now) };
        let rows = part.rows(reader, &wish, now, after, left).await?;
        next = rows.last().map(|row| part.key(row)).or(next);
        items.extend(rows.iter().map(|row| OrderLineView::of(row, false)));
    }
    let full = i64::try_from(items.len()).is_ok_and(|len| len >= wish.limit);
    Ok(Page { items, next: next.filter(|_| full) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::role::Role;
    use crate::store::pool::Pool;
    use crate::store::writer::{Change, Table, Writer, next_epoch};
    use crate::view::center::board;

    const NOW: Micros = 1_000 * DAY_US;
    const NEVER: Micros = Micros::MAX;

    fn line(number: usize, stage: &str, due_us: Micros, expect_us: Micros) -> OrderLine {
        OrderLine {
            order_line_id: format!("O{number:02}"),
            specimen_id: format!("S{number:02}"),
            participant_id: "P".into(),
            institution: if number.is_multiple_of(2) { "H1" } else { "H2" }.into(),
            program: "rare".into(),
            assay: "wgs".into(),
            assay_version: "1".into(),
            stage: stage.into(),
            round: 1,
            priority: 0,
            hold: "null".into(),
            run_id: String::new(),
            expect_us,
            due_us,
            document: "{}".into(),
            events: 1,
            created_us: 1,
            updated_us: 1,
            version: 1,
        }
    }

    /// Late, due today, soon, far; each stuck and not; at work and where time counts no more; at the very edges.
    fn lines() -> Vec<OrderLine> {
        let dues = [
            NOW - DAY_US,
            NOW,
            NOW + 1,
            NOW + DAY_US,
            NOW + DAY_US + 1,
            NOW + SOON_US,
            NOW + SOON_US + 1,
            NOW + 9 * DAY_US,
        ];
        let stuck = [NOW - 5, NOW, NOW + 1, NEVER];
        let of = dues.iter().flat_map(|due| stuck.iter().map(move |expect| (*due, *expect)));
        let of = of.flat_map(|(due, expect)| ["in_lab", "acknowledged"].map(|stage| (stage, due, expect)));
        of.enumerate().map(|(number, (stage, due, expect))| line(number, stage, due, expect)).collect()
    }

    #[tokio::test]
    async fn the_list_holds_what_the_board_counts_each_once_and_in_the_order_of_the_first_page() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        // Specimens and participants are not what this is about.
        pool.carry_out("pragma foreign_keys = off").await;
        let (writer, _) = Writer::start(pool.clone(), next_epoch(&pool).await.expect("counted"));
        let mut change = Change::default();
        lines().iter().for_each(|line| change.put(Table::OrderLine, line));
        writer.commit(change).await.expect("written");
        let reader = Reader::new(pool);
        let who = Principal { roles: vec![Role::Operator], ..Principal::default() };
        let listed = async |limit: i64, institution: Option<&str>| {
            let (mut ids, mut after) = (Vec::new(), None);
            loop {
                let institution = institution.map(str::to_owned);
                let wish = LineWish { trouble: true, institution, after, limit, ..LineWish::default() };
                let page = crate::view::center::list::lines(&reader, &who, wish, NOW).await.expect("listed");
                ids.extend(page.items.into_iter().map(|line| line.id));
                let Some(next) = page.next else { return ids };
                after = Some(next);
            }
        };
        let all = listed(1_000, None).await;
        let counted = board::count(&reader, NOW).await.expect("counted");
        assert_eq!(i64::try_from(all.len()).expect("few"), counted.trouble);
        let unique: BTreeSet<&String> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "each once");
        for limit in [1, 2, 7] {
            assert_eq!(listed(limit, None).await, all, "in pages of {limit}");
        }
        let worst = worst(&reader, &who, NOW, 1_000, Language::En).await.expect("told");
        let worst: Vec<String> = worst.into_iter().map(|one| one.line.id).collect();
        assert_eq!(worst, all, "as the first page has them");
        let own = listed(3, Some("H1")).await;
        assert_eq!(
            own,
            all.iter()
                .filter(|id| lines().iter().any(|line| line.order_line_id == **id && line.institution == "H1"))
                .cloned()
                .collect::<Vec<_>>()
        );
    }
}

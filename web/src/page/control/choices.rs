//! What a chart can be narrowed to: control specimens, assays, workflows. They change seldom, and are kept for a moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use kentai_engine::people::permission::Principal;
use kentai_engine::scheduler::registered::schedules;
use kentai_engine::specimen::record::Kind;
use kentai_engine::store::read::RecordFilter;
use kentai_engine::view;
use kentai_engine::view::center;

use super::words::Words;
use crate::App;
use crate::error::Problem;
use crate::page::moment::Kept;
use crate::page::visit::Visit;

/// Assays are few; so many are offered.
const ASSAYS: i64 = 500;

/// What can be chosen.
#[derive(Debug, Default)]
pub(in crate::page) struct Choices {
    /// Specimens that schedules run over: the controls.
    pub(in crate::page) controls: Vec<String>,
    /// `wgs_30x@1`
    pub(in crate::page) assays: Vec<String>,
    pub(in crate::page) workflows: Vec<String>,
}

/// One option of a select.
#[derive(Debug)]
pub(in crate::page) struct Choice {
    pub(in crate::page) value: String,
    pub(in crate::page) label: String,
    pub(in crate::page) current: bool,
}

impl Choice {
    pub(in crate::page) fn new(value: &str, label: &str, current: bool) -> Self {
        Self { value: value.to_owned(), label: label.to_owned(), current }
    }
}

/// Everything, or one of these; what is chosen is among them even when nothing is of it.
pub(in crate::page) fn any(values: &[String], chosen: &str, everything: &str) -> Vec<Choice> {
    let mut all = vec![Choice::new("", everything, chosen.is_empty())];
    all.extend(values.iter().map(|value| Choice::new(value, value, value == chosen)));
    if !chosen.is_empty() && !values.iter().any(|value| value == chosen) {
        all.push(Choice::new(chosen, chosen, true));
    }
    all
}

impl Choices {
    /// For whoever may see measured values; that is asked before.
    pub(in crate::page) async fn of(kept: &Kept<Self>, app: &App, visit: &Visit) -> Result<Arc<Self>, Problem> {
        let who = visit.principal();
        kept.get(app, "", move |app| async move { Self::gather(&app, &who).await }).await
    }

    async fn gather(app: &App, who: &Principal) -> Result<Self, Problem> {
        let reader = app.engine.reader();
        let controls: BTreeSet<String> = schedules(reader).await?.into_iter().filter_map(|one| one.specimen).collect();
        let workflows: BTreeSet<String> = view::workflows(reader).await?.into_iter().map(|one| one.id).collect();
        let filter = RecordFilter { kind: Kind::Assay.word().into(), limit: ASSAYS, ..RecordFilter::default() };
        // Whoever may not see assays is offered none.
        let assays = match center::records(reader, who, filter).await {
            Ok(page) => page.items.into_iter().map(|record| record.id).collect(),
            Err(_) => Vec::new(),
        };
        let (controls, workflows) = (controls.into_iter().collect(), workflows.into_iter().collect());
        Ok(Self { controls, assays, workflows })
    }

    /// Order lines, all runs, or one control specimen.
    pub(super) fn sources(&self, chosen: &str, words: &Words) -> Vec<Choice> {
        let mut all = vec![
            Choice::new("orders", words.order_lines, chosen == "orders"),
            Choice::new("runs", words.all_runs, chosen == "runs"),
        ];
        let of = |specimen: &String| format!("of:{specimen}");
        all.extend(self.controls.iter().map(|one| Choice::new(&of(one), &words.control(one), of(one) == chosen)));
        if let Some(other) = chosen.strip_prefix("of:").filter(|other| !self.controls.iter().any(|one| one == other)) {
            all.push(Choice::new(chosen, other, true));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_always_among_the_choices() {
        let all = any(&["N-01".into()], "N-09", "all");
        let told: Vec<(&str, bool)> = all.iter().map(|one| (one.value.as_str(), one.current)).collect();
        assert_eq!(told, [("", false), ("N-01", false), ("N-09", true)]);
        assert!(any(&[], "", "all")[0].current);
    }
}

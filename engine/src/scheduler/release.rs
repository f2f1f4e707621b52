//! Two people between the data and a receiver: whose yes stands, and how many are still needed. A run that belongs to no order line
//! follows its workflow alone; what a yes leads to is `command::answer`'s.

use std::collections::BTreeSet;

use kentai_workflows::workflow::StepKind;
use serde_json::json;

use super::Actor;
use super::advance::ENGINE;
use super::handle::Refusal;
use super::house::House;
use super::live::LiveRun;
use super::service::Service;
use crate::id::RunId;
use crate::people::record::Person;
use crate::people::role::Role;
use crate::specimen::record::Kind;
use crate::state::step;
use crate::store::rows::detail::{self, Ask};

/// Nothing of an order line leaves the building on one person's word.
const PEOPLE: usize = 2;

/// Nobody whose yes stands is another pair of eyes; who said yes to an earlier try may say it again of this one.
pub(super) const SIGNER: &str = "signer";

/// A releaser said yes at this step: at an approval that asks releasers, or at a hand-off, which asks nobody else. The question itself is
/// gone when it is answered.
pub(super) fn released_by(run: &LiveRun, index: usize) -> bool {
    let asks = match &run.definition(index).kind {
        StepKind::Approve(approve) => approve.roles.iter().any(|role| role == Role::Releaser.word()),
        StepKind::Handoff(_) => true,
        _ => false,
    };
    asks && run.steps[index].detail.answers.iter().any(|answer| answer.verdict == "approve")
}

fn asks_releaser(ask: &Ask) -> bool {
    ask.roles.iter().any(|role| role == Role::Releaser.word())
}

impl Service {
    /// Nobody is a second pair of eyes beside somebody who made their account.
    pub(super) async fn another_person(&self, id: &RunId, actor: &Actor) -> Result<(), Refusal> {
        let Some(person) = self.desk.find::<Person>(Kind::Person, &actor.name).await? else { return Ok(()) };
        match self.house.signers(id).into_iter().find(|signer| person.doc.made_by.contains(*signer)) {
            None => Ok(()),
            Some(signer) => {
                let name = &actor.name;
                Err(Refusal::NotAllowed(format!(
                    "{name}: {signer} decided before and made this account: somebody else decides"
                )))
            }
        }
    }
}

impl House {
    /// The run, the one that called it, and so on.
    fn lineage(&self, id: &RunId) -> impl Iterator<Item = &LiveRun> {
        let get = |id: &RunId| self.runs.get(id).map(Box::as_ref);
        let above = move |run: &&LiveRun| get(&RunId::from(run.parent.as_ref()?.run.as_str()));
        std::iter::successors(get(id), above)
    }

    /// What people said in a run and those that called it, in earlier tries too.
    pub(super) fn answers_before(&self, id: &RunId) -> impl Iterator<Item = &detail::Answer> {
        let steps = self.lineage(id).flat_map(|run| &run.steps);
        steps.flat_map(|step| step.detail.earlier.iter().chain(&step.detail.answers))
    }

    /// People whose yes stands. What was done again since was asked again, and an earlier yes is not about it.
    pub(super) fn signers(&self, id: &RunId) -> BTreeSet<&str> {
        let answers = self.lineage(id).flat_map(|run| &run.steps).flat_map(|step| &step.detail.answers);
        let yes = answers.filter(|answer| matches!(answer.verdict.as_str(), "approve" | "release"));
        yes.map(|answer| answer.person.as_str()).collect()
    }

    /// People who must still say yes before anything of this run is released.
    pub(super) fn signatures_missing(&self, id: &RunId) -> usize {
        let of_order_line = self.lineage(id).any(|run| !run.row.order_line_id.is_empty());
        if !of_order_line {
            return 0;
        }
        // However many decided about gates: one of them all is a releaser, who saw the whole.
        let releasers = usize::from(!self.has_releaser(id));
        PEOPLE.saturating_sub(self.signers(id).len()).max(releasers)
    }

    fn has_releaser(&self, id: &RunId) -> bool {
        self.lineage(id).any(|run| (0..run.steps.len()).any(|index| released_by(run, index)))
    }

    /// An approval by a releaser is the release: as many as are missing say yes, and none who decided before.
    pub(super) fn widen(&self, id: &RunId, ask: &mut Ask) {
        let missing = self.signatures_missing(id);
        if missing == 0 || !asks_releaser(ask) {
            return;
        }
        ask.count = ask.count.max(u32::try_from(missing).unwrap_or(u32::MAX));
        if !ask.not_by.iter().any(|relation| relation == SIGNER) {
            ask.not_by.push(SIGNER.into());
        }
    }

    /// A hand-off that too few people released asks for them, and goes on when they have said yes.
    pub(super) fn ask_release(&mut self, id: &RunId, index: usize, target: &str) {
        let mut ask = Ask {
            kind: "approve".into(),
            roles: vec![Role::Releaser.word().into()],
            count: 1,
            not_by: Vec::new(),
            text: format!("release to {target}"),
            text_ja: format!("「{target}」への引き渡し"),
            shown: json!([]),
            asked_us: self.now,
            expires_us: None,
            fail_if_expired: false,
        };
        self.widen(id, &mut ask);
        let body = json!({ "roles": ask.roles, "count": ask.count, "target": target });
        self.run_mut(id).steps[index].detail.ask = Some(ask);
        self.move_step(id, index, step::Event::Asked, ENGINE, &body);
    }
}

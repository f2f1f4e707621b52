//! Where steps go: who may take one now, what is said of those that wait, and which executors are away.
//!
//! The choice itself is `decide::choose`; this brings it what the house knows. It asks nobody: a look at an executor is an effect.

use kentai_workflows::workflow::Tool;

use super::handle::{Handle, Message, Refusal};
use super::house::{Effect, House};
use super::live::LiveRun;
use super::post::{Away, Reach, Standing};
use super::queue::Waits;
use super::render;
use crate::decide::admit::{Lack, Request};
use crate::decide::choose::{Candidate, Choice, Never, Short, Wish, choose, takers};
use crate::state::attempt::Cause;

/// Between two asks of an executor that does not answer: doubled each time up to the other.
const ASK_FIRST_MS: u64 = 500;
const ASK_MOST_MS: u64 = 15_000;

/// What one pass has found so far: at which executors nothing more starts.
pub(super) struct Floor(Vec<bool>);

impl Floor {
    /// No executor takes anything.
    pub(super) fn is_closed(&self) -> bool {
        // Without executors every step must be told so.
        !self.0.is_empty() && self.0.iter().all(|closed| *closed)
    }
}

impl Handle {
    /// How each executor of the site stands, in the site's order, as far as the loop knows: it asks none of them.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn executors(&self) -> Result<Vec<Standing>, Refusal> {
        self.ask(Message::Executors).await
    }
}

impl House {
    /// Executors at which something may start.
    pub(super) fn floor(&self) -> Floor {
        let closed = |(at, one): (usize, &Candidate<'_>)| one.drained || one.away || self.books.is_full(at);
        Floor(self.candidates().iter().enumerate().map(closed).collect())
    }

    /// Something started somewhere.
    pub(super) fn close_full(&self, floor: &mut Floor) {
        // What one takes of this machine or of the site's slots, the others have no more.
        floor.0.iter_mut().enumerate().for_each(|(at, closed)| *closed |= self.books.is_full(at));
    }

    /// A big request waited long enough: nothing smaller passes it there any more, nor where it would take from the same machine.
    pub(super) fn keep_free(&self, at: usize, short: &Short, floor: &mut Floor) {
        for (other, closed) in floor.0.iter_mut().enumerate() {
            let shares = match short {
                // Slots are the whole site's.
                Short::Site(Lack::Slots { .. }) => true,
                Short::Site(_) => !self.books.is_elsewhere(other),
                Short::Own(_) => false,
            };
            *closed |= other == at || shares;
        }
    }

    fn candidates(&self) -> Vec<Candidate<'_>> {
        let choice = self.options.has_choice();
        let some = if self.options.chosen { 1 } else { usize::MAX };
        let posts = self.options.executors.iter().take(some);
        posts
            .map(|post| Candidate {
                name: post.name(),
                labels: &post.labels,
                only_labelled: post.only_labelled,
                all: self.options.chosen,
                images: post.executor.needs_image(),
                drained: self.drained.contains_key(post.name()),
                away: choice && self.reach.get(post.name()).is_some_and(|reach| reach.away.is_some()),
            })
            .collect()
    }

    /// Who takes this step now.
    ///
    /// # Errors
    /// When what it asks for is no amount.
    pub(super) fn choose(
        &self,
        run: &LiveRun,
        index: usize,
        tool: &Tool,
        floor: Option<&Floor>,
    ) -> Result<(Request, Choice), String> {
        let request = render::request(run, index, tool, &self.options)?;
        let wish = self.wish(run, index, tool, request);
        let closed = floor.map(|floor| floor.0.as_slice()).unwrap_or_default();
        Ok((request, choose(&wish, &self.candidates(), &self.books, closed)))
    }

    fn wish<'a>(&self, run: &'a LiveRun, index: usize, tool: &'a Tool, request: Request) -> Wish<'a> {
        Wish {
            request,
            labels: &tool.resources.labels,
            image: !self.options.images_ignored() && tool.image.is_some(),
            failed_at: &run.steps[index].detail.failed_at,
        }
    }

    /// Executors that may take a step of this size now or later, in the order in which they do.
    pub(super) fn takers(&self, run: &LiveRun, index: usize, tool: &Tool, request: Request) -> Vec<usize> {
        takers(&self.wish(run, index, tool, request), &self.candidates(), &self.books).unwrap_or_default()
    }

    fn name(&self, at: usize) -> &str {
        self.options.executors.get(at).map_or("", |post| post.name())
    }

    /// No executor could ever take it: why, in words.
    pub(super) fn never(&self, why: &[(usize, Never)]) -> String {
        if let [(_, Never::Short(short @ Short::Site(_)))] = why {
            return format!("it needs {short}: more than this site ever has (limits in kentai.yaml)");
        }
        if why.is_empty() {
            return "this site has no executor".into();
        }
        let each: Vec<String> = why
            .iter()
            .map(|(at, never)| {
                let because = match never {
                    Never::Labels => "has not all labels that it asks for".to_owned(),
                    Never::Unlabelled => "takes only steps that ask for labels".to_owned(),
                    Never::Image if self.options.executors.get(*at).is_some_and(|post| post.executor.needs_image()) => {
                        "runs images, and it has none".to_owned()
                    }
                    Never::Image => "runs no images".to_owned(),
                    Never::Short(short) => format!("lacks {short}"),
                };
                format!("`{}` {because}", self.name(*at))
            })
            .collect();
        format!(
            "no executor of this site could ever take it: {} (executors and limits in kentai.yaml)",
            each.join("; ")
        )
    }

    /// The first of them that a person drained.
    pub(super) fn first_drained(&self, who: &[usize]) -> Option<&str> {
        who.iter().map(|at| self.name(*at)).find(|name| self.drained.contains_key(*name))
    }

    /// For whom it waits, when all who may take it were drained or do not answer.
    pub(super) fn nobody(&self, who: &[usize]) -> String {
        let each: Vec<String> = who
            .iter()
            .map(|at| {
                let name = self.name(*at);
                if let Some(drain) = self.drained.get(name) {
                    return format!("executor `{name}`, drained by {}: {}", drain.by, drain.reason);
                }
                match self.reach.get(name).and_then(|reach| reach.away.as_ref()) {
                    Some(away) => format!("executor `{name}`, which does not answer: {}", away.reason),
                    None => format!("executor `{name}`"),
                }
            })
            .collect();
        format!("it waits for {}", each.join("; or for "))
    }

    /// What is missing, and at whose place.
    pub(super) fn full(&self, at: usize, short: &Short) -> String {
        match short {
            Short::Site(lack) => format!("it waits for {lack}"),
            Short::Own(lack) => format!("it waits for {lack} at executor `{}`", self.name(at)),
        }
    }

    /// The same for the queue.
    pub(super) fn waits_for(&self, choice: &Choice) -> Waits {
        match choice {
            Choice::Take(_) => Waits::Turn,
            Choice::Full(_, Short::Site(lack)) => Waits::Resource(lack.clone()),
            Choice::Full(at, Short::Own(lack)) => {
                Waits::Executor { name: self.name(*at).to_owned(), lack: lack.clone() }
            }
            Choice::Never(why) => Waits::Broken { reason: self.never(why) },
            Choice::Nobody(who) => {
                let name = who.first().map(|at| self.name(*at)).unwrap_or_default().to_owned();
                match self.drained.get(&name) {
                    Some(drain) => Waits::Drained { name, by: drain.by.clone() },
                    None => Waits::Away { name },
                }
            }
        }
    }

    /// Through no fault of its own a step failed there: it prefers another the next time.
    pub(super) fn failed_at(&self, failed_at: &mut Vec<String>, executor: &str, cause: Cause) {
        if self.options.has_choice() && matches!(cause, Cause::Infrastructure | Cause::Image | Cause::Lost) {
            failed_at.retain(|name| name != executor);
            failed_at.push(executor.to_owned());
        }
    }

    /// An executor answered.
    pub(super) fn heard(&mut self, executor: &str) {
        if self.options.post(executor).is_none() {
            return;
        }
        let now = self.now;
        let reach = self.reach.entry(executor.to_owned()).or_default();
        reach.heard_us = Some(now);
        if let Some(away) = reach.away.take() {
            tracing::info!(executor, since_us = away.since_us, "answers again");
        }
    }

    /// An executor did not answer: it is asked again, less and less often, until it does.
    pub(super) fn silent(&mut self, executor: &str, reason: &str) {
        if self.options.post(executor).is_none() {
            return;
        }
        let now = self.now;
        let reach = self.reach.entry(executor.to_owned()).or_default();
        reach.failed_us = Some(now);
        let away = reach.away.get_or_insert_with(|| {
            tracing::warn!(executor, reason, "does not answer");
            Away { since_us: now, reason: String::new(), asked: 0 }
        });
        reason.clone_into(&mut away.reason);
        // One look at a time is on its way, whoever else finds it silent.
        if !std::mem::replace(&mut reach.looked_for, true) {
            let wait = (ASK_FIRST_MS << away.asked.min(10)).min(ASK_MOST_MS);
            away.asked += 1;
            self.effect(Effect::Look(executor.to_owned(), wait));
        }
    }

    /// What came of a look at an executor that was away.
    pub(super) fn looked(&mut self, executor: &str, said: Result<(), String>) {
        if let Some(reach) = self.reach.get_mut(executor) {
            reach.looked_for = false;
        }
        match said {
            Ok(()) => self.heard(executor),
            Err(reason) => self.silent(executor, &reason),
        }
    }

    /// How each executor stands; `waiting` are steps by the executor that they wait for first.
    pub(super) fn standings(&self) -> Vec<Standing> {
        let waiting = self.waiting_at();
        let each = self.options.executors.iter().enumerate().map(|(at, post)| {
            let reach = self.reach.get(post.name()).cloned().unwrap_or_else(Reach::default);
            let drain = self.drained.get(post.name());
            Standing {
                name: post.name().to_owned(),
                kind: post.executor.kind().to_owned(),
                labels: post.labels.clone(),
                only_labelled: post.only_labelled,
                elsewhere: post.elsewhere,
                steps_max: post.caps.slots,
                cpus_max: post.caps.resources.cpus,
                memory_bytes_max: post.caps.resources.memory_bytes,
                running: self.books.running_at(at),
                waiting: waiting.get(at).copied().unwrap_or(0),
                idle: self.options.chosen && at > 0,
                heard_us: reach.heard_us,
                failed_us: reach.failed_us,
                away_since_us: reach.away.as_ref().map(|away| away.since_us),
                away_because: reach.away.map(|away| away.reason).unwrap_or_default(),
                drained_by: drain.map(|drain| drain.by.clone()),
                drained_because: drain.map(|drain| drain.reason.clone()).unwrap_or_default(),
                drained_since_us: drain.map(|drain| drain.since_us),
            }
        });
        each.collect()
    }
}

//! Which executor takes a step: the books of all of them, and the choice.
//!
//! The first in the site's order that may take it and has room. A step that cannot be taken now says for whom it waits; one that no
//! executor could ever take is told so at once (decision 0024). It knows no clock, and not how an executor is asked.

use std::collections::BTreeSet;

use super::admit::{Book, Lack, Request};

/// What one executor may have at once of its own; zero: no cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Tools at once.
    pub slots: usize,
    /// What they may take.
    pub resources: Request,
}

/// What the site lends, and what each executor does. What an executor of another machine lends is not this machine's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    site: Book,
    own: Vec<(Book, bool)>,
}

/// Who is short of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Short {
    /// This machine, or the site's `steps_at_once`.
    Site(Lack),
    /// The executor's own caps.
    Own(Lack),
}

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Site(lack) | Self::Own(lack) => lack.fmt(f),
        }
    }
}

impl Books {
    /// Empty ones: the site's, and one per executor with whether its tools run on other machines.
    #[must_use]
    pub fn new(total: Request, slots: usize, executors: impl IntoIterator<Item = (Caps, bool)>) -> Self {
        let own = |(caps, elsewhere): (Caps, bool)| {
            let slots = if caps.slots == 0 { usize::MAX } else { caps.slots };
            (Book::new(caps.resources, slots), elsewhere)
        };
        Self { site: Book::new(total, slots), own: executors.into_iter().map(own).collect() }
    }

    /// What of `request` is this machine's.
    fn here(&self, at: Option<usize>, request: Request) -> Request {
        match at.and_then(|at| self.own.get(at)) {
            Some((_, true)) => Request::default(),
            // Also what an executor runs that the site has no more: nobody knows where.
            Some((_, false)) | None => request,
        }
    }

    /// Takes `request` whether it fits or not: it runs already. None: at an executor that the site has no more.
    pub fn force(&mut self, at: Option<usize>, request: Request) {
        self.site.force(self.here(at, request));
        if let Some((own, _)) = at.and_then(|at| self.own.get_mut(at)) {
            own.force(request);
        }
    }

    /// Takes `request` if it fits.
    pub fn take(&mut self, at: usize, request: Request) -> bool {
        let fits = self.short(at, request).is_none();
        if fits {
            self.force(Some(at), request);
        }
        fits
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, at: Option<usize>, request: Request) {
        self.site.give_back(self.here(at, request));
        if let Some((own, _)) = at.and_then(|at| self.own.get_mut(at)) {
            own.give_back(request);
        }
    }

    /// What is missing for `request` at this executor right now.
    #[must_use]
    pub fn short(&self, at: usize, request: Request) -> Option<Short> {
        let own = |(own, _): &(Book, bool)| own.lack(request);
        let site = self.site.lack(self.here(Some(at), request)).map(Short::Site);
        site.or_else(|| self.own.get(at).and_then(own).map(Short::Own))
    }

    /// Why `request` can never fit at this executor.
    #[must_use]
    pub fn never(&self, at: usize, request: Request) -> Option<Short> {
        let site = self.site.never(self.here(Some(at), request)).map(Short::Site);
        site.or_else(|| self.own.get(at).and_then(|(own, _)| own.never(request)).map(Short::Own))
    }

    /// Not even the smallest request fits at this executor.
    #[must_use]
    pub fn is_full(&self, at: usize) -> bool {
        self.short(at, Request { cpus: 1, memory_bytes: 0, disk_bytes: 0 }).is_some()
    }

    /// Do its tools run on other machines?
    #[must_use]
    pub fn is_elsewhere(&self, at: usize) -> bool {
        self.own.get(at).is_some_and(|(_, elsewhere)| *elsewhere)
    }

    /// Tools that run, everywhere.
    #[must_use]
    pub fn running(&self) -> usize {
        self.site.running()
    }

    /// Tools that run at one executor.
    #[must_use]
    pub fn running_at(&self, at: usize) -> usize {
        self.own.get(at).map_or(0, |(own, _)| own.running())
    }
}

/// One executor, as the choice sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The site's name for it.
    pub name: &'a str,
    /// Its labels.
    pub labels: &'a BTreeSet<String>,
    /// Takes only steps that ask for labels.
    pub only_labelled: bool,
    /// Somebody chose it for every step, whatever labels they ask for.
    pub all: bool,
    /// Runs images; else plain processes.
    pub images: bool,
    /// A person drained it: it gets nothing new.
    pub drained: bool,
    /// It does not answer.
    pub away: bool,
}

/// What a step wants of an executor.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// What it takes.
    pub request: Request,
    /// Labels that it asks for.
    pub labels: &'a [String],
    /// It is to run in an image.
    pub image: bool,
    /// Executors at which it failed through no fault of its own, the latest last.
    pub failed_at: &'a [String],
}

/// What becomes of a step now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This executor takes it.
    Take(usize),
    /// Whoever may take it is full; the first of them, and what it lacks.
    Full(usize, Short),
    /// Whoever may take it was drained, or does not answer: these.
    Nobody(Vec<usize>),
    /// No executor of this site could ever take it: why, for each.
    Never(Vec<(usize, Never)>),
}

/// Why an executor can never take a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Never {
    /// It has not all labels that the step asks for.
    Labels,
    /// It takes only steps that ask for labels.
    Unlabelled,
    /// It runs images and the step has none, or the other way round.
    Image,
    /// It never has so much.
    Short(Short),
}

impl Candidate<'_> {
    fn never(&self, wish: &Wish<'_>) -> Option<Never> {
        if self.images != wish.image {
            return Some(Never::Image);
        }
        if self.all {
            return None;
        }
        if !wish.labels.iter().all(|label| self.labels.contains(label)) {
            return Some(Never::Labels);
        }
        (self.only_labelled && wish.labels.is_empty()).then_some(Never::Unlabelled)
    }
}

/// Executors that may take a step, those that are drained or away left out, in the order in which they do.
///
/// # Errors
/// [`Choice::Never`] or [`Choice::Nobody`], when there are none.
pub fn takers(wish: &Wish<'_>, candidates: &[Candidate<'_>], books: &Books) -> Result<Vec<usize>, Choice> {
    let mut never = Vec::new();
    let mut ever = Vec::new();
    for (at, one) in candidates.iter().enumerate() {
        match one.never(wish).or_else(|| books.never(at, wish.request).map(Never::Short)) {
            Some(why) => never.push((at, why)),
            None => ever.push(at),
        }
    }
    if ever.is_empty() {
        return Err(Choice::Never(never));
    }
    let open: Vec<usize> =
        ever.iter().copied().filter(|at| !candidates[*at].drained && !candidates[*at].away).collect();
    if open.is_empty() {
        return Err(Choice::Nobody(ever));
    }
    Ok(elsewhere_than(open, candidates, wish.failed_at))
}

/// Chooses. `closed` executors take nothing now although they may have room: a bigger step waits for it.
#[must_use]
pub fn choose(wish: &Wish<'_>, candidates: &[Candidate<'_>], books: &Books, closed: &[bool]) -> Choice {
    let takers = match takers(wish, candidates, books) {
        Ok(takers) => takers,
        Err(choice) => return choice,
    };
    let mut first = None;
    for at in takers {
        let is_closed = closed.get(at).copied().unwrap_or(false);
        let short = books.short(at, wish.request).or_else(|| {
            // Kept free for a bigger step: what is missing is a turn.
            let running = books.running_at(at);
            is_closed.then_some(Short::Own(Lack::Slots { used: running, total: running }))
        });
        match short {
            None => return Choice::Take(at),
            Some(short) => {
                first.get_or_insert((at, short));
            }
        }
    }
    // There is one taker at least.
    first.map_or(Choice::Never(Vec::new()), |(at, short)| Choice::Full(at, short))
}

/// Without those at which the step failed, as long as one is left; else without the last of them.
fn elsewhere_than(open: Vec<usize>, candidates: &[Candidate<'_>], failed_at: &[String]) -> Vec<usize> {
    let without = |failed: &[String]| -> Vec<usize> {
        open.iter().copied().filter(|at| !failed.iter().any(|name| name == candidates[*at].name)).collect()
    };
    let untried = without(failed_at);
    if !untried.is_empty() {
        return untried;
    }
    let last = failed_at.last().map(std::slice::from_ref).unwrap_or_default();
    let others = without(last);
    if others.is_empty() { open } else { others }
}

#[cfg(test)]
mod tests;

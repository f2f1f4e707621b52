//! When something that waits is likely to start: the queue is played through with what like steps took. It promises nothing, and where a
//! duration is not known it says nothing.

use super::admit::Request;
use super::choose::Books;
use crate::clock::Micros;

/// Ends that are played through: what lies behind them is too far away to be told.
const ENDS_MAX: usize = 500;
/// Things that wait which are played through.
const WAITING_MAX: usize = 200;

/// What has taken its part of the book.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// Where it runs; none: at an executor that the site has no more.
    pub at: Option<usize>,
    /// What it gives back.
    pub request: Request,
    /// When it is likely to; none: nobody knows.
    pub ends_us: Option<Micros>,
}

/// What waits for its part, in the order in which it starts.
#[derive(Clone, Debug)]
pub struct Waits {
    /// Executors that may take it, in their order.
    pub at: Vec<usize>,
    /// What it wants.
    pub request: Request,
    /// How long it is likely to take; none: nobody knows.
    pub takes_us: Option<Micros>,
}

/// When each of `waiting` is likely to start, in their order; none: it cannot be told. The books hold what `running` took.
#[must_use]
pub fn starts(mut books: Books, mut running: Vec<Running>, waiting: &[Waits], now: Micros) -> Vec<Option<Micros>> {
    let mut starts = vec![None; waiting.len()];
    let mut at = now;
    for _ in 0..=ENDS_MAX {
        for (one, start) in waiting.iter().zip(&mut starts).take(WAITING_MAX) {
            if start.is_some() {
                continue;
            }
            if let Some(taker) = one.at.iter().copied().find(|taker| books.take(*taker, one.request)) {
                *start = Some(at);
                running.push(Running {
                    at: Some(taker),
                    request: one.request,
                    ends_us: one.takes_us.map(|takes| at.saturating_add(takes)),
                });
            }
        }
        let next = running.iter().enumerate().filter_map(|(index, one)| Some((one.ends_us?, index))).min();
        let Some((ends, index)) = next else { break };
        // What is over its usual time may end at any moment.
        at = at.max(ends);
        let over = running.swap_remove(index);
        books.give_back(over.at, over.request);
        if starts.iter().take(WAITING_MAX).all(Option::is_some) {
            break;
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores(cpus: u32) -> Request {
        Request { cpus, ..Request::default() }
    }

    /// Four cores; `running`: cores and when they come back.
    fn check(running: &[(u32, Option<Micros>)], waiting: &[(u32, Option<Micros>)], expected: &[Option<Micros>]) {
        let mut books = Books::new(cores(4), 100, [Default::default()]);
        running.iter().for_each(|(cpus, _)| books.force(Some(0), cores(*cpus)));
        let running =
            running.iter().map(|(cpus, ends_us)| Running { at: Some(0), request: cores(*cpus), ends_us: *ends_us });
        let waits = |(cpus, takes_us): &(u32, Option<Micros>)| Waits {
            at: vec![0],
            request: cores(*cpus),
            takes_us: *takes_us,
        };
        let waiting: Vec<Waits> = waiting.iter().map(waits).collect();
        assert_eq!(starts(books, running.collect(), &waiting, 100), expected);
    }

    #[test]
    fn what_waits_starts_when_what_runs_before_it_is_over() {
        check(&[(4, Some(130))], &[(4, Some(50)), (4, Some(50))], &[Some(130), Some(180)]);
        // Smaller things pass while a large one waits for its room.
        check(&[(3, Some(130))], &[(4, Some(50)), (1, Some(10))], &[Some(130), Some(100)]);
        // Over its time: at any moment.
        check(&[(4, Some(40))], &[(4, None)], &[Some(100)]);
    }

    #[test]
    fn where_a_duration_is_not_known_nothing_is_told() {
        check(&[(4, None)], &[(1, Some(5))], &[None]);
        check(&[(4, Some(130))], &[(4, None), (4, Some(5))], &[Some(130), None]);
        check(&[(2, None), (2, Some(120))], &[(2, Some(5)), (4, Some(5))], &[Some(120), None]);
    }
}

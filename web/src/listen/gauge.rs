//! What is known of one connection from outside, and when it has had its time. It knows no socket and no clock: times come in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Limits;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// TLS is not agreed on yet.
    Handshake,
    /// A request's header is not whole yet; also before its first byte, for the first request.
    Header,
    /// A request is being answered.
    Busy,
    /// Between two requests.
    Idle,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Gauge {
    state: Mutex<State>,
    /// Canceled when the connection must go, whatever it does.
    pub(super) ended: CancellationToken,
    /// What lies in the socket goes with it: the peer does not take it, or must not have it.
    reset: AtomicBool,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// One whole header has come.
    served: bool,
    /// What is to be written waits for the peer.
    blocked: bool,
    /// A request's body waits for the peer.
    hungry: bool,
    /// Bytes that the peer took or sent since it began to be waited for.
    moved: u64,
    /// For so long the peer is waited for, as seen at the looks.
    waited: Duration,
    looked: Instant,
}

impl Gauge {
    /// A connection that was just accepted.
    pub(super) fn new(phase: Phase, now: Instant) -> Self {
        let state = State {
            phase,
            since: now,
            served: false,
            blocked: false,
            hungry: false,
            moved: 0,
            waited: Duration::ZERO,
            looked: now,
        };
        Self { state: Mutex::new(state), ended: CancellationToken::new(), reset: AtomicBool::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It stands here from now on.
    pub(super) fn enter(&self, phase: Phase, now: Instant) {
        let mut state = self.state();
        (state.phase, state.since) = (phase, now);
        if phase == Phase::Busy {
            state.served = true;
        }
    }

    /// Bytes came.
    pub(super) fn read(&self, now: Instant) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            (state.phase, state.since) = (Phase::Header, now);
        }
    }

    /// The peer took bytes, or takes none now.
    pub(super) fn wrote(&self, bytes: Option<usize>, now: Instant) {
        let mut state = self.state();
        state.blocked = bytes.is_none();
        state.moved += bytes.unwrap_or(0) as u64;
        if state.phase == Phase::Idle && bytes.is_some() {
            state.since = now;
        }
    }

    /// Bytes of a request's body came, or are waited for.
    pub(super) fn body(&self, bytes: Option<usize>) {
        let mut state = self.state();
        state.hungry = bytes.is_none();
        state.moved += bytes.unwrap_or(0) as u64;
    }

    /// Nobody asks for a request's body any more.
    pub(super) fn body_done(&self) {
        self.state().hungry = false;
    }

    /// Whether no whole header ever came: such a connection goes first when there is no room.
    pub(super) fn is_new(&self) -> bool {
        !self.state().served
    }

    /// Whether no request is under way, and of no answer anything is left to send.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.phase != Phase::Busy && !state.blocked
    }

    /// Ends the connection, and takes back what was not sent yet.
    pub(super) fn break_off(&self) {
        self.reset.store(true, Ordering::Release);
        self.ended.cancel();
    }

    /// Whether what was not sent yet is taken back.
    pub(super) fn is_broken_off(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }

    /// Why the connection has had its time, if it has. Asked again and again, at most some seconds apart.
    pub(super) fn look(&self, now: Instant, limits: &Limits) -> Option<&'static str> {
        let mut state = self.state();
        let passed = now.saturating_duration_since(state.since);
        let late = match state.phase {
            Phase::Handshake => (passed >= limits.handshake).then_some("TLS was not agreed on in time"),
            Phase::Header => (passed >= limits.header).then_some("no whole request header came in time"),
            Phase::Idle if !state.blocked => (passed >= limits.idle).then_some("no request came"),
            Phase::Idle | Phase::Busy => None,
        };
        late.or_else(|| state.too_slow(now, limits).then_some("the peer takes or sends its bytes too slowly"))
    }
}

impl State {
    /// Counts only while we wait for the peer: a stream that has nothing to say is not slow.
    fn too_slow(&mut self, now: Instant, limits: &Limits) -> bool {
        let passed = now.saturating_duration_since(self.looked);
        self.looked = now;
        if !self.blocked && !self.hungry {
            (self.waited, self.moved) = (Duration::ZERO, 0);
            return false;
        }
        self.waited += passed;
        if self.waited < limits.rate_over {
            return false;
        }
        let least = limits.rate_min as f64 * self.waited.as_secs_f64();
        let slow = (self.moved as f64) < least;
        (self.waited, self.moved) = (Duration::ZERO, 0);
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks once a second, as the sweep does, doing `each` before; gives the second at which the connection has had its time.
    fn lasts(phase: Phase, each: impl Fn(&Gauge, Instant, u64)) -> Option<u64> {
        let (limits, begin) = (Limits::default(), Instant::now());
        let gauge = Gauge::new(Phase::Handshake, begin);
        gauge.enter(phase, begin);
        (1..=600).find(|second| {
            let now = begin + Duration::from_secs(*second);
            each(&gauge, now, *second);
            gauge.look(now, &limits).is_some()
        })
    }

    #[test]
    fn each_phase_has_its_time() {
        assert_eq!(lasts(Phase::Handshake, |_, _, _| {}), Some(10));
        assert_eq!(lasts(Phase::Header, |_, _, _| {}), Some(10));
        assert_eq!(lasts(Phase::Idle, |_, _, _| {}), Some(60));
        assert_eq!(lasts(Phase::Busy, |_, _, _| {}), None);
    }

    #[test]
    fn a_header_that_drips_in_gets_no_more_time() {
        assert_eq!(lasts(Phase::Header, |gauge, now, _| gauge.read(now)), Some(10));
        // The first byte of a later request begins its time.
        assert_eq!(
            lasts(Phase::Idle, |gauge, now, second| if second >= 20 {
                gauge.read(now)
            }),
            Some(30)
        );
    }

    #[test]
    fn whoever_takes_nothing_is_closed() {
        assert_eq!(lasts(Phase::Busy, |gauge, now, _| gauge.wrote(None, now)), Some(30));
        // Also with the last bytes of an answer, when the next request could come.
        assert_eq!(lasts(Phase::Idle, |gauge, now, _| gauge.wrote(None, now)), Some(30));
    }

    #[test]
    fn the_rate_is_what_counts() {
        let taking = |bytes| {
            lasts(Phase::Busy, move |gauge, now, _| {
                gauge.wrote(Some(bytes), now);
                gauge.wrote(None, now);
            })
        };
        assert_eq!(taking(1_023), Some(30));
        assert_eq!(taking(1_024), None);
        let sending = |bytes| {
            lasts(Phase::Busy, move |gauge, _, _| {
                gauge.body(Some(bytes));
                gauge.body(None);
            })
        };
        assert_eq!((sending(1_023), sending(1_024)), (Some(30), None));
    }

    #[test]
    fn what_waits_for_us_is_not_slow() {
        // An answer that takes us long, and a stream of changes on a quiet day.
        assert_eq!(lasts(Phase::Busy, |gauge, now, _| gauge.wrote(Some(1), now)), None);
        assert_eq!(
            lasts(Phase::Busy, |gauge, _, _| {
                gauge.body(None);
                gauge.body_done();
            }),
            None
        );
    }

    #[test]
    fn whoever_was_waited_for_once_is_not_slow_for_ever() {
        let once = |gauge: &Gauge, now, second| {
            if second == 1 {
                gauge.wrote(None, now);
                gauge.wrote(Some(1), now);
            }
        };
        assert_eq!(lasts(Phase::Busy, once), None);
        // Each time is measured by itself: between them nothing was left that the peer could have taken.
        let now_and_then = |gauge: &Gauge, now, second| gauge.wrote((second % 20 == 0).then_some(1), now);
        assert_eq!(lasts(Phase::Busy, now_and_then), None);
    }

    #[test]
    fn a_connection_is_new_until_a_whole_header_came() {
        let gauge = Gauge::new(Phase::Header, Instant::now());
        assert!(gauge.is_new() && gauge.is_idle());
        gauge.enter(Phase::Busy, Instant::now());
        assert!(!gauge.is_new() && !gauge.is_idle());
        gauge.enter(Phase::Idle, Instant::now());
        assert!(!gauge.is_new() && gauge.is_idle());
    }
}

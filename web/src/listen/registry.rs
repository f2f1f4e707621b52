//! Every connection of a door: who still fits in, who must make room, whose time is over.
//!
//! Connections that never sent a whole request header are the first to go, the oldest before all others: whoever only opens
//! connections closes their own, and a client that means it finds room.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Limits;
use super::gauge::{Gauge, Phase};

/// Connections that one look closes at most: when thousands end in one moment, whoever asks just then waits for all of them.
const CLOSED_AT_ONCE: usize = 64;

/// The connections of one door.
#[derive(Debug)]
pub(super) struct Registry {
    limits: Limits,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    /// By number: the oldest comes first.
    gauges: BTreeMap<u64, (IpAddr, Arc<Gauge>)>,
    by_peer: HashMap<IpAddr, BTreeSet<u64>>,
    /// Whoever never sent a whole header, and some who did: they are taken out when they are come upon.
    newcomers: BTreeSet<u64>,
    next: u64,
}

/// A connection that was let in; gone from the registry when this is dropped.
#[derive(Debug)]
pub(super) struct Guest {
    registry: Arc<Registry>,
    number: u64,
    pub(super) gauge: Arc<Gauge>,
}

impl Registry {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, all: Mutex::new(All::default()) })
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in; another may have to go for it. None when nobody can.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr, phase: Phase, now: Instant) -> Option<Guest> {
        let peer = network(peer);
        let mut all = self.all();
        let of_peer = all.by_peer.get(&peer).map_or(0, BTreeSet::len);
        if of_peer >= self.limits.connections_per_address {
            let leaves = all.by_peer.get(&peer).and_then(|numbers| all.least(numbers.iter().copied()));
            all.evict(leaves?);
        }
        if all.gauges.len() >= self.limits.connections {
            let leaves = all.least_of_all();
            all.evict(leaves?);
        }
        let number = all.next;
        all.next += 1;
        let gauge = Arc::new(Gauge::new(phase, now));
        all.gauges.insert(number, (peer, Arc::clone(&gauge)));
        all.by_peer.entry(peer).or_default().insert(number);
        all.newcomers.insert(number);
        drop(all);
        Some(Guest { registry: Arc::clone(self), number, gauge })
    }

    /// Makes room for one more file when the machine has none left. Whether somebody went.
    pub(super) fn make_room(&self) -> bool {
        let mut all = self.all();
        let leaves = all.least_of_all();
        leaves.map(|number| all.evict(number)).is_some()
    }

    /// Ends connections whose time is over; whether there may be more of them.
    pub(super) fn sweep(&self, now: Instant) -> bool {
        let (all, mut closed) = (self.all(), 0);
        let open = all.gauges.values().filter(|(_, gauge)| !gauge.ended.is_cancelled());
        let over = open.filter_map(|(peer, gauge)| Some((peer, gauge, gauge.look(now, &self.limits)?)));
        for (peer, gauge, reason) in over.take(CLOSED_AT_ONCE) {
            tracing::debug!(%peer, reason, "a connection is closed");
            gauge.break_off();
            closed += 1;
        }
        closed == CLOSED_AT_ONCE
    }

    /// Ends every connection that never asked for anything; the others end by themselves after their answer.
    pub(super) fn end_new(&self) {
        self.all().gauges.values().filter(|(_, gauge)| gauge.is_new()).for_each(|(_, gauge)| gauge.ended.cancel());
    }

    /// Ends every connection.
    pub(super) fn end_all(&self) {
        self.all().gauges.values().for_each(|(_, gauge)| gauge.ended.cancel());
    }
}

impl All {
    /// As [`All::least`] of all. Whoever comes into a full door makes us look for somebody: that must not be work that grows with the
    /// connections that were served.
    fn least_of_all(&mut self) -> Option<u64> {
        while let Some(first) = self.newcomers.first().copied() {
            if self.gauges.get(&first).is_some_and(|(_, gauge)| gauge.is_new()) {
                return Some(first);
            }
            self.newcomers.remove(&first);
        }
        self.gauges.iter().find(|(_, (_, gauge))| gauge.is_idle()).map(|(number, _)| *number)
    }

    /// Whoever is missed least of some: the oldest that never asked for anything, else the oldest that asks for nothing now.
    fn least(&self, numbers: impl Iterator<Item = u64> + Clone) -> Option<u64> {
        let is = |number: &u64, what: fn(&Gauge) -> bool| self.gauges.get(number).is_some_and(|(_, gauge)| what(gauge));
        let newcomer = numbers.clone().find(|number| is(number, Gauge::is_new));
        newcomer.or_else(|| numbers.clone().find(|number| is(number, Gauge::is_idle)))
    }

    /// Counts no more from now on; its task ends by itself.
    fn evict(&mut self, number: u64) {
        if let Some(gauge) = self.remove(number) {
            gauge.ended.cancel();
        }
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Gauge>> {
        let (peer, gauge) = self.gauges.remove(&number)?;
        self.newcomers.remove(&number);
        if let Some(numbers) = self.by_peer.get_mut(&peer) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_peer.remove(&peer);
            }
        }
        Some(gauge)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.registry.all().remove(self.number);
    }
}

/// What counts as one address: of version 6, a customer gets a /64 at least.
pub(super) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !0 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn registry() -> Arc<Registry> {
        Registry::new(Limits { connections: 4, connections_per_address: 3, ..Limits::default() })
    }

    fn come(registry: &Arc<Registry>, peer: IpAddr) -> Option<Guest> {
        registry.admit(peer, Phase::Header, Instant::now())
    }

    fn ended(guests: &[&Guest]) -> Vec<bool> {
        guests.iter().map(|guest| guest.gauge.ended.is_cancelled()).collect()
    }

    #[test]
    fn the_oldest_that_asked_for_nothing_makes_room() {
        let registry = registry();
        let [first, second, third] = [A, A, A].map(|peer| come(&registry, peer).expect("room"));
        first.gauge.enter(Phase::Busy, Instant::now());
        let fourth = come(&registry, A).expect("room was made");
        assert_eq!(ended(&[&first, &second, &third, &fourth]), [false, true, false, false]);
        // Of another address nobody had to go for it, until the door itself is full.
        let fifth = come(&registry, B).expect("room");
        assert_eq!(ended(&[&third, &fifth]), [false, false]);
        let sixth = come(&registry, B).expect("room was made");
        assert_eq!(ended(&[&first, &third, &fourth, &fifth, &sixth]), [false, true, false, false, false]);
    }

    #[test]
    fn who_never_asked_for_anything_goes_before_an_older_one_that_did() {
        // Of one address that has as many as it may have, and of a door that is full.
        for (others, limits) in [(A, (9, 3)), (B, (3, 9))] {
            let limits = Limits { connections: limits.0, connections_per_address: limits.1, ..Limits::default() };
            let registry = Registry::new(limits);
            let guests = [A, A, A].map(|peer| come(&registry, peer).expect("room"));
            guests[0].gauge.enter(Phase::Busy, Instant::now());
            guests[0].gauge.enter(Phase::Idle, Instant::now());
            assert!(come(&registry, others).is_some());
            assert_eq!(ended(&guests.each_ref()), [false, true, false], "{limits:?}");
        }
    }

    #[test]
    fn between_requests_one_may_have_to_go_and_during_one_nobody_has() {
        let registry = registry();
        let guests = [A, A, A].map(|peer| come(&registry, peer).expect("room"));
        guests.iter().for_each(|guest| guest.gauge.enter(Phase::Busy, Instant::now()));
        assert!(come(&registry, A).is_none());
        guests[1].gauge.enter(Phase::Idle, Instant::now());
        assert!(come(&registry, A).is_some());
        assert_eq!(ended(&guests.each_ref()), [false, true, false]);
    }

    #[test]
    fn what_is_left_of_an_answer_is_not_cut_off_for_somebody_new() {
        let registry = registry();
        let guests = [A, A, A].map(|peer| come(&registry, peer).expect("room"));
        for guest in &guests {
            guest.gauge.enter(Phase::Busy, Instant::now());
            guest.gauge.enter(Phase::Idle, Instant::now());
        }
        guests[0].gauge.wrote(None, Instant::now());
        assert!(come(&registry, A).is_some());
        assert_eq!(ended(&guests.each_ref()), [false, true, false]);
    }

    #[test]
    fn for_want_of_a_file_somebody_goes_and_whoever_is_answered_stays() {
        let registry = registry();
        let [first, second] = [A, B].map(|peer| come(&registry, peer).expect("room"));
        first.gauge.enter(Phase::Busy, Instant::now());
        assert!(registry.make_room());
        assert_eq!(ended(&[&first, &second]), [false, true]);
        assert!(!registry.make_room());
        assert_eq!(ended(&[&first]), [false]);
    }

    #[test]
    fn many_whose_time_is_over_are_closed_some_at_a_time() {
        let many = 2 * CLOSED_AT_ONCE + 1;
        let registry = Registry::new(Limits { connections_per_address: many, ..Limits::default() });
        let guests: Vec<Guest> = (0..many).map(|_| come(&registry, A).expect("room")).collect();
        let count = || guests.iter().filter(|guest| guest.gauge.ended.is_cancelled()).count();
        assert!(!registry.sweep(Instant::now()));
        assert_eq!(count(), 0);
        let later = Instant::now() + Limits::default().header;
        for (closed, more) in [(CLOSED_AT_ONCE, true), (2 * CLOSED_AT_ONCE, true), (many, false), (many, false)] {
            assert_eq!((registry.sweep(later), count()), (more, closed));
        }
    }

    #[test]
    fn whoever_leaves_counts_no_more() {
        let registry = registry();
        for _ in 0..100 {
            let guests = [A, A, A, B].map(|peer| come(&registry, peer).expect("room"));
            assert_eq!(ended(&guests.each_ref()), [false; 4]);
        }
        let all = registry.all();
        assert!(all.gauges.is_empty() && all.by_peer.is_empty() && all.newcomers.is_empty());
    }

    #[test]
    fn a_neighbourhood_of_version_6_is_one_address() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), A);
    }
}

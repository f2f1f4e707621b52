//! Who may start: the resource book and the order.
//!
//! Order: priority class, then samples nearest to completion, then age. A request that does not fit lets smaller ones pass, until it
//! has waited so long that nothing may pass it any more.

use crate::clock::Micros;

/// What an attempt occupies while its tool runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Cores.
    pub cpus: u32,
    /// Bytes.
    pub memory_bytes: u64,
    /// Bytes.
    pub disk_bytes: u64,
}

/// What a site has; zero in a field of `total` means no limit there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    total: Request,
    slots: usize,
    used: Request,
    running: usize,
}

/// What is missing for something to start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// As many tools run as may.
    Slots {
        /// That run.
        used: usize,
        /// That may.
        total: usize,
    },
    /// Cores.
    Cpus {
        /// Asked for.
        wish: u32,
        /// Taken.
        used: u32,
        /// That are there.
        total: u32,
    },
    /// Bytes of memory.
    Memory {
        /// Asked for.
        wish: u64,
        /// Taken.
        used: u64,
        /// That are there.
        total: u64,
    },
    /// Bytes of disk.
    Disk {
        /// Asked for.
        wish: u64,
        /// Taken.
        used: u64,
        /// That are there.
        total: u64,
    },
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use kentai_workflows::resources::format_size as size;
        match *self {
            Self::Slots { used, total } => write!(f, "a free slot ({used} of {total} taken)"),
            Self::Cpus { wish, used, total } => write!(f, "{wish} cpus ({used} of {total} taken)"),
            Self::Memory { wish, used, total } => {
                write!(f, "{} of memory ({} of {} taken)", size(wish), size(used), size(total))
            }
            Self::Disk { wish, used, total } => {
                write!(f, "{} of disk ({} of {} taken)", size(wish), size(used), size(total))
            }
        }
    }
}

/// After so long nothing smaller may pass a request that does not fit.
pub const PATIENCE_US: Micros = 30 * 60 * 1_000_000;

impl Book {
    /// An empty book.
    #[must_use]
    pub fn new(total: Request, slots: usize) -> Self {
        Self { total, slots, used: Request::default(), running: 0 }
    }

    /// Takes `request` if it fits.
    pub fn take(&mut self, request: Request) -> bool {
        if self.lack(request).is_some() {
            return false;
        }
        self.force(request);
        true
    }

    /// Takes `request` whether it fits or not: it runs already.
    pub fn force(&mut self, request: Request) {
        // What has no limit may be asked for in numbers that do not add up.
        self.used.cpus = self.used.cpus.saturating_add(request.cpus);
        self.used.memory_bytes = self.used.memory_bytes.saturating_add(request.memory_bytes);
        self.used.disk_bytes = self.used.disk_bytes.saturating_add(request.disk_bytes);
        self.running += 1;
    }

    /// Gives back what was taken.
    pub fn give_back(&mut self, request: Request) {
        self.used.cpus = self.used.cpus.saturating_sub(request.cpus);
        self.used.memory_bytes = self.used.memory_bytes.saturating_sub(request.memory_bytes);
        self.used.disk_bytes = self.used.disk_bytes.saturating_sub(request.disk_bytes);
        self.running = self.running.saturating_sub(1);
    }

    /// What is missing for `request` right now: the first thing of them.
    #[must_use]
    pub fn lack(&self, request: Request) -> Option<Lack> {
        let over = |total: u64, used: u64, wish: u64| total > 0 && used.saturating_add(wish) > total;
        let (used, total) = (&self.used, &self.total);
        if self.running >= self.slots {
            return Some(Lack::Slots { used: self.running, total: self.slots });
        }
        if over(total.cpus.into(), used.cpus.into(), request.cpus.into()) {
            return Some(Lack::Cpus { wish: request.cpus, used: used.cpus, total: total.cpus });
        }
        if over(total.memory_bytes, used.memory_bytes, request.memory_bytes) {
            return Some(Lack::Memory {
                wish: request.memory_bytes,
                used: used.memory_bytes,
                total: total.memory_bytes,
            });
        }
        if over(total.disk_bytes, used.disk_bytes, request.disk_bytes) {
            return Some(Lack::Disk { wish: request.disk_bytes, used: used.disk_bytes, total: total.disk_bytes });
        }
        None
    }

    /// Why `request` can never fit.
    #[must_use]
    pub fn never(&self, request: Request) -> Option<Lack> {
        Self { used: Request::default(), running: 0, ..self.clone() }.lack(request)
    }

    /// Tools that run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }
}

/// Place in the order of one run: smaller starts first.
#[must_use]
pub fn rank(priority: i64, steps_left: i64, created_us: Micros, run: &str) -> (i64, i64, Micros, &str) {
    (-priority, steps_left, created_us, run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cpus: u32, memory_bytes: u64) -> Request {
        Request { cpus, memory_bytes, disk_bytes: 0 }
    }

    #[test]
    fn the_book_never_lends_more_than_it_has() {
        let mut book = Book::new(request(4, 100), 3);
        assert!(book.take(request(2, 60)));
        assert!(!book.take(request(1, 50)), "memory");
        assert!(!book.take(request(3, 1)), "cpus");
        assert!(book.take(request(1, 40)) && book.take(request(1, 0)));
        assert!(!book.take(request(0, 0)), "slots");
        book.give_back(request(2, 60));
        assert!(book.take(request(1, 50)));
    }

    #[test]
    fn what_can_never_fit_is_said_at_once() {
        let book = Book::new(request(2, 100), 3);
        assert!(book.never(request(3, 0)).is_some_and(|why| why.to_string().contains("3 cpus")));
        assert!(book.never(request(2, 100)).is_none());
    }

    #[test]
    fn urgent_goes_before_nearly_done_and_nearly_done_before_old() {
        let mut order = [rank(0, 1, 5, "nearly"), rank(0, 9, 1, "old"), rank(2, 9, 9, "stat")];
        order.sort_unstable();
        assert_eq!(order.map(|rank| rank.3), ["stat", "nearly", "old"]);
    }
}

//! Chunks of memory for bodies on their way out: a bounded number of large ones, which are used again, and small ones for whoever
//! comes when all of those are lent.
//!
//! So memory does not grow with the number of pulls, and a reader who keeps a large one only slows others down.

use std::sync::{Mutex, PoisonError};

/// Large enough that system calls do not count, small enough for a core's cache.
const LARGE_BYTES: usize = 256 << 10;
/// What one pull costs when many stall.
const SMALL_BYTES: usize = 16 << 10;
/// 40 MiB lent at most, small ones not counted.
const LARGE_MAX: usize = 160;
/// Kept for the next answer when nobody needs them: 4 MiB.
const IDLE_MAX: usize = 16;

static POOL: Pool = Pool(Mutex::new(Shelf { idle: Vec::new(), lent: 0 }));

struct Pool(Mutex<Shelf>);

struct Shelf {
    idle: Vec<Box<[u8]>>,
    lent: usize,
}

/// A buffer for at most `wanted` bytes; given back when it is dropped.
pub(super) fn lend(wanted: u64) -> Lent {
    let small = usize::try_from(wanted).unwrap_or(usize::MAX).min(SMALL_BYTES);
    if wanted > SMALL_BYTES as u64 {
        let mut shelf = POOL.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.lent < LARGE_MAX {
            shelf.lent += 1;
            let idle = shelf.idle.pop();
            drop(shelf);
            let memory = idle.unwrap_or_else(|| vec![0; LARGE_BYTES].into_boxed_slice());
            let filled = usize::try_from(wanted).unwrap_or(usize::MAX).min(LARGE_BYTES);
            return Lent { memory, filled, large: true };
        }
    }
    Lent { memory: vec![0; small].into_boxed_slice(), filled: small, large: false }
}

/// Memory that is lent.
#[derive(Debug)]
pub(super) struct Lent {
    memory: Box<[u8]>,
    filled: usize,
    large: bool,
}

impl Lent {
    /// What may be written to.
    pub(super) fn space(&mut self) -> &mut [u8] {
        &mut self.memory[..self.filled]
    }

    /// Only so many bytes count from now on.
    pub(super) fn truncate(&mut self, filled: usize) {
        self.filled = filled.min(self.filled);
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.filled]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.large {
            return;
        }
        let memory = std::mem::take(&mut self.memory);
        let mut shelf = POOL.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.lent -= 1;
        if shelf.idle.len() < IDLE_MAX {
            shelf.idle.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_every_large_one_is_lent_small_ones_are() {
        // Other tests of this process lend from the same pool: what is asked for here is more than it has.
        let mut all: Vec<Lent> = (0..=LARGE_MAX).map(|_| lend(1 << 30)).collect();
        assert_eq!(all.last_mut().map(|last| last.space().len()), Some(SMALL_BYTES));
        drop(all);
        let idle = POOL.0.lock().expect("no panic").idle.len();
        assert!((1..=IDLE_MAX).contains(&idle), "{idle} are kept");
        assert_eq!(lend(1 << 30).space().len(), LARGE_BYTES);
        assert_eq!(lend(5).space().len(), 5);
        assert_eq!(lend(100_000).space().len(), 100_000);
    }
}

//! Who is on the way to the provider, and who came back and has to give a one-time code. In memory, for minutes; each is known by a secret
//! in a cookie of its own and taken off when it is used, so that it counts once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kentai_engine::people::record::Identity;
use openidconnect::CsrfToken;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::Question;

/// So long somebody may take at the provider, and with a code.
pub(crate) const LASTS: Duration = Duration::from_secs(600);
/// Random bytes of a secret.
const SECRET_BYTES: u32 = 32;
/// So many at once (half a kilobyte each): when there are more, whoever has most of them loses the oldest.
const FLOWS_MAX: usize = 4096;

/// Where somebody is on the way.
pub(crate) enum Stand {
    /// At the provider; the answer must be to this question.
    Asked(Question),
    /// Back, and known; their account here asks for a code.
    Proved(Identity),
}

/// Somebody on the way.
pub(crate) struct Flow {
    pub(crate) stand: Stand,
    /// Where they wanted to go: a path of this site.
    pub(crate) back: String,
    /// From where they came.
    pub(crate) from: String,
}

/// Strangers are written down so often in each minute: a log that is never deleted is not filled by whoever finds the address.
const STRANGERS_MAX: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// Everybody on the way, by the digest of their cookie.
#[derive(Default)]
pub(crate) struct Flows {
    all: Mutex<HashMap<String, (Flow, Instant)>>,
    /// Since when strangers are counted, and how many came.
    strangers: Mutex<Option<(Instant, u32)>>,
}

impl Flows {
    fn all(&self) -> MutexGuard<'_, HashMap<String, (Flow, Instant)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers somebody; the secret is their cookie's.
    pub(crate) fn put(&self, flow: Flow, now: Instant) -> String {
        let secret = CsrfToken::new_random_len(SECRET_BYTES).into_secret();
        self.keep(key(&secret), flow, now);
        secret
    }

    fn keep(&self, key: String, flow: Flow, now: Instant) {
        let mut all = self.all();
        if all.len() >= FLOWS_MAX {
            all.retain(|_, (_, until)| now < *until);
        }
        if all.len() >= FLOWS_MAX {
            make_room(&mut all);
        }
        all.insert(key, (flow, now + LASTS));
    }

    /// Somebody came who is on no way: is it written down?
    pub(crate) fn counts_stranger(&self, now: Instant) -> bool {
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = strangers.filter(|(since, _)| now < *since + MINUTE).unwrap_or((now, 0));
        *strangers = Some((since, count.saturating_add(1)));
        count < STRANGERS_MAX
    }

    /// Takes somebody off: whoever comes a second time is nobody.
    pub(crate) fn take(&self, secret: &str, now: Instant) -> Option<Flow> {
        let (flow, until) = self.all().remove(&key(secret))?;
        (now < until).then_some(flow)
    }
}

/// Whoever reads this memory has no cookie.
fn key(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn make_room(all: &mut HashMap<String, (Flow, Instant)>) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (flow, _) in all.values() {
        *counts.entry(&flow.from).or_default() += 1;
    }
    let Some(most) = counts.into_iter().max_by_key(|(_, count)| *count).map(|(from, _)| from.to_owned()) else {
        return;
    };
    let of_most = all.iter().filter(|(_, (flow, _))| flow.from == most);
    let oldest = of_most.min_by_key(|(_, (_, until))| *until).map(|(key, _)| key.clone());
    if let Some(key) = oldest {
        all.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(from: &str) -> Flow {
        let identity = Identity::new("https://a.example", "sub", "sato").expect("it fits");
        Flow { stand: Stand::Proved(identity), back: "/".into(), from: from.into() }
    }

    #[test]
    fn each_counts_once_and_for_minutes() {
        let (flows, now) = (Flows::default(), Instant::now());
        let [a, b] = [(), ()].map(|()| flows.put(flow("x"), now));
        assert!(a.len() >= 43 && a != b, "{a}");
        assert!(flows.take("c", now).is_none());
        assert!(flows.take(&a, now + LASTS - Duration::from_secs(1)).is_some());
        assert!(flows.take(&a, now).is_none(), "used");
        assert!(flows.take(&b, now + LASTS).is_none(), "over");
    }

    #[test]
    fn a_crowd_of_strangers_fills_no_log() {
        let (flows, now) = (Flows::default(), Instant::now());
        let written = |now| (0..1_000).filter(|_| flows.counts_stranger(now)).count();
        assert_eq!((written(now), written(now + MINUTE / 2), written(now + MINUTE)), (60, 0, 60));
    }

    #[test]
    fn a_crowd_from_one_place_pushes_nobody_else_out() {
        let (flows, now) = (Flows::default(), Instant::now());
        let quiet = flows.put(flow("x"), now);
        for n in 0..FLOWS_MAX + 100 {
            flows.keep(format!("loud {n}"), flow("y"), now + Duration::from_millis(1));
        }
        assert_eq!(flows.all().len(), FLOWS_MAX);
        assert!(flows.take(&quiet, now).is_some());
    }
}

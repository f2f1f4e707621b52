//! When each session was seen last, and from where. It is kept in memory only, for as long as a session lasts: whoever asks for their own
//! sessions learns what this server saw, and no list of where people were lies in a log that is never deleted (decision 0019).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kentai_engine::people::session::LASTS_US;

/// Sessions that are remembered: more than a center has people.
const MOST: usize = 10_000;

/// One look at a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Microseconds since the epoch.
    pub(crate) at_us: i64,
    /// Address; none: over the site's socket.
    pub(crate) from: Option<String>,
}

/// By session's id.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<String, Look>>);

impl Seen {
    /// Somebody showed this session.
    pub(crate) fn note(&self, session: &str, look: Look) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = known.get_mut(session) {
            *last = look;
            return;
        }
        if known.len() >= MOST {
            known.retain(|_, last| look.at_us - last.at_us < LASTS_US);
        }
        if known.len() < MOST {
            known.insert(session.to_owned(), look);
        }
    }

    /// The last look; none: not since this server began.
    pub(crate) fn last(&self, session: &str) -> Option<Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_look_counts_and_there_is_room_again_when_a_shift_is_over() {
        let seen = Seen::default();
        let look = |at_us| Look { at_us, from: Some("192.0.2.1".into()) };
        seen.note("e1", look(1));
        seen.note("e1", look(5));
        assert_eq!(seen.last("e1"), Some(look(5)));
        assert_eq!(seen.last("e2"), None);
        (0..MOST + 5).for_each(|number| seen.note(&format!("x{number}"), look(10)));
        assert_eq!(seen.last(&format!("x{MOST}")), None, "no more than there is room for");
        seen.note("late", look(LASTS_US + 20));
        assert!(seen.last("late").is_some() && seen.last("e1").is_none());
    }
}

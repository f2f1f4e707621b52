//! The feed, read into what is known of each delivery. A cursor is kept only when what it passed is.

use std::sync::Arc;

use kentai_engine::handoff::offer::{Offer, Status};

use super::directory::Directory;
use super::http::{Center, Trouble, patiently};
use super::package;
use super::state::{Seen, State};
use super::{Failure, state};

/// Pages in one call: a center that never comes to an end is not followed for ever.
const PAGES_MAX: u32 = 100_000;

/// Reads what is new; waits for it for so many seconds. What was recalled is moved out of the packages at once.
pub(crate) async fn refresh(directory: &Directory, center: &Arc<Center>, tries: u32, wait: u32) -> Result<(), Failure> {
    let mut seen = directory.seen()?;
    let mut wait = wait;
    for _ in 0..PAGES_MAX {
        let after = seen.cursor.clone();
        let page = patiently(tries, async || center.feed(after.as_deref(), wait).await).await;
        let page = page.map_err(Trouble::failure)?;
        for offer in &page.items {
            take(directory, &mut seen, offer)?;
        }
        let is_end = page.items.is_empty() || seen.cursor.as_ref() == Some(&page.next);
        if seen.cursor.as_ref() != Some(&page.next) || !page.items.is_empty() {
            seen.cursor = Some(page.next);
            directory.save_seen(&seen)?;
        }
        if is_end {
            break;
        }
        wait = 0;
    }
    // Also what a call before was ended in the middle of.
    for mut state in directory.states()?.into_iter().filter(|state| state.offer.status == Status::Recalled) {
        if !state.set_aside {
            package::recall(directory, &mut state)?;
        }
    }
    Ok(())
}

fn take(directory: &Directory, seen: &mut Seen, offer: &Offer) -> Result<(), Failure> {
    if let Err(wrong) = offer.check() {
        seen.odd.insert(offer.delivery.chars().take(200).collect(), wrong.to_string());
        return Ok(());
    }
    seen.odd.remove(&offer.delivery);
    let known = directory.state(&offer.delivery)?;
    let mut state: State = known.unwrap_or_else(|| state::State::new(offer.clone()));
    if state.set_aside && offer.status.is_open() {
        // Offered again after it was taken back: what lies aside stays there.
        (state.set_aside, state.pulled, state.decrypted) = (false, None, None);
    }
    state.offer = offer.clone();
    directory.save(&state)
}

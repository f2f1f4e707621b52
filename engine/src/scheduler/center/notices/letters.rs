//! Letters: sent when their time has come, and what became of each is written on its notice. Until a receiver said that it has one, it
//! is due, and sent again under the same id: by this engine or the next.

use std::sync::Arc;

use serde_json::json;

use crate::decide::letters::{Next, after, due, spread};
use crate::port::messenger::{self, Error, Messenger};
use crate::scheduler::center::desk::{By, Held};
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::Effect;
use crate::scheduler::service::Service;
use crate::scheduler::work::letter::Work;
use crate::specimen::record::{Kind, Letter, LetterState, Notice};
use crate::state::notice::Event;

/// Notices looked at in one turn.
const NOTICES_AT_ONCE: usize = 100;
/// Characters kept of what was said.
const SAID_MAX: usize = 300;

impl Service {
    /// Sends every letter whose time has come, after the commit of this turn.
    pub(in crate::scheduler) async fn send_due(&mut self) -> Result<(), Refusal> {
        let now = self.house.now;
        self.desk.now = now;
        for id in self.bag.take_due(now, NOTICES_AT_ONCE) {
            let Some(mut notice) = self.desk.find::<Notice>(Kind::Notice, &id).await? else { continue };
            for place in due(&notice.doc.letters, now) {
                if self.bag.is_out(&id, place) {
                    continue;
                }
                match self.messenger(&notice, place) {
                    Some(messenger) => self.send(&notice, place, messenger),
                    None => {
                        let reason = "this site has no such subscriber any more (`notices:` in kentai.yaml)".into();
                        self.settle(&mut notice, place, Err(Error::Gone { reason }))?;
                    }
                }
            }
            self.bag.note(&id, &notice.doc.letters);
        }
        Ok(())
    }

    fn messenger(&self, notice: &Held<Notice>, place: usize) -> Option<Arc<dyn Messenger>> {
        let letter = &notice.doc.letters[place];
        let mut all = self.house.options.subscribers.iter();
        let known = all.find(|one| one.channel == letter.channel && one.address == letter.address)?;
        known.messenger.clone()
    }

    fn send(&mut self, notice: &Held<Notice>, place: usize, messenger: Arc<dyn Messenger>) {
        let (row, doc) = (&notice.row, &notice.doc);
        let letter = messenger::Letter {
            notice: row.record_id.clone(),
            site: self.house.options.site.clone(),
            to: doc.to.clone(),
            subject: doc.subject.clone(),
            about: row.parent.clone(),
            written_us: row.created_us,
            due_us: doc.answer.then_some(doc.due_us),
            body: doc.body.clone(),
            signature: doc.signature.clone(),
        };
        self.bag.leaves(&row.record_id, place);
        let turn = self.bag.turn(&doc.letters[place]);
        let clock = self.house.options.clock.clone();
        self.house.effect(Effect::Letter(Box::new(Work { place, messenger, letter, turn, clock })));
    }

    /// What became of a letter.
    pub(in crate::scheduler) async fn on_letter(
        &mut self,
        id: &str,
        place: usize,
        result: Result<String, Error>,
    ) -> Result<(), Refusal> {
        self.desk.now = self.house.now;
        self.bag.is_back(id, place);
        let Some(mut notice) = self.desk.find::<Notice>(Kind::Notice, id).await? else { return Ok(()) };
        self.settle(&mut notice, place, result)?;
        self.bag.note(id, &notice.doc.letters);
        Ok(())
    }

    /// Writes down what became of a letter, and what that means for its notice.
    fn settle(
        &mut self,
        notice: &mut Held<Notice>,
        place: usize,
        result: Result<String, Error>,
    ) -> Result<(), Refusal> {
        let now = self.desk.now;
        // Called back while it was on its way: it may have arrived all the same, and then that is the truth.
        let arrived = result.is_ok();
        let counts = |letter: &&mut Letter| match letter.state {
            LetterState::Due => true,
            LetterState::CalledBack => arrived,
            // Answered in the meantime: nobody waits for this letter any more.
            LetterState::Taken | LetterState::Dead | LetterState::Dropped => false,
        };
        let Some(letter) = notice.doc.letters.get_mut(place).filter(counts) else { return Ok(()) };
        letter.tries += 1;
        letter.refusals += u32::from(matches!(result, Err(Error::Refused { .. })));
        letter.tried_us = Some(now);
        let (event, said) = match result {
            Ok(said) => {
                letter.state = LetterState::Taken;
                ("letter_taken", said)
            }
            Err(error) => match after(letter, &error, now, spread(&notice.row.record_id, place, letter.tries)) {
                Next::At(at) => {
                    letter.next_us = at;
                    ("letter_failed", error.to_string())
                }
                Next::GiveUp(why) => {
                    letter.state = LetterState::Dead;
                    ("letter_given_up", why)
                }
            },
        };
        letter.said = said.chars().take(SAID_MAX).collect();
        let body = json!({
            "channel": letter.channel, "address": letter.address, "tries": letter.tries, "said": letter.said,
            "next_us": (letter.state == LetterState::Due).then_some(letter.next_us),
        });
        let any = |state| notice.doc.letters.iter().any(|letter| letter.state == state);
        if event == "letter_given_up" {
            let (id, address) = (&notice.row.record_id, &notice.doc.letters[place].address);
            tracing::error!(notice = id, address, "a letter was given up; `kentai notice show` says why");
            notice.go(Event::GivenUp)?;
        } else if event == "letter_taken" && !any(LetterState::Due) && !any(LetterState::Dead) {
            notice.go(Event::Taken)?;
        }
        self.desk.record(notice, event, &By::engine(), &body);
        Ok(())
    }
}

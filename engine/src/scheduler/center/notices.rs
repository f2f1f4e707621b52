//! Notices: messages to somebody outside. Each is a record with its letters, one for each subscriber, and a signed file beside them;
//! both leave after the commit.
//!
//! What a notice says is its caller's; how often a letter is tried is `decide::letters`'.

mod bag;
mod called_back;
mod letters;

use serde_json::{Value, json};

pub(in crate::scheduler) use self::bag::Bag;
use super::desk::{By, Held, unknown};
use super::request::Answer;
use crate::clock::Micros;
use crate::id::fresh;
use crate::people::permission::{Action, permit};
use crate::scheduler::handle::Refusal;
use crate::scheduler::house::Effect;
use crate::scheduler::service::Service;
use crate::scheduler::work::post;
use crate::scheduler::{Actor, Subscriber};
use crate::specimen::record::{Kind, Letter, LetterState, Notice, is_of_withdrawal};
use crate::state::notice::{Event, Status};
use crate::store;
use crate::store::read::RecordFilter;

/// Until when a receiver must have answered.
const ANSWER_US: Micros = 14 * 86_400 * 1_000_000;

/// What is to be told to somebody outside.
pub(in crate::scheduler) struct Wish<'a> {
    /// Institution, target or `biobank`: a key of `notices:` in the site file.
    pub(in crate::scheduler) to: &'a str,
    /// `withdrawal`, `sample.offered` …: behind [`crate::port::messenger::TYPE_PREFIX`] it is the type of the event.
    pub(in crate::scheduler) subject: &'a str,
    /// The delivery, case or order line that it is about; the record's parent. May be empty.
    pub(in crate::scheduler) about: &'a str,
    /// What it says. It leaves the house as it is.
    pub(in crate::scheduler) body: Value,
    /// Somebody must answer it, within fourteen days.
    pub(in crate::scheduler) answer: bool,
}

impl Service {
    /// Writes a notice down and gives its id. It leaves after the commit.
    pub(in crate::scheduler) fn notice(&mut self, wish: Wish<'_>, by: &By) -> String {
        let Wish { to, subject, about, body, answer } = wish;
        let (id, now) = (fresh("n"), self.desk.now);
        let addressed = self.subscribers(to).map(|one| Letter::new(&one.channel, &one.address, now)).collect();
        let mut doc = Notice {
            to: to.into(),
            subject: subject.into(),
            body,
            answer,
            due_us: if answer { now + ANSWER_US } else { Micros::MAX },
            letters: unlike(addressed),
            ..Notice::default()
        };
        doc.signature = self.sign_message(&doc.body.to_string());
        let addresses: Vec<&str> = doc.letters.iter().map(|letter| letter.address.as_str()).collect();
        let told = json!({ "to": to, "subject": subject, "body": doc.body, "letters": addresses });
        let status = if answer { Status::Pending } else { Status::Sending };
        let mut held = self.desk.new_record(Kind::Notice, &id, status.word(), doc);
        about.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "notice_written", by, &told);
        let posted = self.post(&held);
        self.house.effect(Effect::Post(posted));
        self.bag.note(&id, &held.doc.letters);
        id
    }

    /// A notice that must be answered.
    pub(in crate::scheduler) fn notify(
        &mut self,
        to: &str,
        subject: &str,
        about: &str,
        body: Value,
        by: &By,
    ) -> String {
        self.notice(Wish { to, subject, about, body, answer: true }, by)
    }

    /// Does anybody get notices that are for `to`?
    pub(in crate::scheduler) fn is_subscribed(&self, to: &str) -> bool {
        self.subscribers(to).next().is_some()
    }

    /// Who gets notices that are for `to`: those who asked for them by name, and those who get a copy of everything.
    fn subscribers(&self, to: &str) -> impl Iterator<Item = &Subscriber> {
        self.house.options.subscribers.iter().filter(move |one| one.to == to || one.to == Subscriber::EVERYBODY)
    }

    /// The message as it lies in the outbox: body as it was signed, signature, whom it is for.
    fn post(&self, notice: &Held<Notice>) -> post::Work {
        let Notice { to, subject, body, signature, due_us, answer, .. } = &notice.doc;
        let id = &notice.row.record_id;
        let mut file =
            json!({ "notice": id, "to": to, "subject": subject, "body": body.to_string(), "signature": signature });
        if *answer {
            file["due_us"] = json!(due_us);
        }
        post::Work {
            directory: self.house.options.directory.join("notices"),
            notice: id.clone(),
            text: format!("{file:#}\n"),
        }
    }

    /// A notice's file lies in the outbox. One that nobody subscribed to and nobody must answer has left with it.
    pub(in crate::scheduler) async fn on_posted(&mut self, id: &str) -> Result<(), Refusal> {
        self.desk.now = self.house.now;
        let Some(mut notice) = self.desk.find::<Notice>(Kind::Notice, id).await? else { return Ok(()) };
        if notice.row.status == Status::Sending.word() && notice.doc.letters.is_empty() {
            notice.go(Event::Taken)?;
            self.desk.record(&mut notice, "notice_posted", &By::engine(), &json!({}));
        }
        Ok(())
    }

    /// What had not left when the last engine ended: its files are written again, its letters wait for their time.
    pub(in crate::scheduler) async fn recover_notices(&mut self) -> Result<(), store::Error> {
        for status in [Status::Pending, Status::Sending, Status::Undelivered] {
            let filter = RecordFilter {
                kind: Kind::Notice.word().into(),
                status: Some(status.word().into()),
                limit: i64::MAX,
                ..RecordFilter::default()
            };
            for row in self.reader.records(&filter).await? {
                let id = row.record_id.clone();
                match super::desk::held::<Notice>(row) {
                    Ok(notice) => {
                        let posted = self.post(&notice);
                        self.house.effect(Effect::Post(posted));
                        self.bag.note(&id, &notice.doc.letters);
                    }
                    Err(error) => tracing::error!(notice = id, %error, "it cannot be read; it stays as it is"),
                }
            }
        }
        Ok(())
    }

    /// Puts a notice on its way again: what was given up, and whoever subscribed since; where all was taken, all of it.
    pub(in crate::scheduler) async fn notice_again(
        &mut self,
        id: &str,
        actor: &Actor,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let found = self.desk.find::<Notice>(Kind::Notice, id).await?;
        // Whoever may not see withdrawals does not learn of one by sending it again.
        let is_shown = |notice: &Held<Notice>| {
            !is_of_withdrawal(&notice.doc.subject) || permit(&actor.principal(), Action::Withdraw, None).is_ok()
        };
        let mut notice = found.filter(is_shown).ok_or_else(|| unknown("notice", id))?;
        if notice.row.status == Status::Answered.word() {
            return Err(Refusal::State(format!("notice {id} is answered: there is nothing to send again")));
        }
        if notice.row.status == Status::CalledBack.word() {
            return Err(Refusal::State(format!(
                "notice {id} is about something that was called back: it is not sent again"
            )));
        }
        let sent = self.readdress(&mut notice.doc);
        if sent == 0 {
            return Err(Refusal::State(format!(
                "nobody subscribes to notices for `{to}`: name somebody under `notices:` in kentai.yaml, or take notices/{id}.json \
                 there by hand",
                to = notice.doc.to
            )));
        }
        notice.go(if notice.doc.answer { Event::AskedAgain } else { Event::SentAgain })?;
        self.desk.record(&mut notice, "notice_sent_again", by, &json!({ "letters": sent }));
        self.bag.note(id, &notice.doc.letters);
        Ok(Answer {
            said: format!("notice {id}: {sent} letter(s) on their way"),
            changed: vec![format!("notice {id}")],
            ..Answer::default()
        })
    }

    /// Makes letters due again, as the site's subscribers are now; gives how many are due.
    fn readdress(&self, doc: &mut Notice) -> usize {
        let now = self.desk.now;
        let wanted =
            unlike(self.subscribers(&doc.to).map(|one| Letter::new(&one.channel, &one.address, now)).collect());
        let has = |letters: &[Letter], one: &Letter| letters.iter().any(|other| is_like(other, one));
        for letter in &mut doc.letters {
            if letter.state == LetterState::Dead && !has(&wanted, letter) {
                letter.state = LetterState::Dropped;
            }
        }
        for new in &wanted {
            if !has(&doc.letters, new) {
                doc.letters.push(new.clone());
            }
        }
        let is_open = |letter: &Letter| matches!(letter.state, LetterState::Dead | LetterState::Due);
        let some_open = doc.letters.iter().any(is_open);
        let mut sent = 0;
        for letter in &mut doc.letters {
            if is_open(letter) || !some_open && has(&wanted, letter) {
                letter.again(now);
                sent += 1;
            }
        }
        sent
    }

    /// A notice that says nothing: does whoever subscribed get it?
    pub(in crate::scheduler) fn notice_test(&mut self, to: &str, by: &By) -> Result<Answer, Refusal> {
        if self.subscribers(to).next().is_none() {
            return Err(Refusal::Bad(format!(
                "nobody subscribes to notices for `{to}`: name somebody under `notices:` in kentai.yaml"
            )));
        }
        let body = json!({ "notice": "test", "site": self.house.options.site, "to": to });
        let id = self.notice(Wish { to, subject: "test", about: "", body, answer: false }, by);
        Ok(Answer {
            said: format!("notice {id} is on its way: `kentai notice show {id}` says what became of it"),
            changed: vec![format!("notice {id}")],
            ..Answer::default()
        })
    }
}

fn is_like(one: &Letter, other: &Letter) -> bool {
    one.channel == other.channel && one.address == other.address
}

/// Whoever asked twice gets it once.
fn unlike(letters: Vec<Letter>) -> Vec<Letter> {
    let mut all: Vec<Letter> = Vec::new();
    for letter in letters {
        if !all.iter().any(|other| is_like(other, &letter)) {
            all.push(letter);
        }
    }
    all
}

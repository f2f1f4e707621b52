//! What is asked under a key is done once: the answer is kept in the transaction of the act itself, so that no crash falls between the two,
//! and whoever asks again under the key is given it instead of another act.
//!
//! It knows no HTTP: who asks, where and with what are two digests to it. What was refused did nothing, and nothing is kept of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::center::request::Answer;
use super::handle::{Handle, Message, Refusal, Reply};
use super::live::text;
use super::service::Service;
use crate::clock::Micros;
use crate::people::secret::Hidden;
use crate::store::Error;
use crate::store::rows::kept::KeptAnswer;
use crate::store::writer::{Change, Table};

/// So long an answer is kept, microseconds.
pub const LASTS_US: Micros = 86_400_000_000;
/// The act's word under which the answer itself is kept.
const ANSWER: &str = "";

/// One asking, however often it is sent.
#[derive(Clone, Debug)]
pub struct Once {
    key: String,
    sent: String,
    acted: Arc<AtomicBool>,
}

/// What is known of an asking.
#[derive(Clone, Debug)]
pub enum Kept {
    /// Nothing: it is the first.
    Nothing,
    /// Something else was asked under this key.
    Other,
    /// It was done; what was answered is not known.
    Done,
    /// It was done and answered.
    Answered(KeptAnswer),
}

impl Once {
    /// `key`: a digest of who asks, where, and their key. `sent`: one of what they sent.
    #[must_use]
    pub fn new(key: String, sent: String) -> Self {
        Self { key, sent, acted: Arc::default() }
    }

    /// Something was done under it, now or before.
    #[must_use]
    pub fn has_acted(&self) -> bool {
        self.acted.load(Ordering::Acquire)
    }

    fn row(&self, act: &str, (status, content_type, body): (i64, &str, String), at_us: Micros) -> KeptAnswer {
        let (key_id, sent) = (self.key.clone(), self.sent.clone());
        KeptAnswer { key_id, act: act.to_owned(), sent, status, content_type: content_type.to_owned(), body, at_us }
    }
}

impl Handle {
    /// The same way in, for what one asking does.
    #[must_use]
    pub fn once(&self, once: Option<Once>) -> Self {
        Self { once, ..self.clone() }
    }

    /// What is known of an asking.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn kept(&self, once: &Once) -> Result<Kept, Refusal> {
        let rows = self.reader.kept_answers(&once.key, self.options.clock.now() - LASTS_US).await?;
        let Some(first) = rows.into_iter().next() else { return Ok(Kept::Nothing) };
        Ok(match first {
            other if other.sent != once.sent => Kept::Other,
            answer if answer.act == ANSWER => Kept::Answered(answer),
            _ => Kept::Done,
        })
    }

    /// Keeps what was answered: HTTP status, content type, body.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn keep_answer(&self, once: &Once, answer: (u16, &str, String)) -> Result<(), Refusal> {
        let (status, content_type, body) = answer;
        let row = once.row(ANSWER, (i64::from(status), content_type, body), self.options.clock.now());
        let mut change = Change::default();
        change.put(Table::KeptAnswer, &row);
        self.ask(|reply| Message::Keep(Box::new(change), reply)).await
    }

    /// Does something, at most once under a key; says whether it had been done before.
    ///
    /// `act` is the same for what may stand in for each other, and another for what one asking may do beside.
    pub(super) async fn act<T: DeserializeOwned>(
        &self,
        act: &'static str,
        message: impl FnOnce(Reply<T>) -> Message,
    ) -> Result<(T, bool), Refusal> {
        let Some(once) = &self.once else { return Ok((self.ask(message).await?, false)) };
        let (reply, answer) = oneshot::channel();
        let (recall, recalled) = oneshot::channel();
        let message = Message::Once(once.clone(), act, Box::new(message(reply)), recall);
        self.inbox.send(message).await.map_err(|_| Refusal::Stopped)?;
        match recalled.await {
            Ok(found) => Ok((read(&found?)?, true)),
            // Nothing is known of it: it is done now.
            Err(_) => Ok((answer.await.map_err(|_| Refusal::Stopped)??, false)),
        }
    }

    /// What was answered to an act under this key, before anything is got ready for it. The loop looks again.
    pub(super) async fn again<T: DeserializeOwned>(&self, act: &str) -> Result<Option<T>, Refusal> {
        let Some(once) = &self.once else { return Ok(None) };
        let rows = self.reader.kept_answers(&once.key, self.options.clock.now() - LASTS_US).await?;
        let Some(row) = rows.into_iter().find(|row| row.act == act && row.sent == once.sent) else { return Ok(None) };
        once.acted.store(true, Ordering::Release);
        read(&row.body).map(Some)
    }
}

/// An answer with what is told with it this once: that is kept nowhere.
pub(super) fn told((answer, again): (Answer, bool), secret: Option<Hidden>) -> Result<Answer, Refusal> {
    if again && secret.is_some() {
        let said = answer.said;
        let why = format!("it was done ({said}); what it told is kept nowhere: ask anew, under another key");
        return Err(Refusal::State(why));
    }
    Ok(Answer { secret, ..answer })
}

fn read<T: DeserializeOwned>(body: &str) -> Result<T, Refusal> {
    serde_json::from_str(body)
        .map_err(|error| Refusal::Store(Error::Unknown { what: "a kept answer", found: error.to_string() }))
}

/// What the loop knows of askings: the one that is being taken, and what was kept in this turn.
#[derive(Default)]
pub(super) struct Askings {
    now: Option<(Once, &'static str)>,
    kept: Vec<KeptAnswer>,
}

impl Askings {
    /// It did nothing after all: nothing is kept of it.
    pub(super) fn forget(&mut self) {
        self.now = None;
    }

    /// The turn's rows are in the database.
    pub(super) fn committed(&mut self) {
        self.kept.clear();
    }
}

impl Service {
    /// Takes what is asked under a key, unless it was done before. The loop is the only writer, so this look is the last word.
    pub(super) async fn take_once(
        &mut self,
        (once, act): (Once, &'static str),
        message: Message,
        recall: Reply<String>,
    ) -> Result<(), super::service::Error> {
        match self.done_before(&once, act).await? {
            Some(found) => self.reply(recall, found),
            None => {
                drop(recall);
                self.askings.now = Some((once, act));
                let taken = Box::pin(self.take(message)).await;
                self.askings.forget();
                taken?;
            }
        }
        Ok(())
    }

    async fn done_before(&self, once: &Once, act: &str) -> Result<Option<Result<String, Refusal>>, Error> {
        let ours = |row: &KeptAnswer| row.key_id == once.key && row.act == act;
        let found = match self.askings.kept.iter().find(|row| ours(row)) {
            Some(row) => Some(row.clone()),
            None => {
                let rows = self.reader.kept_answers(&once.key, self.house.now - LASTS_US).await?;
                rows.into_iter().find(ours)
            }
        };
        Ok(found.map(|row| {
            if row.sent != once.sent {
                return Err(Refusal::State("this key was used for something else".into()));
            }
            once.acted.store(true, Ordering::Release);
            Ok(row.body)
        }))
    }

    /// Answers who asked for an act; under a key, what they are answered is kept with the act.
    pub(super) fn done<T: Serialize + Send + Sync + 'static>(&mut self, reply: Reply<T>, result: Result<T, Refusal>) {
        if let (Some((once, act)), Ok(answer)) = (self.askings.now.take(), &result) {
            once.acted.store(true, Ordering::Release);
            let row = once.row(act, (0, "", text(answer)), self.house.now);
            self.house.ledger.change.put(Table::KeptAnswer, &row);
            self.askings.kept.push(row);
        }
        self.reply(reply, result);
    }
}

//! The way in: requests with answers, cheap to clone. Nobody reaches the house but through it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kentai_workflows::diagnostic::Diagnostic;
use kentai_workflows::plan::Specimen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::Actor;
use super::why::Because;
use crate::id::{RunId, SubmissionId};
use crate::people::permission::Action;
use crate::people::secret::{self, Hidden};
use crate::people::session;
use crate::port::collect::Collected;
use crate::port::courier::{Carried, Error as CourierError};
use crate::port::executor::{Executor, Held, Report};
use crate::store::rows::PackageFile;
use crate::store::rows::detail::GateReport;

/// Why a request was refused. Nothing of it was done.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Refusal {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    NotAllowed(String),
    #[error("{0}")]
    State(String),
    #[error("{0}")]
    Bad(String),
    #[error("{0}")]
    Unreachable(String),
    #[error("the workflow, the sheet or a parameter has mistakes")]
    Check { diagnostics: Vec<Diagnostic>, sources: BTreeMap<String, String> },
    #[error("the store refused")]
    Store(#[from] crate::store::Error),
    #[error("the engine has stopped")]
    Stopped,
}

/// What a submission is made of.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Submit {
    /// The workflow's path, for diagnostics.
    pub path: String,
    /// Its text.
    pub source: String,
    /// Workflows that it calls: name as written → (path, text).
    #[serde(default)]
    pub called: BTreeMap<String, (String, String)>,
    /// One run each; with a stamp that changes when one of its files does.
    pub specimens: Vec<(Specimen, String)>,
    /// Parameters as given.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// A workflow's text, with the texts that it calls.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// The workflow's path, for diagnostics.
    pub path: String,
    /// Its text.
    pub source: String,
    /// Workflows that it calls: name as written → (path, text).
    #[serde(default)]
    pub called: BTreeMap<String, (String, String)>,
}

/// What a submission became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Submitted {
    /// Its id; the same request again gets the same.
    pub submission: SubmissionId,
    /// It was here already.
    pub existed: bool,
    /// Runs of it that did not exist before.
    pub new_runs: usize,
    /// All its runs.
    pub runs: Vec<RunId>,
}

/// Which question a person answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// An `approve` step.
    Approve,
    /// A gate that holds.
    Qc,
}

impl AnswerKind {
    pub(super) fn ask(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Qc => "qc",
        }
    }
}

/// A person's answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RunAnswer")]
pub struct Answer {
    /// To which question.
    pub kind: AnswerKind,
    /// `approve`, `reject`, or a way out of a gate (`release`, `top_up` …).
    pub verdict: String,
    /// Why.
    pub reason: String,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// Requests about one run.
#[derive(Debug)]
pub(super) enum Request {
    Cancel {
        reason: String,
    },
    Hold {
        reason: String,
    },
    Resume,
    Retry {
        from: Option<String>,
    },
    /// `shown`: the fingerprint of the question as they saw it, if they say.
    Answer {
        step: String,
        answer: Answer,
        shown: Option<String>,
    },
}

impl Request {
    /// What a token must reach for it.
    pub(super) fn action(&self) -> Action {
        match self {
            Self::Cancel { .. } | Self::Hold { .. } | Self::Resume => Action::RunControl,
            Self::Retry { .. } => Action::Retry,
            Self::Answer { answer: Answer { kind: AnswerKind::Approve, .. }, .. } => Action::Release,
            Self::Answer { answer: Answer { kind: AnswerKind::Qc, .. }, .. } => Action::QcDecide,
        }
    }
}

pub(super) enum Message {
    Submitted(Box<super::submit::Ready>, Reply<Submitted>),
    About(RunId, Actor, Request, Reply<String>),
    Why(RunId, Option<String>, Reply<Vec<Because>>),
    /// What waits, and for what.
    Queue(super::queue::Durations, Reply<Vec<super::queue::Waiting>>),
    /// Rows that belong to no run (specimens, registered workflows).
    Keep(Box<crate::store::writer::Change>, Reply<()>),
    Report(crate::id::AttemptId, Report),
    Again(crate::id::AttemptId),
    /// A request about the center's records.
    Center(Box<super::center::request::Request>, Actor, Reply<super::center::request::Answer>),
    /// A look at a run folder.
    Look(Box<super::center::folders::Look>, Reply<()>),
    /// The run of an order line's round, ready to be stored.
    Prepared(String, i64, Box<Result<super::submit::Ready, Refusal>>),
    /// What files of an order line's run say of the person.
    Measured(String, RunId, Vec<Vec<crate::qc::verdict::Value>>),
    /// What a case closed.
    Sealed(String, super::work::seal::Sealed),
    SealAgain(String),
    /// How a thing of a case was destroyed.
    Destroyed(String, Result<String, String>),
    /// What became of the copies that a retirement is about.
    Retired(String, super::work::retire::Done),
    /// A notice's file lies in the outbox.
    Posted(String),
    /// What became of a letter: its notice, which of its letters, and what was said.
    Letter(String, usize, Result<String, crate::port::messenger::Error>),
    /// Nothing but a turn of the loop.
    Turn(Reply<()>),
    /// What is asked under a key, which act it is, and where the answer goes when it was done before.
    Once(super::once::Once, &'static str, Box<Message>, Reply<String>),
    /// What an executor said that it holds, or why it did not.
    Held(Arc<dyn Executor>, Result<Vec<Held>, String>),
    /// An executor that was away was asked again.
    Looked(String, Result<(), String>),
    /// How the executors stand.
    Executors(Reply<Vec<super::post::Standing>>),
    Collected(Vec<Collected>),
    Received(RunId, usize, Result<super::work::receive::Found, String>),
    Gate(RunId, usize, Result<GateReport, String>),
    Packed(RunId, usize, Box<super::work::pack::Work>, Result<Vec<PackageFile>, CourierError>),
    Carried(RunId, usize, Box<super::work::carry::Work>, Result<Carried, CourierError>),
}

/// The engine's handle.
#[derive(Clone)]
pub struct Handle {
    pub(super) inbox: mpsc::Sender<Message>,
    pub(super) options: std::sync::Arc<super::Options>,
    pub(super) reader: crate::store::read::Reader,
    pub(super) pulse: watch::Receiver<Pulse>,
    pub(super) told: broadcast::Sender<Told>,
    pub(super) artifacts: crate::store::artifact::ArtifactStore,
    pub(super) signer: Option<crate::audit::checkpoint::Secret>,
    pub(super) underway: super::underway::Underway,
    pub(super) tally: super::tally::Tally,
    /// What is asked through this one is one asking, see [`Handle::once`].
    pub(super) once: Option<super::once::Once>,
}

/// How the engine is, after its last commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Commits since the start: changes when something changed.
    pub commits: u64,
    /// Runs that can do something by themselves, queued ones included. Zero: all are at their end or wait for people.
    pub active: usize,
    /// Tools that run.
    pub tools: usize,
    /// Notices with letters that wait for their time, and letters that are on their way.
    pub letters: usize,
}

/// Something happened, for people who watch. Not a record: that is the event in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Run.
    pub run: RunId,
    /// Its specimen.
    pub specimen: String,
    /// The event's word (`step_started` …).
    pub kind: String,
    /// Step key or attempt id; may be empty.
    pub subject: String,
}

impl Handle {
    /// Checks, lays out and stores a submission; comes back when it is durable. The same request again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Check`] with every mistake; [`Refusal::Unreachable`] when an image cannot be had.
    pub async fn submit(&self, submit: Submit, actor: &Actor) -> Result<Submitted, Refusal> {
        actor.may("submit", Action::Submit)?;
        if let Some(submitted) = self.again("submit").await? {
            return Ok(submitted);
        }
        let ready = super::submit::prepare(submit, actor, &self.options, &self.reader).await?;
        Ok(self.act("submit", |reply| Message::Submitted(Box::new(ready), reply)).await?.0)
    }

    /// Asks something of the center: all of it is done, or nothing.
    ///
    /// # Errors
    /// When the actor may not, something is not there (or is somebody else's), or its state does not allow it.
    pub async fn center(
        &self,
        request: super::center::request::Request,
        actor: &Actor,
    ) -> Result<super::center::request::Answer, Refusal> {
        let (request, secret) = super::center::people::at_the_door(request, actor, &self.options.site).await?;
        let act = request.act();
        let asked = self.act(act, |reply| Message::Center(Box::new(request), actor.clone(), reply)).await?;
        super::once::told(asked, secret)
    }

    /// Signs somebody in and gives what they show from now on, once. Every try is written down.
    ///
    /// # Errors
    /// One and the same refusal, whatever was wrong.
    pub async fn sign_in(&self, name: &str, password: &str, code: &str) -> Result<Hidden, Refusal> {
        let (attempt, secret) = super::center::people::attempt(&self.reader, name, password, code).await?;
        let request = Box::new(super::center::request::Request::SignIn(attempt));
        let answer = self.ask(|reply| Message::Center(request, Actor::default(), reply)).await?;
        if answer.changed.is_empty() { Err(Refusal::NotAllowed(answer.said)) } else { Ok(secret) }
    }

    /// Signs out whoever shows this session; one that counts no more is signed out already.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn sign_out(&self, shown: &str) -> Result<(), Refusal> {
        let session = secret::read(session::PREFIX, shown).map(|shown| shown.id.to_owned());
        let (Some(session), Ok(known)) = (session, self.known(shown).await) else { return Ok(()) };
        let actor = Actor { name: known.into_name(), ..Actor::default() };
        self.center(super::center::request::Request::SignOut(session), &actor).await.map(|_| ())
    }

    /// Whose token or session this is. What was taken back counts for nothing after the commit that said so.
    ///
    /// # Errors
    /// When it is nobody's, or counts no more.
    pub async fn who(&self, shown: &str) -> Result<Actor, Refusal> {
        super::center::people::who(&self.reader, shown, self.options.clock.now()).await
    }

    /// The same, and of those too who were signed in by a link and have no account.
    ///
    /// # Errors
    /// When it is nobody's, or counts no more.
    pub async fn known(&self, shown: &str) -> Result<super::center::people::Known, Refusal> {
        super::center::people::known(&self.reader, shown, self.options.clock.now()).await
    }

    /// Whom this link would sign in now; looking does not use it up.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn whose_link(&self, shown: &str) -> Result<Option<String>, Refusal> {
        super::center::people::whose(&self.reader, shown, self.options.clock.now()).await
    }

    /// Signs in by a link and gives what is shown from now on, once. Every try is written down.
    ///
    /// # Errors
    /// One and the same refusal, whatever was wrong.
    pub async fn open_link(&self, shown: &str) -> Result<Hidden, Refusal> {
        let (opening, secret) = super::center::people::opening(shown)?;
        let request = Box::new(super::center::request::Request::OpenLink(opening));
        let answer = self.ask(|reply| Message::Center(request, Actor::default(), reply)).await?;
        if answer.changed.is_empty() { Err(Refusal::NotAllowed(answer.said)) } else { Ok(secret) }
    }

    /// The account of this name, for whoever has proved by a certificate who they are. Asked again for every request.
    ///
    /// # Errors
    /// When there is none, or it is disabled.
    pub async fn person(&self, name: &str) -> Result<Actor, Refusal> {
        super::center::people::named(&self.reader, name).await
    }

    /// Signs how the audit log stands.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn checkpoint(&self, actor: &Actor) -> Result<crate::audit::checkpoint::Checkpoint, Refusal> {
        let answer = self.center(super::center::request::Request::Checkpoint, actor).await?;
        answer.signed.ok_or(Refusal::Stopped)
    }

    /// A look at a run folder: what it leads to is stored with it, once.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn look(&self, look: super::center::folders::Look) -> Result<(), Refusal> {
        self.ask(|reply| Message::Look(Box::new(look), reply)).await
    }

    /// What is known of the run folders of a place: folder's name → state.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn folders(
        &self,
        place: &str,
    ) -> Result<BTreeMap<String, crate::intake::folder::FolderState>, crate::store::Error> {
        let rows = self.reader.records_of(crate::specimen::record::Kind::InstrumentRun.word(), place).await?;
        let known = rows.into_iter().filter_map(|row| {
            let run: crate::specimen::record::InstrumentRun = serde_json::from_str(&row.document).ok()?;
            Some((run.folder, run.watch?))
        });
        Ok(known.collect())
    }

    /// Ends a run by request.
    ///
    /// # Errors
    /// When it does not exist, has ended, or the actor may not.
    pub async fn cancel(&self, run: &RunId, actor: &Actor, reason: &str) -> Result<String, Refusal> {
        self.about(run, actor, Request::Cancel { reason: reason.to_owned() }).await
    }

    /// Pauses a run: what runs goes on, nothing new starts.
    ///
    /// # Errors
    /// When it does not exist, has ended, or the actor may not.
    pub async fn hold(&self, run: &RunId, actor: &Actor, reason: &str) -> Result<String, Refusal> {
        self.about(run, actor, Request::Hold { reason: reason.to_owned() }).await
    }

    /// Lets a held run go on.
    ///
    /// # Errors
    /// When it is not held or the actor may not.
    pub async fn resume(&self, run: &RunId, actor: &Actor) -> Result<String, Refusal> {
        self.about(run, actor, Request::Resume).await
    }

    /// Opens an ended run again.
    ///
    /// # Errors
    /// When there is nothing to do again or the actor may not.
    pub async fn retry(&self, run: &RunId, from: Option<&str>, actor: &Actor) -> Result<String, Refusal> {
        self.about(run, actor, Request::Retry { from: from.map(str::to_owned) }).await
    }

    /// Records a person's answer; `step` may be empty when only one step waits for it.
    ///
    /// # Errors
    /// When nothing waits for it or the actor may not.
    pub async fn answer(&self, run: &RunId, step: &str, actor: &Actor, answer: Answer) -> Result<String, Refusal> {
        let request = Request::Answer { step: step.to_owned(), answer, shown: None };
        self.about(run, actor, request).await
    }

    /// As [`Handle::answer`], and only to the question that they were shown ([`crate::store::rows::detail::Ask::fingerprint`]): one
    /// that was asked anew since, or about other values, is refused.
    ///
    /// # Errors
    /// When the question is another one, nothing waits for it, or the actor may not.
    pub async fn answer_as_shown(
        &self,
        run: &RunId,
        step: &str,
        actor: &Actor,
        (answer, shown): (Answer, &str),
    ) -> Result<String, Refusal> {
        let request = Request::Answer { step: step.to_owned(), answer, shown: Some(shown.to_owned()) };
        self.about(run, actor, request).await
    }

    /// What is wrong with a workflow's text, and the workflow when nothing is: as a submission would be told. Nothing is stored.
    #[must_use]
    pub fn check(&self, definition: &Definition) -> kentai_workflows::check::Checked {
        let Definition { path, source, called } = definition;
        super::submit::check_text((path, source, called), &(self.options.facts)(), &self.options)
    }

    /// Which parameters are wrong, before anything is submitted.
    #[must_use]
    pub fn check_params(
        &self,
        workflow: &kentai_workflows::workflow::Workflow,
        given: &BTreeMap<String, String>,
    ) -> Vec<Diagnostic> {
        super::submit::params(workflow, given, &(self.options.facts)()).err().unwrap_or_default()
    }

    /// May they submit?
    ///
    /// # Errors
    /// When their roles do not allow it.
    pub fn may_submit(&self, actor: &Actor) -> Result<(), Refusal> {
        actor.may("submit", Action::Submit)
    }

    /// Why a run, or one of its steps, stands where it stands.
    ///
    /// # Errors
    /// When it does not exist.
    pub async fn why(&self, run: &RunId, step: Option<&str>) -> Result<Vec<Because>, Refusal> {
        self.ask(|reply| Message::Why(run.clone(), step.map(str::to_owned), reply)).await
    }

    /// Keeps what a sheet says about specimens, without running anything.
    ///
    /// # Errors
    /// When the actor may not, or an id is no id.
    pub async fn import(&self, specimens: &[Specimen], source: &str, actor: &Actor) -> Result<(), Refusal> {
        let change = super::keep::specimens(specimens, source, actor, self.options.clock.now())?;
        let ((), _) = self.act("keep", |reply| Message::Keep(Box::new(change), reply)).await?;
        Ok(())
    }

    /// Registers a workflow and gives its digest; every image that it names must be locked at this site.
    ///
    /// # Errors
    /// When the actor may not; [`Refusal::Check`] with every mistake, an image without a lock being one.
    pub async fn register(&self, definition: &Definition, actor: &Actor) -> Result<String, Refusal> {
        let (change, digest) = super::keep::workflow(definition, &self.options, actor)?;
        let ((), _) = self.act("keep", |reply| Message::Keep(Box::new(change), reply)).await?;
        Ok(digest)
    }

    /// The key that signs links to the site's files; made when the site has none yet. It reads the disk: whoever asks keeps it.
    ///
    /// # Errors
    /// When the key cannot be read or made, or is not as it was.
    pub fn links_key(&self) -> Result<[u8; 32], Refusal> {
        super::center::links_key(&self.options.directory).map_err(|error| {
            tracing::error!(%error, "links to files cannot be signed");
            Refusal::Unreachable("links to files cannot be signed here: the engine's log says why".into())
        })
    }

    /// The site's files.
    #[must_use]
    pub fn artifacts(&self) -> &crate::store::artifact::ArtifactStore {
        &self.artifacts
    }

    /// What is stored.
    #[must_use]
    pub fn reader(&self) -> &crate::store::read::Reader {
        &self.reader
    }

    /// What the engine was started with.
    #[must_use]
    pub fn options(&self) -> &super::Options {
        &self.options
    }

    /// What was committed since the start, by kind.
    #[must_use]
    pub fn tally(&self) -> super::tally::Counts {
        self.tally.counts()
    }

    /// Changes with every commit.
    #[must_use]
    pub fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.clone()
    }

    /// Comes back when nothing more happens by itself: every message was taken, every work beside the loop has answered. Tools may run
    /// and people may be asked; whoever moves a virtual clock waits here before.
    ///
    /// # Errors
    /// When the engine has stopped.
    pub async fn settled(&self) -> Result<(), Refusal> {
        loop {
            self.underway.none().await;
            let commits = self.pulse.borrow().commits;
            // The first answer may come while the effects of its turn are still being carried out; the second comes after them.
            self.ask(Message::Turn).await?;
            self.ask(Message::Turn).await?;
            let quiet = self.underway.is_none() && self.inbox.capacity() == self.inbox.max_capacity();
            // What was taken from the inbox just before that look is committed before this is answered.
            self.ask(Message::Turn).await?;
            if quiet && self.underway.is_none() && self.pulse.borrow().commits == commits {
                return Ok(());
            }
        }
    }

    /// What happens from now on; a slow listener loses the oldest.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Told> {
        self.told.subscribe()
    }

    /// The submission that the same request made earlier, if any. Cheaper than [`Handle::submit`], and changes nothing.
    ///
    /// # Errors
    /// [`Refusal::Check`] when the workflow has mistakes.
    pub async fn find(&self, submit: &Submit) -> Result<Option<SubmissionId>, Refusal> {
        super::submit::find(submit, &self.options, &self.reader).await
    }

    async fn about(&self, run: &RunId, actor: &Actor, request: Request) -> Result<String, Refusal> {
        Ok(self.act("run", |reply| Message::About(run.clone(), actor.clone(), request, reply)).await?.0)
    }

    pub(super) async fn ask<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(message(reply)).await.map_err(|_| Refusal::Stopped)?;
        answer.await.map_err(|_| Refusal::Stopped)?
    }
}

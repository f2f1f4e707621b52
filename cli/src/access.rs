//! How a verb reaches a site: through its server when one answers, else by opening the site itself.

use kentai_engine::id::RunId;
use kentai_engine::people::permission::{Action, Principal, permit};
use kentai_engine::scheduler::center::request as center;
use kentai_engine::scheduler::handle::{Answer, Definition};
use kentai_engine::scheduler::post::Standing;
use kentai_engine::scheduler::why::Because;
use kentai_engine::scheduler::{Actor, Error as EngineError, Running};
use kentai_engine::store::pool::Pool;
use kentai_engine::store::read::Reader;
use kentai_engine::view;
use kentai_engine::view::center::{self as center_view, Inner, Refused};
use kentai_workflows::plan::Specimen;

use crate::client::Client;
use crate::command::run::refused;
use crate::exit::{Exit, Stop};
use crate::site::Site;
use crate::{assemble, person};

/// A way to change things.
pub(crate) enum Door {
    /// The site's server.
    Server(Client),
    /// An engine of our own that starts nothing, and the person we are.
    Own(Box<Running>, Actor),
}

/// Reads the site's database, whether an engine runs or not.
pub(crate) async fn reader(site: &Site) -> anyhow::Result<Reader> {
    let nothing = || Stop::new(Exit::NotFound, "nothing has run on this site yet; start with `kentai run`");
    Ok(reader_if_any(site).await?.ok_or_else(nothing)?)
}

/// For lists: on a site where nothing has run yet they are empty.
pub(crate) async fn reader_if_any(site: &Site) -> anyhow::Result<Option<Reader>> {
    let path = site.database();
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(Reader::new(Pool::open_read_only(&path).await?)))
}

/// Does an engine hold the site's lock? Asked of the kernel's list: a try to take the lock could make an engine fail that
/// starts at this moment. An engine in another container may not be seen.
pub(crate) fn engine_at_work(site: &Site) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(lock) = std::fs::metadata(site.directory.join("run/engine.lock")) else { return false };
    let inode = format!(":{} ", lock.ino());
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| line.contains(" FLOCK ") && line.contains(&inode))
}

/// Why no engine of our own can start: another one is there, which can be asked.
pub(crate) fn busy(error: assemble::Error) -> anyhow::Error {
    match error {
        assemble::Error::Engine(EngineError::Locked { site }) => {
            let message =
                format!("an engine is at work on {site}: `kentai submit --wait` hands it more, `kentai status` looks");
            Stop::new(Exit::State, message).into()
        }
        other => other.into(),
    }
}

/// Whoever runs this command, for what is read of the center.
pub(crate) fn who(site: &Site) -> Principal {
    person::me(&site.config, &site.directory).principal()
}

/// Somebody who is not of the center.
pub(crate) fn is_outsider(who: &Principal) -> bool {
    who.institution.is_some() || who.data_center.is_some()
}

/// Runs, sheets and hand-offs are the center's own: people from outside learn nothing of them, not even whether they are there.
pub(crate) async fn of_the_center(site: &Site, inner: Inner, id: Option<&str>) -> anyhow::Result<()> {
    let Some(reader) = reader_if_any(site).await? else { return Ok(()) };
    center_view::inside(&reader, &who(site), inner, id).await.map_err(hidden)
}

/// What the site is made of (its workflows, references, schedules) is for people of the center whose roles allow it.
pub(crate) fn no_stranger(site: &Site, action: Action) -> anyhow::Result<()> {
    let who = who(site);
    if !is_outsider(&who) && permit(&who, action, None).is_ok() {
        return Ok(());
    }
    let message = format!("{} may not do this: it is for people of the center", who.name);
    Err(Stop::new(Exit::NotAllowed, message).into())
}

/// What is not shown, with its exit code.
pub(crate) fn hidden(refused: Refused) -> anyhow::Error {
    let exit = match &refused {
        Refused::NotFound(_) => Exit::NotFound,
        Refused::NotAllowed(_) => Exit::NotAllowed,
        Refused::Bad(_) => Exit::Usage,
        Refused::Gone(_) => Exit::State,
        Refused::Store(_) => return refused.into(),
    };
    Stop::new(exit, refused.to_string()).into()
}

/// The run that `text` names: its id, or the beginning of one.
pub(crate) async fn run_id(reader: &Reader, text: &str) -> anyhow::Result<RunId> {
    match view::find_run(reader, text).await? {
        view::Found::One(id) => Ok(id),
        view::Found::None => {
            let text = text.escape_debug();
            Err(Stop::new(Exit::NotFound, format!("there is no run `{text}`; see `kentai status`")).into())
        }
        view::Found::Several => {
            Err(Stop::new(Exit::State, format!("several runs begin with `{text}`: give more of the id")).into())
        }
    }
}

impl Door {
    /// Opens a door for a change.
    pub(crate) async fn open(site: &Site) -> anyhow::Result<Self> {
        if let Some(client) = Client::connect(&site.socket()).await? {
            return Ok(Self::Server(client));
        }
        let running = assemble::engine(site, None, true).await.map_err(|error| match error {
            assemble::Error::Engine(EngineError::Locked { .. }) => {
                let message = "an engine is at work on this site and answers no requests: wait for its end, or stop it";
                Stop::new(Exit::State, message).into()
            }
            other => anyhow::Error::from(other),
        })?;
        Ok(Self::Own(Box::new(running), person::me(&site.config, &site.directory)))
    }

    /// Closes it; an engine of our own writes what is left.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Own(running, _) => Ok(running.stop().await?),
        }
    }

    pub(crate) async fn cancel(&self, run: &RunId, reason: &str) -> anyhow::Result<String> {
        match self {
            Self::Server(client) => Ok(client.cancel(run.as_str(), reason).await?),
            Self::Own(own, me) => own.handle.cancel(run, me, reason).await.map_err(refused),
        }
    }

    pub(crate) async fn hold(&self, run: &RunId, reason: &str) -> anyhow::Result<String> {
        match self {
            Self::Server(client) => Ok(client.hold(run.as_str(), reason).await?),
            Self::Own(own, me) => own.handle.hold(run, me, reason).await.map_err(refused),
        }
    }

    pub(crate) async fn resume(&self, run: &RunId) -> anyhow::Result<String> {
        match self {
            Self::Server(client) => Ok(client.resume(run.as_str()).await?),
            Self::Own(own, me) => own.handle.resume(run, me).await.map_err(refused),
        }
    }

    pub(crate) async fn retry(&self, run: &RunId, from: Option<&str>) -> anyhow::Result<String> {
        match self {
            Self::Server(client) => Ok(client.retry(run.as_str(), from).await?),
            Self::Own(own, me) => own.handle.retry(run, from, me).await.map_err(refused),
        }
    }

    pub(crate) async fn answer(&self, run: &RunId, step: &str, answer: Answer) -> anyhow::Result<String> {
        match self {
            Self::Server(client) => Ok(client.answer(run.as_str(), step, &answer).await?),
            Self::Own(own, me) => own.handle.answer(run, step, me, answer).await.map_err(refused),
        }
    }

    /// Keeps specimens without running anything.
    pub(crate) async fn import(&self, specimens: &[Specimen], source: &str) -> anyhow::Result<()> {
        match self {
            Self::Server(client) => Ok(client.import(specimens, source).await?),
            Self::Own(own, me) => own.handle.import(specimens, source, me).await.map_err(refused),
        }
    }

    /// Registers a workflow and gives its digest.
    pub(crate) async fn register(&self, definition: &Definition) -> anyhow::Result<String> {
        match self {
            Self::Server(client) => Ok(client.register(definition).await?.digest),
            Self::Own(own, me) => own.handle.register(definition, me).await.map_err(refused),
        }
    }

    /// How the executors stand.
    pub(crate) async fn executors(&self) -> anyhow::Result<Vec<Standing>> {
        match self {
            Self::Server(client) => Ok(client.executors().await?),
            Self::Own(own, _) => own.handle.executors().await.map_err(refused),
        }
    }

    /// Asks something of the center.
    pub(crate) async fn center(&self, request: center::Request) -> anyhow::Result<center::Answer> {
        match self {
            Self::Server(client) => Ok(client.center(&request).await?),
            Self::Own(own, me) => own.handle.center(request, me).await.map_err(refused),
        }
    }

    pub(crate) async fn why(&self, run: &RunId, step: Option<&str>) -> anyhow::Result<Vec<Because>> {
        match self {
            Self::Server(client) => Ok(client.why(run.as_str(), step).await?),
            Self::Own(own, _) => own.handle.why(run, step).await.map_err(refused),
        }
    }
}

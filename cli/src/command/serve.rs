//! `kentai serve`: an engine that stays, the site's socket, and the network where the site says so.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use kentai_engine::scheduler::handle::Handle;
use kentai_web::listen::{self, Door, Files, OpenError};
use kentai_web::traces::Traces;
use kentai_web::{Beside, BindError};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::access::busy;
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;
use crate::times::Zone;
use crate::triggers::Triggers;
use crate::{assemble, config, person, telemetry};

/// The site's socket, while it is served.
pub(crate) struct Listening {
    token: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Listening {
    /// Opens the door to an engine.
    pub(crate) fn start(site: &Site, handle: &Handle, traces: Option<Traces>) -> Result<Self, BindError> {
        Self::with(site, router(site, handle, Beside { traces, ..Beside::default() }))
    }

    fn with(site: &Site, router: kentai_web::Router) -> Result<Self, BindError> {
        let listener = kentai_web::bind(&site.socket())?;
        let token = CancellationToken::new();
        let server = tokio::spawn(kentai_web::serve(listener, router, token.clone()));
        Ok(Self { token, server })
    }

    /// Takes nothing new and lets requests under way finish.
    pub(crate) async fn end(self) {
        self.token.cancel();
        let _ = self.server.await;
    }
}

fn router(site: &Site, handle: &Handle, beside: Beside) -> kentai_web::Router {
    let (directory, settings) = (site.directory.clone(), site.config.clone());
    let people: kentai_web::People = Arc::new(move |uid| {
        // Read anew: a person who was taken out of the file loses the roles without a restart.
        let settings = config::Config::load(&directory).map_or_else(|_| settings.clone(), |(settings, _)| settings);
        person::of(uid, &settings, &directory)
    });
    kentai_web::router_with(handle.clone(), people, Zone::of(site).zone(), beside)
}

/// The doors to the network, while they are open.
struct Doors {
    token: CancellationToken,
    doors: tokio::task::JoinSet<()>,
    addresses: Vec<SocketAddr>,
}

impl Doors {
    /// Opens all of `serve:`, or none.
    fn open(site: &Site, router: &kentai_web::Router) -> Result<Self, OpenError> {
        let doors: Vec<Door> =
            site.config.serve.iter().map(|one| Door::open(options(site, one))).collect::<Result<_, _>>()?;
        let (token, addresses) = (CancellationToken::new(), doors.iter().map(Door::address).collect());
        let doors = doors.into_iter().map(|door| door.serve(router.clone(), token.clone())).collect();
        Ok(Self { token, doors, addresses })
    }

    async fn end(self) {
        self.token.cancel();
        self.doors.join_all().await;
    }
}

fn options(site: &Site, serve: &config::Serve) -> listen::Options {
    let at = |path: &PathBuf| site.directory.join(path);
    let directory = site.directory.clone();
    let whose = move |digest: &str| {
        // Read anew, as the people are. While the file cannot be read nobody outside is known: what was there before may have been
        // taken out of it.
        let (settings, _) = config::Config::load(&directory).ok()?;
        settings.client_certificates.into_iter().find(|one| one.digest() == digest).map(|one| one.person)
    };
    listen::Options {
        address: serve.listen,
        tls: serve.tls.as_ref().map(|tls| Files {
            certificate: at(&tls.certificate),
            key: at(&tls.key),
            client_ca: tls.client_ca.as_ref().map(at),
        }),
        plain_allowed: serve.plain == "allowed",
        limits: serve.limits.of_door(),
        certificates: Arc::new(whose),
    }
}

/// Serves until it is asked to end; tools that run then go on and are adopted by the next engine.
pub(crate) async fn serve(site: &Site, executor: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let ready = telemetry(site, output)?;
    let sign_on = assemble::sign_on(site).map_err(|error| stop(Exit::Usage, error))?;
    let mut engine = assemble::engine(site, executor, false).await.map_err(busy)?;
    let telemetry = ready.start(&engine.handle);
    // One for all doors: what is counted is of all of them.
    let router = router(site, &engine.handle, Beside { traces: telemetry.traces(), sign_on });
    let listening = match Listening::with(site, router.clone()) {
        Ok(listening) => listening,
        Err(error) => {
            telemetry.end().await;
            engine.stop().await?;
            return Err(refused(error));
        }
    };
    let doors = match Doors::open(site, &router) {
        Ok(doors) => doors,
        Err(error) => {
            listening.end().await;
            telemetry.end().await;
            engine.stop().await?;
            return Err(not_opened(error));
        }
    };
    let triggers = Triggers::start(site, &engine.handle);
    tell(site, &doors.addresses, output);
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = engine.ended() => Some(ended),
        _ = terminate.recv() => None,
        _ = tokio::signal::ctrl_c() => None,
    };
    triggers.end().await;
    // Together: each gives requests under way the same grace.
    tokio::join!(doors.end(), listening.end());
    telemetry.end().await;
    if let Some(ended) = ended {
        ended?;
        return Ok(Exit::Unexpected);
    }
    output.say("stopping; tools that run go on and are adopted by the next engine");
    tokio::select! {
        stopped = engine.stop() => stopped?,
        // Somebody is in a hurry. Nothing is lost: it is as after a crash.
        _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
    }
    Ok(Exit::Done)
}

/// What traces need, before an engine is started for nothing.
pub(crate) fn telemetry(site: &Site, output: Output) -> anyhow::Result<telemetry::Ready> {
    telemetry::Ready::new(site, output).map_err(|error: telemetry::Error| stop(Exit::Usage, error))
}

fn tell(site: &Site, addresses: &[SocketAddr], output: Output) {
    let (name, socket) = (&site.config.site, site.socket());
    let listens: Vec<String> =
        [socket.display().to_string()].into_iter().chain(addresses.iter().map(ToString::to_string)).collect();
    output.say(format!("site `{name}`: the engine runs and listens on {}; Ctrl-C ends it", listens.join(", ")));
    let pages: Vec<String> = site.config.serve.iter().zip(addresses).map(|(one, at)| one.page_at(*at)).collect();
    match pages.first() {
        Some(page) => {
            output.say(format!("the page: {page}; `kentai --site {} page` signs you in", site.directory.display()))
        }
        None => output.say("no page: `serve:` in kentai.yaml says where one is to be had"),
    }
    if output.json {
        let told = serde_json::json!({
            "site": name, "socket": socket, "addresses": addresses, "pages": pages, "pid": std::process::id(),
        });
        output.json(&told);
    }
}

fn not_opened(error: OpenError) -> anyhow::Error {
    let exit = match &error {
        OpenError::Listen { .. } => Exit::State,
        OpenError::Plain(_) | OpenError::Tls(_) | OpenError::Files(_) => Exit::Usage,
    };
    stop(exit, error)
}

fn stop(exit: Exit, error: impl std::error::Error + Send + Sync + 'static) -> anyhow::Error {
    let chain: Vec<String> = anyhow::Error::from(error).chain().map(ToString::to_string).collect();
    Stop::new(exit, chain.join(": ")).into()
}

fn refused(error: BindError) -> anyhow::Error {
    let exit = match &error {
        BindError::Answered(_) | BindError::Other(_) => Exit::State,
        BindError::TooLong(_) => Exit::Usage,
        BindError::Io { .. } => Exit::Unexpected,
    };
    stop(exit, error)
}

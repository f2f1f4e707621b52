//! `kentai serve`: an engine that stays, and the site's socket.

use std::sync::Arc;

use kentai_engine::scheduler::handle::Handle;
use kentai_web::BindError;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::access::busy;
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;
use crate::triggers::Triggers;
use crate::{assemble, config, person};

/// The site's socket, while it is served.
pub(crate) struct Listening {
    token: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Listening {
    /// Opens the door to an engine.
    pub(crate) fn start(site: &Site, handle: &Handle) -> Result<Self, BindError> {
        let listener = kentai_web::bind(&site.socket())?;
        let (directory, settings) = (site.directory.clone(), site.config.clone());
        let people: kentai_web::People = Arc::new(move |uid| {
            // Read anew: a person who was taken out of the file loses the roles without a restart.
            let settings = config::Config::load(&directory).map_or_else(|_| settings.clone(), |(settings, _)| settings);
            person::of(uid, &settings, &directory)
        });
        let token = CancellationToken::new();
        let router = kentai_web::router(handle.clone(), people);
        let server = tokio::spawn(kentai_web::serve(listener, router, token.clone()));
        Ok(Self { token, server })
    }

    /// Takes nothing new and lets requests under way finish.
    pub(crate) async fn end(self) {
        self.token.cancel();
        let _ = self.server.await;
    }
}

/// Serves until it is asked to end; tools that run then go on and are adopted by the next engine.
pub(crate) async fn serve(site: &Site, executor: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let mut engine = assemble::engine(site, executor, false).await.map_err(busy)?;
    let listening = match Listening::start(site, &engine.handle) {
        Ok(listening) => listening,
        Err(error) => {
            engine.stop().await?;
            return Err(refused(error));
        }
    };
    let triggers = Triggers::start(site, &engine.handle);
    let (name, socket) = (&site.config.site, site.socket());
    output.say(format!("site `{name}`: the engine runs and listens on {}; Ctrl-C ends it", socket.display()));
    if output.json {
        output.json(&serde_json::json!({ "site": name, "socket": socket, "pid": std::process::id() }));
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = engine.ended() => Some(ended),
        _ = terminate.recv() => None,
        _ = tokio::signal::ctrl_c() => None,
    };
    triggers.end().await;
    listening.end().await;
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

fn refused(error: BindError) -> anyhow::Error {
    let exit = match &error {
        BindError::Answered(_) | BindError::Other(_) => Exit::State,
        BindError::TooLong(_) => Exit::Usage,
        BindError::Io { .. } => Exit::Unexpected,
    };
    let chain: Vec<String> = anyhow::Error::from(error).chain().map(ToString::to_string).collect();
    Stop::new(exit, chain.join(": ")).into()
}

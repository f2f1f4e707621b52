//! `kentai serve`: an engine that stays, and the site's socket.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::output::Output;
use crate::site::Site;
use crate::{assemble, config, person};

/// Serves until it is asked to end; tools that run then go on and are adopted by the next engine.
pub(crate) async fn serve(site: &Site, executor: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let mut engine = assemble::engine(site, executor, false).await?;
    let socket = site.socket();
    let listener = kentai_web::bind(&socket)?;
    let directory = site.directory.clone();
    let settings = site.config.clone();
    let people: kentai_web::People = Arc::new(move |uid| {
        // Read anew: a person who was taken out of the file loses the roles without a restart.
        let settings = config::Config::load(&directory).map_or_else(|_| settings.clone(), |(settings, _)| settings);
        person::of(uid, &settings, &directory)
    });
    let token = CancellationToken::new();
    let router = kentai_web::router(engine.handle.clone(), people);
    let server = tokio::spawn(kentai_web::serve(listener, router, token.clone()));
    output.say(format!("site `{}`: engine running, listening on {}", site.config.site, socket.display()));
    let mut terminate = signal(SignalKind::terminate())?;
    let ended = tokio::select! {
        ended = engine.ended() => Some(ended),
        _ = terminate.recv() => None,
        _ = tokio::signal::ctrl_c() => None,
    };
    token.cancel();
    let _ = server.await;
    if let Some(ended) = ended {
        ended?;
        return Ok(Exit::Unexpected);
    }
    output.say("stopping; tools that run go on and are adopted by the next engine");
    engine.stop().await?;
    Ok(Exit::Done)
}

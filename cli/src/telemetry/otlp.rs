//! OTLP by HTTP: two tasks, one that reads the log on and makes spans, one that sends them. Between them lies a bounded queue; requests
//! reach it from the door. Neither task is ever waited for but at the end, and then not for long.

mod context;
mod encode;
mod export;
mod follow;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use kentai_engine::scheduler::handle::Handle;
use kentai_engine::view::trace::Follower;
use kentai_web::traces::Traces;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::output::Output;
use crate::site::Site;
use export::{Exporter, Outlet};
pub(crate) use settings::Error;
use settings::Settings;

/// What waits at the stop may still be sent for so long.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// What traces need, found to be fit; nothing when nobody asked for them.
pub(crate) struct Ready(Option<(Settings, Exporter)>);

impl Ready {
    /// Reads what the site file and the variables say.
    pub(crate) fn new(site: &Site, _: Output) -> Result<Self, Error> {
        let variables = std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")).collect();
        let Some(settings) = settings::settings(site, &variables)? else { return Ok(Self(None)) };
        let exporter = Exporter::new(&settings)?;
        Ok(Self(Some((settings, exporter))))
    }

    /// From this engine's first event on.
    pub(crate) fn start(self, handle: &Handle) -> Telemetry {
        Telemetry(self.0.map(|(settings, exporter)| Running::start(&settings, exporter, handle)))
    }
}

/// Traces while they are sent.
pub(crate) struct Telemetry(Option<Running>);

struct Running {
    outlet: Outlet,
    following: CancellationToken,
    follower: JoinHandle<()>,
    sending: CancellationToken,
    sender: JoinHandle<()>,
}

impl Telemetry {
    /// For the door.
    pub(crate) fn traces(&self) -> Option<Traces> {
        let (told, asked) = (self.0.as_ref()?.outlet.clone(), self.0.as_ref()?.outlet.clone());
        Some(Traces {
            answered: Arc::new(move |answered| told.answered(&answered)),
            counts: Arc::new(move || asked.counts()),
        })
    }

    /// Sends what was committed by now, as far as the collector takes it at once. Before the engine stops: its log is read.
    pub(crate) async fn end(self) {
        if let Some(running) = self.0 {
            running.end().await;
        }
    }
}

impl Running {
    fn start(settings: &Settings, exporter: Exporter, handle: &Handle) -> Self {
        let (outlet, queue) = Outlet::new(settings.sample);
        let (following, sending) = (CancellationToken::new(), CancellationToken::new());
        let log = Follower::new(handle.reader().clone(), handle.tally().after);
        let follower = tokio::spawn(follow::follow(log, handle.pulse(), outlet.clone(), following.clone()));
        let sender = tokio::spawn(exporter.run(queue, outlet.tally(), sending.clone()));
        Self { outlet, following, follower, sending, sender }
    }

    async fn end(mut self) {
        self.following.cancel();
        // It reads the database: it is let end by itself, which it does soon.
        let _ = self.follower.await;
        self.sending.cancel();
        if tokio::time::timeout(FLUSH_MAX, &mut self.sender).await.is_err() {
            self.sender.abort();
            let _ = self.sender.await;
        }
        let lost = self.outlet.unsettled();
        if lost > 0 {
            tracing::warn!(spans = lost, "the collector did not take these spans before the stop");
        }
    }
}

//! A build without traces: it says so where a site asks for them, and goes on. What a site does without a collector it does here.

use kentai_engine::scheduler::handle::Handle;
use kentai_web::traces::Traces;

use crate::output::Output;
use crate::site::Site;

/// Nothing that can go wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {}

/// Nothing to start.
pub(crate) struct Ready;

impl Ready {
    /// Says that nothing will be sent, where the site file says that something should be.
    pub(crate) fn new(site: &Site, output: Output) -> Result<Self, Error> {
        if !site.config.telemetry.traces.endpoint.is_empty() {
            output.say(
                "no traces are sent: `telemetry.traces.endpoint` is set, but this binary was built without them; \
                 build it with `cargo build --release -p kentai --features otel`",
            );
        }
        Ok(Self)
    }

    pub(crate) fn start(self, _: &Handle) -> Telemetry {
        Telemetry
    }
}

/// Nothing that runs.
pub(crate) struct Telemetry;

impl Telemetry {
    pub(crate) fn traces(&self) -> Option<Traces> {
        None
    }

    /// Comes back at once.
    pub(crate) async fn end(self) {}
}

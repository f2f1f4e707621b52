//! Traces of what the engine does, for a collector of OpenTelemetry (docs/decisions/0023). Behind the feature `otel`; without it there is
//! only the sentence that says so.
//!
//! They are made of what was committed, beside the loop, and never wait for: what a collector does not take is lost and counted.

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod otlp;

#[cfg(not(feature = "otel"))]
pub(crate) use absent::{Error, Ready, Telemetry};
#[cfg(feature = "otel")]
pub(crate) use otlp::{Error, Ready, Telemetry};

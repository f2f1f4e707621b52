//! What the world implements for the engine: executors run attempts, the collector takes their outputs in, couriers carry packages, messengers
//! take letters.
//!
//! Only shapes live here. Nothing in this room knows Docker, Slurm or a protocol.

pub mod collect;
pub mod courier;
pub mod executor;
pub mod messenger;

use std::{future::Future, pin::Pin};

/// A boxed future: the ports are object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

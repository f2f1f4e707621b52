//! How much has come in: a bar on a terminal, nothing otherwise. It knows no files.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Output;

/// Counts bytes of one package.
pub(super) struct Meter {
    bar: ProgressBar,
}

impl Meter {
    /// For so many bytes under this name.
    pub(super) fn start(name: &str, bytes: u64, output: Output) -> Self {
        if output.quiet || output.json || !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden() };
        }
        let style = "{msg} {bytes:>11}/{total_bytes} {binary_bytes_per_sec:>13} {eta:>5} left [{bar:30}]";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: ProgressBar::new(bytes).with_style(style).with_message(name.to_owned()) }
    }

    /// Bytes came in.
    pub(super) fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Bytes that were here before: they say nothing about how fast it goes.
    pub(super) fn had(&self, bytes: u64) {
        self.bar.inc(bytes);
        self.bar.reset_eta();
    }

    /// Bytes that were of no use.
    pub(super) fn lost(&self, bytes: u64) {
        self.bar.dec(bytes);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

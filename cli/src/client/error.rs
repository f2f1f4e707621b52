//! What the server refused, with the exit code that it means.

use std::fmt;

use reqwest::Response;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Stop};

/// A refusal of the server, or its silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientError {
    /// HTTP status; none when there was no answer.
    pub status: Option<u16>,
    /// What it said, or what is known.
    pub problem: Problem,
}

/// RFC 9457 problem details, as our server writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub title: String,
    pub detail: String,
    /// Name of the exit code.
    pub code: String,
    pub diagnostics: Vec<Mistake>,
    /// Rows of a table that are wrong.
    pub problems: Vec<kentai_engine::specimen::import::Problem>,
}

/// One diagnostic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Mistake {
    pub code: String,
    pub severity: String,
    pub message: String,
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub help: Option<String>,
}

impl ClientError {
    /// No answer, or none that can be read.
    pub(super) fn silent(what: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let chain: Vec<String> =
            std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
        Self::unreachable(format!("cannot reach {what}: {}", chain.join(": ")))
    }

    /// An answer that a server of ours does not give.
    pub(super) fn odd(what: &str) -> Self {
        Self::unreachable(format!("the server answered with {what}: is it of another version?"))
    }

    fn unreachable(detail: String) -> Self {
        Self { status: None, problem: Problem { detail, code: "unreachable".into(), ..Problem::default() } }
    }

    /// From an answer that is no success.
    pub(super) async fn of(response: Response) -> Self {
        let status = response.status();
        let mut problem: Problem = response.json().await.unwrap_or_default();
        if problem.detail.is_empty() {
            problem.detail = format!("the server answered {status}");
        }
        Self { status: Some(status.as_u16()), problem }
    }

    /// The exit code that it means.
    pub(crate) fn exit(&self) -> Exit {
        match self.status {
            Some(400 | 405 | 413 | 415) => Exit::Usage,
            Some(403) => Exit::NotAllowed,
            Some(404) => Exit::NotFound,
            Some(409) => Exit::State,
            Some(422) => Exit::CheckFailed,
            Some(503) | None => Exit::Unreachable,
            Some(_) => Exit::Unexpected,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.detail)?;
        for mistake in &self.problem.diagnostics {
            let Mistake { code, severity, message, file, line, column, .. } = mistake;
            write!(f, "\n{file}:{line}:{column}: {severity}[{code}]: {message}")?;
            if let Some(help) = &mistake.help {
                write!(f, "\n  = {}", help.replace('\n', "\n  = "))?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ClientError {}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::new(error.exit(), error.to_string())
    }
}

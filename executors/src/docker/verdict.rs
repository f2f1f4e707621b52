//! What an inspected state means. Pure: one state, one meaning.

use bollard::models::{ContainerState, ContainerStateStatusEnum as Status};

/// Docker's way of saying "never".
const NEVER: &str = "0001-01-01T00:00:00Z";

/// One container's state, as far as decisions go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Created, and nobody has tried to start it: the one state that is started.
    Fresh,
    /// A start was refused; nothing of it ever ran.
    Refused {
        /// What the runtime gave.
        exit_code: i64,
        /// Why.
        error: String,
    },
    /// Something of it runs.
    Running,
    /// Nothing of it runs any more.
    Ended {
        /// What Docker believes; it has been wrong across daemon restarts.
        exit_code: Option<i64>,
        /// A process of it was killed for memory.
        oom_killed: bool,
        /// The runtime's own error.
        error: Option<String>,
    },
    /// A state that we do not know how to read.
    Unknown(String),
}

/// Reads a state.
pub(super) fn read(state: Option<&ContainerState>) -> Meaning {
    let Some(state) = state else { return Meaning::Unknown("without a state".to_owned()) };
    let error = state.error.clone().filter(|error| !error.is_empty());
    let started = state.started_at.as_deref().is_some_and(|at| !at.is_empty() && at != NEVER);
    let exit_code = state.exit_code.unwrap_or(0);
    match state.status {
        Some(Status::CREATED) if started => Meaning::Unknown("created and started".to_owned()),
        Some(Status::CREATED) if error.is_none() && exit_code == 0 => Meaning::Fresh,
        Some(Status::CREATED) => {
            Meaning::Refused { exit_code, error: error.unwrap_or_else(|| "no reason given".to_owned()) }
        }
        Some(Status::RUNNING | Status::PAUSED | Status::RESTARTING | Status::STOPPING) => Meaning::Running,
        // Being removed: what it was before is answered by the disk once it is gone.
        Some(Status::REMOVING) => Meaning::Running,
        Some(Status::EXITED | Status::DEAD) => {
            let oom_killed = state.oom_killed.unwrap_or(false);
            Meaning::Ended { exit_code: state.exit_code, oom_killed, error }
        }
        Some(Status::EMPTY) | None => Meaning::Unknown("without a status".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(status: Status, started: &str, exit_code: i64, error: &str) -> ContainerState {
        ContainerState {
            status: Some(status),
            started_at: Some(started.into()),
            exit_code: Some(exit_code),
            error: Some(error.into()),
            ..ContainerState::default()
        }
    }

    #[test]
    fn only_an_untouched_container_is_fresh() {
        let once = "2026-11-25T10:00:00Z";
        assert_eq!(read(Some(&state(Status::CREATED, NEVER, 0, ""))), Meaning::Fresh);
        for other in [
            state(Status::CREATED, NEVER, 127, "no such file"),
            state(Status::CREATED, NEVER, 0, "mount failed"),
            state(Status::CREATED, NEVER, 128, ""),
            state(Status::CREATED, once, 0, ""),
            state(Status::EXITED, once, 0, ""),
            state(Status::EXITED, NEVER, 0, ""),
            state(Status::RUNNING, once, 0, ""),
            state(Status::DEAD, once, 0, ""),
            state(Status::EMPTY, NEVER, 0, ""),
        ] {
            assert_ne!(read(Some(&other)), Meaning::Fresh, "{other:?}");
        }
        assert!(matches!(read(None), Meaning::Unknown(_)));
    }

    #[test]
    fn an_exit_code_of_zero_does_not_hide_a_kill_for_memory() {
        let killed = ContainerState { oom_killed: Some(true), ..state(Status::EXITED, "2026-11-25T10:00:00Z", 0, "") };
        let wanted = Meaning::Ended { exit_code: Some(0), oom_killed: true, error: None };
        assert_eq!(read(Some(&killed)), wanted);
    }
}

//! The server's stream of changes (server-sent events, WHATWG HTML section 9.2), as far as ours uses it.

use reqwest::Response;
use serde::Deserialize;

use super::ClientError;

/// Tells when something changed.
#[derive(Debug)]
pub(crate) struct Changes {
    response: Response,
    /// What came and is no whole event yet.
    rest: Vec<u8>,
}

#[derive(Deserialize)]
struct Counter {
    commits: u64,
}

impl Changes {
    pub(super) fn new(response: Response) -> Self {
        Self { response, rest: Vec::new() }
    }

    /// The counter after the next change (the first comes at once); none when the server has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<u64>, ClientError> {
        loop {
            if let Some(event) = take_event(&mut self.rest) {
                if let Some(commits) = counter(&event) {
                    return Ok(Some(commits));
                }
                continue;
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.rest.extend_from_slice(&bytes),
                Ok(None) => return Ok(None),
                Err(error) => return Err(ClientError::silent("the engine's server", &error)),
            }
        }
    }
}

/// Takes the first whole event: everything before an empty line.
fn take_event(rest: &mut Vec<u8>) -> Option<String> {
    let end = rest.windows(2).position(|pair| pair == b"\n\n")?;
    let event: Vec<u8> = rest.drain(..end + 2).collect();
    Some(String::from_utf8_lossy(&event).into_owned())
}

/// Comments (they keep the connection) and events of later versions have none.
fn counter(event: &str) -> Option<u64> {
    let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
    let data = line("data:").filter(|_| line("event:") == Some("changed"))?;
    serde_json::from_str::<Counter>(data).ok().map(|counter| counter.commits)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn an_event_is_taken_only_when_it_is_whole() {
        let mut rest = b"event: changed\ndata: {\"commits\":7}\n".to_vec();
        assert_eq!(take_event(&mut rest), None);
        rest.extend_from_slice(b"\n: comment\n\n");
        assert_eq!(take_event(&mut rest).as_deref().and_then(counter), Some(7));
        assert_eq!(take_event(&mut rest).as_deref().and_then(counter), None);
        assert!(rest.is_empty());
    }
}

//! `telemetry:`: where traces of what the engine does are sent. It looks at no disk and connects to nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Config;

/// `telemetry:`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Telemetry {
    /// Runs, steps, attempts and requests as traces (OTLP over HTTP).
    pub traces: Traces,
}

/// `telemetry.traces:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Traces {
    /// A collector's address, to which `/v1/traces` is added; empty: no traces are sent.
    pub endpoint: String,
    /// Header → name under `secrets:` of what is sent in it.
    pub headers: BTreeMap<String, String>,
    /// The share of runs, and of requests that belong to nobody's trace, from 0 to 1.
    pub sample: f64,
    /// PEM file of the only authorities that may certify the collector; relative to the site's directory; empty: those of this machine.
    pub authorities: PathBuf,
}

impl Default for Traces {
    fn default() -> Self {
        Self { endpoint: String::new(), headers: BTreeMap::new(), sample: 1.0, authorities: PathBuf::new() }
    }
}

/// What the types cannot say.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let traces = &config.telemetry.traces;
    if !(0.0..=1.0).contains(&traces.sample) {
        return Err(format!("`telemetry.traces.sample: {}`: a share from 0 to 1", traces.sample));
    }
    if !traces.endpoint.is_empty() {
        endpoint(&traces.endpoint).map_err(|reason| format!("`telemetry.traces.endpoint`: {reason}"))?;
    }
    for (header, secret) in &traces.headers {
        let key = format!("`telemetry.traces.headers.{header}`");
        if reqwest::header::HeaderName::from_bytes(header.as_bytes()).is_err() {
            return Err(format!("{key}: it is no name of a header"));
        }
        if !config.secrets.contains_key(secret) {
            return Err(format!("{key}: there is no secret `{secret}`; name its file under `secrets:`"));
        }
    }
    Ok(())
}

/// Is this an address that traces may be sent to? The reason does not repeat it: somebody may have written a secret into it.
pub(crate) fn endpoint(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("it is no address ({error})"))?;
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        return Err("use https://…, or http:// where nobody can listen".into());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("leave out user, password, `?…` and `#…`: secrets go into headers".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::tests::parse;

    #[test]
    fn an_address_a_share_or_a_header_that_cannot_be_is_refused_with_place_and_remedy() {
        let of = |text: &str| {
            let text =
                format!("telemetry: {{ traces: {{ {text} }} }}\nsecrets: {{ token: {{ file: secrets/token }} }}");
            parse(&text, &[]).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(of("endpoint: \"https://collector.example:4318\", headers: { authorization: token }"), Ok(()));
        assert_eq!(of("endpoint: \"http://127.0.0.1:4318\", sample: 0.1"), Ok(()));
        for (text, place, remedy) in [
            ("sample: 2", "telemetry.traces.sample", "from 0 to 1"),
            ("sample: .nan", "telemetry.traces.sample", "from 0 to 1"),
            ("endpoint: collector:4318", "telemetry.traces.endpoint", "https"),
            ("endpoint: \"https://u:s3cret@c.example\"", "telemetry.traces.endpoint", "headers"),
            ("endpoint: \"https://c.example/?key=s3cret\"", "telemetry.traces.endpoint", "headers"),
            ("headers: { authorization: none }", "telemetry.traces.headers.authorization", "secrets:"),
            ("headers: { \"a b\": token }", "telemetry.traces.headers.a b", "no name"),
            ("token: x", "token", "unknown field"),
        ] {
            let said = of(text).expect_err(text);
            assert!(said.contains(place) && said.contains(remedy) && !said.contains("s3cret"), "{text}: {said}");
        }
    }
}

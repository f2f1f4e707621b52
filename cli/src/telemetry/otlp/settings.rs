//! Where to, with what, and how much: `telemetry.traces:` of the site file, and over it the variables that OpenTelemetry names for
//! exporters. Nothing is connected to here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kentai_executors::messenger::mail::is_this_machine;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config;
use crate::secrets;
use crate::site::Site;

/// Where OTLP takes traces, beneath a collector's address.
const PATH: &str = "v1/traces";
/// What OpenTelemetry says.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why no traces can be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("variable {name}: {reason}")]
    Variable { name: String, reason: String },
    #[error("`telemetry.traces.headers`: {0}")]
    Secret(#[from] secrets::Error),
    #[error("`telemetry.traces.headers.{0}`: its secret holds what no header may hold")]
    Header(String),
    #[error(
        "traces: a header with a secret is not sent to `{0}` without encryption; use https, or leave the header out"
    )]
    Plain(String),
    #[error("traces: {0}")]
    Tls(String),
}

/// What was found. No Debug: secrets are in it.
pub(crate) struct Settings {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// One request, from its first packet to the last byte of its answer.
    pub(super) timeout: Duration,
    pub(super) gzip: bool,
    pub(super) sample: f64,
    /// The only authorities that count, if not the machine's.
    pub(super) authorities: Option<PathBuf>,
    /// Who sends.
    pub(super) resource: Vec<Pair>,
}

type Variables = BTreeMap<String, String>;
/// A name with what it stands for.
type Pair = (String, String);

/// None: nobody says where to.
pub(super) fn settings(site: &Site, variables: &Variables) -> Result<Option<Settings>, Error> {
    let traces = &site.config.telemetry.traces;
    let given = Given(variables);
    let is_off = given.one("OTEL_SDK_DISABLED").is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"));
    let Some(url) = given.url(&traces.endpoint)?.filter(|_| !is_off) else { return Ok(None) };
    given.protocol()?;
    let headers = headers(site, &given)?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if !headers.is_empty() && url.scheme() == "http" && !is_this_machine(host) {
        return Err(Error::Plain(host.to_owned()));
    }
    let named = Some(&traces.authorities).filter(|path| !path.as_os_str().is_empty());
    let authorities = match given.of_exporter("CERTIFICATE") {
        Some((_, path)) => Some(PathBuf::from(path)),
        None => named.map(|path| site.directory.join(path)),
    };
    Ok(Some(Settings {
        url,
        headers,
        timeout: given.timeout()?,
        gzip: given.gzip()?,
        sample: traces.sample,
        authorities,
        resource: given.resource(&site.config.site)?,
    }))
}

/// Those of the site file, and over them those of the variable.
fn headers(site: &Site, given: &Given<'_>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Some(())
    };
    for (header, secret) in &site.config.telemetry.traces.headers {
        let value = secrets::read(site, secret)?;
        put(header, &value.0).ok_or_else(|| Error::Header(header.clone()))?;
    }
    for (name, (header, value)) in given.pairs("HEADERS")? {
        put(&header, &value).ok_or_else(|| bad(&name, "it holds what no header may hold"))?;
    }
    Ok(headers)
}

struct Given<'a>(&'a Variables);

impl Given<'_> {
    /// A variable that says something; one that is empty is as good as none.
    fn one(&self, name: &str) -> Option<(String, &str)> {
        let value = self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value))
    }

    /// The one for traces goes before the one for everything.
    fn of_exporter(&self, what: &str) -> Option<(String, &str)> {
        let general = || self.one(&format!("OTEL_EXPORTER_OTLP_{what}"));
        self.one(&format!("OTEL_EXPORTER_OTLP_TRACES_{what}")).or_else(general)
    }

    fn url(&self, configured: &str) -> Result<Option<Url>, Error> {
        let read = |name: &str, text: &str| config::endpoint(text).map_err(|reason| bad(name, &reason));
        // This one is taken as it is, the others are where a collector begins.
        if let Some((name, text)) = self.one("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            return read(&name, text).map(Some);
        }
        let base = match self.one("OTEL_EXPORTER_OTLP_ENDPOINT") {
            Some((name, text)) => read(&name, text)?,
            None if configured.is_empty() => return Ok(None),
            None => read("telemetry.traces.endpoint", configured)?,
        };
        Ok(Some(beneath(base)))
    }

    fn protocol(&self) -> Result<(), Error> {
        match self.of_exporter("PROTOCOL") {
            Some((name, other)) if other != "http/protobuf" => {
                Err(bad(&name, &format!("this version speaks http/protobuf, not `{other}`")))
            }
            _ => Ok(()),
        }
    }

    fn timeout(&self) -> Result<Duration, Error> {
        let Some((name, text)) = self.of_exporter("TIMEOUT") else { return Ok(TIMEOUT) };
        let read = text.parse().ok().filter(|ms| *ms > 0);
        read.map(Duration::from_millis).ok_or_else(|| bad(&name, "milliseconds, as 10000"))
    }

    fn gzip(&self) -> Result<bool, Error> {
        match self.of_exporter("COMPRESSION") {
            None => Ok(false),
            Some((_, "none")) => Ok(false),
            Some((_, "gzip")) => Ok(true),
            Some((name, other)) => Err(bad(&name, &format!("use gzip or none, not `{other}`"))),
        }
    }

    /// `name=value,…`, values with `%20` for what could not stand there.
    fn pairs(&self, what: &str) -> Result<Vec<(String, Pair)>, Error> {
        let Some((name, text)) = self.of_exporter(what) else { return Ok(Vec::new()) };
        pairs(&name, text).map(|pairs| pairs.into_iter().map(|pair| (name.clone(), pair)).collect())
    }

    fn resource(&self, site: &str) -> Result<Vec<Pair>, Error> {
        let mut all = BTreeMap::from([
            ("service.name".to_owned(), "kentai".to_owned()),
            ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("kentai.site".to_owned(), site.to_owned()),
        ]);
        if let Some((name, text)) = self.one("OTEL_RESOURCE_ATTRIBUTES") {
            all.extend(pairs(&name, text)?);
        }
        if let Some((_, name)) = self.one("OTEL_SERVICE_NAME") {
            all.insert("service.name".to_owned(), name.to_owned());
        }
        Ok(all.into_iter().collect())
    }
}

fn pairs(name: &str, text: &str) -> Result<Vec<Pair>, Error> {
    let pair = |text: &str| {
        let (key, value) = text.split_once('=')?;
        Some((key.trim().to_owned(), decoded(value.trim())?)).filter(|(key, _)| !key.is_empty())
    };
    let read = text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(pair).collect::<Option<Vec<_>>>();
    // Not what stands there: it may be a secret.
    read.ok_or_else(|| bad(name, "use name=value,name=value, with % and two digits for what cannot stand there"))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, more) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = more;
    }
    String::from_utf8(bytes).ok()
}

fn beneath(mut base: Url) -> Url {
    let path = format!("{}/{PATH}", base.path().trim_end_matches('/'));
    base.set_path(&path);
    base
}

fn bad(name: &str, reason: &str) -> Error {
    Error::Variable { name: name.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(variables: &[(&str, &str)]) -> Variables {
        variables.iter().map(|(name, value)| (format!("OTEL_{name}"), (*value).to_owned())).collect()
    }

    fn url(configured: &str, variables: &[(&str, &str)]) -> Option<String> {
        Given(&given(variables)).url(configured).expect("good").map(String::from)
    }

    #[test]
    fn only_an_endpoint_turns_traces_on_and_a_variable_goes_over_the_file() {
        assert_eq!(url("", &[]), None);
        assert_eq!(url("", &[("EXPORTER_OTLP_ENDPOINT", "  ")]), None);
        assert_eq!(url("https://c.example:4318", &[]).as_deref(), Some("https://c.example:4318/v1/traces"));
        assert_eq!(url("https://c.example/otlp/", &[]).as_deref(), Some("https://c.example/otlp/v1/traces"));
        let general = ("EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert_eq!(url("https://c.example", &[general]).as_deref(), Some("http://127.0.0.1:4318/v1/traces"));
        let own = ("EXPORTER_OTLP_TRACES_ENDPOINT", "https://t.example/in");
        assert_eq!(url("", &[general, own]).as_deref(), Some("https://t.example/in"));
    }

    #[test]
    fn headers_and_who_sends_are_read_as_opentelemetry_writes_them() {
        let variables = given(&[
            ("EXPORTER_OTLP_HEADERS", "authorization=Bearer%20a%3D=, x-scope = b ,"),
            ("RESOURCE_ATTRIBUTES", "deployment.environment=test,service.name=other"),
            ("SERVICE_NAME", "line"),
        ]);
        let given = Given(&variables);
        let headers: Vec<(String, String)> =
            given.pairs("HEADERS").expect("good").into_iter().map(|(_, one)| one).collect();
        assert_eq!(headers, [("authorization".into(), "Bearer a==".into()), ("x-scope".into(), "b".into())]);
        let resource: BTreeMap<String, String> = given.resource("tokyo-1").expect("good").into_iter().collect();
        assert_eq!((resource["service.name"].as_str(), resource["kentai.site"].as_str()), ("line", "tokyo-1"));
        assert_eq!(resource["deployment.environment"], "test");
    }

    #[test]
    fn what_this_version_cannot_do_is_refused_and_no_secret_is_repeated() {
        for (name, value, remedy) in [
            ("EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
            ("EXPORTER_OTLP_TRACES_COMPRESSION", "zstd", "gzip"),
            ("EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
            ("EXPORTER_OTLP_HEADERS", "s3cret", "name=value"),
            ("EXPORTER_OTLP_HEADERS", "a=s3cret%2", "name=value"),
            ("EXPORTER_OTLP_ENDPOINT", "https://u:s3cret@c.example", "headers"),
        ] {
            let variables = given(&[(name, value)]);
            let given = Given(&variables);
            let all = || {
                given.url("")?;
                given.protocol()?;
                given.gzip()?;
                given.timeout()?;
                given.pairs("HEADERS").map(drop)
            };
            let said = all().expect_err(name).to_string();
            assert!(said.contains(name) && said.contains(remedy) && !said.contains("s3cret"), "{said}");
        }
    }
}

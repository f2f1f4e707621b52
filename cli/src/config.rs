//! The site file `kentai.yaml`: every key with its unit and default, unknown keys refused, each overridable by a `KENTAI_…` variable.
//!
//! The only file that knows serde_yaml. It does not look at the disk beyond the site file itself.

mod assay;
mod executor;
mod notices;
mod origin;
mod serve;
mod sign_in;
mod target;
mod telemetry;
mod units;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kentai_engine::people::role::Role;
use serde::{Deserialize, Serialize};

pub(crate) use assay::assay;
pub(crate) use executor::Executor;
pub(crate) use notices::{Mail, Notices, Subscriber, secrets as secrets_of_notices};
pub(crate) use origin::Origin;
pub(crate) use serve::{ClientCertificate, Serve};
pub(crate) use sign_in::SignIn;
pub(crate) use target::{Retain, Target};
pub(crate) use telemetry::Telemetry;
#[cfg(feature = "otel")]
pub(crate) use telemetry::endpoint;
pub(crate) use units::{Duration, Size};

/// What `kentai init` writes.
pub(crate) const SAMPLE: &str = include_str!("config/sample.yaml");

/// Why a site file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {reason}")]
    Bad { path: PathBuf, reason: String },
    #[error("variable {name}: {reason}")]
    Variable { name: String, reason: String },
}

/// The whole site file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// In every container name, label and id.
    pub site: String,
    /// IANA zone of what people read.
    pub time_zone: String,
    /// `en` or `ja`: default of messages.
    pub language: String,
    /// `sqlite`.
    pub database: String,
    /// Who and how tools run.
    pub tasks: Tasks,
    /// What may be taken at once.
    pub limits: Limits,
    /// Hands; a step goes to the first that may take it, unless `--executor` chooses one for all.
    pub executors: Vec<Executor>,
    /// Named locations.
    pub places: BTreeMap<String, Place>,
    /// Who may do what.
    pub people: Vec<Person>,
    /// Where hand-offs go.
    pub targets: BTreeMap<String, Target>,
    /// Who is told outside: by whom a notice is for.
    pub notices: Notices,
    /// The relay of notices by mail.
    pub mail: Mail,
    /// How long things are kept.
    pub retention: Retention,
    /// Secrets by name: files of mode 0600, read when used.
    pub secrets: BTreeMap<String, Secret>,
    /// Where `kentai serve` listens besides the site's socket.
    pub serve: Vec<Serve>,
    /// Whose client certificates are.
    pub client_certificates: Vec<ClientCertificate>,
    /// What is told of what the engine does, beside its log.
    pub telemetry: Telemetry,
    /// Who else may say who somebody is.
    pub sign_in: SignIn,
}

/// `tasks:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tasks {
    /// User of tools in containers; never 0.
    pub uid: u32,
    /// Group of tools in containers; never 0.
    pub gid: u32,
    /// `none`, or `allowed`: a step may then ask for a network.
    pub network: String,
    /// Processes and threads of one tool.
    pub pids: i64,
    /// Size of `/tmp` in a container.
    pub tmp: Size,
    /// Octal, as text.
    pub umask: String,
}

impl Tasks {
    /// The file mode mask of tools; `check` has read it before.
    pub(crate) fn umask(&self) -> u32 {
        u32::from_str_radix(&self.umask, 8).unwrap_or(0o027)
    }
}

/// `limits:`; zero means: what the machine has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Cores; 0: all of the machine.
    pub cpus: u32,
    /// Memory; 0: nine tenths of the machine's.
    pub memory: Size,
    /// Disk; 0: not counted.
    pub disk: Size,
    /// Tools at once.
    pub steps_at_once: usize,
    /// Where memory escalation ends; 0: at `memory`.
    pub memory_max_per_step: Size,
    /// Where timeouts end.
    pub timeout_max: Duration,
    /// Attempts that the site pays for.
    pub retries: Retries,
}

/// `limits.retries:`
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retries {
    pub infrastructure: u32,
    pub preempted: u32,
    pub image: u32,
    pub lost: u32,
}

/// One of `places:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Directory.
    pub path: PathBuf,
    /// How long what another machine wrote there may stay unseen here.
    #[serde(default = "visibility_wait")]
    pub visibility_wait: Duration,
}

/// A network file system that caches names does so for a minute at most, unless somebody asked for more.
fn visibility_wait() -> Duration {
    Duration(60)
}

/// One of `people:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// User id or user name on this machine.
    pub user: String,
    /// Name in decisions.
    pub name: String,
    /// operator, reviewer, releaser, …
    pub roles: Vec<String>,
    /// The institution that they belong to, when they are not of the center: they see what is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    /// The data center that they belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_center: Option<String>,
}

/// `retention:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Attempt directories of ended attempts.
    pub attempts: Duration,
}

/// One of `secrets:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secret {
    /// File of mode 0600.
    pub file: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            site: "kentai".into(),
            time_zone: "UTC".into(),
            language: "en".into(),
            database: "sqlite".into(),
            tasks: Tasks::default(),
            limits: Limits::default(),
            executors: Executor::defaults(),
            places: BTreeMap::new(),
            people: Vec::new(),
            targets: BTreeMap::from([("outbox".into(), Target::directory("deliveries"))]),
            notices: Notices::new(),
            mail: Mail::default(),
            retention: Retention::default(),
            secrets: BTreeMap::new(),
            serve: Vec::new(),
            client_certificates: Vec::new(),
            telemetry: Telemetry::default(),
            sign_in: SignIn::default(),
        }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self { uid: 64100, gid: 64100, network: "none".into(), pids: 4096, tmp: Size(1 << 30), umask: "0027".into() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpus: 0,
            memory: Size(0),
            disk: Size(0),
            steps_at_once: 64,
            memory_max_per_step: Size(0),
            timeout_max: Duration(3 * 24 * 3600),
            retries: Retries::default(),
        }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self { infrastructure: 5, preempted: 10, image: 3, lost: 2 }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { attempts: Duration(7 * 24 * 3600) }
    }
}

impl Config {
    /// Reads `<site>/kentai.yaml` (absent: defaults) and lays the environment over it; says where each value came from.
    pub(crate) fn load(site: &Path) -> Result<(Self, Origin), Error> {
        let path = site.join("kentai.yaml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::Read { path, source }),
        };
        let variables = std::env::vars().filter(|(name, _)| name.starts_with("KENTAI_")).collect();
        Self::parse(&path, &text, &variables)
    }

    fn parse(path: &Path, text: &str, variables: &BTreeMap<String, String>) -> Result<(Self, Origin), Error> {
        let bad = |reason: String| Error::Bad { path: path.to_owned(), reason };
        let from_file: serde_yaml::Value = if text.trim().is_empty() {
            serde_yaml::Value::Mapping(serde_yaml::Mapping::new())
        } else {
            serde_yaml::from_str(text).map_err(|error| bad(error.to_string()))?
        };
        // Once for the message with line and column, which a value that was walked through does not have any more.
        if !text.trim().is_empty() {
            let _: Self = serde_yaml::from_str(text).map_err(|error| bad(error.to_string()))?;
        }
        let (value, origin) = origin::overlay(&from_file, variables)?;
        let config: Self = serde_yaml::from_value(value).map_err(|error| bad(error.to_string()))?;
        config.check().map_err(bad)?;
        Ok((config, origin))
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), String> {
        let fits = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !fits(&self.site) || self.site.len() > 40 {
            return Err(format!("`site: {}`: use lowercase letters, digits and `-`, at most 40", self.site));
        }
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return Err(format!("`time_zone: {}`: use an IANA name, as Asia/Tokyo", self.time_zone));
        }
        if !["en", "ja"].iter().any(|known| self.language.starts_with(known)) {
            return Err(format!("`language: {}`: use en or ja", self.language));
        }
        if self.tasks.uid == 0 || self.tasks.gid == 0 {
            return Err("`tasks.uid` and `tasks.gid`: tools never run as user or group 0".into());
        }
        if !u32::from_str_radix(&self.tasks.umask, 8).is_ok_and(|mask| mask <= 0o777) {
            return Err(format!("`tasks.umask: {}`: write it in octal, as \"0027\"", self.tasks.umask));
        }
        if self.database != "sqlite" {
            return Err(format!("`database: {}`: this version knows `sqlite` only", self.database));
        }
        if self.limits.steps_at_once == 0 {
            return Err("`limits.steps_at_once`: at least 1".into());
        }
        for person in &self.people {
            let known: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
            if let Some(role) = person.roles.iter().find(|role| Role::parse(role).is_none()) {
                return Err(format!(
                    "`people: {}`: there is no role `{role}`; known are {}",
                    person.name,
                    known.join(", ")
                ));
            }
            // Without it they would not be kept to what is their own.
            for (role, word, of) in [
                (Role::Institution, "institution", &person.institution),
                (Role::DataCenter, "data_center", &person.data_center),
            ] {
                if person.roles.iter().any(|one| one == role.word()) && of.as_deref().is_none_or(str::is_empty) {
                    return Err(format!("`people: {}`: the role {role} needs `{word}:`", person.name));
                }
            }
        }
        serve::check(&self.serve, &self.client_certificates)?;
        executor::check(&self.executors)?;
        for (name, target) in &self.targets {
            target.check(name)?;
        }
        telemetry::check(self)?;
        sign_in::check(self)?;
        notices::check(self)
    }
}

#[cfg(test)]
mod tests;

//! The only file that knows every room: hands, collector, couriers and the engine, put together for one site.

mod sign_on;
mod slurm;
mod subscribers;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kentai_engine::clock::Clock;
use kentai_engine::decide::admit::Request;
use kentai_engine::decide::choose::Caps;
use kentai_engine::decide::retry::Budgets;
use kentai_engine::handoff::crypt4gh::keyfile;
use kentai_engine::handoff::sshsig;
use kentai_engine::port::executor::Executor;
use kentai_engine::scheduler::{self, Options, Post, Running, Target, Way};
use kentai_engine::store::artifact::ArtifactStore;
use kentai_executors::collect::Collector;
use kentai_executors::courier::directory::DirectoryCourier;
use kentai_executors::courier::s3::{self, S3Courier};
use kentai_executors::courier::sftp::{self, SftpCourier};
use kentai_executors::docker::{self, DockerExecutor};
use kentai_executors::pretend::PretendExecutor;
use kentai_executors::process::ProcessExecutor;

use crate::config::{self, Retain};
use crate::site::{Machine, Site, or};

#[cfg(feature = "oidc")]
pub(crate) use sign_on::provider;
pub(crate) use sign_on::sign_on;

/// Why the rooms cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("this site has no executor `{wish}`; it has {known}")]
    NoExecutor { wish: String, known: String },
    #[error("find this program's own file")]
    Binary(#[source] std::io::Error),
    #[error("open the artifact store")]
    Artifacts(#[source] std::io::Error),
    #[error("set up executor `{name}`: {reason}")]
    Executor { name: String, reason: String },
    #[error("target `{name}`: the key in {path} cannot be used: {reason}")]
    Target { name: String, path: PathBuf, reason: String },
    #[error("`notices.{to}`: {reason}")]
    Notices { to: String, reason: String },
    #[cfg(feature = "oidc")]
    #[error("`sign_in.oidc`: {reason}")]
    SignIn { reason: String },
    #[error("target `{name}`: {reason}")]
    Courier { name: String, reason: String },
    #[error(transparent)]
    Engine(#[from] scheduler::Error),
}

/// Starts an engine on `site`. `wish` names the executor (by name or kind) that takes every step; `drain` starts nothing.
pub(crate) async fn engine(site: &Site, wish: Option<&str>, drain: bool) -> Result<Running, Error> {
    Ok(scheduler::start(options(site, wish, drain)?).await?)
}

/// Starts an engine that goes by somebody's clock and works with somebody's hands: for what is told and not done.
pub(crate) async fn story(site: &Site, clock: Clock, hands: Arc<dyn Executor>) -> Result<Running, Error> {
    Ok(scheduler::start(Options { clock, executors: vec![Post::plain(hands)], ..options(site, None, false)? }).await?)
}

fn options(site: &Site, wish: Option<&str>, drain: bool) -> Result<Options, Error> {
    let config = &site.config;
    let machine = Machine::look();
    let collector = Collector::new(ArtifactStore::open(&site.directory).map_err(Error::Artifacts)?);
    let facts = site.clone();
    Ok(Options {
        site: config.site.clone(),
        directory: site.directory.clone(),
        executors: posts(site, wish)?,
        chosen: wish.is_some(),
        collect: collector.into_collect(),
        targets: targets(site)?,
        subscribers: subscribers::subscribers(site, drain)?,
        facts: Arc::new(move || facts.facts()),
        resources: Request {
            cpus: or(config.limits.cpus, machine.cpus),
            memory_bytes: or(config.limits.memory.0, machine.memory_bytes),
            disk_bytes: config.limits.disk.0,
        },
        slots: config.limits.steps_at_once,
        memory_max_per_step: config.limits.memory_max_per_step.0,
        timeout_max_s: config.limits.timeout_max.0,
        budgets: Budgets {
            infrastructure: config.limits.retries.infrastructure,
            preempted: config.limits.retries.preempted,
            image: config.limits.retries.image,
            lost: config.limits.retries.lost,
        },
        keep_attempts_s: config.retention.attempts.0,
        clock: Clock::Machine,
        drain,
    })
}

/// All executors of the site, the wished one first: attempts of an earlier engine may lie with any of them.
pub(crate) fn executors(site: &Site, wish: Option<&str>) -> Result<Vec<Arc<dyn Executor>>, Error> {
    Ok(posts(site, wish)?.into_iter().map(|post| post.executor).collect())
}

/// The same, with what the site file says of each.
fn posts(site: &Site, wish: Option<&str>) -> Result<Vec<Post>, Error> {
    let mut configured: Vec<&config::Executor> = site.config.executors.iter().collect();
    if let Some(wish) = wish {
        let position =
            configured.iter().position(|executor| executor.name == wish || executor.kind == wish).ok_or_else(|| {
                let known: Vec<&str> = configured.iter().map(|executor| executor.name.as_str()).collect();
                Error::NoExecutor { wish: wish.to_owned(), known: known.join(", ") }
            })?;
        let chosen = configured.remove(position);
        configured.insert(0, chosen);
    }
    let binary = std::env::current_exe().map_err(Error::Binary)?;
    let post = |executor: &config::Executor| {
        let caps = executor.caps;
        Ok(Post {
            executor: hands(site, executor, &binary)?,
            labels: executor.labels.iter().cloned().collect(),
            only_labelled: executor.only_labelled,
            caps: Caps {
                slots: caps.steps,
                resources: Request { cpus: caps.cpus, memory_bytes: caps.memory.0, disk_bytes: 0 },
            },
            elsewhere: executor.is_elsewhere(),
        })
    };
    configured.into_iter().map(post).collect()
}

fn hands(site: &Site, executor: &config::Executor, binary: &std::path::Path) -> Result<Arc<dyn Executor>, Error> {
    if executor.kind == "process" {
        return Ok(Arc::new(ProcessExecutor::new(executor.name.clone(), site.directory.join("attempts"), binary)));
    }
    if executor.kind == "slurm" {
        let refused = |reason: String| Error::Executor { name: executor.name.clone(), reason };
        let built = slurm::executor(site, executor, binary).map_err(refused)?;
        return Ok(Arc::new(built));
    }
    if executor.kind == "pretend" {
        return Ok(Arc::new(PretendExecutor::alone(executor.name.clone())));
    }
    let tasks = &site.config.tasks;
    let own = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    // An engine that is not root cannot give the attempt directory away: tools then run as its own user.
    let (uid, gid) = if own.0 == 0 { (tasks.uid, tasks.gid) } else { own };
    let options = docker::Options {
        name: executor.name.clone(),
        site: site.config.site.clone(),
        socket: executor.socket.clone(),
        binary: binary.to_owned(),
        uid,
        gid,
        pids_limit: tasks.pids,
        tmpfs_bytes: tasks.tmp.0,
        umask: tasks.umask(),
    };
    let built = DockerExecutor::new(options)
        .map_err(|error| Error::Executor { name: executor.name.clone(), reason: error.to_string() })?;
    Ok(Arc::new(built))
}

/// Targets with their keys: one whose key cannot be read stops the start, for it would send plain, or believe any receipt.
fn targets(site: &Site) -> Result<BTreeMap<String, Target>, Error> {
    site.config.targets.iter().map(|(name, wanted)| Ok((name.clone(), target(site, name, wanted)?))).collect()
}

fn target(site: &Site, name: &str, wanted: &config::Target) -> Result<Target, Error> {
    let recipient = key(site, name, wanted.recipient.as_ref(), |text| {
        keyfile::read_public(text).map_err(|error| error.to_string())
    })?;
    let receipt_key = key(site, name, wanted.receipt_key.as_ref(), |text| {
        sshsig::parse_line(text).ok_or_else(|| "it is no line `ssh-ed25519 …`".into())
    })?;
    let way = match wanted.kind.as_str() {
        "pull" => Way::Pull,
        "s3" => Way::Push(Arc::new(bucket(site, name, wanted)?)),
        "sftp" => Way::Push(Arc::new(SftpCourier::new(server(site, name, wanted)?))),
        _ => Way::Push(Arc::new(DirectoryCourier::new(name, site.directory.join(&wanted.path)))),
    };
    Ok(Target {
        way,
        consent_use: wanted.consent_use.clone(),
        recipient,
        keep_s: wanted.keep.0,
        receipt_key,
        retain: wanted.retain.map(Retain::rule),
    })
}

fn bucket(site: &Site, name: &str, wanted: &config::Target) -> Result<S3Courier, Error> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let options = s3::Options {
        target: name.to_owned(),
        endpoint: text(&wanted.endpoint),
        style: if wanted.style.as_deref() == Some("host") { s3::Style::VirtualHost } else { s3::Style::Path },
        region: wanted.region.clone().unwrap_or_else(|| "us-east-1".into()),
        bucket: text(&wanted.bucket),
        prefix: text(&wanted.prefix),
        credentials: secret(site, name, &text(&wanted.credentials))?,
        authorities: wanted.authorities.as_ref().map(|path| site.directory.join(path)),
        verify: if wanted.verify.as_deref() == Some("read") { s3::Verify::Read } else { s3::Verify::Checksums },
    };
    S3Courier::new(options).map_err(|reason| Error::Courier { name: name.to_owned(), reason })
}

fn server(site: &Site, name: &str, wanted: &config::Target) -> Result<sftp::Options, Error> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let file = |value: &Option<String>| value.as_ref().map(|value| secret(site, name, value)).transpose();
    Ok(sftp::Options {
        target: name.to_owned(),
        host: text(&wanted.host),
        port: wanted.port.unwrap_or(22),
        user: text(&wanted.user),
        key: file(&wanted.key)?,
        password: file(&wanted.password)?,
        known_hosts: site.directory.join(wanted.known_hosts.clone().unwrap_or_default()),
        directory: wanted.path.display().to_string(),
        verify: if wanted.verify.as_deref() == Some("size") { sftp::Verify::Size } else { sftp::Verify::Read },
    })
}

/// Where a secret lies. It is read when it is used, so that a new one needs no new start.
fn secret(site: &Site, target: &str, name: &str) -> Result<PathBuf, Error> {
    let secret = site.config.secrets.get(name).ok_or_else(|| Error::Courier {
        name: target.to_owned(),
        reason: format!("there is no secret `{name}`; name its file under `secrets:`"),
    })?;
    Ok(site.directory.join(&secret.file))
}

fn key<T>(
    site: &Site,
    name: &str,
    path: Option<&PathBuf>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Error> {
    let Some(path) = path.map(|path| site.directory.join(path)) else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let key = text.and_then(|text| parse(&text));
    key.map(Some).map_err(|reason| Error::Target { name: name.to_owned(), path, reason })
}

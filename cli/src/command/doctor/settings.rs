//! The site file: keys that have no effect yet, users, people, targets.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use super::{Line, ok, warn};
use crate::config::{Config, Target, secrets_of_notices};
use crate::site::Site;

pub(super) fn look(site: &Site) -> Vec<Line> {
    let mut lines = vec![without_effect(site), tasks_user(site), people(&site.config)];
    lines.extend(targets(site));
    lines.extend(secrets(site));
    lines
}

/// Keys that this version reads and does not obey.
fn without_effect(site: &Site) -> Line {
    let config = &site.config;
    // Workflows may name places and secrets, and a check compares the names; only notices, signing in and targets use secrets yet.
    let mut needed = at_start(config);
    needed.extend(config.targets.values().flat_map(Target::secrets));
    let idle = config.secrets.keys().any(|name| !needed.contains(name.as_str()));
    let shared: Vec<&str> = config.executors.iter().filter_map(|executor| executor.shared.as_deref()).collect();
    let idle_places = config.places.keys().any(|name| !shared.contains(&name.as_str()));
    let keys = [("places that no executor shares", idle_places), ("secrets that nothing needs", idle)];
    let keys: Vec<&str> = keys.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect();
    if keys.is_empty() {
        return ok("site file", "every key that it sets has an effect");
    }
    let found = format!("without effect in this version: {}", keys.join(", "));
    warn("site file", found, "leave them out, or wait for a later version")
}

/// Secrets that are read once, when an engine or its server starts.
fn at_start(config: &Config) -> BTreeSet<&str> {
    let signs_in = config.sign_in.oidc.as_ref().map(|oidc| oidc.secret.as_str()).filter(|name| !name.is_empty());
    secrets_of_notices(config).chain(signs_in).collect()
}

/// Secrets that an engine reads when it starts: without them it does not.
fn secrets(site: &Site) -> Vec<Line> {
    let needed = at_start(&site.config);
    let one = |name: &str| {
        let what = format!("secret {name}");
        match crate::secrets::read(site, name) {
            Ok(_) => ok(what, "can be read, and by nobody else"),
            Err(error) => warn(what, error.to_string(), "mend it: no engine starts without it"),
        }
    };
    needed.into_iter().map(one).collect()
}

fn tasks_user(site: &Site) -> Line {
    let (uid, gid) = (site.config.tasks.uid, site.config.tasks.gid);
    let own = rustix::process::getuid().as_raw();
    if own == 0 {
        return ok("tools run as", format!("user {uid}, group {gid}, in containers; as root in plain processes"));
    }
    let found = format!("user {own}: an engine that is not root cannot give files to user {uid}");
    if site.origin.of("tasks.uid") == "default" {
        return ok("tools run as", found);
    }
    warn("tools run as", found, "run the engine as root for `tasks.uid` to have an effect")
}

fn people(config: &Config) -> Line {
    if config.people.is_empty() {
        return ok("people", "the site's owner has every role");
    }
    let roles: BTreeSet<&str> =
        config.people.iter().flat_map(|person| person.roles.iter().map(String::as_str)).collect();
    let missing: Vec<&str> =
        ["operator", "reviewer", "releaser"].into_iter().filter(|role| !roles.contains(role)).collect();
    if missing.is_empty() {
        return ok("people", format!("{}, every role is held", config.people.len()));
    }
    let found = format!("nobody has the role {}", missing.join(" or "));
    warn("people", found, "name somebody under `people:`: without them runs wait for ever")
}

fn targets(site: &Site) -> Vec<Line> {
    let one = |(name, target): (&String, &Target)| {
        let what = format!("target {name}");
        match target.kind.as_str() {
            "pull" => return ok(what, "the receiver fetches it"),
            "s3" | "sftp" => return remote(site, what, target),
            _ => {}
        }
        let path = site.directory.join(&target.path);
        // The site makes its own outbox.
        if path.is_dir() || target.path.as_os_str() == "deliveries" {
            return ok(what, path.display().to_string());
        }
        let found = format!("{} is not there", path.display());
        warn(what, found, "make the directory, or mount it: hand-offs wait until it is there")
    };
    site.config.targets.iter().map(one).collect()
}

/// A target on another machine: what lies here for it. Whether it can be reached shows when something is carried there.
fn remote(site: &Site, what: String, target: &Target) -> Line {
    for name in target.secrets() {
        let Some(secret) = site.config.secrets.get(name) else {
            return warn(what, format!("there is no secret `{name}`"), "name its file under `secrets:`");
        };
        let path = site.directory.join(&secret.file);
        match path.metadata() {
            Ok(found) if found.is_file() && found.mode() & 0o077 == 0 => {}
            Ok(_) => {
                let found = format!("{} can be read by others, or is no file", path.display());
                return warn(what, found, "make it a file of mode 0600: hand-offs wait until it is one");
            }
            Err(error) => {
                let found = format!("{}: {error}", path.display());
                return warn(what, found, "put the secret there, mode 0600: hand-offs wait until it is there");
            }
        }
    }
    let hosts = target.known_hosts.as_ref().map(|path| site.directory.join(path));
    if let Some(path) = hosts.filter(|path| !path.is_file()) {
        let found = format!("{} is not there", path.display());
        return warn(what, found, "put the server's key there, as `ssh-keyscan` gives it and the receiver confirms it");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    ok(
        what,
        match &target.host {
            Some(host) => format!("{}@{host}:{}", text(&target.user), target.path.display()),
            None => format!("{} at {}", text(&target.bucket), text(&target.endpoint)),
        },
    )
}

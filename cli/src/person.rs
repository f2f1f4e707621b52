//! Who asks: a user of this machine, or whoever the token is of that was given.

use std::path::Path;
use std::sync::OnceLock;

use kentai_engine::clock;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::people;

use crate::access;
use crate::command::run::refused;
use crate::config::Config;
use crate::exit::{Exit, Stop};
use crate::site::Site;

/// The token that this command was given, and whose it is. Set once, before the verb begins.
static BY_TOKEN: OnceLock<(String, Actor)> = OnceLock::new();

/// Roles of whoever owns a site that names no people: every one that is of the center.
const OWNER: [&str; 6] = ["operator", "reviewer", "releaser", "withdrawal_officer", "auditor", "admin"];

/// The person behind a user id, if the site knows one.
pub(crate) fn of(uid: u32, config: &Config, site: &Path) -> Option<Actor> {
    let user = user_name(uid);
    if config.people.is_empty() {
        let owner = std::fs::metadata(site).map(|facts| std::os::unix::fs::MetadataExt::uid(&facts)).unwrap_or(uid);
        let roles = OWNER.iter().map(|role| (*role).to_owned()).collect();
        return (uid == owner || uid == 0).then_some(Actor { name: user, roles, ..Actor::default() });
    }
    let person = config.people.iter().find(|person| person.user == user || person.user == uid.to_string())?;
    Some(Actor {
        name: person.name.clone(),
        roles: person.roles.iter().cloned().collect(),
        institution: person.institution.clone(),
        data_center: person.data_center.clone(),
        ..Actor::default()
    })
}

/// From now on this command is whoever the token is of.
pub(crate) async fn act_by_token(token: String, site: &Path) -> anyhow::Result<()> {
    let nobody = || Stop::new(Exit::NotAllowed, "this site knows no tokens yet");
    let reader = access::reader_if_any(&Site::open(site)?).await?.ok_or_else(nobody)?;
    let actor = people::who(&reader, &token, clock::now()).await.map_err(refused)?;
    let _ = BY_TOKEN.set((token, actor));
    Ok(())
}

/// The token that this command was given.
pub(crate) fn token() -> Option<&'static str> {
    BY_TOKEN.get().map(|(token, _)| token.as_str())
}

/// The person who runs this command; without a role when the site does not know them.
pub(crate) fn me(config: &Config, site: &Path) -> Actor {
    if let Some((_, actor)) = BY_TOKEN.get() {
        return actor.clone();
    }
    let uid = rustix::process::getuid().as_raw();
    of(uid, config, site).unwrap_or_else(|| Actor { name: user_name(uid), ..Actor::default() })
}

/// Read from `/etc/passwd`: a static binary has no other name service.
fn user_name(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid-{uid}"))
}

//! `admin user add|list|roles|password|totp|link|unlink|disable|enable`

use std::io::BufRead as _;

use anyhow::Context as _;
use clap::Subcommand;
use kentai_engine::people::permission::Action;
use kentai_engine::people::record::Person;
use kentai_engine::people::secret::Hidden;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::specimen::record::Kind;
use kentai_engine::store::read::RecordFilter;
use serde_json::json;

use super::{ask, may};
use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;

/// Read at once: a center has fewer people.
const LIMIT: i64 = 10_000;

/// Who may sign in, and services.
#[derive(Subcommand, Debug)]
pub(crate) enum User {
    /// Somebody new
    #[command(after_help = "Example:
  kentai admin user add sato --roles operator,reviewer")]
    Add {
        /// Name, as the audit log will show it
        name: String,
        /// Roles
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
        /// A program, not somebody: it has tokens and no password
        #[arg(long)]
        service: bool,
        /// Their institution, when they are not of the center
        #[arg(long)]
        institution: Option<String>,
        /// Their data center
        #[arg(long)]
        data_center: Option<String>,
    },
    /// List them
    List,
    /// Give other roles than before
    Roles {
        /// Name
        name: String,
        /// All their roles from now on
        #[arg(value_delimiter = ',', required = true)]
        roles: Vec<String>,
    },
    /// Set a password, read from standard input: one line
    Password {
        /// Name
        name: String,
    },
    /// Make a new key for one-time codes; its address is shown once
    Totp {
        /// Name
        name: String,
    },
    /// An account elsewhere signs them in (`sign_in:` in kentai.yaml)
    #[command(after_help = "Example:
  kentai admin user link sato 8f14e45f-ceea-467f-a8f0-2b2f0d6b2f1e")]
    Link {
        /// Name
        name: String,
        /// What the provider says of them: the claim that `sign_in:` names
        value: String,
    },
    /// Their account elsewhere signs them in no more, and every session of theirs ends
    Unlink {
        /// Name
        name: String,
    },
    /// They may do nothing any more
    Disable {
        /// Name
        name: String,
    },
    /// They may again what their roles allow; tokens that were not revoked count again
    Enable {
        /// Name
        name: String,
    },
}

impl User {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let request = match self {
            Self::Add { name, roles, service, institution, data_center } => {
                Request::AddPerson { name, service, roles, institution, data_center }
            }
            Self::List => return list(site, output).await,
            Self::Roles { name, roles } => Request::SetRoles { name, roles },
            Self::Password { name } => {
                // Before anybody types a password that is not taken.
                may(site, Action::ManagePeople)?;
                Request::SetPassword { name, password: password()?, hash: Hidden::default() }
            }
            Self::Totp { name } => Request::SetTotp { name, key: Hidden::default() },
            Self::Link { name, value } => {
                let oidc = site.config.sign_in.oidc.as_ref();
                let (issuer, claim) = oidc.map(|oidc| (oidc.issuer.clone(), oidc.claim.clone())).unwrap_or_default();
                Request::LinkIdentity { name, issuer, claim, value }
            }
            Self::Unlink { name } => Request::UnlinkIdentity { name },
            Self::Disable { name } => Request::DisablePerson { name },
            Self::Enable { name } => Request::EnablePerson { name },
        };
        ask(site, output, request).await
    }
}

/// Never an argument: those are seen by everybody on the machine.
fn password() -> anyhow::Result<Hidden> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Stop::new(Exit::Usage, "give the password as one line on standard input").into());
    }
    Ok(Hidden(password.to_owned()))
}

async fn list(site: &Site, output: Output) -> anyhow::Result<Exit> {
    may(site, Action::ManagePeople)?;
    let mut rows = Vec::new();
    if let Some(reader) = access::reader_if_any(site).await? {
        let filter = RecordFilter { kind: Kind::Person.word().into(), limit: LIMIT, ..RecordFilter::default() };
        for row in reader.records(&filter).await? {
            let person: Person = serde_json::from_str(&row.document).context("a person's record")?;
            rows.push((row.record_id, row.status, person));
        }
    }
    if output.json {
        let items: Vec<_> = rows
            .iter()
            .map(|(name, status, person)| {
                json!({
                    "name": name, "status": status, "service": person.service, "roles": person.roles,
                    "institution": person.institution, "data_center": person.data_center,
                    "password": !person.password.0.is_empty(), "totp": !person.totp.0.is_empty(),
                    "identity": person.identity.as_ref().map(|identity| &identity.value),
                })
            })
            .collect();
        output.json(&json!({ "items": items }));
    } else if rows.is_empty() {
        output.say("nobody is known but the users of kentai.yaml");
    } else {
        let lines = rows.into_iter().map(|(name, status, person)| {
            let signs = match (person.service, person.password.0.is_empty(), person.totp.0.is_empty()) {
                (true, ..) => "token",
                (_, true, _) if person.identity.is_some() => "an account elsewhere",
                (_, true, _) => "-",
                (_, _, true) => "password",
                _ => "password and code",
            };
            let of = person.institution.or(person.data_center).unwrap_or_default();
            let roles: Vec<String> = person.roles.into_iter().collect();
            vec![name, status, roles.join(","), of, signs.to_owned()]
        });
        output.line(table(&["name", "status", "roles", "of", "signs in with"], lines));
    }
    Ok(Exit::Done)
}

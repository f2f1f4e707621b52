//! People, tokens and sessions as they are stored. A promise; a new field has a default. No secret is stored that can be used, but the
//! one of the one-time codes, which must be.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::role::Role;
use super::secret::Hidden;
use crate::clock::Micros;

/// Who may sign in, or own tokens. The record's id is the name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// A program, not somebody.
    #[serde(default)]
    pub service: bool,
    /// Roles, by their words.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Their institution, when they are not of the center.
    #[serde(default)]
    pub institution: Option<String>,
    /// Their data center.
    #[serde(default)]
    pub data_center: Option<String>,
    /// Argon2id, in PHC form; empty: they cannot sign in.
    #[serde(default)]
    pub password: Hidden,
    /// Key of the one-time codes, base 32; empty: none are asked for.
    #[serde(default)]
    pub totp: Hidden,
    /// The newest code's time step: none is taken twice.
    #[serde(default)]
    pub totp_used: u64,
    /// The account elsewhere that signs them in; none: only their password does.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// Who made the account, or gave it a password, codes, roles or an identity: none of them has this person as their second.
    #[serde(default)]
    pub made_by: BTreeSet<String>,
    /// Wrong tries in a row.
    #[serde(default)]
    pub failures: u32,
    /// Nothing is tried before.
    #[serde(default)]
    pub locked_until_us: Micros,
}

impl Person {
    /// Do these roles and places go together? Whoever is from outside says from where, and has no role of the center.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn fits(&self) -> Result<(), String> {
        if let Some(odd) = self.roles.iter().find(|role| Role::parse(role).is_none()) {
            let known: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
            return Err(format!("`{odd}` is no role; the roles are {}", known.join(", ")));
        }
        let outside = [(Role::Institution, self.institution.is_some()), (Role::DataCenter, self.data_center.is_some())];
        for (role, placed) in outside {
            let has = self.roles.contains(role.word());
            if has != placed {
                return Err(format!("the role {role} and the name of a {role} go together"));
            }
            if has && self.roles.len() > 1 {
                return Err(format!("the role {role} stands alone: it is for people from outside"));
            }
        }
        Ok(())
    }
}

/// An account elsewhere that stands for one here. The record's id is its digest, the parent is the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Whose word it is: an address.
    pub issuer: String,
    /// Which of its claims says who it is.
    pub claim: String,
    /// What that claim says.
    pub value: String,
}

/// A service's key. The record's parent is its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is for, in words.
    #[serde(default)]
    pub label: String,
    /// SHA-256 of the secret, hex.
    pub sha256: String,
    /// What it may do at most; none: whatever its owner may.
    #[serde(default)]
    pub scopes: Option<BTreeSet<String>>,
    /// Until when it counts.
    #[serde(default)]
    pub expires_us: Option<Micros>,
    /// Who made it.
    pub made_by: String,
}

/// Somebody is signed in, or may be by a link (see [`super::link`]). The record's parent is the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of the secret, hex.
    pub sha256: String,
    /// Until when it counts.
    pub until_us: Micros,
    /// The user of the machine for whom the kernel spoke: who they are and what they may, the site's file says at each request.
    #[serde(default)]
    pub user: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_places_go_together() {
        let of = |roles: &[&str], institution: Option<&str>| Person {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            institution: institution.map(str::to_owned),
            ..Person::default()
        };
        assert!(of(&["operator", "reviewer"], None).fits().is_ok());
        assert!(of(&["institution"], Some("H1")).fits().is_ok());
        assert!(of(&["institution"], None).fits().is_err());
        assert!(of(&["operator"], Some("H1")).fits().is_err());
        assert!(of(&["institution", "operator"], Some("H1")).fits().is_err());
        assert!(of(&["king"], None).fits().is_err_and(|reason| reason.contains("king")));
    }

    #[test]
    fn a_record_that_is_printed_shows_no_secret() {
        let person = Person { password: Hidden("hash".into()), totp: Hidden("key".into()), ..Person::default() };
        let printed = format!("{person:?}");
        assert!(!printed.contains("hash") && !printed.contains("key"));
    }
}

//! `notices:` and `mail:`: who is told outside, and through which relay. It looks at no disk and asks no name server.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kentai_executors::messenger::{mail, webhook};
use serde::{Deserialize, Serialize};

use super::Config;

/// One of a list under `notices:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Subscriber {
    /// CloudEvents by POST, signed as Standard Webhooks asks.
    Webhook {
        /// `https://…`, without user and `?…`.
        url: String,
        /// Names under `secrets:`, the newest first; an event is signed by each.
        secrets: Vec<String>,
        /// The receiver lies in a private network.
        #[serde(default)]
        allow_private: bool,
        /// PEM file of authorities that are trusted besides the machine's; relative to the site's directory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authorities: Option<PathBuf>,
    },
    /// Plain text through the relay of `mail:`.
    Mail {
        /// Address.
        to: String,
    },
}

/// `mail:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// Host; empty: no mail is sent.
    pub server: String,
    /// Port.
    pub port: u16,
    /// `starttls`, `implicit`, or `none`: to this machine only.
    pub tls: String,
    /// Empty: the relay wants none.
    pub user: String,
    /// Name under `secrets:` of the password's file.
    pub secret: String,
    /// Sender's address.
    pub from: String,
    /// PEM file of authorities that are trusted besides the machine's; relative to the site's directory; empty: none.
    pub authorities: PathBuf,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            server: String::new(),
            port: 587,
            tls: "starttls".into(),
            user: String::new(),
            secret: String::new(),
            from: String::new(),
            authorities: PathBuf::new(),
        }
    }
}

impl Mail {
    /// How the relay is spoken to; `check` has read it before.
    pub(crate) fn security(&self) -> Option<mail::Security> {
        match self.tls.as_str() {
            "starttls" => Some(mail::Security::StartTls),
            "implicit" => Some(mail::Security::Implicit),
            "none" => Some(mail::Security::None),
            _ => None,
        }
    }

    fn check(&self, secrets: &dyn Fn(&str) -> bool) -> Result<(), String> {
        let Some(security) = self.security() else {
            return Err(format!("`mail.tls: {}`: use starttls, implicit, or none", self.tls));
        };
        if self.server.is_empty() {
            let set = [("from", &self.from), ("user", &self.user), ("secret", &self.secret)];
            let alone = set.into_iter().find(|(_, value)| !value.is_empty());
            return alone.map_or(Ok(()), |(key, _)| Err(format!("`mail.{key}`: it needs `mail.server`")));
        }
        if security == mail::Security::None && !mail::is_this_machine(&self.server) {
            return Err(format!(
                "`mail.tls: none`: only where the server is this machine, and not for `{}`; use starttls or implicit",
                self.server
            ));
        }
        if self.port == 0 {
            return Err("`mail.port: 0`: use 587, 465 or 25".into());
        }
        mail::address(&self.from).map_err(|error| format!("`mail.from`: {error}"))?;
        match (self.user.as_str(), self.secret.as_str()) {
            ("", "") => Ok(()),
            ("", _) => Err("`mail.secret`: it needs `mail.user`".into()),
            (_, "") => Err("`mail.user`: it needs `mail.secret`, a name under `secrets:`".into()),
            // Whoever listens would have it.
            _ if security == mail::Security::None => {
                Err("`mail.tls: none`: a password is not sent without encryption; leave out user and secret".into())
            }
            (_, secret) if !secrets(secret) => Err(unknown_secret("mail.secret", secret)),
            _ => Ok(()),
        }
    }
}

fn unknown_secret(key: &str, name: &str) -> String {
    format!("`{key}`: there is no secret `{name}`; name its file under `secrets:`")
}

/// What the types cannot say of `notices:` and `mail:`.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let known = |name: &str| config.secrets.contains_key(name);
    config.mail.check(&known)?;
    for (to, subscribers) in &config.notices {
        if to.trim().is_empty() {
            return Err(
                "`notices:`: a key names whom a notice is for: a target, an institution, biobank, or \"*\"".into()
            );
        }
        for subscriber in subscribers {
            one(config, subscriber, &known).map_err(|reason| format!("`notices.{to}`: {reason}"))?;
        }
    }
    Ok(())
}

fn one(config: &Config, subscriber: &Subscriber, known: &dyn Fn(&str) -> bool) -> Result<(), String> {
    match subscriber {
        Subscriber::Webhook { url, secrets, allow_private, .. } => {
            webhook::address(url, *allow_private).map_err(|error| error.to_string())?;
            if secrets.is_empty() || secrets.len() > webhook::KEYS_MAX {
                return Err(format!("`{url}`: name one to {} secrets, the newest first", webhook::KEYS_MAX));
            }
            match secrets.iter().find(|name| !known(name)) {
                Some(name) => Err(unknown_secret("secrets", name)),
                None => Ok(()),
            }
        }
        Subscriber::Mail { to } => {
            if config.mail.server.is_empty() {
                return Err(format!("mail to `{to}` needs a relay: set `mail.server` and `mail.from`"));
            }
            mail::address(to).map_err(|error| error.to_string())
        }
    }
}

/// Names of the secrets that notices need.
pub(crate) fn secrets(config: &Config) -> impl Iterator<Item = &str> {
    let hooks = config.notices.values().flatten().filter_map(|subscriber| match subscriber {
        Subscriber::Webhook { secrets, .. } => Some(secrets.iter().map(String::as_str)),
        Subscriber::Mail { .. } => None,
    });
    hooks.flatten().chain((!config.mail.secret.is_empty()).then_some(config.mail.secret.as_str()))
}

/// `notices:`: by whom a notice is for.
pub(crate) type Notices = BTreeMap<String, Vec<Subscriber>>;

//! Who gets notices, by the site file: a messenger for each, with its secrets. An engine that starts nothing needs none of them.

use std::path::Path;
use std::sync::Arc;

use kentai_engine::port::messenger::Messenger;
use kentai_engine::scheduler::Subscriber;
use kentai_executors::messenger::mail::{Mail, Relay};
use kentai_executors::messenger::webhook::{self, Key, Webhook};

use crate::config;
use crate::secrets;
use crate::site::Site;

/// Everybody under `notices:`. `drain`: only their names, no secret is read.
///
/// # Errors
/// What is wrong, with its place in the site file.
pub(super) fn subscribers(site: &Site, drain: bool) -> Result<Vec<Subscriber>, super::Error> {
    let mut all = Vec::new();
    for (to, list) in &site.config.notices {
        for one in list {
            let unfit = |reason: String| super::Error::Notices { to: to.clone(), reason };
            let (channel, address) = match one {
                config::Subscriber::Webhook { url, allow_private, .. } => {
                    let url = webhook::address(url, *allow_private).map_err(|error| unfit(error.to_string()))?;
                    ("webhook", url.to_string())
                }
                config::Subscriber::Mail { to } => ("mail", to.clone()),
            };
            let messenger = if drain { None } else { Some(messenger(site, one).map_err(unfit)?) };
            all.push(Subscriber { to: to.clone(), channel: channel.into(), address, messenger });
        }
    }
    Ok(all)
}

fn messenger(site: &Site, one: &config::Subscriber) -> Result<Arc<dyn Messenger>, String> {
    match one {
        config::Subscriber::Webhook { url, secrets, allow_private, authorities } => {
            let keys = secrets.iter().map(|name| key(site, name)).collect::<Result<_, _>>()?;
            let authorities = authorities.as_deref().map(|path| pem(site, path)).transpose()?;
            let options = webhook::Options { url: url.clone(), keys, allow_private: *allow_private, authorities };
            Ok(Arc::new(Webhook::new(options).map_err(|error| error.to_string())?))
        }
        config::Subscriber::Mail { to } => {
            let mail = &site.config.mail;
            let password = (!mail.secret.is_empty()).then(|| secrets::read(site, &mail.secret)).transpose();
            let password = password.map_err(|error| error.to_string())?;
            let authorities = (!mail.authorities.as_os_str().is_empty()).then(|| pem(site, &mail.authorities));
            let relay = Relay {
                server: mail.server.clone(),
                port: mail.port,
                security: mail.security().ok_or_else(|| format!("`mail.tls: {}`", mail.tls))?,
                credentials: password.map(|password| (mail.user.clone(), password)),
                authorities: authorities.transpose()?,
            };
            Ok(Arc::new(Mail::new(&relay, &mail.from, to).map_err(|error| error.to_string())?))
        }
    }
}

fn key(site: &Site, name: &str) -> Result<Key, String> {
    let text = secrets::read(site, name).map_err(|error| error.to_string())?;
    Key::parse(&text.0).map_err(|error| format!("secret `{name}`: {error}"))
}

fn pem(site: &Site, path: &Path) -> Result<Vec<u8>, String> {
    let path = site.directory.join(path);
    std::fs::read(&path).map_err(|error| format!("read {}: {error}", path.display()))
}

//! `sign_in:`, who else may say who somebody is. It asks nobody.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Config, Serve};

/// `sign_in:`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignIn {
    /// A provider of OpenID Connect; none: people have passwords here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Oidc>,
}

/// `sign_in.oidc:`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oidc {
    /// The provider's address, as it writes it itself.
    pub issuer: String,
    /// Who this site is to it.
    pub client_id: String,
    /// Name under `secrets:` of what proves it; empty: nothing but PKCE.
    #[serde(default)]
    pub secret: String,
    /// `sub`, `email`, or `preferred_username`: what says who somebody is.
    #[serde(default = "sub")]
    pub claim: String,
    /// What people read on the button.
    pub label: Label,
    /// PEM file of authorities that are trusted besides the machine's; relative to the site's directory; empty: none.
    #[serde(default)]
    pub authorities: PathBuf,
}

/// The same in both languages of the page.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    /// English.
    pub en: String,
    /// Japanese.
    pub ja: String,
}

fn sub() -> String {
    "sub".into()
}

/// What the types cannot say.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let Some(oidc) = &config.sign_in.oidc else { return Ok(()) };
    if !cfg!(feature = "oidc") {
        return Err("`sign_in.oidc`: this program was built without single sign-on; \
                    build it with `cargo build --release -p kentai --features oidc`, or leave the key out"
            .into());
    }
    one(config, oidc).map_err(|reason| format!("`sign_in.oidc`: {reason}"))
}

fn one(config: &Config, oidc: &Oidc) -> Result<(), String> {
    if oidc.client_id.trim().is_empty() {
        return Err("`client_id` is what the provider gave this site as its name".into());
    }
    for (key, text) in [("en", &oidc.label.en), ("ja", &oidc.label.ja)] {
        if text.trim().is_empty() || text.chars().count() > 80 {
            return Err(format!("`label.{key}` is what people read on the button: 1 to 80 characters"));
        }
    }
    if !oidc.secret.is_empty() && !config.secrets.contains_key(&oidc.secret) {
        return Err(format!("there is no secret `{}`; name its file under `secrets:`", oidc.secret));
    }
    if !["sub", "email", "preferred_username"].contains(&oidc.claim.as_str()) {
        return Err(format!("`claim: {}`: use sub, email, or preferred_username", oidc.claim));
    }
    // The provider sends people back to exactly this address.
    let page = config.serve.first().and_then(Serve::page);
    let page = page.ok_or("people come back to the page: give the first of `serve:` a port, or say `page:`")?;
    addresses(&oidc.issuer, &page)
}

#[cfg(feature = "oidc")]
fn addresses(issuer: &str, page: &str) -> Result<(), String> {
    use kentai_web::auth::oidc::address;
    address(issuer).map_err(|error| format!("`issuer`: {error}"))?;
    address(page).map_err(|error| format!("people come back to the page of the first of `serve:`: {error}"))
}

#[cfg(not(feature = "oidc"))]
fn addresses(_: &str, _: &str) -> Result<(), String> {
    Ok(())
}

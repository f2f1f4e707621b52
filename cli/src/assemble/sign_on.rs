//! Who else may say who somebody is, by the site file, with its secret.

use kentai_web::auth::SignOn;

use super::Error;
use crate::site::Site;

/// The provider of `sign_in.oidc:`, if the site names one. Nobody is asked yet: a site serves while its provider is away.
///
/// # Errors
/// When its secret or its authorities cannot be read.
#[cfg(feature = "oidc")]
pub(crate) fn sign_on(site: &Site) -> Result<SignOn, Error> {
    Ok(provider(site)?.map(SignOn::with).unwrap_or_default())
}

/// Nobody, in a build without it; a site file that names somebody was refused.
#[cfg(not(feature = "oidc"))]
pub(crate) fn sign_on(_: &Site) -> Result<SignOn, Error> {
    Ok(SignOn::default())
}

/// The same for whoever looks at it.
#[cfg(feature = "oidc")]
pub(crate) fn provider(site: &Site) -> Result<Option<kentai_web::auth::oidc::Provider>, Error> {
    use kentai_web::auth::oidc::{Claim, Options, Provider};

    let Some(oidc) = &site.config.sign_in.oidc else { return Ok(None) };
    let unfit = |reason: String| Error::SignIn { reason };
    let secret = (!oidc.secret.is_empty()).then(|| crate::secrets::read(site, &oidc.secret)).transpose();
    let authorities = (!oidc.authorities.as_os_str().is_empty()).then(|| site.directory.join(&oidc.authorities));
    let authorities = authorities
        .map(|path| std::fs::read(&path).map_err(|error| unfit(format!("read {}: {error}", path.display()))));
    let options = Options {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: secret.map_err(|error| unfit(error.to_string()))?,
        // `config` has read both before.
        claim: Claim::parse(&oidc.claim).unwrap_or(Claim::Sub),
        page: site.config.serve.first().and_then(crate::config::Serve::page).unwrap_or_default(),
        label: (oidc.label.en.clone(), oidc.label.ja.clone()),
        authorities: authorities.transpose()?,
    };
    Provider::new(options).map(Some).map_err(|error| unfit(error.to_string()))
}

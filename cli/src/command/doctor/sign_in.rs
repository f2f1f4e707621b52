//! Whoever else says who somebody is: asked as the page asks it, and without anybody who signs in.

use super::Line;
use crate::site::Site;

#[cfg(feature = "oidc")]
pub(super) async fn look(site: &Site) -> Option<Line> {
    use super::{ok, warn};

    let what = "sign-in elsewhere";
    let provider = match crate::assemble::provider(site) {
        Ok(provider) => provider?,
        Err(error) => {
            let remedy = "correct `sign_in:` in kentai.yaml, or put its files in place: no server starts without them";
            return Some(warn(what, error.to_string(), remedy));
        }
    };
    Some(match provider.look().await {
        Ok(found) => ok(what, found),
        Err(why) => {
            let remedy = "hold `sign_in.oidc.issuer` against what the provider says of itself, and see that this machine \
                          reaches it; passwords of this site still work";
            warn(what, why, remedy)
        }
    })
}

/// A plain build asks nobody.
#[cfg(not(feature = "oidc"))]
pub(super) async fn look(_: &Site) -> Option<Line> {
    None
}

//! The code for a token, and the token for what it says of somebody: nothing is believed before its signature, issuer, audience, time and
//! nonce were looked at.

use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, IdTokenVerifier, Nonce, PkceCodeVerifier, RequestTokenError,
    SignatureVerificationError, TokenResponse as _,
};

use super::{Claim, Failure, Provider};
use crate::auth::oidc::wire::chain;

/// Signatures with a public key; whoever knows our secret signs for nobody, and nobody signs with nothing.
const SIGNED_BY: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// A token is made when the code is exchanged: so far may two clocks be apart, seconds.
const APART_S: i64 = 300;

impl Provider {
    /// The token for a code.
    pub(super) async fn exchange(
        &self,
        said: &CoreProviderMetadata,
        code: &str,
        verifier: PkceCodeVerifier,
    ) -> Result<CoreIdToken, Failure> {
        let mut client = CoreClient::from_provider_metadata(said.clone(), self.client_id(), self.client_secret());
        // RFC 6749, 2.3.1: in the header, unless the provider says that it takes it in the body only.
        let ways = said.token_endpoint_auth_methods_supported();
        if ways.is_some_and(|ways| !ways.contains(&CoreClientAuthMethod::ClientSecretBasic)) {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        let client = client.set_redirect_uri(self.back.clone());
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| Failure::Away(chain(&error)))?.set_pkce_verifier(verifier);
        let answer = request.request_async(&self.wire).await.map_err(|error| match error {
            RequestTokenError::Request(error) => Failure::Away(chain(&error)),
            RequestTokenError::ServerResponse(said) => Failure::Refused("exchange", said.error().to_string()),
            other => Failure::Refused("exchange", chain(&other)),
        })?;
        let token = answer.id_token().cloned();
        token.ok_or_else(|| Failure::Refused("token", "the provider gave no ID token".into()))
    }

    /// What looks at a token.
    pub(super) fn verifier(&self, said: &CoreProviderMetadata) -> CoreIdTokenVerifier<'static> {
        let verifier: IdTokenVerifier<'static, CoreJsonWebKey> =
            IdTokenVerifier::new_public_client(self.client_id(), self.issuer.clone(), said.jwks().clone());
        verifier.set_allowed_algs(SIGNED_BY).set_issue_time_verifier_fn(|made| {
            let apart = made.timestamp().abs_diff(jiff::Timestamp::now().as_second());
            if apart <= APART_S.unsigned_abs() { Ok(()) } else { Err(format!("it was made {apart} s from now")) }
        })
    }
}

/// Why a token is not believed.
pub(super) enum Doubt {
    /// No key that we know has its id.
    UnknownKey,
    Other(&'static str, String),
}

impl Doubt {
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::UnknownKey => Failure::Refused("key", "the token is signed with an unknown key".into()),
            Self::Other(word, why) => Failure::Refused(word, why),
        }
    }
}

/// What a token says, when it is to be believed.
pub(super) fn verified<'a>(
    token: &'a CoreIdToken,
    verifier: CoreIdTokenVerifier<'static>,
    nonce: &Nonce,
) -> Result<&'a CoreIdTokenClaims, Doubt> {
    token.claims(&verifier, nonce).map_err(|error| {
        let word = match &error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                return Doubt::UnknownKey;
            }
            ClaimsVerificationError::SignatureVerification(_) => "signature",
            ClaimsVerificationError::InvalidIssuer(_) => "issuer",
            ClaimsVerificationError::InvalidAudience(_) => "audience",
            ClaimsVerificationError::InvalidNonce(_) => "nonce",
            ClaimsVerificationError::Expired(_) => "expired",
            _ => "token",
        };
        Doubt::Other(word, chain(&error))
    })
}

/// Who it is, by the claim that the site goes by.
pub(super) fn value(claims: &CoreIdTokenClaims, client_id: &str, claim: Claim) -> Result<String, Failure> {
    // Core 3.1.3.7, 5: a token that was made for somebody else's use is none of ours, whoever may read it.
    if claims.authorized_party().is_some_and(|party| party.as_str() != client_id) {
        return Err(Failure::Refused("audience", "the token is for another client (azp)".into()));
    }
    let missing = |why: &str| Failure::Refused("claim", format!("{} {why}", claim.word()));
    match claim {
        Claim::Sub => Ok(claims.subject().as_str().to_owned()),
        Claim::Email => match (claims.email(), claims.email_verified()) {
            (Some(email), Some(true)) => Ok(email.as_str().to_owned()),
            (Some(_), _) => Err(missing("is not verified by the provider")),
            (None, _) => Err(missing("is not in the token")),
        },
        Claim::PreferredUsername => {
            let name = claims.preferred_username().ok_or_else(|| missing("is not in the token"))?;
            Ok(name.as_str().to_owned())
        }
    }
}

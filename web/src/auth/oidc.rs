//! A provider of OpenID Connect: what it says of itself, the way to it, and what it says of somebody who came back.
//!
//! Beside its own files this is the only place that knows the crate `openidconnect`. What a provider says is believed when it is signed by
//! one of its keys, for us, in answer to our own question, and not over (OpenID Connect Core 1.0, 3.1.3.7). It knows no account here.

pub(crate) mod flows;
mod token;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use kentai_engine::people::record::Identity;
use kentai_engine::people::secret::Hidden;
use kentai_workflows::diagnostic::Language;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use flows::Flows;
use wire::Wire;

/// So long is believed what a provider said of itself, keys included.
const KNOWN_FOR: Duration = Duration::from_secs(3600);
/// A provider that was away is not asked again before: everybody who waits for it is told at once.
const AWAY_FOR: Duration = Duration::from_secs(5);
/// A token with an unknown key makes us ask for keys at most so often.
const KEYS_EVERY: Duration = Duration::from_secs(60);
/// No code and no state that we made or would take is longer, bytes.
const WORD_MAX: usize = 4096;

/// Which claim says who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The provider's own name for somebody, which it gives to nobody else.
    Sub,
    /// Their address, where the provider has verified it.
    Email,
    /// What they are called there.
    PreferredUsername,
}

impl Claim {
    const ALL: [Self; 3] = [Self::Sub, Self::Email, Self::PreferredUsername];

    /// As the provider writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sub => "sub",
            Self::Email => "email",
            Self::PreferredUsername => "preferred_username",
        }
    }

    /// The claim of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|claim| claim.word() == word)
    }

    /// What has to be asked for to be told it.
    fn scope(self) -> Option<&'static str> {
        match self {
            Self::Sub => None,
            Self::Email => Some("email"),
            Self::PreferredUsername => Some("profile"),
        }
    }
}

/// What a site says of its provider.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its address: `https://…`; `http://` on this machine only.
    pub issuer: String,
    /// Who we are to it.
    pub client_id: String,
    /// What proves it; none: nothing but PKCE.
    pub client_secret: Option<Hidden>,
    /// Which claim says who somebody is.
    pub claim: Claim,
    /// What people call it, in English and Japanese.
    pub label: (String, String),
    /// The page's address, to which people come back.
    pub page: String,
    /// Authorities that are trusted besides the machine's, PEM.
    pub authorities: Option<Vec<u8>>,
}

/// What cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(String);

/// Why somebody did not come in by the provider.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It gives no answer that could be used.
    #[error("{0}")]
    Away(String),
    /// What it says is not believed; the reason is a fixed word for the audit log.
    #[error("{0}: {1}")]
    Refused(&'static str, String),
}

/// Is this an address that a provider may have? `http` reaches this machine only.
///
/// # Errors
/// What is wrong with it, and what helps.
pub fn address(text: &str) -> Result<(), Unfit> {
    let unfit = |reason: &str| Unfit(format!("`{}`: {reason}", text.escape_debug()));
    let url = Url::parse(text).map_err(|error| unfit(&format!("it is no address ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(unfit("leave out user, password, `?…` and `#…`"));
    }
    if wire::is_safe(&url) { Ok(()) } else { Err(unfit("use https; http reaches this machine only")) }
}

/// What a provider said of itself, and when.
struct Said {
    metadata: Arc<CoreProviderMetadata>,
    at: Instant,
    keys_at: Instant,
}

#[derive(Default)]
struct Known {
    said: Option<Said>,
    away: Option<(String, Instant)>,
}

/// A provider.
pub struct Provider {
    options: Options,
    issuer: IssuerUrl,
    back: RedirectUrl,
    wire: Wire,
    known: Mutex<Known>,
    /// Who is on the way there, or came back and has to give a code.
    pub(crate) flows: Flows,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.options.issuer).finish_non_exhaustive()
    }
}

/// Somebody is sent there: what their browser must bring back.
pub(crate) struct Begun {
    pub(crate) address: String,
    pub(crate) question: Question,
}

/// What binds an answer to the question.
pub(crate) struct Question {
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

impl Question {
    /// Whether an answer is to this question. It is taken off before it is looked at, so that nobody tries twice.
    pub(crate) fn is_of(&self, state: &str) -> bool {
        self.state.secret() == state
    }
}

impl Provider {
    /// A provider by what the site says; nobody is asked yet.
    ///
    /// # Errors
    /// What is wrong, and what helps.
    pub fn new(options: Options) -> Result<Self, Unfit> {
        address(&options.issuer)?;
        address(&options.page)?;
        let unfit = |error: url::ParseError| Unfit(error.to_string());
        let issuer = IssuerUrl::new(options.issuer.clone()).map_err(unfit)?;
        let back = format!("{}/sign-in/oidc/callback", options.page.trim_end_matches('/'));
        let back = RedirectUrl::new(back).map_err(unfit)?;
        let wire = Wire::new(options.authorities.as_deref()).map_err(Unfit)?;
        Ok(Self { options, issuer, back, wire, known: Mutex::default(), flows: Flows::default() })
    }

    pub(crate) fn label(&self, language: Language) -> &str {
        match language {
            Language::En => &self.options.label.0,
            Language::Ja => &self.options.label.1,
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.options.issuer
    }

    pub(crate) fn claim(&self) -> Claim {
        self.options.claim
    }

    /// Asks what the provider says of itself, as signing in would: where people are sent, and how many keys it has.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub async fn look(&self) -> Result<String, String> {
        let said = self.said().await.map_err(|failure| failure.to_string())?;
        let keys = said.jwks().keys().len();
        if keys == 0 {
            return Err("it publishes no keys".into());
        }
        Ok(format!("people are sent to {}; {keys} keys", said.authorization_endpoint().url()))
    }

    /// What it says of itself: remembered for an hour, asked for by one of all who wait.
    async fn said(&self) -> Result<Arc<CoreProviderMetadata>, Failure> {
        let mut known = self.known.lock().await;
        if let Some(said) = known.said.as_ref().filter(|said| said.at.elapsed() < KNOWN_FOR) {
            return Ok(Arc::clone(&said.metadata));
        }
        if let Some((why, at)) = &known.away
            && at.elapsed() < AWAY_FOR
        {
            return Err(Failure::Away(why.clone()));
        }
        self.ask(&mut known).await
    }

    /// The same with newer keys than these; none when it was asked just now.
    async fn newer(&self, than: &Arc<CoreProviderMetadata>) -> Result<Option<Arc<CoreProviderMetadata>>, Failure> {
        let mut known = self.known.lock().await;
        match &known.said {
            Some(said) if !Arc::ptr_eq(&said.metadata, than) => return Ok(Some(Arc::clone(&said.metadata))),
            Some(said) if said.keys_at.elapsed() < KEYS_EVERY => return Ok(None),
            _ => {}
        }
        if let Some(said) = &mut known.said {
            said.keys_at = Instant::now();
        }
        self.ask(&mut known).await.map(Some)
    }

    async fn ask(&self, known: &mut Known) -> Result<Arc<CoreProviderMetadata>, Failure> {
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.wire).await;
        let found = found.map_err(|error| wire::chain(&error)).and_then(|metadata| fits(&metadata).map(|()| metadata));
        match found {
            Ok(metadata) => {
                let (metadata, at) = (Arc::new(metadata), Instant::now());
                // Keys may be asked for again at once after an ordinary look: a provider may have changed them a second ago.
                let keys_at =
                    known.said.as_ref().map_or_else(|| at.checked_sub(KEYS_EVERY).unwrap_or(at), |said| said.keys_at);
                *known = Known { said: Some(Said { metadata: Arc::clone(&metadata), at, keys_at }), away: None };
                Ok(metadata)
            }
            Err(why) => {
                tracing::warn!(
                    issuer = self.options.issuer,
                    why,
                    "the provider for signing in gives no answer that can be used"
                );
                known.away = Some((why.clone(), Instant::now()));
                Err(Failure::Away(why))
            }
        }
    }

    /// Where somebody is sent.
    pub(crate) async fn begin(&self) -> Result<Begun, Failure> {
        let said = self.said().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = CoreClient::from_provider_metadata((*said).clone(), self.client_id(), None);
        let client = client.set_redirect_uri(self.back.clone());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        if let Some(scope) = self.options.claim.scope() {
            request = request.add_scope(Scope::new(scope.to_owned()));
        }
        let (address, state, nonce) = request.set_pkce_challenge(challenge).url();
        Ok(Begun { address: address.to_string(), question: Question { state, nonce, verifier } })
    }

    /// Who came back with this code, by the provider's word.
    pub(crate) async fn finish(&self, code: &str, question: Question) -> Result<Identity, Failure> {
        if code.is_empty() || code.len() > WORD_MAX {
            return Err(Failure::Refused("exchange", "it is none that could be exchanged".into()));
        }
        let said = self.said().await?;
        let token = self.exchange(&said, code, question.verifier).await?;
        let claims = match token::verified(&token, self.verifier(&said), &question.nonce) {
            Err(token::Doubt::UnknownKey) => {
                let newer = self.newer(&said).await?;
                let newer = newer.ok_or(Failure::Refused("key", "the token is signed with an unknown key".into()))?;
                token::verified(&token, self.verifier(&newer), &question.nonce)
            }
            other => other,
        };
        let claims = claims.map_err(token::Doubt::into_failure)?;
        let value = token::value(claims, &self.options.client_id, self.options.claim)?;
        let identity = Identity::new(&self.options.issuer, self.options.claim.word(), &value);
        identity.map_err(|why| Failure::Refused("claim", why))
    }

    /// RFC 9207: an answer that says whose it is must be this provider's.
    pub(crate) fn is_of_issuer(&self, issuer: Option<&str>) -> bool {
        issuer.is_none_or(|issuer| issuer == self.options.issuer)
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.options.client_id.clone())
    }

    fn client_secret(&self) -> Option<ClientSecret> {
        self.options.client_secret.as_ref().map(|secret| ClientSecret::new(secret.0.clone()))
    }
}

/// Every address that it names may be asked, and it knows our way.
fn fits(metadata: &CoreProviderMetadata) -> Result<(), String> {
    let token = metadata.token_endpoint().ok_or("it names no token_endpoint")?;
    for (name, url) in [
        ("authorization_endpoint", metadata.authorization_endpoint().url()),
        ("token_endpoint", token.url()),
        ("jwks_uri", metadata.jwks_uri().url()),
    ] {
        if !wire::is_safe(url) {
            return Err(format!("its {name} is neither https nor on this machine"));
        }
    }
    Ok(())
}

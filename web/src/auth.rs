//! Who else may say who somebody is: an account elsewhere, where this program was built for it (feature `oidc`). It knows no account here
//! and opens no session; a plain build knows nobody else.

#[cfg(feature = "oidc")]
pub mod oidc;

use kentai_workflows::diagnostic::Language;

/// Who is asked, if anybody.
#[derive(Clone, Debug, Default)]
pub struct SignOn {
    #[cfg(feature = "oidc")]
    provider: Option<std::sync::Arc<oidc::Provider>>,
}

#[cfg(feature = "oidc")]
impl SignOn {
    /// With a provider of OpenID Connect.
    pub fn with(provider: oidc::Provider) -> Self {
        Self { provider: Some(std::sync::Arc::new(provider)) }
    }

    pub(crate) fn provider(&self) -> Option<&oidc::Provider> {
        self.provider.as_deref()
    }

    /// What people call it; none: nobody is asked.
    pub(crate) fn label(&self, language: Language) -> Option<&str> {
        self.provider().map(|provider| provider.label(language))
    }

    /// Its address, and the claim by which it says who somebody is.
    pub(crate) fn names(&self) -> Option<(&str, &'static str)> {
        self.provider().map(|provider| (provider.issuer(), provider.claim().word()))
    }
}

#[cfg(not(feature = "oidc"))]
impl SignOn {
    /// What people call it: nobody is asked.
    pub(crate) fn label(&self, _: Language) -> Option<&str> {
        None
    }

    /// Nobody's.
    pub(crate) fn names(&self) -> Option<(&str, &'static str)> {
        None
    }
}

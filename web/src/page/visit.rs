//! Who looks at a page, and how they want it: language and theme from their cookies, else from what the browser says.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use cookie::Cookie;
use jiff::tz::TimeZone;
use kentai_engine::people::permission::{Action, Principal, permit};
use kentai_engine::scheduler::Actor;
use kentai_workflows::diagnostic::Language;

use super::say::Say;
use super::shell::{Place, Shell};
use super::words::Words;
use crate::error::Problem;
use crate::extract::language;
use crate::{App, peer};

/// Keeps the language.
pub(super) const LANGUAGE: &str = "kentai-language";
/// Keeps the theme.
pub(super) const THEME: &str = "kentai-theme";

/// How a page is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    pub(crate) language: Language,
    theme: &'static str,
    here: String,
    zone: TimeZone,
    now: i64,
}

impl Manners {
    /// Before anybody knows the site: times in UTC.
    pub(crate) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let language = match cookie(headers, LANGUAGE).as_deref() {
            Some("ja") => Language::Ja,
            Some("en") => Language::En,
            _ => language(headers),
        };
        let theme = match cookie(headers, THEME).as_deref() {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "",
        };
        let here = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Self { language, theme, here, zone: TimeZone::UTC, now: 0 }
    }

    /// On a page that is not shown again at its own address: links lead back here.
    #[cfg(feature = "oidc")]
    pub(crate) fn instead_at(self, here: &str) -> Self {
        Self { here: here.to_owned(), ..self }
    }

    fn at(self, app: &App) -> Self {
        Self { zone: app.zone.clone(), now: app.engine.options().clock.now(), ..self }
    }

    pub(crate) fn shell(self, person: Option<&Actor>, place: Place) -> Shell {
        let words = Words::of(self.language);
        let lists = person.map(|who| super::lists::of(&who.principal(), self.language)).unwrap_or_default();
        let person = person.map(|who| match who.roles.first().map(|role| words.role(role.as_str())) {
            Some(role) if !role.is_empty() => match self.language {
                Language::En => format!("{}, {role}", who.name),
                Language::Ja => format!("{}（{role}）", who.name),
            },
            _ => who.name.clone(),
        });
        let say = Say::new(self.language, self.zone, self.now);
        Shell { words, say, place, theme: self.theme, person, here: self.here, lists }
    }
}

impl FromRequestParts<App> for Manners {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, &parts.uri).at(app))
    }
}

/// Somebody of the site, at a page.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) who: Actor,
    pub(crate) manners: Manners,
}

impl Visit {
    pub(crate) fn principal(&self) -> Principal {
        self.who.principal()
    }

    pub(crate) fn language(&self) -> Language {
        self.manners.language
    }

    /// In which the site's people read times.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.manners.zone
    }

    /// Microseconds since the epoch: the moment that the page tells.
    pub(crate) fn now(&self) -> i64 {
        self.manners.now
    }

    pub(crate) fn shell(&self, place: Place) -> Shell {
        self.manners.clone().shell(Some(&self.who), place)
    }

    /// Who may not is told so before anything is said of how things stand; the engine asks again.
    pub(crate) fn must(&self, action: Action) -> Result<(), Problem> {
        let refused = || Problem::not_allowed(format!("{} may not do this: it needs another role", self.who.name));
        if self.may(action) { Ok(()) } else { Err(refused()) }
    }

    /// Whether a button for it makes sense; the engine asks again when it is pressed.
    pub(crate) fn may(&self, action: Action) -> bool {
        permit(&self.principal(), action, None).is_ok()
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let peer::Person(who) = peer::Person::from_request_parts(parts, app).await?;
        let Ok(manners) = Manners::from_request_parts(parts, app).await;
        Ok(Self { who, manners })
    }
}

/// A cookie's value.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = all.flat_map(Cookie::split_parse).flatten();
    cookies.find(|one| one.name() == name).map(|one| one.value().to_owned())
}

//! What a reader chooses for themselves: language and theme, kept in their browser and nowhere else; and who they are here.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use serde::Deserialize;

use super::shell::{Place, Shell, page};
use super::visit::{LANGUAGE, THEME, Visit};
use crate::error::Problem;

/// A year: nobody chooses their language every day.
const KEPT: cookie::time::Duration = cookie::time::Duration::days(365);

/// The page.
#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    shell: Shell,
    name: String,
    roles: String,
    /// From outside: where they belong.
    of: Option<String>,
    themes: [(&'static str, &'static str, bool); 3],
}

/// `GET /settings`
pub(super) async fn show(visit: Visit) -> Response {
    let shell = visit.shell(Place::Settings);
    let said = |role: &String| match shell.words.role(role) {
        "" => role.clone(),
        word => word.to_owned(),
    };
    let roles: Vec<String> = visit.who.roles.iter().map(said).collect();
    let themes =
        [("auto", shell.words.theme_auto), ("light", shell.words.theme_light), ("dark", shell.words.theme_dark)]
            .map(|(theme, word)| (theme, word, shell.theme == theme || (theme == "auto" && shell.theme.is_empty())));
    let of = visit.who.institution.clone().or_else(|| visit.who.data_center.clone());
    page(&Settings { roles: roles.join(shell.say.pick(", ", "、")), name: visit.who.name, of, themes, shell })
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// `GET /language/{en|ja}`
pub(super) async fn language(Path(wish): Path<String>, Query(back): Query<Back>) -> Result<Response, Problem> {
    chosen(LANGUAGE, &["en", "ja"], wish, &back.back)
}

/// `GET /theme/{light|dark|auto}`
pub(super) async fn theme(Path(wish): Path<String>, Query(back): Query<Back>) -> Result<Response, Problem> {
    chosen(THEME, &["light", "dark", "auto"], wish, &back.back)
}

fn chosen(name: &'static str, known: &[&str], wish: String, back: &str) -> Result<Response, Problem> {
    if !known.contains(&wish.as_str()) {
        return Err(Problem::not_found(format!("there is no such choice; one of {}", known.join(", "))));
    }
    let kept = Cookie::build((name, wish)).path("/").max_age(KEPT).same_site(SameSite::Lax).http_only(true);
    Ok(([(header::SET_COOKIE, kept.build().to_string())], Redirect::to(local(back))).into_response())
}

/// A path of this site, whatever a link says: nobody is sent elsewhere by us.
pub(super) fn local(back: &str) -> &str {
    let is_path = back.starts_with('/') && !back[1..].starts_with(['/', '\\']);
    let is_plain = back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for evil in
            ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\nb", "\\\\x"]
        {
            assert_eq!(local(evil), "/", "{evil}");
        }
        assert_eq!(local("/runs?status=failed"), "/runs?status=failed");
    }
}

//! Whose link it is: the token or session that it was made with, or the account itself. What ended meanwhile makes its links worthless.

use std::collections::BTreeSet;

use crate::clock::Micros;
use crate::people::record::{Session, Token};
use crate::people::token::ACTIVE;
use crate::specimen::record::Kind;
use crate::store::read::Reader;
use crate::store::{Error, rows};
use crate::view::document;

/// The account behind `t.TOKEN`, `s.SESSION` or `p.PERSON`, and what it may do at most (none: whatever its roles allow). None when the
/// token or the session counts no more; whether the account does is for the caller to ask.
///
/// # Errors
/// When the database cannot be read.
pub async fn holder(
    reader: &Reader,
    by: &str,
    now: Micros,
) -> Result<Option<(String, Option<BTreeSet<String>>)>, Error> {
    let Some((kind, id)) = by.split_once('.') else { return Ok(None) };
    let row = match kind {
        "t" => reader.record(Kind::Token.word(), id).await?,
        "s" => reader.record(Kind::Session.word(), id).await?,
        "p" => return Ok(Some((id.to_owned(), None))),
        _ => None,
    };
    let Some(row) = row.filter(|row| row.status == ACTIVE) else { return Ok(None) };
    let (until, scopes) = limits(&row)?;
    Ok(until.is_none_or(|until| now < until).then_some((row.parent, scopes)))
}

type Limits = (Option<Micros>, Option<BTreeSet<String>>);

fn limits(row: &rows::center::Record) -> Result<Limits, Error> {
    if row.kind == Kind::Token.word() {
        let token: Token = document("a token", &row.document)?;
        return Ok((token.expires_us, token.scopes));
    }
    let session: Session = document("a session", &row.document)?;
    // Of a user of the machine: what they may, only the site's file knows, and a file's link does not ask it.
    let until = if session.user.is_some() { Micros::MIN } else { session.until_us };
    Ok((Some(until), None))
}

//! Accounts, their tokens and sessions: for whoever manages people, and each person's own for themselves. No secret is in them.

use serde::Serialize;

use super::access::{Refused, missing, part};
use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::people::record::{Person, Session, Token};
use crate::people::token::ACTIVE;
use crate::specimen::record::Kind;
use crate::store::Error;
use crate::store::read::{Reader, RecordFilter};
use crate::store::rows::center::Record;
use crate::view::{Page, document, time};

/// Sessions of somebody that are looked at, the newest: each lasts a shift.
const SESSIONS: i64 = 200;
/// Tokens of an account that are shown, the newest.
const TOKENS: i64 = 500;

/// Somebody, or a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonView {
    /// As the audit log names them.
    pub name: String,
    /// They may do what their roles allow.
    pub active: bool,
    /// A program, not somebody.
    pub service: bool,
    /// Roles, by their words.
    pub roles: Vec<String>,
    /// Their institution, when they are not of the center.
    pub institution: Option<String>,
    /// Their data center.
    pub data_center: Option<String>,
    /// They have a password.
    pub password: bool,
    /// They have a key for one-time codes.
    pub code_key: bool,
    /// What the claim of their account elsewhere says, if one signs them in.
    pub identity: Option<String>,
    /// Nobody tries a password before; none: they may.
    pub locked_until: Option<String>,
    /// When they signed in last, if they ever did.
    pub signed_in: Option<String>,
    /// When the account was made.
    pub made: String,
    /// Who made it, or gave it a password, codes or roles.
    pub made_by: Vec<String>,
    /// Counts its changes: what somebody decides is about one of them.
    pub version: i64,
}

/// A token; never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenView {
    /// What stands between the first two `_`.
    pub id: String,
    /// It counts, unless its time is over.
    pub active: bool,
    /// What it is for.
    pub label: String,
    /// What it may do at most; none: whatever its owner may.
    pub scopes: Option<Vec<String>>,
    /// Until when it counts.
    pub expires: Option<String>,
    /// Its time is over.
    pub over: bool,
    /// When it was made, and by whom.
    pub made: String,
    /// By whom.
    pub made_by: String,
}

/// Somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// What stands between the first two `_`.
    pub id: String,
    /// Since when.
    pub since: String,
    /// Until when it counts.
    pub until: String,
    /// As a user of the site's machine, by a link.
    pub by_link: bool,
}

/// Accounts are for whoever manages people.
///
/// # Errors
/// When they may not see them.
pub fn may_see(who: &Principal) -> Result<(), Refused> {
    part(who, &[Action::ManagePeople], None).map(drop)
}

/// Accounts by name; `active`: only those that count, or only those that do not.
///
/// # Errors
/// When they may not see them, or the database cannot be read.
pub async fn people(
    reader: &Reader,
    who: &Principal,
    active: Option<bool>,
    (after, limit): (Option<String>, i64),
    now: Micros,
) -> Result<Page<PersonView>, Refused> {
    may_see(who)?;
    let status = active.map(|active| if active { ACTIVE } else { "disabled" }.to_owned());
    let filter = RecordFilter { kind: Kind::Person.word().into(), status, after, limit, ..RecordFilter::default() };
    let rows = reader.records(&filter).await?;
    let names: Vec<String> = rows.iter().map(|row| row.record_id.clone()).collect();
    let last = reader.signed_in_last(&names).await?;
    let last = |name: &str| last.iter().find(|(known, _)| known == name).and_then(|(_, at)| *at);
    let people = rows.into_iter().map(|row| of(&row, last(&row.record_id), now));
    Ok(Page::new(people.collect::<Result<_, Error>>()?, limit, |one: &PersonView| one.name.clone()))
}

/// One account.
///
/// # Errors
/// When it is not there, they may not see it, or the database cannot be read.
pub async fn person(reader: &Reader, who: &Principal, name: &str, now: Micros) -> Result<PersonView, Refused> {
    may_see(who)?;
    own_account(reader, name, now).await?.ok_or_else(|| missing("person", name))
}

/// Somebody's own account; none: only the site's file knows them. Whoever shows it has asked who they are.
///
/// # Errors
/// When the database cannot be read.
pub async fn own_account(reader: &Reader, name: &str, now: Micros) -> Result<Option<PersonView>, Refused> {
    let Some(row) = reader.record(Kind::Person.word(), name).await? else { return Ok(None) };
    let last = reader.signed_in_last(&[name.to_owned()]).await?;
    Ok(Some(of(&row, last.first().and_then(|(_, at)| *at), now)?))
}

fn of(row: &Record, signed_in_us: Option<Micros>, now: Micros) -> Result<PersonView, Error> {
    let doc: Person = document("a person", &row.document)?;
    Ok(PersonView {
        name: row.record_id.clone(),
        active: row.status == ACTIVE,
        service: doc.service,
        roles: doc.roles.into_iter().collect(),
        institution: doc.institution,
        data_center: doc.data_center,
        password: !doc.password.0.is_empty(),
        code_key: !doc.totp.0.is_empty(),
        identity: doc.identity.map(|identity| identity.value),
        locked_until: Some(doc.locked_until_us).filter(|until| *until > now).map(time),
        signed_in: signed_in_us.map(time),
        made: time(row.created_us),
        made_by: doc.made_by.into_iter().collect(),
        version: row.version,
    })
}

/// The tokens of an account, the newest first.
///
/// # Errors
/// When they may not see them, or the database cannot be read.
pub async fn tokens(reader: &Reader, who: &Principal, owner: &str, now: Micros) -> Result<Vec<TokenView>, Refused> {
    if who.name != owner {
        may_see(who)?;
    }
    let told = |row: Record| {
        let doc: Token = document("a token", &row.document)?;
        Ok(TokenView {
            active: row.status == ACTIVE,
            label: doc.label,
            scopes: doc.scopes.map(|scopes| scopes.into_iter().collect()),
            over: doc.expires_us.is_some_and(|end| end <= now),
            expires: doc.expires_us.map(time),
            made: time(row.created_us),
            made_by: doc.made_by,
            id: row.record_id,
        })
    };
    Ok(reader
        .newest_of(Kind::Token.word(), owner, TOKENS)
        .await?
        .into_iter()
        .map(told)
        .collect::<Result<_, Error>>()?)
}

/// Somebody's own sessions that count now, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub async fn sessions(reader: &Reader, who: &Principal, now: Micros) -> Result<Vec<SessionView>, Refused> {
    let mut open = Vec::new();
    for row in reader.newest_of(Kind::Session.word(), &who.name, SESSIONS).await? {
        let doc: Session = document("a session", &row.document)?;
        if row.status == ACTIVE && doc.until_us > now {
            let (since, until) = (time(row.created_us), time(doc.until_us));
            open.push(SessionView { id: row.record_id, since, until, by_link: doc.user.is_some() });
        }
    }
    Ok(open)
}

//! People and services: added, given roles, passwords, codes and tokens, and known again. What is slow or random happens at the door,
//! before the loop; the loop only compares and writes down.

mod identity;
mod last;
mod link;
mod own;

use rand::TryRngCore as _;
use serde_json::json;

use kentai_workflows::plan::is_id;

use super::desk::{By, Held, document, unknown};
use super::request::{Answer, Request};
use crate::clock::Micros;
use crate::id::fresh;
use crate::people::record::{Person, Session, Token};
use crate::people::role::Role;
use crate::people::secret::{self, Hidden};
use crate::people::{password, permission, session, token, totp};
use crate::scheduler::Actor;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::Kind;
use crate::store::read::Reader;

pub use identity::{Arrival, Arrived, TurnedAway};
pub use link::{Opening, whose};
pub use own::Own;

pub(in crate::scheduler) use link::opening;

/// The status of a person who may do nothing any more.
const DISABLED: &str = "disabled";
/// One and the same, whatever was wrong.
const WRONG: &str = "name, password or code is wrong, or there were too many tries: wait a quarter of an hour";

/// What somebody gave to sign in, as the door found it.
#[derive(Clone, Debug)]
pub struct SignIn {
    name: String,
    /// The stored hash that the password was compared with.
    compared: Hidden,
    right: bool,
    code: Hidden,
    session: String,
    sha256: String,
}

/// Random bytes of the machine.
pub(in crate::scheduler) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

fn chance<const N: usize>() -> Result<[u8; N], Refusal> {
    random().map_err(|error| Refusal::Unreachable(format!("the machine gives no random bytes: {error}")))
}

/// Hashes, keys and secrets of a request, made before the loop; and what its answer tells once.
pub(in crate::scheduler) async fn at_the_door(
    request: Request,
    actor: &Actor,
    site: &str,
) -> Result<(Request, Option<Hidden>), Refusal> {
    // Whoever may not makes us hash nothing: the loop says no.
    if permission::permit(&actor.principal(), request.action(), None).is_err() {
        return Ok((request, None));
    }
    Ok(match request {
        Request::SetPassword { name, password, .. } => {
            let (salt, whose) = (chance::<16>()?, name.clone());
            let hash = slowly(move || password::hash(&whose, &password.0, &salt)).await?;
            let hash = Hidden(hash.map_err(|bad| Refusal::Bad(bad.to_string()))?);
            (Request::SetPassword { name, password: Hidden::default(), hash }, None)
        }
        Request::SetTotp { name, .. } => {
            let key = totp::write_key(&chance::<20>()?);
            let told = Hidden(totp::address(site, &name, &key));
            (Request::SetTotp { name, key: Hidden(key) }, Some(told))
        }
        Request::NewToken { owner, label, scopes, expires_us, .. } => {
            let id = fresh("k");
            let (told, sha256) = secret::write(token::PREFIX, &id, &chance()?);
            (Request::NewToken { owner, label, scopes, expires_us, made: (id, sha256) }, Some(told))
        }
        Request::OfferLink { user, .. } => {
            let id = fresh("l");
            let (told, sha256) = secret::write(crate::people::link::PREFIX, &id, &chance()?);
            (Request::OfferLink { user, made: (id, sha256) }, Some(told))
        }
        other => (other, None),
    })
}

async fn slowly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::Stopped)
}

/// Compares a password, and makes the session that it may open.
pub(in crate::scheduler) async fn attempt(
    reader: &Reader,
    name: &str,
    password: &str,
    code: &str,
) -> Result<(SignIn, Hidden), Refusal> {
    let row = reader.record(Kind::Person.word(), name).await?;
    let person: Option<Person> = row.map(|row| document("a person", &row.document)).transpose()?;
    let compared = person.map(|person| person.password).unwrap_or_default();
    let (password, stored) = (password.to_owned(), compared.0.clone());
    let right = slowly(move || password::verify(&password, &stored)).await?;
    let session = fresh("e");
    let (told, sha256) = secret::write(session::PREFIX, &session, &chance()?);
    let code = Hidden(code.to_owned());
    Ok((SignIn { name: name.to_owned(), compared, right, code, session, sha256 }, told))
}

/// Who shows a token or a session.
#[derive(Clone, Debug)]
pub enum Known {
    /// An account of the site.
    Account(Actor),
    /// A user of the machine who was signed in by a link: only the site's file knows what they may now.
    User {
        /// Of the machine.
        uid: u32,
        /// Who they were when the link was made; if they are somebody else by now, they are nobody.
        name: String,
    },
}

impl Known {
    pub(in crate::scheduler) fn into_name(self) -> String {
        match self {
            Self::Account(actor) => actor.name,
            Self::User { name, .. } => name,
        }
    }
}

fn nobody() -> Refusal {
    Refusal::NotAllowed("this token or session is nobody's, or counts no more".into())
}

/// The account whose token or session it is, as of the newest commit.
///
/// # Errors
/// When it is no account's, or counts no more.
pub async fn who(reader: &Reader, shown: &str, now: Micros) -> Result<Actor, Refusal> {
    match known(reader, shown, now).await? {
        Known::Account(actor) => Ok(actor),
        Known::User { .. } => Err(nobody()),
    }
}

/// Whose token or session it is, as of the newest commit.
///
/// # Errors
/// When it is nobody's, or counts no more.
pub async fn known(reader: &Reader, shown: &str, now: Micros) -> Result<Known, Refusal> {
    let (kind, shown) = match (secret::read(token::PREFIX, shown), secret::read(session::PREFIX, shown)) {
        (Some(shown), _) => (Kind::Token, shown),
        (None, Some(shown)) => (Kind::Session, shown),
        (None, None) => return Err(nobody()),
    };
    let row = reader.record(kind.word(), shown.id).await?.ok_or_else(nobody)?;
    let (counts, scopes, user) = if kind == Kind::Token {
        let doc: Token = document("a token", &row.document)?;
        (token::counts(&doc, &row.status, &shown, now), doc.scopes, None)
    } else {
        let doc: Session = document("a session", &row.document)?;
        (session::counts(&doc, &row.status, &shown, now), None, doc.user)
    };
    if !counts {
        return Err(nobody());
    }
    if let Some(uid) = user {
        let account = reader.record(Kind::Person.word(), &row.parent).await?;
        let disabled = account.is_some_and(|account| account.status != token::ACTIVE);
        return if disabled { Err(nobody()) } else { Ok(Known::User { uid, name: row.parent }) };
    }
    let actor = active_person(reader, &row.parent).await?.ok_or_else(nobody)?;
    Ok(Known::Account(Actor { scopes, ..actor }))
}

/// The person or service of this name, as of the newest commit: for whoever has proved by other means than a token who they are.
///
/// # Errors
/// When there is none, or it is disabled.
pub async fn named(reader: &Reader, name: &str) -> Result<Actor, Refusal> {
    let nobody =
        || Refusal::NotAllowed(format!("`{name}` is no active account of this site (`kentai admin user add`)"));
    active_person(reader, name).await?.ok_or_else(nobody)
}

/// None when it is not there or disabled.
async fn active_person(reader: &Reader, name: &str) -> Result<Option<Actor>, Refusal> {
    let row = reader.record(Kind::Person.word(), name).await?;
    let Some(row) = row.filter(|row| row.status == token::ACTIVE) else { return Ok(None) };
    let doc: Person = document("a person", &row.document)?;
    Ok(Some(Actor {
        name: row.record_id,
        roles: doc.roles,
        institution: doc.institution,
        data_center: doc.data_center,
        scopes: None,
    }))
}

impl Service {
    pub(in crate::scheduler) async fn carry_out_people(
        &mut self,
        request: Request,
        by: &By,
    ) -> Result<Answer, Refusal> {
        match request {
            Request::AddPerson { name, service, roles, institution, data_center } => {
                let roles = roles.into_iter().collect();
                let made_by = [by.name.clone()].into();
                let doc = Person { service, roles, institution, data_center, made_by, ..Person::default() };
                self.add_person(&name, doc, by).await
            }
            Request::SetRoles { name, roles } => self.set_roles(&name, roles, by).await,
            Request::SetPassword { name, hash, .. } => self.set_password(&name, hash, by).await,
            Request::SetTotp { name, key } => {
                let mut person = self.active(&name).await?;
                person.doc.totp = key;
                person.doc.made_by.insert(by.name.clone());
                person.doc.totp_used = 0;
                Ok(self.person(&mut person, "code_key_set", by, &json!({})))
            }
            Request::LinkIdentity { name, issuer, claim, value } => {
                self.link_identity(&name, (&issuer, &claim, &value), by).await
            }
            Request::UnlinkIdentity { name } => self.unlink_identity(&name, by).await,
            Request::DisablePerson { name } => {
                let mut person = self.active(&name).await?;
                self.leaves_an_admin(&name, "disabled").await?;
                person.row.status = DISABLED.into();
                Ok(self.person(&mut person, "person_disabled", by, &json!({})))
            }
            Request::EnablePerson { name } => self.enable(&name, by).await,
            Request::NewToken { owner, label, scopes, expires_us, made: (id, sha256) } => {
                let scopes = token::scopes(&scopes)
                    .map_err(|odd| Refusal::Bad(format!("`{odd}` is no action; docs/permissions.md lists them")))?;
                let doc = Token { label, sha256, scopes, expires_us, made_by: by.name.clone() };
                self.new_token(&owner, &id, doc, by).await
            }
            Request::RevokeToken { token } => self.revoke(&token, by).await,
            Request::AuditRead { what } => Ok(self.audit_read(&what, by)),
            Request::AuditSign { stand } => self.audit_sign(stand, by).await,
            Request::Checkpoint => self.checkpoint(by).await,
            Request::OfferLink { user, made } => self.offer_link(user, made, by).await,
            _ => Err(Refusal::Bad("nobody knows what to do with this request".into())),
        }
    }

    async fn active(&self, name: &str) -> Result<Held<Person>, Refusal> {
        let found = self.desk.find::<Person>(Kind::Person, name).await?.ok_or_else(|| unknown("person", name))?;
        if found.row.status == DISABLED {
            return Err(Refusal::State(format!("{name} is disabled")));
        }
        Ok(found)
    }

    fn person(&mut self, held: &mut Held<Person>, event: &str, by: &By, body: &serde_json::Value) -> Answer {
        self.desk.record(held, event, by, body);
        let (name, status) = (&held.row.record_id, &held.row.status);
        Answer { said: format!("{name} is {status}"), changed: vec![format!("person {name}")], ..Answer::default() }
    }

    async fn add_person(&mut self, name: &str, doc: Person, by: &By) -> Result<Answer, Refusal> {
        if !is_id(name) {
            return Err(Refusal::Bad("a person's name is letters, digits, `.`, `_` and `-`, at most 64".into()));
        }
        doc.fits().map_err(Refusal::Bad)?;
        if self.desk.find::<Person>(Kind::Person, name).await?.is_some() {
            return Err(Refusal::State(format!("there is a person `{name}` already")));
        }
        // Spelled out: what is added to the document some day is not in the log before somebody thought about it.
        let body = json!({
            "service": doc.service, "roles": doc.roles, "institution": doc.institution, "data_center": doc.data_center,
        });
        let mut held = self.desk.new_record(Kind::Person, name, token::ACTIVE, doc);
        Ok(self.person(&mut held, "person_added", by, &body))
    }

    /// They may again what their roles allow; tokens that were not revoked count again.
    async fn enable(&mut self, name: &str, by: &By) -> Result<Answer, Refusal> {
        let mut person = self.desk.find::<Person>(Kind::Person, name).await?.ok_or_else(|| unknown("person", name))?;
        if person.row.status != DISABLED {
            return Err(Refusal::State(format!("{name} is not disabled")));
        }
        token::ACTIVE.clone_into(&mut person.row.status);
        person.doc.made_by.insert(by.name.clone());
        session::succeeded(&mut person.doc);
        Ok(self.person(&mut person, "person_enabled", by, &json!({})))
    }

    async fn set_roles(&mut self, name: &str, roles: Vec<String>, by: &By) -> Result<Answer, Refusal> {
        if name == by.name {
            return Err(Refusal::NotAllowed("nobody changes their own roles: another person does".into()));
        }
        let mut person = self.active(name).await?;
        person.doc.made_by.insert(by.name.clone());
        let before = std::mem::replace(&mut person.doc.roles, roles.into_iter().collect());
        person.doc.fits().map_err(Refusal::Bad)?;
        if before.contains(Role::Admin.word()) && !person.doc.roles.contains(Role::Admin.word()) {
            self.leaves_an_admin(name, "given other roles").await?;
        }
        let body = json!({ "before": before, "roles": person.doc.roles });
        Ok(self.person(&mut person, "roles_set", by, &body))
    }

    async fn set_password(&mut self, name: &str, hash: Hidden, by: &By) -> Result<Answer, Refusal> {
        let mut person = self.active(name).await?;
        if person.doc.service {
            return Err(Refusal::Bad(format!("{name} is a service: it has tokens, not a password")));
        }
        person.doc.password = hash;
        person.doc.made_by.insert(by.name.clone());
        person.doc.failures = 0;
        person.doc.locked_until_us = 0;
        self.close_all(name, "the password was changed", by).await?;
        Ok(self.person(&mut person, "password_set", by, &json!({})))
    }

    /// Every session of somebody ends, and every link that nobody has opened.
    async fn close_all(&mut self, name: &str, why: &str, by: &By) -> Result<(), Refusal> {
        for mut open in self.desk.records_of::<Session>(Kind::Session, name).await? {
            if [token::ACTIVE, crate::people::link::OFFERED].contains(&open.row.status.as_str()) {
                open.row.status = token::REVOKED.into();
                self.desk.record(&mut open, "session_closed", by, &json!({ "why": why }));
            }
        }
        Ok(())
    }

    async fn new_token(&mut self, owner: &str, id: &str, doc: Token, by: &By) -> Result<Answer, Refusal> {
        let person = self.active(owner).await?;
        if !person.doc.service && owner != by.name {
            let why = format!("{owner} is a person: tokens are for services, and for oneself");
            return Err(Refusal::NotAllowed(why));
        }
        if doc.expires_us.is_some_and(|end| end <= self.desk.now) {
            return Err(Refusal::Bad("the token would be over already".into()));
        }
        let body = json!({ "owner": owner, "label": doc.label, "scopes": doc.scopes, "expires_us": doc.expires_us });
        let mut held = self.desk.new_record(Kind::Token, id, token::ACTIVE, doc);
        owner.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "token_made", by, &body);
        let said = format!("token {id} of {owner} is made; it is shown this once");
        Ok(Answer { said, changed: vec![format!("token {id}")], ..Answer::default() })
    }

    async fn revoke(&mut self, id: &str, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Token>(Kind::Token, id).await?;
        if held.row.status == token::REVOKED {
            return Err(Refusal::State(format!("token {id} is revoked already")));
        }
        held.row.status = token::REVOKED.into();
        self.desk.record(&mut held, "token_revoked", by, &json!({}));
        Ok(Answer { said: format!("token {id} is revoked"), changed: vec![format!("token {id}")], ..Answer::default() })
    }

    /// A try to sign in. A wrong one is an answer without a change of anything but what is known of the tries.
    pub(in crate::scheduler) async fn sign_in(&mut self, attempt: SignIn) -> Result<Answer, Refusal> {
        let by = By { name: attempt.name.clone(), role: String::new() };
        let no = Answer { said: WRONG.into(), ..Answer::default() };
        let Some(mut person) = self.desk.find::<Person>(Kind::Person, &attempt.name).await? else {
            // The name may be a password that somebody typed into the wrong field: it is not kept.
            let mut held = self.desk.new_record(Kind::Session, &attempt.session, "refused", Session::default());
            let nobody = By { name: "nobody".into(), role: String::new() };
            self.desk.record(&mut held, "sign_in_failed", &nobody, &json!({ "why": "unknown name" }));
            return Ok(no);
        };
        let code = self.code(&person.doc, &attempt.code.0);
        let why = if person.row.status == DISABLED {
            Some("disabled")
        } else if session::is_locked(&person.doc, self.desk.now) {
            Some("locked")
        } else if !attempt.right || attempt.compared != person.doc.password {
            Some("password")
        } else if code.is_none() {
            Some("code")
        } else {
            None
        };
        if let Some(why) = why {
            if matches!(why, "password" | "code") {
                session::failed(&mut person.doc, self.desk.now);
            }
            self.desk.record(&mut person, "sign_in_failed", &by, &json!({ "why": why }));
            return Ok(no);
        }
        session::succeeded(&mut person.doc);
        person.doc.totp_used = code.unwrap_or(person.doc.totp_used);
        self.desk.record(&mut person, "signed_in", &by, &json!({ "session": attempt.session }));
        let until_us = self.desk.now.saturating_add(session::LASTS_US);
        let doc = Session { sha256: attempt.sha256, until_us, user: None };
        let mut held = self.desk.new_record(Kind::Session, &attempt.session, token::ACTIVE, doc);
        attempt.name.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "session_opened", &by, &json!({}));
        let changed = vec![format!("session {}", attempt.session)];
        Ok(Answer { said: format!("{} is signed in", attempt.name), changed, ..Answer::default() })
    }

    pub(in crate::scheduler) async fn sign_out(&mut self, session: &str, by: &By) -> Result<Answer, Refusal> {
        let mut held = self.desk.get::<Session>(Kind::Session, session).await?;
        if held.row.parent != by.name || held.row.status != token::ACTIVE {
            return Err(unknown("session", session));
        }
        held.row.status = token::REVOKED.into();
        self.desk.record(&mut held, "session_closed", by, &json!({ "why": "signed out" }));
        Ok(Answer {
            said: format!("{} is signed out", by.name),
            changed: vec![format!("session {session}")],
            ..Answer::default()
        })
    }

    /// The newest used time step after this code; none when the code is wrong. Who has no key needs no code.
    fn code(&self, person: &Person, code: &str) -> Option<u64> {
        if person.totp.0.is_empty() {
            return Some(person.totp_used);
        }
        totp::accept(&person.totp.0, code, self.desk.now, person.totp_used)
    }
}

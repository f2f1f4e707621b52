//! Accounts elsewhere: linked to an account here by whoever manages people, and come from. It makes no account, and does not know how
//! somebody proved who they are elsewhere; the session that it opens is the same as any other.

use serde_json::json;

use super::{DISABLED, chance};
use crate::id::fresh;
use crate::people::record::{Identity, Person, Session};
use crate::people::secret::{self, Hidden};
use crate::people::{session, token};
use crate::scheduler::Actor;
use crate::scheduler::center::desk::{By, document};
use crate::scheduler::center::request::{Answer, Request};
use crate::scheduler::handle::{Handle, Refusal};
use crate::scheduler::service::Service;
use crate::specimen::record::Kind;

/// Whoever came is nobody here, or not any more.
const NOBODY: &str = "this account elsewhere is nobody's here, or of somebody who is disabled";
/// The code is missing, wrong or used, or there were too many tries.
const NO_CODE: &str = "the code is wrong, or there were too many tries: wait a quarter of an hour";

/// Somebody comes from an account elsewhere, as the door found it; and the session that they may open.
#[derive(Clone, Debug)]
pub struct Arrival {
    identity: Identity,
    code: Hidden,
    session: String,
    sha256: String,
}

/// Somebody came and proved nothing.
#[derive(Clone, Debug)]
pub struct TurnedAway {
    session: String,
    why: &'static str,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Arrived {
    /// Signed in; what is shown from now on.
    In(Hidden),
    /// Nobody here.
    Nobody,
    /// Their account here asks for a one-time code too, and this is none.
    NoCode,
}

impl Handle {
    /// Does the account that this identity stands for ask for a one-time code? None: it stands for nobody who may come in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn asks_for_code(&self, identity: &Identity) -> Result<Option<bool>, Refusal> {
        let linked = self.reader.record(Kind::Identity.word(), &identity.id()).await?;
        let Some(linked) = linked.filter(|row| row.status == token::ACTIVE) else { return Ok(None) };
        let row = self.reader.record(Kind::Person.word(), &linked.parent).await?;
        let Some(row) = row.filter(|row| row.status == token::ACTIVE) else { return Ok(None) };
        let person: Person = document("a person", &row.document)?;
        Ok(Some(!person.totp.0.is_empty()))
    }

    /// Signs somebody in who has proved to be this identity. Every try is written down.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn arrive(&self, identity: &Identity, code: &str) -> Result<Arrived, Refusal> {
        let session = fresh("e");
        let (told, sha256) = secret::write(session::PREFIX, &session, &chance()?);
        let arrival = Arrival { identity: identity.clone(), code: Hidden(code.to_owned()), session, sha256 };
        let answer = self.center(Request::Arrive(arrival), &Actor::default()).await?;
        Ok(match (answer.changed.is_empty(), answer.said.as_str()) {
            (false, _) => Arrived::In(told),
            (true, NO_CODE) => Arrived::NoCode,
            (true, _) => Arrived::Nobody,
        })
    }

    /// Writes down that somebody wanted to come from elsewhere, and why they did not.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn turn_away(&self, why: &'static str) -> Result<(), Refusal> {
        let turned = TurnedAway { session: fresh("e"), why };
        self.center(Request::TurnAway(turned), &Actor::default()).await.map(drop)
    }
}

impl Service {
    pub(super) async fn link_identity(
        &mut self,
        name: &str,
        (issuer, claim, value): (&str, &str, &str),
        by: &By,
    ) -> Result<Answer, Refusal> {
        if issuer.is_empty() {
            return Err(Refusal::State(
                "the site asks nobody else who people are: `sign_in:` in kentai.yaml names whom to ask".into(),
            ));
        }
        let identity = Identity::new(issuer, claim, value).map_err(Refusal::Bad)?;
        let mut person = self.active(name).await?;
        if person.doc.service {
            return Err(Refusal::Bad(format!("{name} is a service: it has tokens, and signs in nowhere")));
        }
        if person.doc.identity.is_some() {
            return Err(Refusal::State(format!("{name} has an account elsewhere already: take it away first")));
        }
        let id = identity.id();
        let mut held = match self.desk.find::<Identity>(Kind::Identity, &id).await? {
            // Two persons behind one account: who of them decided something could not be told.
            Some(held) if held.row.status == token::ACTIVE => {
                let whose = &held.row.parent;
                return Err(Refusal::State(format!("this account elsewhere is {whose}'s already")));
            }
            Some(held) => held,
            None => self.desk.new_record(Kind::Identity, &id, token::ACTIVE, identity.clone()),
        };
        token::ACTIVE.clone_into(&mut held.row.status);
        name.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "identity_linked", by, &json!({ "person": name }));
        person.doc.made_by.insert(by.name.clone());
        let body = json!({ "issuer": identity.issuer, "claim": identity.claim, "identity": id });
        person.doc.identity = Some(identity);
        Ok(self.person(&mut person, "identity_linked", by, &body))
    }

    /// Also of somebody who is disabled: the account elsewhere may belong to somebody else by now.
    pub(super) async fn unlink_identity(&mut self, name: &str, by: &By) -> Result<Answer, Refusal> {
        let found = self.desk.find::<Person>(Kind::Person, name).await?;
        let mut person = found.ok_or_else(|| crate::scheduler::center::desk::unknown("person", name))?;
        let Some(identity) = person.doc.identity.take() else {
            return Err(Refusal::State(format!("{name} has no account elsewhere")));
        };
        let id = identity.id();
        if let Some(mut held) = self.desk.find::<Identity>(Kind::Identity, &id).await? {
            token::REVOKED.clone_into(&mut held.row.status);
            self.desk.record(&mut held, "identity_unlinked", by, &json!({ "person": name }));
        }
        self.close_all(name, "the account elsewhere was taken away", by).await?;
        Ok(self.person(&mut person, "identity_unlinked", by, &json!({ "identity": id })))
    }

    /// Somebody comes. One who is not let in is an answer without a change of anything but what is known of the tries.
    pub(in crate::scheduler) async fn arrive(&mut self, arrival: Arrival) -> Result<Answer, Refusal> {
        let no = |said: &str| Answer { said: said.into(), ..Answer::default() };
        let id = arrival.identity.id();
        let linked = self.desk.find::<Identity>(Kind::Identity, &id).await?;
        let person = match linked.filter(|held| held.row.status == token::ACTIVE) {
            Some(held) => self.desk.find::<Person>(Kind::Person, &held.row.parent).await?,
            None => None,
        };
        let Some(mut person) = person else {
            let mut held = self.desk.new_record(Kind::Session, &arrival.session, "refused", Session::default());
            let body = json!({ "why": "unknown identity", "identity": id });
            self.desk.record(&mut held, "sign_in_failed", &nobody(), &body);
            return Ok(no(NOBODY));
        };
        let by = By { name: person.row.record_id.clone(), role: String::new() };
        let asks = !person.doc.totp.0.is_empty();
        let code = self.code(&person.doc, &arrival.code.0);
        let why = if person.row.status == DISABLED {
            Some("disabled")
        // Whoever guesses passwords of a name keeps nobody out who proves elsewhere who they are; but codes are guessed here.
        } else if asks && session::is_locked(&person.doc, self.desk.now) {
            Some("locked")
        } else if code.is_none() {
            Some("code")
        } else {
            None
        };
        if let Some(why) = why {
            if why == "code" {
                session::failed(&mut person.doc, self.desk.now);
            }
            self.desk.record(&mut person, "sign_in_failed", &by, &json!({ "why": why, "identity": id }));
            return Ok(no(if why == "disabled" { NOBODY } else { NO_CODE }));
        }
        if asks {
            session::succeeded(&mut person.doc);
        }
        person.doc.totp_used = code.unwrap_or(person.doc.totp_used);
        let body = json!({ "session": arrival.session, "identity": id });
        self.desk.record(&mut person, "signed_in", &by, &body);
        let until_us = self.desk.now.saturating_add(session::LASTS_US);
        let doc = Session { sha256: arrival.sha256, until_us, user: None };
        let mut held = self.desk.new_record(Kind::Session, &arrival.session, token::ACTIVE, doc);
        by.name.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "session_opened", &by, &json!({ "identity": id }));
        let changed = vec![format!("session {}", arrival.session)];
        Ok(Answer { said: format!("{} is signed in", by.name), changed, ..Answer::default() })
    }

    pub(in crate::scheduler) fn turn_away(&mut self, turned: &TurnedAway) -> Answer {
        let mut held = self.desk.new_record(Kind::Session, &turned.session, "refused", Session::default());
        self.desk.record(&mut held, "sign_in_failed", &nobody(), &json!({ "why": turned.why }));
        Answer { said: "turned away".into(), ..Answer::default() }
    }
}

fn nobody() -> By {
    By { name: "nobody".into(), role: String::new() }
}

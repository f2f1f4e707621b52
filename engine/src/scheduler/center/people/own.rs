//! What people do about their own accounts: another password, another key for one-time codes, an end to sessions and tokens. Nobody else's
//! is reached, no role is needed; what would lock them out or let somebody else in is proved by the password that counts now.

use serde_json::json;

use super::{DISABLED, chance, slowly};
use crate::people::link::OFFERED;
use crate::people::record::{Person, Session, Token};
use crate::people::secret::Hidden;
use crate::people::{password, session, token, totp};
use crate::scheduler::Actor;
use crate::scheduler::center::desk::{By, Held, document, unknown};
use crate::scheduler::center::request::{Answer, Request};
use crate::scheduler::handle::{Handle, Refusal};
use crate::scheduler::service::Service;
use crate::specimen::record::Kind;

/// One and the same, whatever was wrong.
const WRONG: &str = "the password or the code is wrong, or there were too many tries: wait a quarter of an hour";
/// Letters of a password that is made here: a hundred bits.
const LETTERS: usize = 20;
/// Letters between two hyphens.
const GROUP: usize = 5;

/// A wish about one's own account, as the door found it.
#[derive(Clone, Debug)]
pub struct Own {
    proof: Option<Proof>,
    wish: Wish,
}

/// What somebody gave to show that it is them.
#[derive(Clone, Debug)]
struct Proof {
    /// The stored hash that the password was compared with.
    compared: Hidden,
    right: bool,
    code: Hidden,
}

#[derive(Clone, Debug)]
enum Wish {
    /// Another password; every session ends but `keep`.
    Password { hash: Hidden, keep: String },
    /// Another key for one-time codes.
    CodeKey { key: Hidden },
    /// Every session ends but `keep`.
    EndOthers { keep: String },
    /// A token counts no more.
    Revoke { token: String },
}

impl Handle {
    /// A password that nobody has chosen, to be told once: letters and digits that are not mistaken for each other.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn made_up_password(&self) -> Result<Hidden, Refusal> {
        let letters = totp::write_key(&chance::<20>()?);
        let groups = letters.as_bytes()[..LETTERS].chunks(GROUP);
        let groups: Vec<String> = groups.map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        Ok(Hidden(groups.join("-")))
    }

    /// Somebody takes another password. Every session of theirs ends but `keep`, an id.
    ///
    /// # Errors
    /// When what they prove it with is wrong, or the new one cannot be taken.
    pub async fn own_password(
        &self,
        actor: &Actor,
        (now, code): (&str, &str),
        new: &str,
        keep: &str,
    ) -> Result<String, Refusal> {
        let proof = self.proof(actor, now, code).await?;
        let (salt, name, new) = (chance::<16>()?, actor.name.clone(), new.to_owned());
        let hash = slowly(move || password::hash(&name, &new, &salt)).await?;
        let hash = Hidden(hash.map_err(|bad| Refusal::Bad(bad.to_string()))?);
        self.own(actor, Some(proof), Wish::Password { hash, keep: keep.to_owned() }).await
    }

    /// Somebody takes another key for one-time codes: its address, to be told once.
    ///
    /// # Errors
    /// When what they prove it with is wrong.
    pub async fn own_code_key(&self, actor: &Actor, (now, code): (&str, &str)) -> Result<Hidden, Refusal> {
        let proof = self.proof(actor, now, code).await?;
        let key = totp::write_key(&chance::<20>()?);
        let told = Hidden(totp::address(&self.options.site, &actor.name, &key));
        self.own(actor, Some(proof), Wish::CodeKey { key: Hidden(key) }).await?;
        Ok(told)
    }

    /// Ends every session of somebody but `keep`, an id, and takes back the links that nobody has opened.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn end_other_sessions(&self, actor: &Actor, keep: &str) -> Result<String, Refusal> {
        self.own(actor, None, Wish::EndOthers { keep: keep.to_owned() }).await
    }

    /// Ends one session of theirs, by its id.
    ///
    /// # Errors
    /// When it is not theirs, or counts no more.
    pub async fn end_session(&self, actor: &Actor, session: &str) -> Result<String, Refusal> {
        signed_in(actor)?;
        self.center(Request::SignOut(session.to_owned()), actor).await.map(|answer| answer.said)
    }

    /// One of somebody's own tokens counts no more.
    ///
    /// # Errors
    /// When it is not theirs, or counts no more.
    pub async fn revoke_own_token(&self, actor: &Actor, token: &str) -> Result<String, Refusal> {
        self.own(actor, None, Wish::Revoke { token: token.to_owned() }).await
    }

    async fn own(&self, actor: &Actor, proof: Option<Proof>, wish: Wish) -> Result<String, Refusal> {
        signed_in(actor)?;
        let answer = self.center(Request::Own(Own { proof, wish }), actor).await?;
        if answer.changed.is_empty() { Err(Refusal::NotAllowed(answer.said)) } else { Ok(answer.said) }
    }

    async fn proof(&self, actor: &Actor, now: &str, code: &str) -> Result<Proof, Refusal> {
        signed_in(actor)?;
        let row = self.reader.record(Kind::Person.word(), &actor.name).await?;
        let person: Option<Person> = row.map(|row| document("a person", &row.document)).transpose()?;
        let compared = person.map(|person| person.password).unwrap_or_default();
        let (now, stored) = (now.to_owned(), compared.0.clone());
        let right = slowly(move || password::verify(&now, &stored)).await?;
        Ok(Proof { compared, right, code: Hidden(code.to_owned()) })
    }
}

/// A token that was narrowed is a program's; the account is its owner's.
fn signed_in(actor: &Actor) -> Result<(), Refusal> {
    match actor.scopes {
        None => Ok(()),
        Some(_) => Err(Refusal::NotAllowed(format!("{}: a token does not change its owner's account", actor.name))),
    }
}

impl Service {
    pub(in crate::scheduler) async fn own(&mut self, own: Own, actor: &Actor) -> Result<Answer, Refusal> {
        let by = By { name: actor.name.clone(), role: String::new() };
        let mut person = None;
        if let Some(proof) = own.proof {
            person = self.proved(&by, &proof).await?;
            if person.is_none() {
                return Ok(Answer { said: WRONG.into(), ..Answer::default() });
            }
        }
        match (own.wish, person) {
            (Wish::Password { hash, keep }, Some(mut person)) => {
                person.doc.password = hash;
                self.close_sessions(&keep, "the password was changed", &by).await?;
                Ok(self.person(&mut person, "password_set", &by, &json!({ "own": true })))
            }
            (Wish::CodeKey { key }, Some(mut person)) => {
                person.doc.totp = key;
                person.doc.totp_used = 0;
                Ok(self.person(&mut person, "code_key_set", &by, &json!({ "own": true })))
            }
            (Wish::EndOthers { keep }, _) => {
                let ended = self.close_sessions(&keep, "ended from another session", &by).await?;
                let changed = if ended.is_empty() { vec!["nothing".to_owned()] } else { ended.clone() };
                Ok(Answer { said: format!("{} ended", ended.len()), changed, ..Answer::default() })
            }
            (Wish::Revoke { token }, _) => {
                let found = self.desk.find::<Token>(Kind::Token, &token).await?;
                found.filter(|held| held.row.parent == by.name).ok_or_else(|| unknown("token", &token))?;
                self.revoke(&token, &by).await
            }
            (Wish::Password { .. } | Wish::CodeKey { .. }, None) => Err(Refusal::Bad("this wants a password".into())),
        }
    }

    /// Is it them? A wrong try is written down, and counts as one at the door does.
    async fn proved(&mut self, by: &By, proof: &Proof) -> Result<Option<Held<Person>>, Refusal> {
        let found = self.desk.find::<Person>(Kind::Person, &by.name).await?;
        let found = found.filter(|person| person.row.status != DISABLED && !person.doc.password.0.is_empty());
        let mut person = found.ok_or_else(|| {
            Refusal::State(format!("{} has no password here: `people:` in kentai.yaml says who they are", by.name))
        })?;
        let code = self.code(&person.doc, &proof.code.0);
        let why = if session::is_locked(&person.doc, self.desk.now) {
            "locked"
        } else if !proof.right || proof.compared != person.doc.password {
            "password"
        } else if let Some(code) = code {
            session::succeeded(&mut person.doc);
            person.doc.totp_used = code;
            return Ok(Some(person));
        } else {
            "code"
        };
        if why != "locked" {
            session::failed(&mut person.doc, self.desk.now);
        }
        self.desk.record(&mut person, "own_change_refused", by, &json!({ "why": why }));
        Ok(None)
    }

    async fn close_sessions(&mut self, keep: &str, why: &str, by: &By) -> Result<Vec<String>, Refusal> {
        let mut ended = Vec::new();
        for mut open in self.desk.records_of::<Session>(Kind::Session, &by.name).await? {
            let counts = [token::ACTIVE, OFFERED].contains(&open.row.status.as_str()) && open.row.record_id != keep;
            if counts && open.doc.until_us > self.desk.now {
                token::REVOKED.clone_into(&mut open.row.status);
                self.desk.record(&mut open, "session_closed", by, &json!({ "why": why }));
                ended.push(format!("session {}", open.row.record_id));
            }
        }
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_made_here_has_the_letters_of_its_random_bytes_and_is_taken() {
        assert!(LETTERS * 5 >= 100 && LETTERS.is_multiple_of(GROUP));
        let letters = totp::write_key(&[0xa5; 20]);
        assert!(password::hash("sato", &letters[..LETTERS], &[1; 16]).is_ok());
    }
}

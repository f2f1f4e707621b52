//! Addresses that sign a user of this machine in, made and opened. It opens sessions like `sign_in`, and asks for no password: the
//! kernel has said who it is.

use serde_json::json;

use super::{DISABLED, chance};
use crate::clock::Micros;
use crate::id::fresh;
use crate::people::link::{LASTS_US, OFFERED, PREFIX, USED, refused};
use crate::people::record::{Person, Session};
use crate::people::secret::{self, Hidden};
use crate::people::{session, token};
use crate::scheduler::center::desk::{By, document};
use crate::scheduler::center::request::Answer;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::Kind;
use crate::store::read::Reader;

/// One and the same, whatever was wrong.
const OVER: &str = "this address was used, or its minute is over: `kentai page` gives another";

/// A link that somebody shows, and the session that it may open.
#[derive(Clone, Debug)]
pub struct Opening {
    shown: Hidden,
    session: String,
    sha256: String,
}

/// Makes the session that a link may open.
pub(in crate::scheduler) fn opening(shown: &str) -> Result<(Opening, Hidden), Refusal> {
    let session = fresh("e");
    let (told, sha256) = secret::write(session::PREFIX, &session, &chance()?);
    Ok((Opening { shown: Hidden(shown.to_owned()), session, sha256 }, told))
}

/// Whom this link would sign in now; it still counts afterwards.
///
/// # Errors
/// When the database cannot be read.
pub async fn whose(reader: &Reader, shown: &str, now: Micros) -> Result<Option<String>, Refusal> {
    let Some(shown) = secret::read(PREFIX, shown) else { return Ok(None) };
    let Some(row) = reader.record(Kind::Session.word(), shown.id).await? else { return Ok(None) };
    let link: Session = document("a sign-in link", &row.document)?;
    Ok(refused(&link, &row.status, &shown, now).is_none().then_some(row.parent))
}

impl Service {
    pub(super) async fn offer_link(
        &mut self,
        user: u32,
        (id, sha256): (String, String),
        by: &By,
    ) -> Result<Answer, Refusal> {
        if self.is_disabled(&by.name).await? {
            return Err(Refusal::NotAllowed(format!("{} is disabled", by.name)));
        }
        let until_us = self.desk.now.saturating_add(LASTS_US);
        let mut held =
            self.desk.new_record(Kind::Session, &id, OFFERED, Session { sha256, until_us, user: Some(user) });
        by.name.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "sign_in_link_made", by, &json!({ "user": user }));
        let said = format!("signs {} in: once, within a minute", by.name);
        Ok(Answer { said, changed: vec![format!("session {id}")], ..Answer::default() })
    }

    /// Somebody opens a link. One that does not count is an answer without a session.
    pub(in crate::scheduler) async fn open_link(&mut self, opening: Opening) -> Result<Answer, Refusal> {
        let no = Answer { said: OVER.into(), ..Answer::default() };
        let nobody = By { name: "nobody".into(), role: String::new() };
        let shown = secret::read(PREFIX, &opening.shown.0);
        let found = match &shown {
            Some(shown) => self.desk.find::<Session>(Kind::Session, shown.id).await?,
            None => None,
        };
        let (Some(shown), Some(mut link)) = (shown, found) else {
            let mut held = self.desk.new_record(Kind::Session, &opening.session, "refused", Session::default());
            self.desk.record(&mut held, "sign_in_failed", &nobody, &json!({ "why": "unknown link" }));
            return Ok(no);
        };
        let by = By { name: link.row.parent.clone(), role: String::new() };
        let disabled = self.is_disabled(&by.name).await?.then_some("disabled");
        if let Some(why) = refused(&link.doc, &link.row.status, &shown, self.desk.now).or(disabled) {
            self.desk.record(&mut link, "sign_in_failed", &nobody, &json!({ "why": why }));
            return Ok(no);
        }
        USED.clone_into(&mut link.row.status);
        self.desk.record(&mut link, "sign_in_link_used", &by, &json!({ "session": opening.session }));
        let until_us = self.desk.now.saturating_add(session::LASTS_US);
        let doc = Session { sha256: opening.sha256, until_us, user: link.doc.user };
        let mut held = self.desk.new_record(Kind::Session, &opening.session, token::ACTIVE, doc);
        by.name.clone_into(&mut held.row.parent);
        self.desk.record(&mut held, "session_opened", &by, &json!({ "link": link.row.record_id }));
        let changed = vec![format!("session {}", opening.session)];
        Ok(Answer { said: format!("{} is signed in", by.name), changed, ..Answer::default() })
    }

    /// Whoever has no account is nobody that could be disabled: the site's file says who they are.
    async fn is_disabled(&self, name: &str) -> Result<bool, Refusal> {
        let found = self.desk.find::<Person>(Kind::Person, name).await?;
        Ok(found.is_some_and(|person| person.row.status == DISABLED))
    }
}

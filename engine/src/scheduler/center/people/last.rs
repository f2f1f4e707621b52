//! The last account that manages people: it stays one until there is another. It does not know what is done to it.

use super::DISABLED;
use crate::people::record::Person;
use crate::people::role::Role;
use crate::scheduler::center::desk::Held;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::Kind;

impl Service {
    /// Refuses what would leave no account of a person that counts and has the role admin. It is asked of what is stored and of what this
    /// turn has changed already: of two requests that come at once, the second sees the first.
    pub(super) async fn leaves_an_admin(&self, name: &str, what: &str) -> Result<(), Refusal> {
        let all = self.desk.records_of::<Person>(Kind::Person, "").await?;
        let admins: Vec<&str> =
            all.iter().filter(|held| manages(held)).map(|held| held.row.record_id.as_str()).collect();
        if admins != [name] {
            return Ok(());
        }
        Err(Refusal::State(format!(
            "{name} is the last account with the role admin and must not be {what}: make another one an admin first \
             (`kentai admin user add NAME --roles admin`, or `kentai admin user roles NAME admin`; on the page under People)"
        )))
    }
}

/// A service has no password and reads no page: whoever only has one left would have to find its token.
fn manages(held: &Held<Person>) -> bool {
    held.row.status != DISABLED && !held.doc.service && held.doc.roles.contains(Role::Admin.word())
}

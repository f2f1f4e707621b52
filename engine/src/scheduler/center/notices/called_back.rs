//! Letters of what was called back: those that wait are not sent any more. What is on its way may still arrive, and what arrived stays
//! where it is; telling the receiver of the recall is the caller's.

use serde_json::json;

use crate::scheduler::center::desk::By;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::record::{Kind, LetterState, Notice};
use crate::state::notice::{Event, Status};

/// Subjects that ask a receiver to do something with a delivery. Alarms, and what tells of an end, leave all the same.
const INVITATIONS: [&str; 3] = ["sample.offered", "delivery.delivered", "receipt.late"];

impl Service {
    /// A delivery is called back: whoever was not told of it yet is not told of it any more.
    pub(in crate::scheduler::center) async fn call_letters_back(
        &mut self,
        delivery: &str,
        reason: &str,
        by: &By,
    ) -> Result<(), Refusal> {
        for mut notice in self.desk.records_of::<Notice>(Kind::Notice, delivery).await? {
            let open = [Status::Sending.word(), Status::Undelivered.word()].contains(&notice.row.status.as_str());
            // Without letters there is only the signed file, and that has left with this turn or the one before.
            if !open || notice.doc.letters.is_empty() || !INVITATIONS.contains(&notice.doc.subject.as_str()) {
                continue;
            }
            let id = notice.row.record_id.clone();
            let (mut stopped, mut flying) = (0, 0);
            for (place, letter) in notice.doc.letters.iter_mut().enumerate() {
                if letter.state != LetterState::Due {
                    continue;
                }
                let is_out = self.bag.is_out(&id, place);
                letter.state = LetterState::CalledBack;
                letter.said = match is_out {
                    true => format!("called back while it was on its way, it may arrive: {reason}"),
                    false => format!("called back: {reason}"),
                };
                stopped += u32::from(!is_out);
                flying += u32::from(is_out);
            }
            notice.go(Event::CalledBack)?;
            let body = json!({ "delivery": delivery, "reason": reason, "letters": stopped, "on_their_way": flying });
            self.desk.record(&mut notice, "notice_called_back", by, &body);
            self.bag.note(&id, &notice.doc.letters);
        }
        Ok(())
    }
}

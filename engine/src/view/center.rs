//! The center as each person may see it: order lines, records, the story of a specimen, cases, reports.
//!
//! Every function is asked by somebody. What is somebody else's is missing, word for word; what is one's own and needs another role
//! is refused by name. People from outside see their own in coarse states.

mod access;
pub mod audit;
pub mod board;
pub mod capacity;
pub mod control;
pub mod decision;
pub mod deviation;
mod inside;
mod line;
pub mod list;
mod measured;
pub mod multiqc;
pub mod needs;
mod notice;
pub mod people;
mod proposal;
pub mod quality;
mod record;
pub mod report;
pub mod search;
pub mod story;
pub mod trend;
pub mod trouble;
mod why;
pub mod withdrawal;

pub use access::Refused;
pub(in crate::view) use access::missing;
pub use inside::{Inner, inside, own_target};
pub use line::{ExpectedView, OrderLineView, order_line, order_lines, stages, stuck};
pub use measured::Wish;
pub use notice::{LetterView, NoticeView, NoticeWish, notice, notices, notices_about, notices_like};
pub use proposal::{
    OpenProposal, ProposalView, Subject, proposal, proposals, proposals_about, proposals_about_delivery,
};
pub use record::{
    CaseDetail, HistoryView, ParticipantDetail, ParticipantView, RecordView, SpecimenStory, case, history, participant,
    record, records, specimen,
};
pub use why::{WhyView, why};

#[cfg(test)]
mod tests;

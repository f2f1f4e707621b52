//! The center: a specimen's way from its shipment to its hand-off, and everything that must not happen on it. Whole houses with
//! scripted hands; SQLite's own program and the files on disk say what is true.

#[path = "center/acts.rs"]
mod acts;
#[path = "center/board.rs"]
mod board;
#[path = "center/chain.rs"]
mod chain;
#[path = "center/desk.rs"]
mod desk;
#[path = "center/doors.rs"]
mod doors;
#[path = "center/folders.rs"]
mod folders;
#[path = "center/notices.rs"]
mod notices;
#[path = "center/once.rs"]
mod once;
#[path = "center/page.rs"]
mod page;
#[path = "center/receivers.rs"]
mod receivers;
#[path = "center/records.rs"]
mod records;
#[path = "center/reports.rs"]
mod reports;
#[path = "center/roles.rs"]
mod roles;
#[path = "center/scale.rs"]
mod scale;
#[path = "center/stop.rs"]
mod stop;
#[path = "center/story.rs"]
mod story;
#[path = "center/traps.rs"]
mod traps;
#[path = "center/two_people.rs"]
mod two_people;
#[path = "center/whole.rs"]
mod whole;
#[path = "center/withdrawal.rs"]
mod withdrawal;

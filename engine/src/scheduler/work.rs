//! Works: what a step without a tool does outside the loop. Each is a small struct that is sent off after the commit and answers by
//! message; each may be done again after a crash and ends the same.

pub(super) mod carry;
pub(super) mod gate;
pub(super) mod letter;
pub(super) mod links;
pub(super) mod measure;
pub(super) mod pack;
pub(super) mod post;
pub(super) mod receive;
pub(super) mod retire;
pub(super) mod seal;

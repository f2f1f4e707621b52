//! People and services: who they are, what they may do, and what needs two of them. Pure: random bytes and times come in as values.

pub mod four_eyes;
pub mod identity;
pub mod link;
pub mod password;
pub mod permission;
pub mod record;
pub mod role;
pub mod secret;
pub mod session;
pub mod token;
pub mod totp;

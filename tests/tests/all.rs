//! One binary for every test that needs more than one room.

mod germline;
mod kill;
mod tidy;

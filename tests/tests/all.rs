//! One binary for every test that needs more than one room.

mod disk;
mod germline;
mod kill;
mod tidy;

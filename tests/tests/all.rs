//! One binary for every test that needs more than one room.

mod tidy;

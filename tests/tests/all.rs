//! One binary for every test that needs more than one room.

#![expect(clippy::print_stderr, reason = "tests speak to people")]

mod api;
mod big;
mod browser;
mod center;
mod crypt4gh;
mod demo;
mod disk;
mod door;
mod germline;
mod guards;
mod house;
mod japanese;
mod kill;
mod line;
mod machines;
mod people;
mod provenance;
mod pull;
mod receivers;
mod registry;
mod slurm;
mod tidy;
mod traces;

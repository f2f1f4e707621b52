//! The hands against the world: one contract for every executor, the collector, couriers, and the lock-down.

#![expect(clippy::print_stderr, reason = "tests speak to people")]

mod support {
    pub(crate) mod docker;
    pub(crate) mod house;
    pub(crate) mod lying;
    pub(crate) mod package;
    pub(crate) mod peers;
    pub(crate) mod proxy;
    pub(crate) mod s3;
    pub(crate) mod slurm;
    pub(crate) mod sshd;
    pub(crate) mod told;

    pub(crate) use package::read_folder;
}
mod contract {
    pub(crate) mod adoption;
    pub(crate) mod carrying;
    pub(crate) mod collecting;
    pub(crate) mod containers;
    pub(crate) mod endings;
    pub(crate) mod granted;
    mod keeper;
    pub(crate) mod lockdown;
    pub(crate) mod script;
    pub(crate) mod seeds;
    pub(crate) mod slurm;
    pub(crate) mod told;
    pub(crate) mod told_endings;
    mod told_words;
}

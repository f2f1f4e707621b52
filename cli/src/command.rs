//! One file per verb or noun.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod handoff;
pub(crate) mod init;
pub(crate) mod logs;
pub(crate) mod qc;
pub(crate) mod reference;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod specimen;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod watch;
pub(crate) mod why;
pub(crate) mod workflow;

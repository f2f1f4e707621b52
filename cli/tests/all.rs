//! The command line as people meet it: exit codes, words on the right stream, JSON that can be read.
//!
//! No Docker: steps are plain processes that use only `sh` and `wc`.

mod all {
    mod center;
    mod documents;
    mod help;
    pub(crate) mod house;
    mod measured;
    mod requests;
    mod runs;
    mod server;
    mod sheets;
    mod sites;
}

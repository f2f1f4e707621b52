//! Logs on a real disk: kept, growing, absent, and what a hostile tool may put there.

use std::os::unix::fs::symlink;

use super::*;
use crate::view::attempt::tests::row;

fn site() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn write(site: &Path, name: &str, text: &str) {
    let path = site.join(name);
    std::fs::create_dir_all(path.parent().expect("it has a directory")).expect("made");
    std::fs::write(path, text).expect("written");
}

fn running() -> rows::Attempt {
    rows::Attempt { status: "running".into(), ..row() }
}

#[test]
fn a_kept_log_is_read_in_pieces_to_its_end() {
    let site = site();
    write(site.path(), "logs/r1/trim@L001.1.log", "hello world");
    let first = read_log(site.path(), &row(), 0, 5).expect("read");
    assert_eq!((first.bytes.as_slice(), first.next, first.is_final), (b"hello".as_slice(), 5, false));
    let rest = read_log(site.path(), &row(), first.next, 100).expect("read");
    assert_eq!((rest.bytes.as_slice(), rest.is_final), (b" world".as_slice(), true));
}

#[test]
fn a_growing_log_is_never_final() {
    let site = site();
    write(site.path(), "attempts/r1-3/tool.log", "so far");
    let chunk = read_log(site.path(), &running(), 0, 100).expect("read");
    assert_eq!((chunk.bytes.as_slice(), chunk.is_final), (b"so far".as_slice(), false));
    let ended = read_log(site.path(), &row(), 0, 100).expect("read");
    assert!(ended.is_final);
}

#[test]
fn the_end_of_a_log_is_read_without_its_beginning() {
    let site = site();
    write(site.path(), "logs/r1/trim@L001.1.log", "hello world");
    let tail = read_tail(site.path(), &row(), 5).expect("read");
    assert_eq!((tail.bytes.as_slice(), tail.next, tail.is_final), (b"world".as_slice(), 11, true));
    let all = read_tail(site.path(), &row(), 100).expect("read");
    assert_eq!((all.bytes.len(), all.next), (11, 11));
    let none = read_tail(self::site().path(), &running(), 5).expect("read");
    assert_eq!((none.bytes.len(), none.next, none.is_final), (0, 0, false));
}

#[test]
fn no_log_is_an_empty_one() {
    let site = site();
    let chunk = read_log(site.path(), &running(), 7, 100).expect("read");
    assert_eq!(chunk, LogChunk { bytes: Vec::new(), next: 7, is_final: false });
}

#[test]
fn an_offset_beyond_the_end_gives_nothing() {
    let site = site();
    write(site.path(), "logs/r1/trim@L001.1.log", "hello");
    let chunk = read_log(site.path(), &row(), 99, 5).expect("read");
    assert_eq!((chunk.bytes.len(), chunk.next, chunk.is_final), (0, 99, true));
}

#[test]
fn a_link_in_the_logs_place_is_not_followed() {
    let site = site();
    write(site.path(), "secret", "key");
    std::fs::create_dir_all(site.path().join("attempts/r1-3")).expect("made");
    symlink(site.path().join("secret"), site.path().join("attempts/r1-3/tool.log")).expect("linked");
    assert!(read_log(site.path(), &running(), 0, 100).is_err());
}

#[test]
fn a_directory_in_the_logs_place_is_refused() {
    let site = site();
    std::fs::create_dir_all(site.path().join("attempts/r1-3/tool.log")).expect("made");
    assert!(read_log(site.path(), &running(), 0, 100).is_err());
}

#[test]
fn a_name_that_leads_out_of_the_site_is_refused() {
    let site = site();
    let hostile = rows::Attempt { run_id: "../..".into(), ..row() };
    assert!(read_log(site.path(), &hostile, 0, 100).is_err());
    let hostile = rows::Attempt { attempt_id: "/etc".into(), ..running() };
    assert!(read_log(site.path(), &hostile, 0, 100).is_err());
}

#[test]
fn the_last_failed_attempt_is_meant_when_nothing_is_said() {
    let one = |id: &str, key: &str, number: i64, status: &str| rows::Attempt {
        attempt_id: id.into(),
        step_key: key.into(),
        number,
        status: status.into(),
        ..row()
    };
    let all = [
        one("r1-1", "a/x", 1, "failed"),
        one("r1-2", "a/x", 2, "committed"),
        one("r1-3", "a/y", 1, "committed"),
        one("r1-4", "b", 1, "running"),
    ];
    let id = |step, number| choose(&all, step, number).map(|attempt| attempt.attempt_id.to_string());
    assert_eq!(id(None, None), Ok("r1-1".into()));
    assert_eq!(id(Some("a/x"), None), Ok("r1-2".into()));
    assert_eq!(id(Some("a/x"), Some("1")), Ok("r1-1".into()));
    assert_eq!(id(None, Some("r1-3")), Ok("r1-3".into()));
    assert_eq!(id(Some("a"), None), Err(Unclear::Several { step: "a".into(), keys: "a/x, a/y".into() }));
    assert_eq!(id(Some("c"), None), Err(Unclear::NoStep("c".into())));
    assert_eq!(id(Some("b"), Some("9")), Err(Unclear::NoAttempt("9".into())));
    assert_eq!(choose(&[], None, None).map(|attempt| attempt.number), Err(Unclear::NothingYet));
}

#[test]
fn beyond_the_end_of_any_file_there_is_nothing() {
    let site = site();
    write(site.path(), "logs/r1/trim@L001.1.log", "hello");
    let chunk = read_log(site.path(), &row(), u64::MAX, 100).expect("read");
    assert_eq!((chunk.bytes.len(), chunk.next, chunk.is_final), (0, u64::MAX, true));
}

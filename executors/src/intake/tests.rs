//! Places on a real disk: whole, strange, hostile, away.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use kentai_engine::intake::folder::{FolderState, Said, Trouble, judge};

use rustix::fs::FileType;

use super::*;

const RUN: &str = "20260102_LH00123_0042_A22ABCDLT3";
const SECOND: i64 = 1_000_000;

const RUN_INFO_TEXT: &str = r#"<RunInfo Version="6"><Run Id="20260102_LH00123_0042_A22ABCDLT3" Number="42">
<Flowcell>22ABCDLT3</Flowcell><Instrument>LH00123</Instrument><Date>2026-01-02T03:04:05Z</Date>
<Reads><Read Number="1" NumCycles="2" IsIndexedRead="N"/></Reads><FlowcellLayout LaneCount="1"/></Run></RunInfo>"#;

struct Disk {
    directory: tempfile::TempDir,
    now: Cell<i64>,
}

impl Disk {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory"), now: Cell::new(0) }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().expect("one")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn whole(&self) {
        self.write(&format!("{RUN}/RunInfo.xml"), RUN_INFO_TEXT);
        self.write(
            &format!("{RUN}/SampleSheet.csv"),
            "[Header]\nFileFormatVersion,2\n[BCLConvert_Data]\nLane,Sample_ID\n1,S-A\n",
        );
        let status = "<RunCompletionStatus><RunStatus>RunCompleted</RunStatus></RunCompletionStatus>";
        self.write(&format!("{RUN}/RunCompletionStatus.xml"), status);
        for path in ["RTAComplete.txt", "CopyComplete.txt"] {
            self.write(&format!("{RUN}/{path}"), "");
        }
        for cycle in 1..=2 {
            self.write(&format!("{RUN}/Data/Intensities/BaseCalls/L001/C{cycle}.1/L001_1.cbcl"), "b");
        }
    }

    fn place(&self) -> Place {
        Place::new(self.directory.path(), Rules::default())
    }

    /// One pass, a minute after the last.
    fn looks(&self, place: &Place) -> Vec<Observation> {
        self.now.set(self.now.get() + 60 * SECOND);
        let mut looks = Vec::new();
        place.scan(|_| true, || self.now.get(), |look| looks.push(look)).expect("reachable");
        looks
    }
}

fn paths(look: &Observation) -> Vec<&str> {
    look.files().iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn a_whole_folder_on_a_disk_is_complete_once_and_a_later_change_is_seen() {
    let disk = Disk::new();
    disk.whole();
    let place = disk.place();
    let (mut state, mut said): (Option<FolderState>, Vec<Said>) = (None, Vec::new());
    for minute in 0..10 {
        if minute == 6 {
            // Only a file's size changes: no directory's time does.
            disk.write(&format!("{RUN}/Data/Intensities/BaseCalls/L001/C1.1/L001_1.cbcl"), "bb");
        }
        for look in disk.looks(&place) {
            let judged = judge(state.as_ref(), place.rules(), &look);
            said.extend(judged.said);
            state = Some(judged.state);
        }
    }
    assert!(matches!(said.as_slice(), [Said::Complete(_), Said::Changed { .. }]), "{said:?}");
}

#[test]
fn two_watchers_of_one_folder_give_the_same_key() {
    let disk = Disk::new();
    disk.whole();
    let key = |place: &Place| {
        let mut state = None;
        let mut keys = Vec::new();
        for _ in 0..5 {
            let look = disk.looks(place).remove(0);
            let judged = judge(state.as_ref(), place.rules(), &look);
            if let Some(Said::Complete(arrival)) = &judged.said {
                keys.push((arrival.key(), arrival.fingerprint.clone()));
            }
            state = Some(judged.state);
        }
        keys
    };
    let first = key(&disk.place());
    assert_eq!((first.len(), &first), (1, &key(&disk.place())));
}

#[test]
fn links_hidden_and_foreign_files_are_passed_over() {
    let disk = Disk::new();
    disk.whole();
    let outside = tempfile::tempdir().expect("a temporary directory");
    fs::write(outside.path().join("secret"), "s").expect("written");
    let run = disk.directory.path().join(RUN);
    symlink(outside.path(), run.join("Data/link")).expect("linked");
    symlink("/etc/passwd", run.join("Logs.csv")).expect("linked");
    symlink(&run, disk.directory.path().join("20260102_LH00123_0043_B")).expect("linked");
    for foreign in [".DS_Store", ".snapshot/old/RunInfo.xml", "Data/Thumbs.db", "@eaDir/x"] {
        disk.write(&format!("{RUN}/{foreign}"), "x");
    }
    disk.write("scripts/run.sh", "x");
    disk.write("RunInfo.xml", "x");
    let looks = disk.looks(&disk.place());
    assert_eq!(looks.len(), 1);
    assert_eq!((looks[0].files().len(), looks[0].passed_over), (7, 2), "{:?}", paths(&looks[0]));
}

#[test]
fn a_document_that_is_a_link_or_a_pipe_is_not_read() {
    let disk = Disk::new();
    disk.write(&format!("{RUN}/RTAComplete.txt"), "");
    let run = disk.directory.path().join(RUN);
    symlink("/etc/passwd", run.join("SampleSheet.csv")).expect("linked");
    let pipe = run.join("RunInfo.xml");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("made");
    let look = disk.looks(&disk.place()).remove(0);
    assert!(look.documents.is_empty() && look.passed_over == 2);
}

#[test]
fn budgets_hold() {
    let disk = Disk::new();
    disk.whole();
    let trouble = |budget: Budget| disk.looks(&disk.place().with_budget(budget)).remove(0).trouble;
    assert_eq!(trouble(Budget::default()), None);
    assert_eq!(trouble(Budget { entries: 5, ..Budget::default() }), Some(Trouble::TooMany { most: 5 }));
    let deep = trouble(Budget { depth: 2, ..Budget::default() });
    assert_eq!(deep, Some(Trouble::TooDeep { path: "Data/Intensities/BaseCalls".to_owned(), most: 2 }));
    let large = trouble(Budget { document_bytes: 50, ..Budget::default() });
    assert!(matches!(large, Some(Trouble::TooLarge { most: 50, .. })), "{large:?}");
    let one = disk.place().with_budget(Budget { folders: 0, ..Budget::default() });
    assert!(matches!(one.scan(|_| true, || 0, |_| {}), Err(Error::TooMany { most: 0, .. })));
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let disk = Disk::new();
    disk.whole();
    let data = disk.directory.path().join(RUN).join("Data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o000)).expect("changed");
    let look = disk.looks(&disk.place()).remove(0);
    let open = fs::read_dir(&data).is_ok();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).expect("changed");
    // Whoever may read everything sees no trouble.
    if !open {
        assert!(
            matches!(&look.trouble, Some(Trouble::Unreadable { path, .. }) if path == "Data"),
            "{:?}",
            look.trouble
        );
    }
    let gone = Place::new(disk.directory.path().join("away"), Rules::default());
    let error = gone.scan(|_| true, || 0, |_| {}).expect_err("not there");
    assert!(matches!(&error, Error::Unreachable { source: Errno::NOENT, .. }), "{error}");
}

#[test]
fn documents_of_whole_folders_are_not_read_again() {
    let disk = Disk::new();
    disk.whole();
    let mut looks = Vec::new();
    disk.place().scan(|name| name != RUN, || 0, |look| looks.push(look)).expect("reachable");
    assert!(looks[0].documents.is_empty());
    assert_eq!(looks[0].files().len(), 7);
}

#[test]
fn cleanup_without_verifying_archive() {
    // Intake has no cleanup: a pass leaves a place as it was, to the last time and permission.
    let disk = Disk::new();
    disk.whole();
    let before = disk.looks(&disk.place()).remove(0);
    let run = disk.directory.path().join(RUN);
    let times = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).expect("there");
    let modified = times(&run);
    let after = disk.looks(&disk.place()).remove(0);
    assert_eq!((before.files(), modified), (after.files(), times(&run)));
}

//! How much of each piece of a file under way is here. It survives the process and, for what was synced, the machine.
//!
//! A text file of lines of fixed length: the head names the bytes that are being fetched and the machine's present boot, then a line for
//! each piece: bytes written, bytes synced. Within one boot what was written is there, whoever was killed; after another boot only what
//! was synced counts. Whatever cannot be read counts as nothing: then the file begins anew.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use kentai_engine::handoff::offer::Entry;

const LINE_BYTES: usize = 42;
/// A piece of one byte each would not be asked for; a journal of more pieces is none of ours.
const PIECES_MAX: u64 = 1_000_000;
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Progress of one file.
pub(super) struct Journal {
    file: File,
    head_bytes: u64,
    size: u64,
    piece_bytes: u64,
    pieces: Vec<Done>,
}

#[derive(Clone, Copy, Default)]
struct Done {
    written: u64,
    synced: u64,
}

impl Journal {
    /// Goes on with what is there, when it is of the same bytes in the same pieces; `have` is how long the data file is.
    pub(super) fn open(mut file: File, entry: &Entry, piece_bytes: u64, have: u64) -> io::Result<Self> {
        let piece_bytes = piece_bytes.max(entry.size.div_ceil(PIECES_MAX)).max(1);
        let boot = std::fs::read_to_string(BOOT_ID).unwrap_or_default();
        let known = format!("kentai pull 1 {} {} {piece_bytes} ", entry.sha256, entry.size);
        let head = format!("{known}{:36}\n", boot.trim());
        let mut text = String::new();
        file.rewind()?;
        let is_text = file.by_ref().take(64 << 20).read_to_string(&mut text).is_ok();
        let count = usize::try_from(entry.size.div_ceil(piece_bytes)).map_err(io::Error::other)?;
        let mut journal = Self {
            file,
            head_bytes: head.len() as u64,
            size: entry.size,
            piece_bytes,
            pieces: vec![Done::default(); count],
        };
        let same_boot = !boot.is_empty() && text.starts_with(&head);
        if is_text && text.len() >= head.len() && text.starts_with(&known) {
            journal.read(&text[head.len()..], same_boot, have);
        }
        journal.rewrite(&head)?;
        Ok(journal)
    }

    fn read(&mut self, text: &str, same_boot: bool, have: u64) {
        for (number, line) in text.lines().enumerate().take(self.pieces.len()) {
            let mut words = line.split(' ').map(str::parse::<u64>);
            let (Some(Ok(written)), Some(Ok(synced)), None) = (words.next(), words.next(), words.next()) else {
                return;
            };
            let span = self.whole(number);
            // No byte counts that the data file does not have.
            let most = have.clamp(span.start, span.end) - span.start;
            let written = if same_boot { written } else { synced };
            self.pieces[number] = Done { written: written.min(most), synced: synced.min(most) };
        }
    }

    fn rewrite(&mut self, head: &str) -> io::Result<()> {
        let lines = self.pieces.iter().map(|done| line(*done));
        let text: String = std::iter::once(head.to_owned()).chain(lines).collect();
        self.file.set_len(0)?;
        self.file.write_all_at(text.as_bytes(), 0)
    }

    /// Nothing is here any more.
    pub(super) fn reset(&mut self) -> io::Result<()> {
        for number in 0..self.pieces.len() {
            self.pieces[number] = Done::default();
            self.put(number)?;
        }
        Ok(())
    }

    /// Number of pieces; a file without bytes has none.
    pub(super) fn count(&self) -> usize {
        self.pieces.len()
    }

    /// What is missing of a piece, as places in the file.
    pub(super) fn missing(&self, number: usize) -> Range<u64> {
        let whole = self.whole(number);
        whole.start + self.pieces[number].written..whole.end
    }

    /// Bytes that are here.
    pub(super) fn bytes(&self) -> u64 {
        self.pieces.iter().map(|done| done.written).sum()
    }

    /// The data file has the piece's bytes up to this place.
    pub(super) fn written(&mut self, number: usize, until: u64) -> io::Result<()> {
        self.pieces[number].written = until - self.whole(number).start;
        self.put(number)
    }

    /// And they are on the disk: called after the data file was synced, for what was written before that began.
    pub(super) fn synced(&mut self, number: usize, until: u64) -> io::Result<()> {
        self.pieces[number].synced = until - self.whole(number).start;
        self.put(number)
    }

    fn whole(&self, number: usize) -> Range<u64> {
        let start = number as u64 * self.piece_bytes;
        start..(start + self.piece_bytes).min(self.size)
    }

    fn put(&self, number: usize) -> io::Result<()> {
        let place = self.head_bytes + (number * LINE_BYTES) as u64;
        self.file.write_all_at(line(self.pieces[number]).as_bytes(), place)
    }
}

fn line(done: Done) -> String {
    format!("{:020} {:020}\n", done.written, done.synced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u64, sha256: &str) -> Entry {
        Entry { size, sha256: sha256.into(), ..Entry::default() }
    }

    #[test]
    fn what_was_written_is_known_to_the_next_one_and_to_nobody_elses_file() {
        let file = tempfile::tempfile().expect("a file");
        let open = |entry: &Entry, piece, have| {
            Journal::open(file.try_clone().expect("a handle"), entry, piece, have).expect("open")
        };
        let ours = entry(25, "aa");
        let mut journal = open(&ours, 10, 0);
        assert_eq!((journal.count(), journal.missing(2)), (3, 20..25));
        journal.written(0, 10).expect("written");
        journal.written(2, 23).expect("written");
        journal.synced(0, 10).expect("synced");
        let journal = open(&ours, 10, 25);
        assert_eq!((journal.bytes(), journal.missing(0), journal.missing(2)), (13, 10..10, 23..25));
        // A data file that is shorter than it was told.
        assert_eq!(open(&ours, 10, 22).missing(2), 22..25);
        // Other bytes, other pieces.
        assert_eq!(open(&entry(25, "bb"), 10, 25).bytes(), 0);
        let mut journal = open(&ours, 10, 25);
        journal.written(0, 10).expect("written");
        assert_eq!(open(&ours, 5, 25).bytes(), 0);
        assert_eq!(open(&entry(0, "aa"), 10, 0).count(), 0);
    }

    #[test]
    fn after_another_boot_only_what_was_synced_counts() {
        let file = tempfile::tempfile().expect("a file");
        let ours = entry(20, "aa");
        let mut journal = Journal::open(file.try_clone().expect("a handle"), &ours, 10, 0).expect("open");
        journal.written(0, 10).expect("written");
        journal.synced(0, 4).expect("synced");
        let boot = std::fs::read_to_string(BOOT_ID).expect("a boot id");
        let mut text = String::new();
        (&file).rewind().expect("rewound");
        (&file).read_to_string(&mut text).expect("read");
        let other = text.replace(boot.trim(), &"0".repeat(36));
        assert_ne!(other, text);
        file.write_all_at(other.as_bytes(), 0).expect("written");
        assert_eq!(Journal::open(file, &ours, 10, 20).expect("open").missing(0), 4..10);
    }

    #[test]
    fn what_cannot_be_read_counts_as_nothing() {
        for text in ["", "nonsense", "kentai pull 1 aa 20 10 \u{fffd}"] {
            let file = tempfile::tempfile().expect("a file");
            file.write_all_at(text.as_bytes(), 0).expect("written");
            let journal = Journal::open(file, &entry(20, "aa"), 10, 20).expect("open");
            assert_eq!(journal.bytes(), 0, "{text:?}");
        }
    }
}

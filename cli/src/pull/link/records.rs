//! A data center's phenopackets, from a directory or a file. What is bad is listed by its place, and the rest goes on.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::fs::FileType;

use super::super::{Failure, beneath};
use super::{Bad, Record, phenopacket};
use crate::exit::Exit;

/// Of one phenopacket.
const BYTES_MAX: u64 = 64 << 20;

/// Gives each phenopacket's subject and place to `found`.
pub(super) fn read(path: &Path, bad: &mut Vec<Bad>, mut found: impl FnMut(String, Record)) -> Result<(), Failure> {
    let disk = |error: std::io::Error| Failure::new(Exit::NotFound, format!("{}: {error}", path.display()));
    let mut reader = Reader { bad, ids: BTreeSet::new(), found: &mut found };
    let opened = File::open(path).map_err(disk)?;
    if !opened.metadata().map_err(disk)?.is_dir() {
        reader.file(&path.display().to_string(), opened);
        return Ok(());
    }
    let mut names = Vec::new();
    let walked = beneath::visit(opened.as_fd(), &mut |_, _, name, kind| {
        if kind != FileType::Directory && (name.ends_with(".json") || name.ends_with(".jsonl")) {
            names.push(name.to_owned());
        }
        Ok(())
    });
    walked.map_err(disk)?;
    for name in names {
        match beneath::file(opened.as_fd(), &name) {
            Ok(file) => reader.file(&name, file),
            Err(error) => reader.bad(&name, None, format!("it is not read: {error}")),
        }
    }
    Ok(())
}

struct Reader<'a> {
    bad: &'a mut Vec<Bad>,
    /// Ids that are taken: one record twice would count twice.
    ids: BTreeSet<String>,
    found: &'a mut dyn FnMut(String, Record),
}

impl Reader<'_> {
    fn file(&mut self, name: &str, file: File) {
        if name.ends_with(".jsonl") {
            return self.lines(name, BufReader::new(file));
        }
        let mut text = Vec::new();
        match file.take(BYTES_MAX + 1).read_to_end(&mut text) {
            Ok(bytes) if bytes as u64 > BYTES_MAX => {
                self.bad(name, None, format!("it has more than {BYTES_MAX} bytes"))
            }
            Ok(_) => self.packet(name, None, &text),
            Err(error) => self.bad(name, None, error.to_string()),
        }
    }

    fn lines(&mut self, name: &str, mut file: BufReader<File>) {
        for number in 1.. {
            let mut line = Vec::new();
            match file.by_ref().take(BYTES_MAX + 1).read_until(b'\n', &mut line) {
                Ok(0) => return,
                // Where the next line begins is not known without reading on and on.
                Ok(bytes) if bytes as u64 > BYTES_MAX => {
                    return self.bad(
                        name,
                        Some(number),
                        format!("it has more than {BYTES_MAX} bytes; the rest is not read"),
                    );
                }
                Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => self.packet(name, Some(number), &line),
                Err(error) => return self.bad(name, Some(number), error.to_string()),
            }
        }
    }

    fn packet(&mut self, name: &str, line: Option<u64>, text: &[u8]) {
        match phenopacket::read(text) {
            Err(why) => self.bad(name, line, why),
            Ok(packet) if !self.ids.insert(packet.id.clone()) => {
                self.bad(name, line, format!("the id `{}` is another phenopacket's", packet.id));
            }
            Ok(packet) => (self.found)(packet.subject, Record { id: packet.id, file: name.to_owned(), line }),
        }
    }

    fn bad(&mut self, name: &str, line: Option<u64>, why: String) {
        self.bad.push(Bad { file: name.to_owned(), line, why });
    }
}

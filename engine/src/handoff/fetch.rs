//! A holey bag: `fetch.txt` (RFC 8493, section 2.2.3) says where each payload file can be fetched. It fetches nothing.

use super::bag::{self, Error};
use super::{File, name};

/// Where a package is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Address of the package's folder, with or without `/` at its end: `https://…/deliveries/D1`.
    pub base: String,
}

/// One file that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Where.
    pub address: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Path beneath `data/`.
    pub name: String,
}

impl Source {
    /// The address of a file of the package, by its path in it.
    ///
    /// # Errors
    /// [`Error::Address`] when the base has blanks or control characters, which no line of a manifest could hold, or no scheme.
    pub fn address(&self, path: &str) -> Result<String, Error> {
        let base = self.base.trim_end_matches('/');
        let scheme = base.split_once("://").is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty());
        if !scheme || base.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Error::Address(self.base.clone()));
        }
        Ok(format!("{base}/{}", name::address(path)))
    }

    /// `fetch.txt` for all of the payload.
    ///
    /// # Errors
    /// When the source's address is none.
    pub fn fetch(&self, payload: &[File]) -> Result<String, Error> {
        let hole = |file: &File| {
            let address = self.address(&format!("{}{}", bag::DATA, file.name))?;
            Ok(Hole { address, size_bytes: file.size_bytes, name: file.name.clone() })
        };
        Ok(write(&payload.iter().map(hole).collect::<Result<Vec<_>, Error>>()?))
    }
}

/// Address, bytes, path; in the order of the paths' bytes.
pub(super) fn write(holes: &[Hole]) -> String {
    let mut lines: Vec<(String, &Hole)> = holes.iter().map(|hole| (bag::path(&hole.name), hole)).collect();
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    lines.iter().map(|(path, hole)| format!("{} {} {path}\n", hole.address, hole.size_bytes)).collect()
}

/// What [`write`] wrote; else the line that cannot be read. Whether it is canonical shows when it is written again.
pub(super) fn read(text: &str) -> Result<Vec<Hole>, usize> {
    let hole = |line: &str| {
        let mut parts = line.splitn(3, ' ');
        let (address, size, path) = (parts.next()?, parts.next()?, parts.next()?);
        let name = name::decode(path.strip_prefix(bag::DATA)?)?;
        Some(Hole { address: address.to_owned(), size_bytes: size.parse().ok()?, name })
    };
    text.lines().zip(1..).map(|(line, number)| hole(line).ok_or(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_spelled_so_that_a_line_can_hold_it() {
        let source = Source { base: "https://center.example/d/D1/".into() };
        let address = source.address("data/a b.cram").expect("an address");
        assert_eq!(address, "https://center.example/d/D1/data/a%20b.cram");
        for base in ["", "center.example", "https://", "https://x/ y", "https://x/\n", "://x"] {
            assert!(Source { base: base.into() }.address("a").is_err(), "{base:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let hole = |name: &str| Hole { address: "https://x/y".into(), size_bytes: 3, name: name.into() };
        let holes = vec![hole("a b%\n"), hole("b")];
        assert_eq!(read(&write(&holes)), Ok(holes));
        assert_eq!(read("https://x/y 3 data/a\nhttps://x/y - data/b\n"), Err(2));
        assert_eq!(read("https://x/y 3 a\n"), Err(1));
    }
}

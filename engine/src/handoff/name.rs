//! Names of files in a package: which ones may be there, and how manifests and addresses spell them. It knows no file system.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Bytes of a path; what every common file system takes.
const LENGTH_MAX: usize = 200;

/// Why a name cannot be in a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("`{0}` would lead out of the package")]
    Leaves(String),
    #[error("{0:?} holds a byte that a name must not hold")]
    Byte(String),
    #[error("`{0}` is longer than 200 bytes")]
    Long(String),
    #[error("`{0}` and another name are one file where capitals do not count")]
    Taken(String),
}

/// May a payload file be called this? A relative path with `/` between its parts (RFC 8493, sections 2.1.3 and 5.1).
///
/// # Errors
/// What would be dangerous or lost at a receiver's: `..`, absolute paths, `~`, drive letters, backslashes, NUL.
pub fn check(name: &str) -> Result<(), Error> {
    if name.contains(['\0', '\\']) {
        return Err(Error::Byte(name.to_owned()));
    }
    let drive = name.as_bytes().get(1) == Some(&b':');
    if drive || name.starts_with('~') || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(Error::Leaves(name.to_owned()));
    }
    if name.len() > LENGTH_MAX { Err(Error::Long(name.to_owned())) } else { Ok(()) }
}

/// May these be in one package?
///
/// # Errors
/// The first name that must not be, be it for the sake of another one.
pub fn check_all<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
    let (mut files, mut folders) = (BTreeSet::new(), BTreeSet::new());
    for name in names {
        check(name)?;
        // Half of the world's file systems keep only one of two names that differ in capitals.
        let folded = name.to_lowercase();
        folders.extend(folded.match_indices('/').map(|(at, _)| folded[..at].to_owned()));
        if !files.insert(folded) {
            return Err(Error::Taken(name.to_owned()));
        }
    }
    files.intersection(&folders).next().map_or(Ok(()), |both| Err(Error::Taken(both.clone())))
}

/// As a manifest spells it: `%`, CR and LF are percent-encoded, and only those (RFC 8493, section 2.1.3).
pub(super) fn encode(path: &str) -> String {
    path.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What [`encode`] wrote, and only that.
pub(super) fn decode(text: &str) -> Option<String> {
    let path = text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
    (encode(&path) == text).then_some(path)
}

/// As the path of an address: whatever is not unreserved is percent-encoded, `/` stays (RFC 3986, sections 2.3 and 3.3).
#[must_use]
pub fn address(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["", ".", "..", "/x", "a//b", "a/../b", "a/", "~/x", "~root", "C:/x", "a\\b", "a\0"] {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["S1.cram", "lanes/L001.bam", "検体", "a b", "50%\n", "..a"] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        assert_eq!(check(&"x".repeat(201)), Err(Error::Long("x".repeat(201))));
    }

    #[test]
    fn no_two_names_are_one_file() {
        assert!(check_all(["a/b", "a/c", "ab"]).is_ok());
        for names in [["S1.vcf", "s1.VCF"], ["a", "A/b"], ["x", "x"]] {
            assert!(matches!(check_all(names), Err(Error::Taken(_))), "{names:?}");
        }
    }

    #[test]
    fn a_manifest_encodes_three_characters_and_no_other() {
        assert_eq!(encode("50%\r\n é/~"), "50%25%0D%0A é/~");
        for name in ["50%\r\n é/~", "%0A", "%250A", "a%25", "%%"] {
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
        }
        for other in ["a%2fb", "%", "%0a", "%41", "a\nb"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }

    #[test]
    fn an_address_encodes_whatever_is_not_unreserved() {
        assert_eq!(address("data/a b%é+.cram"), "data/a%20b%25%C3%A9%2B.cram");
    }
}

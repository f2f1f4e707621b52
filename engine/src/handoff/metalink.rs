//! Metalink 4 (RFC 5854): one file by which `aria2c` pulls a whole package and checks each of its files. It pulls nothing.

use sha2::{Digest as _, Sha256};

use super::bag::{DATA, Error, TagFile};
use super::fetch::Source;
use super::{File, time};
use crate::audit::hex;
use crate::clock::Micros;

/// Every file of a package beneath `folder` (the package's name), tag files first, offered since `offered_us`.
///
/// Sizes are bytes (section 4.2.14), digests SHA-256 (section 4.2.4); a file name never leads out of the folder (section 4.1.2.1).
///
/// # Errors
/// When the source's address is none.
pub fn write(
    folder: &str,
    offered_us: Micros,
    source: &Source,
    tags: &[TagFile],
    payload: &[File],
) -> Result<String, Error> {
    super::name::check(folder)?;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text += "<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">\n";
    text.extend(["  <published>", &time(offered_us), "</published>\n"]);
    for tag in tags {
        let digest = hex(&Sha256::digest(tag.text.as_bytes()));
        text += &file(folder, tag.name, tag.text.len() as u64, &digest, source)?;
    }
    let mut sorted: Vec<&File> = payload.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    for entry in sorted {
        super::name::check(&entry.name)?;
        text += &file(folder, &format!("{DATA}{}", entry.name), entry.size_bytes, &entry.sha256, source)?;
    }
    Ok(text + "</metalink>\n")
}

fn file(folder: &str, path: &str, size_bytes: u64, sha256: &str, source: &Source) -> Result<String, Error> {
    let (name, address) = (escape(&format!("{folder}/{path}")), escape(&source.address(path)?));
    Ok(format!(
        "  <file name=\"{name}\">\n    <size>{size_bytes}</size>\n    <hash type=\"sha-256\">{sha256}</hash>\n    \
         <url>{address}</url>\n  </file>\n"
    ))
}

/// As a text or an attribute in double quotes; line ends as references, or a reader would make blanks of them (XML 1.0, 3.3.3).
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            // XML 1.0 has no way to say any other control character.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_comes_with_its_size_digest_and_address() {
        let tags = [TagFile { name: "bagit.txt", text: "x".into() }];
        let payload = [File { name: "a&b.cram".into(), size_bytes: 3, sha256: "ab".into(), md5: "cd".into() }];
        let source = Source { base: "https://c.example/D1?a=1&b=2".into() };
        let text = write("D1", 0, &source, &tags, &payload).expect("a metalink");
        for part in [
            "<published>1970-01-01T00:00:00.000000Z</published>",
            "<file name=\"D1/bagit.txt\">\n    <size>1</size>",
            "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            "<file name=\"D1/data/a&amp;b.cram\">\n    <size>3</size>\n    <hash type=\"sha-256\">ab</hash>",
            "<url>https://c.example/D1?a=1&amp;b=2/data/a%26b.cram</url>",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let source = Source { base: "https://c.example".into() };
        assert!(write("../x", 0, &source, &[], &[]).is_err());
        let payload = [File { name: "../x".into(), size_bytes: 0, sha256: String::new(), md5: String::new() }];
        assert!(write("x", 0, &source, &[], &payload).is_err());
    }
}

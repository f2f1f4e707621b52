//! Texts as they may leave the house: without paths of the site in them.

/// Stands where a path stood.
const CUT: char = '…';

/// The text with every absolute path taken out. A `/` between letters, as in `and/or` or an address, is none.
pub(super) fn outward(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let (before, from) = rest.split_at(at);
        told.push_str(before);
        let path = &from[..from.find(ends).unwrap_or(from.len())];
        if is_path(told.chars().next_back(), path) {
            told.push(CUT);
            rest = &from[path.len()..];
        } else {
            // A second slash of an address begins no path.
            let slashes = from.len() - from.trim_start_matches('/').len();
            told.push_str(&from[..slashes]);
            rest = &from[slashes..];
        }
    }
    told + rest
}

/// What no path of ours goes on behind.
fn ends(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`,;<>()[]{}|、。）」".contains(c)
}

fn is_path(before: Option<char>, path: &str) -> bool {
    let deep = path.matches('/').count() > 1;
    match (before, path.chars().nth(1)) {
        (_, None) => false,
        (before, Some('/')) => before != Some(':') || path.starts_with("///"),
        (Some(before), _) if before.is_ascii_alphanumeric() || "._-~/".contains(before) => false,
        // Scripts without blanks between words write `／` or `/` between alternatives.
        (Some(before), _) if before.is_alphanumeric() => deep && path.is_ascii(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::outward;

    #[test]
    fn paths_are_taken_out_and_other_slashes_stay() {
        for (text, told) in [
            ("/data/site/x.fastq.gz: no such file", "… no such file"),
            ("read /data/検体/x, then go", "read …, then go"),
            ("ref=/data/g.fa", "ref=…"),
            ("(/a)", "(…)"),
            ("は/data/x", "は…"),
            ("正常/異常", "正常/異常"),
            ("and/or 3/4 https://center.example/terms a/b/c", "and/or 3/4 https://center.example/terms a/b/c"),
            ("file:///data/x", "file:…"),
            ("//server/share", "…"),
            ("/", "/"),
            ("", ""),
        ] {
            assert_eq!(outward(text), told, "{text:?}");
        }
    }
}

//! Which files an output means: its path, or what its pattern matches, beneath an open directory.
//!
//! `*` and `?` stand for characters of one name, never for `/`; a name that begins with a dot needs a dot in the
//! pattern, as in a shell. Directories on the way are opened without following links.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use kentai_engine::port::collect::Expected;
use rustix::fs::{Dir, Mode, OFlags};
use rustix::io::Errno;

/// More matches than this are a mistake in the pattern, and a database row each.
const MATCHES_MAX: usize = 100_000;

/// The paths beneath `work` that an output means, sorted; a plain path is given back whether it exists or not.
pub(super) fn find(work: &OwnedFd, output: &Expected) -> Result<Vec<PathBuf>, String> {
    let names = names(&output.path)?;
    if !output.glob {
        return Ok(vec![names.iter().collect()]);
    }
    let mut found = Vec::new();
    descend(work, Path::new(""), &names, &mut found)?;
    found.sort();
    Ok(found)
}

fn names(path: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => names.push(name.to_str().unwrap_or_default()),
            Component::CurDir => {}
            _ => return Err(format!("`{path}` leads out of the working directory")),
        }
    }
    if names.is_empty() { Err("its path is empty".to_owned()) } else { Ok(names) }
}

fn descend(directory: &OwnedFd, at: &Path, names: &[&str], found: &mut Vec<PathBuf>) -> Result<(), String> {
    let Some((pattern, below)) = names.split_first() else { return Ok(()) };
    for name in matching(directory, pattern).map_err(|error| format!("`{}` cannot be read: {error}", at.display()))? {
        let path = at.join(&name);
        if below.is_empty() {
            if found.len() == MATCHES_MAX {
                return Err(format!("its pattern matches more than {MATCHES_MAX} files"));
            }
            found.push(path);
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // A pattern passes over what is no directory.
        if let Ok(next) = rustix::fs::openat(directory, name.as_str(), flags, Mode::empty()) {
            descend(&next, &path, below, found)?;
        }
    }
    Ok(())
}

fn matching(directory: &OwnedFd, pattern: &str) -> Result<Vec<String>, Errno> {
    if !pattern.contains(['*', '?']) {
        let there = rustix::fs::statat(directory, pattern, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok();
        return Ok(there.then(|| pattern.to_owned()).into_iter().collect());
    }
    let mut names = Vec::new();
    for entry in Dir::read_from(directory.as_fd())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        if name != "." && name != ".." && matches(pattern, &name) {
            names.push(name.into_owned());
        }
    }
    Ok(names)
}

/// Does a whole name match? Takes time proportional to both lengths at worst.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut on) = (0, 0);
    // Where the last `*` was, and how much of the name it swallows so far.
    let mut star: Option<(usize, usize)> = None;
    while on < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, on));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[on] => {
                at += 1;
                on += 1;
            }
            _ => {
                let Some((back, swallowed)) = star else { return false };
                star = Some((back, swallowed + 1));
                at = back + 1;
                on = swallowed + 1;
            }
        }
    }
    pattern[at..].iter().all(|left| *left == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(path: &str, glob: bool) -> Expected {
        Expected { name: "o".into(), path: path.into(), glob, dir: false, optional: false, format: None }
    }

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, wanted) in [
            ("*.txt", "a.txt", true),
            ("*.txt", ".txt", false),
            (".*", ".txt", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "ab_ab_a", false),
            ("検体*", "検体1", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn files_are_found_through_directories_and_sorted_but_never_through_links() {
        let work = tempfile::tempdir().expect("a temporary directory");
        for name in ["b/2.txt", "a/1.txt", "a/.hidden.txt"] {
            let path = work.path().join(name);
            std::fs::create_dir_all(path.parent().expect("one")).expect("made");
            std::fs::write(path, "x").expect("write");
        }
        std::os::unix::fs::symlink("a", work.path().join("c")).expect("link");
        let handle = crate::attempt::open_directory(work.path()).expect("there");
        let found = find(&handle, &output("*/*.txt", true)).expect("found");
        assert_eq!(found, [PathBuf::from("a/1.txt"), PathBuf::from("b/2.txt")]);
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        let handle = crate::attempt::open_directory(Path::new("/")).expect("there");
        for path in ["../x", "/x", "a/../../x", "", "."] {
            assert!(find(&handle, &output(path, false)).is_err(), "{path}");
        }
    }
}

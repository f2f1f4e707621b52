//! Checks from outside: whole files in, diagnostics out.

use super::*;
use crate::diagnostic::{Language, render};

const GERMLINE: &str = include_str!("examples/germline_wgs.yaml");
const HELLO: &str = include_str!("examples/hello.yaml");

fn nothing_to_load(name: &str) -> Result<(String, Vec<u8>), String> {
    Err(format!("there is no file {name}"))
}

fn checked(source: &str) -> Checked {
    check("germline.yaml", source.as_bytes(), &Site::default(), &nothing_to_load)
}

fn told(source: &str) -> String {
    let checked = checked(source);
    render(&checked.diagnostics, &checked.sources, Language::En, false)
}

#[test]
fn the_examples_of_the_language_are_accepted() {
    for source in [GERMLINE, HELLO] {
        assert!(checked(source).workflow.is_some(), "{}", told(source));
    }
}

#[test]
fn shipped_workflows_are_accepted() {
    let library = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("library");
    for folder in std::fs::read_dir(library).expect("the library") {
        for file in std::fs::read_dir(folder.expect("a folder").path()).expect("a folder") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                let source = std::fs::read_to_string(&path).expect("text");
                assert!(checked(&source).workflow.is_some(), "{}", told(&source));
            }
        }
    }
}

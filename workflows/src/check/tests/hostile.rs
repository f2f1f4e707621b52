//! Files that nobody means well with: an answer, always, and soon.

use proptest::prelude::*;

use super::*;

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let files = std::fs::read_dir(folder).expect("the corpus").map(|file| file.expect("a file").path());
    files.map(|path| (path.display().to_string(), std::fs::read(&path).expect("bytes"))).collect()
}

fn answered(bytes: &[u8]) -> Checked {
    let checked = check("corpus.yaml", bytes, &Site::default(), &nothing_to_load);
    for language in [Language::En, Language::Ja] {
        let _ = drawn(&checked, language);
    }
    for found in &checked.diagnostics {
        assert!(found.line >= 1 && found.column >= 1);
    }
    assert_eq!(checked.workflow.is_some(), !has_errors(&checked.diagnostics));
    checked
}

#[test]
fn every_file_of_the_corpus_is_refused_in_words() {
    let corpus = corpus();
    assert!(corpus.len() > 40);
    for (name, bytes) in corpus {
        let checked = answered(&bytes);
        assert!(has_errors(&checked.diagnostics), "{name} was accepted");
        assert!(checked.diagnostics.len() < 1_100, "{name}");
    }
}

#[test]
fn cut_anywhere_the_example_is_still_answered() {
    for end in (0..GERMLINE.len()).step_by(7) {
        answered(&GERMLINE.as_bytes()[..end]);
    }
}

#[test]
fn too_much_of_anything_is_refused() {
    let many = format!("kentai: 1\nworkflow: many\nnotify: [{}]\n", "x, ".repeat(25_000));
    assert!(codes(&answered(many.as_bytes())).contains(&"K005"));
    assert_eq!(codes(&answered(&vec![b' '; document::BYTES_MAX + 1])), ["K005"]);
    assert!(codes(&answered(&vec![0; 4_096])).contains(&"K018"));
}

#[test]
fn thousands_of_mistakes_are_answered_without_comparing_all_with_all() {
    let mut source = String::from("kentai: 1\nworkflow: many\ndefaults: { image: \"example:1\" }\nsteps:\n");
    for number in 0..2_500 {
        source.push_str(&format!("  step_number_{number}: {{ script: \"true\", after: [step_numbre_{number}] }}\n"));
    }
    let checked = answered(source.as_bytes());
    assert!(codes(&checked).iter().filter(|code| **code == "K012").count() >= 100);
}

#[test]
fn ten_thousand_lines_are_one_workflow() {
    let mut source = String::from("kentai: 1\nworkflow: long\ndefaults: { image: \"example:1\" }\nsteps:\n");
    source.push_str("  step_0: { outputs: { x: { path: x } }, script: date }\n");
    for number in 1..1_400 {
        let before = number - 1;
        source.push_str(&format!(
            "  step_{number}:\n    inputs: {{ x: \"${{{{ steps.step_{before}.x }}}}\" }}\n    outputs:\n      x: {{ path: x }}\n    script: |\n      # a line\n      # another\n      cp \"$in_x\" \"$out_x\"\n"
        ));
    }
    assert!(source.lines().count() > 10_000);
    let checked = answered(source.as_bytes());
    assert!(checked.workflow.is_some(), "{}", drawn(&checked, Language::En));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        answered(&bytes);
    }

    #[test]
    fn any_text_is_answered(text in "(\\PC|\n|\t){0,300}") {
        answered(text.as_bytes());
    }

    #[test]
    fn likely_text_is_answered(words in prop::collection::vec(prop::sample::select(vec![
        "kentai: 1\n", "workflow: x\n", "steps:\n", "  a:\n", "    script: x\n", "    gate: ", "{", "}", "[", "]", ": ", ", ", "- ", "\n", "  ",
        "when: ", "for_each: ", "${{ ", " }}", "steps.a.b", "params.x", "specimen.", "&x ", "*x", "!t ", "<<: ", "|\n", ">-\n", "\"", "'", "#",
        "\t", "検体", "---\n", "read: ", "checks: ", "inputs: ", "outputs: ", "from: ", "~", "call: ", "workflow: y",
    ]), 0..60)) {
        answered(words.concat().as_bytes());
    }

    #[test]
    fn the_example_with_a_few_bytes_changed_is_answered(changes in prop::collection::vec((0_usize..5_000, any::<u8>(), 0_u8..3), 1..6)) {
        let mut bytes = GERMLINE.as_bytes().to_vec();
        for (place, byte, how) in changes {
            let place = place % bytes.len();
            match how {
                0 => bytes[place] = byte,
                1 => { bytes.remove(place); }
                _ => bytes.insert(place, byte),
            }
        }
        answered(&bytes);
    }

    #[test]
    fn the_example_with_words_changed_is_answered(
        place in 0_usize..5_000,
        length in 0_usize..30,
        word in prop::sample::select(vec!["${{ ", "}}", "steps.trim.r1", "{", "]", ": ", "not ", "&a ", "*a", "\n", "\n\n  ", "null", "\"", "検体"]),
    ) {
        let boundary = |at: usize| (at.min(GERMLINE.len())..=GERMLINE.len()).find(|at| GERMLINE.is_char_boundary(*at)).unwrap_or(0);
        let (start, end) = (boundary(place), boundary(place + length));
        answered(format!("{}{word}{}", &GERMLINE[..start], &GERMLINE[end..]).as_bytes());
    }
}

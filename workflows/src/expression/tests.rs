//! Expressions and templates from outside: what they give, and that nothing ends the process.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn scope() -> Map {
    let scope = json!({
        "params": { "min": 0.85, "n": 4, "name": "x", "nothing": null },
        "lane": { "id": "L001", "r1": { "$file": { "name": "L001_R1.fastq.gz", "path": "/d/L001_R1.fastq.gz" } } },
        "steps": { "trim": { "all": { "json": ["a", "b"] } } },
    });
    scope.as_object().cloned().expect("an object")
}

fn value(text: &str) -> Value {
    Expression::parse(text).expect(text).evaluate(&scope()).expect(text)
}

fn failure(text: &str) -> String {
    Expression::parse(text).expect(text).evaluate(&scope()).expect_err(text).to_string()
}

#[test]
fn numbers_stay_what_they_are() {
    assert_eq!(value("params.n"), json!(4));
    assert_eq!(value("params.n + 1"), json!(5));
    assert_eq!(value("4 / 2"), json!(2.0));
    assert_eq!(value("params.n * 0.5 | round(1)"), json!(2.0));
    assert_eq!(value("2.6 | round"), json!(3));
    assert_eq!(value("'7' | int"), json!(7));
    assert_eq!(value("7.9 | int"), json!(7));
}

#[test]
fn logic_and_text_follow_jinja() {
    assert_eq!(value("params.n > 3 and not false"), json!(true));
    assert_eq!(value("'a' if params.n == 4 else 'b'"), json!("a"));
    assert_eq!(value("'b' in steps.trim.all.json"), json!(true));
    assert_eq!(value("'c' not in steps.trim.all.json"), json!(true));
    assert_eq!(value("lane.id ~ '-' ~ params.n"), json!("L001-4"));
    assert_eq!(value("steps.trim.all.json | join(',')"), json!("a,b"));
    assert_eq!(value("steps.trim.all.json[1]"), json!("b"));
    assert_eq!(value("steps.trim.all.json | length"), json!(2));
}

#[test]
fn files_keep_their_spelling_and_give_their_name() {
    assert_eq!(value("lane.r1"), scope()["lane"]["r1"]);
    assert_eq!(value("lane.r1 | basename"), json!("L001_R1.fastq.gz"));
    assert_eq!(value("lane.r1 | stem"), json!("L001_R1"));
    assert_eq!(value("lane.r1 | ext"), json!("fastq.gz"));
}

#[test]
fn what_does_not_exist_is_named() {
    assert_eq!(failure("params.m"), "`params.m`: `params.m` does not exist");
    assert_eq!(failure("steps.mito.vcf"), "`steps.mito.vcf`: `steps.mito.vcf` does not exist");
    assert!(failure("1 + steps.mito.vcf").contains("`steps.mito.vcf` does not exist"));
    assert!(failure("steps.trim.all.json[9]").contains("no such item"));
}

#[test]
fn default_stands_in_for_what_is_missing_or_none() {
    assert_eq!(value("steps.mito.vcf | default(none)"), Value::Null);
    assert_eq!(value("steps.mito.vcf | default('x')"), json!("x"));
    assert_eq!(value("params.nothing | default(3)"), json!(3));
    assert_eq!(value("params.nothing"), Value::Null);
}

#[test]
fn templates_render_pieces_and_text() {
    let template = Template::parse("@RG\\tID:${{ lane.id }} ${{ lane.r1 }}").expect("template");
    assert_eq!(template.render_text(&scope()).expect("text"), "@RG\\tID:L001 L001_R1.fastq.gz");
    assert_eq!(template.render(&scope()).expect("pieces").len(), 4);
    assert!(template.single().is_none());
    let single = Template::parse("${{ '}}' ~ params.n }}").expect("template");
    assert_eq!(single.single().expect("single").text, "'}}' ~ params.n");
    assert_eq!(single.render_text(&scope()).expect("text"), "}}4");
    assert_eq!(Template::parse("").expect("empty").literal(), Some(""));
}

#[test]
fn form_is_refused_with_a_remedy() {
    let code = |text: &str| Expression::read(text).expect_err(text).diagnostic.code;
    for (text, expected) in [
        ("", "K032"),
        ("a b", "K032"),
        ("a == == b", "K032"),
        ("a if b", "K032"),
        ("x is defined", "K032"),
        ("1 < 2 < 3", "K032"),
        ("!a", "K033"),
        ("a && b", "K033"),
        ("a = 1", "K033"),
        ("range(3)", "K028"),
        ("a.b()", "K028"),
        ("a | upper", "K027"),
        ("a | default", "K032"),
        ("${{ a }}", "K032"),
        ("{'a': 1}", "K032"),
    ] {
        assert_eq!(code(text), expected, "{text}");
    }
    assert_eq!(Template::read("a ${{ b").expect_err("open").diagnostic.code, "K035");
}

#[test]
fn no_expression_within_the_limit_ends_the_process() {
    let patterns =
        ["not ", "-", "(", "[", "+1", ".b", "|string", " and 1", "a[", "x if y else ", "'a'*", "9**", "~a", "{"];
    for pattern in patterns {
        for (before, after) in [("", ""), ("a", ""), ("", "a"), ("1", "1"), ("'a'", "9")] {
            let repeated = pattern.repeat((BYTES_MAX - 10) / pattern.len());
            if let Ok(expression) = Expression::parse(&format!("{before}{repeated}{after}")) {
                let _ = expression.evaluate(&scope());
            }
        }
    }
    assert!(Expression::parse(&"1+".repeat(600)).is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,80}") {
        let _ = Expression::parse(&text);
        let _ = Template::parse(&text);
    }

    #[test]
    fn likely_text_is_read_without_panic(words in prop::collection::vec(
        prop::sample::select(vec!["steps", ".", "a", "|", "default", "(", ")", "[", "]", "not", "and", "in", "if", "else", "1",
            "'x'", "==", "+", "-", "*", "~", "none", ",", "${{", "}}", " ", "**", "9999999999999999999"]), 0..40)) {
        let text = words.join(" ");
        if let Ok(expression) = Expression::parse(&text) {
            let _ = expression.evaluate(&scope());
        }
        let _ = Template::parse(&text);
    }

    /// Our tree and the evaluating crate must see the same names, or order could be read wrongly.
    #[test]
    fn names_are_those_that_evaluation_sees(words in prop::collection::vec(
        prop::sample::select(vec!["steps.a.b", "lane.r1", "params.n", "|", "default", "(", ")", "[", "]", "not", "and", "if", "else",
            "1", "'x'", "==", "+", "-", "first"]), 1..14)) {
        let text = words.join(" ");
        if let Ok(expression) = Expression::parse(&text) {
            let mut ours: Vec<String> = expression.references.iter().map(|path| path.join(".")).collect();
            ours.sort();
            prop_assert_eq!(ours, expression.compiled.names());
        }
    }
}

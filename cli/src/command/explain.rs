//! `explain CODE`: the page about a diagnostic; `explain` alone: every code.

use clap::Args;
use kentai_workflows::explain;

use crate::exit::{Exit, Stop};
use crate::output::{Output, table};

/// Codes that are offered when there is no such one.
const NEAR: usize = 6;

/// Arguments of `explain`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai explain K030
  kentai explain s104 --language ja
  kentai explain")]
pub(crate) struct Explain {
    /// A code, as K012; without it every code is listed
    code: Option<String>,
}

impl Explain {
    pub(crate) fn show(&self, output: Output) -> anyhow::Result<Exit> {
        let Some(code) = &self.code else { return Ok(list(output)) };
        let Some(page) = explain::page(code.trim(), output.language) else { return Err(unknown(code).into()) };
        if output.json {
            output.json(&serde_json::json!({ "code": code.trim().to_uppercase(), "page": page }));
        } else {
            output.line(page.trim_end());
        }
        Ok(Exit::Done)
    }
}

fn list(output: Output) -> Exit {
    let codes = explain::codes();
    if output.json {
        output.json(&codes);
        return Exit::Done;
    }
    let rows = codes.into_iter().map(|code| {
        let page = explain::page(code, output.language).unwrap_or_default();
        // Heading, empty line, meaning.
        vec![code.to_owned(), page.lines().nth(2).unwrap_or_default().to_owned()]
    });
    output.line(table(&["code", "meaning"], rows));
    Exit::Done
}

fn unknown(code: &str) -> Stop {
    let near = near(&code.trim().to_uppercase());
    let code = code.escape_debug();
    let hint =
        if near.is_empty() { "`kentai explain` lists all".to_owned() } else { format!("near it: {}", near.join(", ")) };
    Stop::new(Exit::NotFound, format!("there is no code `{code}`; {hint}"))
}

/// Codes of the same letter, the nearest numbers first.
fn near(code: &str) -> Vec<&'static str> {
    let number = |code: &str| code.get(1..).and_then(|digits| digits.parse::<i64>().ok());
    let Some(wanted) = number(code) else { return Vec::new() };
    let mut near: Vec<&str> = explain::codes().into_iter().filter(|known| known.get(..1) == code.get(..1)).collect();
    near.sort_by_key(|known| number(known).map_or(i64::MAX, |number| (number - wanted).abs()));
    near.truncate(NEAR);
    near.sort_unstable();
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_brings_its_neighbors() {
        let found = near("S124");
        assert!(found.contains(&"S123") && found.len() == NEAR, "{found:?}");
        assert!(near("hello").is_empty());
        assert!(near("検体").is_empty());
    }
}

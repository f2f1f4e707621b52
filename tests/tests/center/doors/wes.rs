//! The routes of GA4GH WES.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use kentai_engine::people::permission::Action::{self, *};
use kentai_tests::root;

use super::Whose::{self, Institution, Nothing};
use super::{Doors, Outcome, Somebody, curl, verdict, without};

const BASE: &str = "/ga4gh/wes/v1";

/// Route as the server has it, what is asked, one of what it needs, and whose the thing is.
type Row = (&'static str, &'static str, &'static [Action], Whose);

/// What changes most comes last.
const ROUTES: &[Row] = &[
    ("GET /runs", "/runs", &[ReadRun], Nothing),
    ("GET /runs/{run_id}", "/runs/{run}", &[ReadRun], Institution),
    ("GET /runs/{run_id}/status", "/runs/{run}/status", &[ReadRun], Institution),
    ("GET /runs/{run_id}/tasks", "/runs/{run}/tasks", &[ReadRun], Institution),
    ("GET /runs/{run_id}/tasks/{task_id}", "/runs/{run}/tasks/{run}-1", &[ReadRun], Institution),
    ("POST /runs", "/runs", &[Submit], Nothing),
    ("POST /runs/{run_id}/cancel", "/runs/{run}/cancel", &[RunControl], Institution),
];

/// For everybody, known or not.
const OUTSIDE: &str = "GET /service-info";

/// `GET /runs` …, as the server's source has them.
fn known() -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("web/src/wes.rs"))?;
    let mut known = BTreeSet::new();
    for part in text.split(".route(").skip(1) {
        let path = part.split('"').nth(1).context("a path")?;
        let methods = part.split_once(',').context("methods")?.1.lines().next().unwrap_or_default();
        for (word, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE")] {
            if methods.contains(word) {
                known.insert(format!("{method} {path}"));
            }
        }
    }
    Ok(known)
}

/// Status and body.
fn asked(doors: &Doors, somebody: &Somebody, method: &str, path: &str) -> Result<(Outcome, String)> {
    let socket = doors.socket().to_string_lossy().into_owned();
    let (token, url) = (format!("Authorization: Bearer {}", somebody.token), format!("http://kentai{BASE}{path}"));
    let mut arguments = vec!["-s", "-g", "--unix-socket", &socket, "-X", method, "-H", &token, "-w", "\n%{http_code}"];
    if path == "/runs" && method == "POST" {
        arguments.extend(["-F", "workflow_type=KENTAI"]);
    }
    arguments.push(&url);
    let told = curl(&arguments)?;
    let (text, status) = told.rsplit_once('\n').context("a status")?;
    let outcome = match status {
        "403" => Outcome::NotAllowed,
        "404" => Outcome::NotFound,
        "200" | "400" => Outcome::Open,
        _ => anyhow::bail!("{method} {path} as {}: {status} {text}", somebody.name),
    };
    Ok((outcome, text.to_owned()))
}

#[test]
fn every_route_of_wes_by_every_role_about_ones_own_and_about_others_runs() -> Result<()> {
    let rows: BTreeSet<String> = ROUTES.iter().map(|row| row.0).chain([OUTSIDE]).map(str::to_owned).collect();
    ensure!(rows == known()?, "the table and the server differ: {:?}", rows.symmetric_difference(&known()?));
    let doors = Doors::open("wes")?;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (route, path, needs, whose) in ROUTES {
        let (method, _) = route.split_once(' ').context("a method")?;
        for somebody in &doors.people {
            let mut told = Vec::new();
            for missing in [true, false] {
                let (path, ids) = doors.filled(path, missing);
                if missing && ids.is_empty() {
                    continue;
                }
                let (found, text) = asked(&doors, somebody, method, &path)?;
                count += 1;
                let expected = somebody.expects(needs, *whose, !missing);
                if !expected.fits(found) {
                    wrong.push(format!("{method} {path} as {}: {found:?} and not {expected:?}: {text}", somebody.name));
                }
                told.push((expected, without(text, &ids)));
            }
            if let [(Outcome::NotFound, nothing), (Outcome::NotFound, foreign)] = &told[..]
                && nothing != foreign
            {
                wrong
                    .push(format!("{route} as {}: foreign is told from missing:\n{foreign}\n{nothing}", somebody.name));
            }
        }
    }
    eprintln!("{} routes, {count} answers", rows.len());
    verdict(&wrong)
}

//! The routes of `/api/v1`.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use kentai_engine::people::permission::Action::{self, *};
use kentai_tests::root;

use super::Whose::{self, Addressed, Center, Delivery, Inside, Institution, Nothing, Receiver, Receivers};
use super::{Doors, Outcome, Somebody, curl, verdict, without};

/// Route as the server has it, what is asked, its body, one of what it needs, and whose the thing is.
type Row = (&'static str, &'static str, &'static str, &'static [Action], Whose);

const REASON: &str = r#"{"reason":"x"}"#;

/// What changes most comes last.
const ROUTES: &[Row] = &[
    ("GET /runs", "/runs", "", &[ReadRun], Nothing),
    ("GET /runs/{id}", "/runs/{run}", "", &[ReadRun], Institution),
    ("GET /runs/{id}/events", "/runs/{run}/events", "", &[ReadRun], Institution),
    ("GET /runs/{id}/why", "/runs/{run}/why", "", &[ReadRun], Institution),
    ("GET /runs/{id}/log", "/runs/{run}/log?step=a", "", &[ReadRun], Institution),
    ("GET /runs/{id}/provenance", "/runs/{run}/provenance", "", &[ReadRun], Institution),
    ("GET /runs/{id}/provenance", "/runs/{run}/provenance?format=prov-json", "", &[ReadRun], Institution),
    ("GET /specimens", "/specimens", "", &[ReadRun], Nothing),
    ("GET /specimens/{id}", "/specimens/{specimen}", "", &[ReadRun], Institution),
    ("GET /deliveries", "/deliveries", "", &[ReadDelivery], Nothing),
    ("GET /deliveries/{id}", "/deliveries/{delivery}", "", &[ReadDelivery], Delivery),
    ("GET /offers", "/offers", "", &[ReadDelivery], Receivers),
    ("GET /offers/{id}", "/offers/{delivery}", "", &[ReadDelivery], Receiver),
    (
        "POST /offers/{id}/receipts",
        "/offers/{delivery}/receipts",
        r#"{"receipt":"R","files":[{"path":"data/none","outcome":"refused","reason":"policy"}]}"#,
        &[Receipt],
        Receiver,
    ),
    ("GET /site", "/site", "", &[ReadSelf], Inside),
    ("GET /workflows", "/workflows", "", &[ReadSelf], Inside),
    ("GET /capacity", "/capacity", "", &[ReadSite], Inside),
    ("GET /executors", "/executors", "", &[ReadSite], Inside),
    ("POST /executors/{name}/drain", "/executors/docker/drain", REASON, &[StopAll], Inside),
    ("POST /executors/{name}/resume", "/executors/docker/resume", "{}", &[StopAll], Inside),
    ("GET /changes", "/changes", "", &[ReadSelf], Nothing),
    ("GET /events", "/events", "", &[ReadSelf], Nothing),
    // For users of the machine: nobody who shows a token becomes a person at the page.
    ("POST /sign-in-links", "/sign-in-links", "{}", &[], Nothing),
    ("GET /order-lines", "/order-lines", "", &[ReadSpecimen], Nothing),
    ("GET /order-lines/{id}", "/order-lines/{order}", "", &[ReadSpecimen], Institution),
    ("GET /why/{*thing}", "/why/{order}", "", &[ReadSpecimen], Institution),
    ("GET /why/{*thing}", "/why/{specimen}", "", &[ReadSpecimen], Institution),
    ("GET /why/{*thing}", "/why/{shipment}", "", &[ReadSpecimen], Institution),
    ("GET /why/{*thing}", "/why/{lane}", "", &[ReadSpecimen], Institution),
    ("GET /why/{*thing}", "/why/{barcode}", "", &[ReadSpecimen], Institution),
    ("GET /why/{*thing}", "/why/{instrument}", "", &[ReadSite], Center),
    ("GET /why/{*thing}", "/why/{trial}", "", &[ReadSite], Center),
    ("GET /why/{*thing}", "/why/{case}", "", &[ReadWithdrawn, WithdrawalDecide, ReadAudit], Center),
    ("GET /why/{*thing}", "/why/{delivery}", "", &[ReadDelivery], Delivery),
    ("GET /stages", "/stages", "", &[ReadSite], Nothing),
    ("GET /stuck", "/stuck", "", &[ReadSite], Nothing),
    ("GET /records/{kind}", "/records/specimen", "", &[ReadSpecimen], Nothing),
    ("GET /records/{kind}", "/records/deviation", "", &[ReadSite], Nothing),
    ("GET /records/{kind}/{*id}", "/records/specimen/{specimen}", "", &[ReadSpecimen], Institution),
    ("GET /records/{kind}/{*id}", "/records/shipment/{shipment}", "", &[ReadSpecimen], Institution),
    ("GET /records/{kind}/{*id}", "/records/lane_library/{lane}", "", &[ReadSite], Institution),
    ("GET /records/{kind}/{*id}", "/records/instrument_run/{instrument}", "", &[ReadSite], Center),
    (
        "GET /records/{kind}/{*id}",
        "/records/case/{case}",
        "",
        &[ReadWithdrawn, WithdrawalDecide, ReadAudit],
        Institution,
    ),
    ("GET /stories/{specimen}", "/stories/{specimen}", "", &[ReadSpecimen], Institution),
    ("GET /history/{specimen}", "/history/{specimen}", "", &[ReadSpecimen], Institution),
    ("GET /participants/{program}/{pseudonym}", "/participants/rare/{pseudonym}", "", &[ReadSpecimen], Institution),
    ("GET /cases/{id}", "/cases/{case}", "", &[ReadWithdrawn, WithdrawalDecide, ReadAudit], Institution),
    ("GET /reports/progress", "/reports/progress", "", &[ReadReport], Nothing),
    ("GET /reports/omissions", "/reports/omissions", "", &[ReadReport], Nothing),
    ("GET /reports/turnaround", "/reports/turnaround", "", &[ReadReport], Nothing),
    ("POST /requests", "/requests", r#"{"request":"hold","order_line":"{order}","reason":"x"}"#, &[Hold], Institution),
    ("POST /requests", "/requests", r#"{"request":"resume","order_line":"{order}"}"#, &[Resume], Institution),
    ("POST /requests", "/requests", r#"{"request":"accession","specimen":"{specimen}"}"#, &[Receive], Institution),
    ("POST /requests", "/requests", r#"{"request":"case_confirm","item":"{item}"}"#, &[WithdrawalDecide], Center),
    (
        "POST /requests",
        "/requests",
        r#"{"request":"deviation_close","deviation":"{deviation}","action":""}"#,
        &[Deviation],
        Center,
    ),
    ("POST /requests", "/requests", r#"{"request":"notice_again","notice":"{trial}"}"#, &[Notify], Center),
    ("POST /requests", "/requests", r#"{"request":"notice_test","to":"nobody"}"#, &[Notify], Nothing),
    ("POST /requests", "/requests", r#"{"request":"resume_all"}"#, &[StopAll], Nothing),
    (
        "POST /requests",
        "/requests",
        r#"{"request":"reoffer","delivery":"{delivery}","days":1,"reason":"x"}"#,
        &[HandOff],
        Addressed,
    ),
    (
        "POST /requests",
        "/requests",
        r#"{"request":"archived","delivery":"{delivery}","place":"x"}"#,
        &[HandOff],
        Addressed,
    ),
    (
        "POST /requests",
        "/requests",
        r#"{"request":"retire","delivery":"{delivery}","dry_run":true}"#,
        &[Retire],
        Addressed,
    ),
    (
        "POST /submissions",
        "/submissions",
        r#"{"path":"x.yaml","source":"kentai: 1","specimens":[]}"#,
        &[Submit],
        Nothing,
    ),
    (
        "POST /workflows/{name}/submissions",
        "/workflows/test/submissions",
        r#"{"specimen":"nothing"}"#,
        &[Submit],
        Nothing,
    ),
    ("POST /specimens", "/specimens", r#"{"specimens":[],"source":"x"}"#, &[Submit], Nothing),
    ("POST /workflows", "/workflows", r#"{"path":"x.yaml","source":"kentai: 1","called":{}}"#, &[Register], Nothing),
    ("POST /runs/{id}/hold", "/runs/{run}/hold", REASON, &[RunControl], Institution),
    ("POST /runs/{id}/resume", "/runs/{run}/resume", "{}", &[RunControl], Institution),
    // What it waits for says who may answer; a run that waits for nothing says that to whoever sees it.
    (
        "POST /runs/{id}/answer",
        "/runs/{run}/answer",
        r#"{"kind":"approve","step":"give","verdict":"approve","reason":"x"}"#,
        &[ReadRun],
        Institution,
    ),
    ("POST /runs/{id}/retry", "/runs/{run}/retry", "{}", &[Retry], Institution),
    ("POST /runs/{id}/cancel", "/runs/{run}/cancel", REASON, &[RunControl], Institution),
    (
        "POST /requests",
        "/requests",
        r#"{"request":"recall","delivery":"{delivery}","reason":"x"}"#,
        &[HandOff],
        Addressed,
    ),
];

/// `GET /runs/{id}` …, as the server's source has them.
fn known() -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for file in ["web/src/api/v1.rs", "web/src/api/v1/center.rs"] {
        let text = fs::read_to_string(root().join(file))?;
        for part in text.split(".route(").skip(1) {
            let path = part.split('"').nth(1).context("a path")?;
            let methods = part.split_once(',').context("methods")?.1.split(".route(").next().unwrap_or_default();
            let methods = methods.lines().next().unwrap_or_default();
            for (word, method) in
                [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE"), ("patch(", "PATCH")]
            {
                if methods.contains(word) {
                    known.insert(format!("{method} {path}"));
                }
            }
        }
    }
    Ok(known)
}

/// Status and body.
fn asked(doors: &Doors, somebody: &Somebody, method: &str, path: &str, body: &str) -> Result<(Outcome, String)> {
    let socket = doors.socket().to_string_lossy().into_owned();
    let (token, url) = (format!("Authorization: Bearer {}", somebody.token), format!("http://kentai/api/v1{path}"));
    let mut arguments = vec!["-s", "-g", "--unix-socket", &socket, "-X", method, "-H", &token, "-w", "\n%{http_code}"];
    if method == "POST" {
        arguments.extend(["-H", "Content-Type: application/json", "-d", body]);
    }
    if matches!(path, "/changes" | "/events") {
        // It goes on for ever; its first words come at once.
        arguments.extend(["--max-time", "0.3"]);
    }
    arguments.push(&url);
    let told = curl(&arguments)?;
    let (text, status) = told.rsplit_once('\n').context("a status")?;
    let outcome = match status {
        "403" => Outcome::NotAllowed,
        "404" => Outcome::NotFound,
        "000" | "401" | "405" | "500" | "503" => anyhow::bail!("{method} {path} as {}: {status} {text}", somebody.name),
        _ => Outcome::Open,
    };
    Ok((outcome, text.to_owned()))
}

#[test]
fn every_route_by_every_role_about_ones_own_and_about_others_things() -> Result<()> {
    let rows: BTreeSet<String> = ROUTES.iter().map(|row| row.0.to_owned()).collect();
    ensure!(rows == known()?, "the table and the server differ: {:?}", rows.symmetric_difference(&known()?));
    let doors = Doors::open("routes")?;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (route, path, body, needs, whose) in ROUTES {
        let (method, _) = route.split_once(' ').context("a method")?;
        for somebody in &doors.people {
            let mut told = Vec::new();
            for missing in [true, false] {
                let ((path, ids), (body, more)) = (doors.filled(path, missing), doors.filled(body, missing));
                if missing && ids.is_empty() && more.is_empty() {
                    continue;
                }
                let (found, text) = asked(&doors, somebody, method, &path, &body)?;
                count += 1;
                let expected = somebody.expects(needs, *whose, !missing);
                if !expected.fits(found) {
                    wrong.push(format!("{method} {path} as {}: {found:?} and not {expected:?}: {text}", somebody.name));
                }
                told.push((expected, without(without(text, &ids), &more)));
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

//! The pages: who sees which, and that what is foreign looks like what is not there. They are asked with the same tokens as the API, and
//! answer in words for people.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kentai_engine::people::permission::Action::{self, *};
use kentai_tests::root;

use super::Whose::{self, Absent, Center, Delivery, Inside, Institution, Nothing, People};
use super::{Doors, Outcome, Somebody, curl, verdict, without};

/// Route as the server has it, what is asked, its form, one of what it needs, and whose the thing is.
type Row = (&'static str, &'static str, &'static str, &'static [Action], Whose);

/// What changes most comes last.
const PAGES: &[Row] = &[
    ("GET /runs", "/runs", "", &[ReadRun], Nothing),
    ("GET /runs", "/runs?format=csv", "", &[ReadRun], Nothing),
    ("GET /settings", "/settings", "", &[ReadSelf], Nothing),
    ("GET /events", "/events", "", &[ReadSelf], Nothing),
    ("GET /api", "/api", "", &[ReadSelf], Nothing),
    ("GET /api/{noun}", "/api/runs", "", &[ReadSelf], Nothing),
    // What the first page shows each one is theirs to see; people from outside are led to their own.
    ("GET /", "/", "", &[ReadSite, ReadSpecimen, ReadDelivery, ManagePeople], Nothing),
    ("GET /audit", "/audit", "", &[ReadAudit], Nothing),
    ("GET /audit", "/audit?format=csv&kind=x", "", &[ReadAudit], Nothing),
    ("GET /people", "/people", "", &[ManagePeople], People),
    ("GET /new-person", "/new-person", "", &[ManagePeople], People),
    ("POST /new-person", "/new-person", "name=x", &[ManagePeople], People),
    ("GET /people/{name}", "/people/spare", "", &[ManagePeople], People),
    ("GET /people/{name}/{act}", "/people/spare/roles", "", &[ManagePeople], People),
    ("POST /people/{name}/{act}", "/people/spare/roles", "role_operator=1&shown=x", &[ManagePeople], People),
    ("GET /proposals", "/proposals", "", &[ReadSite], Inside),
    ("GET /proposals/{id}", "/proposals/none", "", &[ReadSite], Absent),
    ("POST /proposals/{id}", "/proposals/none", "shown=x", &[ReadSite], Absent),
    ("GET /settings/password", "/settings/password", "", &[ReadSelf], Nothing),
    ("GET /settings/code", "/settings/code", "", &[ReadSelf], Nothing),
    // What would be changed is one's own, and the proof is wrong.
    ("POST /settings/password", "/settings/password", "now=x&new=y&again=z", &[ReadSelf], Nothing),
    ("POST /settings/code", "/settings/code", "now=x", &[ReadSelf], Nothing),
    ("GET /wall", "/wall", "", &[ReadSite], Inside),
    ("GET /needs", "/needs", "", &[ReadSite], Inside),
    ("GET /queue", "/queue", "", &[ReadSite], Inside),
    ("GET /turnaround", "/turnaround", "", &[ReadSite], Inside),
    ("GET /capacity", "/capacity", "", &[ReadSite], Inside),
    ("GET /capacity/act", "/capacity/act?executor=docker&what=drain", "", &[ReadSite], Inside),
    ("POST /capacity/act", "/capacity/act", "executor=docker&what=drain&reason=x&shown=works", &[StopAll], Inside),
    ("GET /failures", "/failures", "", &[ReadSite], Inside),
    ("GET /quality", "/quality", "", &[ReadSite], Inside),
    ("GET /quality/{metric}", "/quality/q", "", &[ReadSite], Absent),
    ("GET /quality/{metric}/decide", "/quality/q/decide", "", &[ReadSite], Inside),
    ("POST /quality/{metric}/decide", "/quality/q/decide", "reason=x&severity=minor", &[Deviation], Inside),
    ("GET /omissions", "/omissions", "", &[ReadReport], Nothing),
    ("GET /progress", "/progress", "", &[ReadReport], Nothing),
    ("GET /deviations", "/deviations", "", &[ReadSite], Inside),
    ("GET /deviations/new", "/deviations/new", "", &[ReadSite], Inside),
    ("POST /deviations/new", "/deviations/new", "about=x&reason=x&severity=minor", &[Deviation], Inside),
    ("GET /deviations/{id}/close", "/deviations/{deviation}/close", "", &[ReadSite], Center),
    ("GET /schedules", "/schedules", "", &[ReadSite], Inside),
    ("GET /schedules/act", "/schedules/act?schedule=x", "", &[ReadSite], Absent),
    ("POST /schedules/act", "/schedules/act", "schedule=x&act=pause&reason=x", &[Schedule], Absent),
    ("GET /hand-off", "/hand-off", "", &[ReadDelivery], Nothing),
    ("GET /hand-off/{id}", "/hand-off/{delivery}", "", &[ReadDelivery], Delivery),
    ("GET /hand-off/{id}/act", "/hand-off/{delivery}/act?what=recall", "", &[ReadDelivery], Delivery),
    ("POST /hand-off/{id}/act", "/hand-off/{delivery}/act", "what=recall&reason=x", &[HandOff], Delivery),
    ("GET /hand-off/reconcile", "/hand-off/reconcile", "", &[ReadSite], Inside),
    ("POST /hand-off/reconcile", "/hand-off/reconcile", "target=outbox&list=delivery,path,sha256", &[ReadSite], Inside),
    ("GET /withdrawals", "/withdrawals", "", &[ReadWithdrawn, WithdrawalDecide, ReadAudit], Inside),
    ("GET /withdrawals/new", "/withdrawals/new", "", &[Withdraw], Inside),
    ("GET /withdrawals/new", "/withdrawals/new?program=none&pseudonym=none", "", &[Withdraw], Absent),
    (
        "POST /withdrawals/new",
        "/withdrawals/new",
        "program=none&pseudonym=none&what=all&evidence=x&shown=x",
        &[Withdraw],
        Absent,
    ),
    ("GET /withdrawals/{id}", "/withdrawals/{case}", "", &[ReadWithdrawn, WithdrawalDecide, ReadAudit], Institution),
    (
        "POST /withdrawals/{id}/things",
        "/withdrawals/{case}/things",
        "act=propose&thing={item}&decision=stub&reason=x",
        &[WithdrawalDecide],
        Institution,
    ),
    ("POST /withdrawals/{id}/close", "/withdrawals/{case}/close", "shown=x", &[Withdraw], Institution),
    ("GET /notices", "/notices", "", &[ReadSite], Inside),
    ("GET /notices/{id}", "/notices/{trial}", "", &[ReadSite], Center),
    ("POST /notices/{id}/again", "/notices/{trial}/again", "shown=x", &[Notify], Center),
    ("POST /notices/{id}/answered", "/notices/{trial}/answered", "shown=x&receipt=x", &[Withdraw], Center),
    ("GET /decisions", "/decisions", "", &[ReadSite], Inside),
    ("GET /search", "/search?q=nothing", "", &[ReadSelf], Nothing),
    ("GET /specimens", "/specimens", "", &[ReadSpecimen], Nothing),
    ("GET /specimens/{id}", "/specimens/{specimen}", "", &[ReadSpecimen], Institution),
    ("GET /specimens/{id}/events", "/specimens/{specimen}/events", "", &[ReadSite], Institution),
    ("GET /specimens/{id}/chain", "/specimens/{specimen}/chain", "", &[ReadSite], Institution),
    ("GET /specimens/{id}/hold", "/specimens/{specimen}/hold?line={order}", "", &[ReadSite], Institution),
    ("GET /specimens/{id}/provenance", "/specimens/{specimen}/provenance", "", &[ReadRun], Institution),
    ("GET /order-lines", "/order-lines", "", &[ReadSpecimen], Nothing),
    ("GET /order-lines/{id}", "/order-lines/{order}", "", &[ReadSpecimen], Institution),
    ("GET /order-lines/{id}/decide", "/order-lines/{order}/decide", "", &[ReadSite], Institution),
    ("GET /participants/{program}/{pseudonym}", "/participants/rare/{pseudonym}", "", &[ReadSpecimen], Institution),
    ("GET /instrument-runs", "/instrument-runs", "", &[ReadSite], Nothing),
    ("GET /instrument-runs/{id}", "/instrument-runs/{instrument}", "", &[ReadSite], Center),
    ("GET /shipments", "/shipments", "", &[ReadSpecimen], Nothing),
    ("GET /shipments/{id}", "/shipments/{shipment}", "", &[ReadSpecimen], Institution),
    ("GET /workflows", "/workflows", "", &[ReadSelf], Inside),
    ("GET /workflows/{name}", "/workflows/test", "", &[ReadSelf], Inside),
    ("GET /workflows/{name}/submit", "/workflows/test/submit", "", &[ReadSelf], Inside),
    ("POST /workflows/{name}/submit", "/workflows/test/submit", "sheet=", &[Submit], Inside),
    ("GET /editor", "/editor", "", &[ReadSelf], Inside),
    ("POST /editor", "/editor", "source=kentai%3A+1", &[ReadSelf], Inside),
    ("POST /editor/found", "/editor/found", "source=kentai%3A+1", &[ReadSelf], Inside),
    ("GET /runs/{id}", "/runs/{run}", "", &[ReadRun], Institution),
    ("GET /runs/{id}/tasks", "/runs/{run}/tasks", "", &[ReadRun], Institution),
    ("GET /runs/{id}/files", "/runs/{run}/files", "", &[ReadRun], Institution),
    ("GET /runs/{id}/events", "/runs/{run}/events", "", &[ReadRun], Institution),
    ("GET /runs/{id}/workflow", "/runs/{run}/workflow", "", &[ReadRun], Institution),
    ("GET /runs/{id}/log", "/runs/{run}/log?step=a", "", &[ReadRun], Institution),
    ("GET /runs/{id}/log/file", "/runs/{run}/log/file?step=a", "", &[ReadRun], Institution),
    ("GET /runs/{id}/log/part", "/runs/{run}/log/part?step=a", "", &[ReadRun], Institution),
    ("GET /runs/{id}/hold", "/runs/{run}/hold", "", &[ReadRun], Institution),
    ("GET /runs/{id}/resume", "/runs/{run}/resume", "", &[ReadRun], Institution),
    ("GET /runs/{id}/retry", "/runs/{run}/retry", "", &[ReadRun], Institution),
    ("GET /runs/{id}/cancel", "/runs/{run}/cancel", "", &[ReadRun], Institution),
    ("GET /runs/{id}/answer", "/runs/{run}/answer?step=give", "", &[ReadRun], Institution),
    ("POST /runs/{id}/hold", "/runs/{run}/hold", "reason=x", &[RunControl], Institution),
    ("POST /runs/{id}/resume", "/runs/{run}/resume", "reason=x", &[RunControl], Institution),
    (
        "POST /runs/{id}/answer",
        "/runs/{run}/answer",
        "step=give&kind=approve&verdict=approve&reason=x",
        &[ReadRun],
        Institution,
    ),
    ("POST /specimens/{id}/hold", "/specimens/{specimen}/hold", "line={order}&reason=x&shown=x", &[Hold], Institution),
    ("POST /order-lines/{id}/decide", "/order-lines/{order}/decide", "act=hold&reason=x", &[ReadSite], Institution),
    ("POST /deviations/{id}/close", "/deviations/{deviation}/close", "reason=x", &[Deviation], Center),
    ("POST /runs/{id}/retry", "/runs/{run}/retry", "reason=x", &[Retry], Institution),
    ("POST /runs/{id}/cancel", "/runs/{run}/cancel", "reason=x", &[RunControl], Institution),
    // Nobody's own, and so not there.
    ("POST /settings/sessions", "/settings/sessions", "session=none", &[ReadSelf], Absent),
    ("POST /settings/tokens", "/settings/tokens", "token=none", &[ReadSelf], Absent),
    // Without a session there is none to end.
    ("POST /sign-out", "/sign-out", "", &[ReadSelf], Nothing),
];

/// For whoever is not signed in yet: `web/tests/all/pages.rs` looks at them; and for one role alone.
const OUTSIDE: &[&str] = &[
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/link",
    "POST /sign-in/link",
    // Where the site names a provider: `tests/door/elsewhere.rs` looks at them.
    "GET /sign-in/oidc",
    "GET /sign-in/oidc/callback",
    "POST /sign-in/oidc/code",
    "GET /language/{language}",
    "GET /theme/{theme}",
    "GET /assets/{name}",
    // Only for people of an institution: `web/tests/all/today.rs` looks at it.
    "GET /institution",
];

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// `GET /runs` …, as the source of the pages has them.
fn known() -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    let pages = root().join("web/src/page");
    for file in files(&pages)?.into_iter().chain([root().join("web/src/page.rs")]) {
        let text = fs::read_to_string(file)?;
        for part in text.split(".route(").skip(1) {
            let path = part.split('"').nth(1).context("a path")?;
            let methods = part.split_once(',').context("methods")?.1.split(['\n', ';']).take(4).collect::<String>();
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

/// What came of it, and the page.
fn asked(doors: &Doors, somebody: &Somebody, method: &str, path: &str, form: &str) -> Result<(Outcome, String)> {
    let socket = doors.socket().to_string_lossy().into_owned();
    let (token, url) = (format!("Authorization: Bearer {}", somebody.token), format!("http://kentai{path}"));
    let mut arguments = vec!["-s", "-g", "--unix-socket", &socket, "-X", method, "-H", &token, "-w", "\n%{http_code}"];
    if method == "POST" {
        arguments.extend(["-d", form]);
    }
    if path == "/events" {
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
fn every_page_by_every_role_about_ones_own_and_about_others_things() -> Result<()> {
    let rows = PAGES.iter().map(|row| row.0).chain(OUTSIDE.iter().copied());
    let rows: BTreeSet<String> = rows.map(str::to_owned).collect();
    ensure!(rows == known()?, "the table and the pages differ: {:?}", rows.symmetric_difference(&known()?));
    let doors = Doors::open("pages")?;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (route, path, form, needs, whose) in PAGES {
        let (method, _) = route.split_once(' ').context("a method")?;
        for somebody in &doors.people {
            let mut told = Vec::new();
            for missing in [true, false] {
                let ((path, ids), (form, more)) = (doors.filled(path, missing), doors.filled(form, missing));
                if missing && ids.is_empty() && more.is_empty() {
                    continue;
                }
                let (found, text) = asked(&doors, somebody, method, &path, &form)?;
                count += 1;
                let expected = somebody.expects(needs, *whose, !missing);
                if !expected.fits(found) {
                    wrong.push(format!("{method} {path} as {}: {found:?} and not {expected:?}", somebody.name));
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
    eprintln!("{} pages, {count} answers", rows.len());
    verdict(&wrong)
}

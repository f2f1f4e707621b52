//! The verbs of the command line, through the site's server.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use kentai_engine::people::permission::Action::{self, *};

use super::Whose::{self, Absent, Addressed, Center, Delivery, Inside, Institution, Nothing, People};
use super::{Doors, Outcome, Somebody, verdict, without};

/// Verb, what follows it, one of what it needs, and whose the thing is.
type Row = (&'static str, &'static str, &'static [Action], Whose);

/// Verbs that ask nothing of a site's data: they read files that the caller names, or are an engine themselves.
const LOCAL: &[&str] = &[
    "admin executor ping",
    "admin audit verify",
    "check",
    "completions",
    "config show",
    "demo",
    "doctor",
    "explain",
    "graph",
    "init",
    "man",
    "provenance verify",
    // The data center's side: it has no site, only a directory of its own.
    "pull acknowledge",
    "pull decrypt",
    "pull get",
    "pull link",
    "pull list",
    "pull login",
    "pull refuse",
    "pull verify",
    "reference add",
    "run",
    "serve",
    "workflow check",
    "workflow fmt",
    "workflow graph",
    "workflow lock",
    "workflow schema",
];

const CASES: &[Action] = &[ReadWithdrawn, WithdrawalDecide, ReadAudit];

/// What changes most comes last.
const VERBS: &[Row] = &[
    ("admin audit export", "export.jsonl", &[ReadAudit], Nothing),
    ("admin audit list", "", &[ReadAudit], Nothing),
    ("admin executor list", "", &[ReadSite], Inside),
    ("admin executor drain", "docker --reason x", &[StopAll], Inside),
    ("admin executor resume", "docker", &[StopAll], Inside),
    ("admin token list", "", &[ManagePeople], Nothing),
    ("admin token new", "spare", &[ManagePeople], Nothing),
    ("admin user list", "", &[ManagePeople], Nothing),
    ("admin user roles", "spare operator", &[ManagePeople], Nothing),
    ("admin user totp", "spare", &[ManagePeople], Nothing),
    ("admin user link", "spare somebody", &[ManagePeople], Nothing),
    ("admin user unlink", "spare", &[ManagePeople], Nothing),
    ("admin user enable", "spare", &[ManagePeople], Nothing),
    ("admin user password", "spare", &[ManagePeople], Nothing),
    // For users of the machine: whoever shows a token becomes nobody at the page.
    ("page", "--at http://127.0.0.1:1", &[], Nothing),
    ("assay list", "", &[ReadSite, Configure], Nothing),
    ("assay show", "wgs@1", &[ReadSite, Configure], Center),
    ("assay define", "wgs@1 wgs.yaml", &[Configure], Nothing),
    ("consent case", "{case}", CASES, Institution),
    ("consent close", "{case}", &[Withdraw], Center),
    ("consent confirm", "{item}", &[WithdrawalDecide], Center),
    ("consent decide", "{item} destroy", &[WithdrawalDecide], Center),
    ("consent answered", "nothing --receipt x", &[Withdraw], Absent),
    ("consent import", "consents.csv", &[RecordConsent], Nothing),
    (
        "consent record",
        "rare {pseudonym} --document form --version 3 --scope sequencing --evidence x",
        &[RecordConsent],
        Center,
    ),
    ("consent show", "rare {pseudonym}", &[ReadSpecimen], Institution),
    ("consent withdraw", "rare nobody --evidence x", &[Withdraw], Absent),
    ("deviation list", "", &[ReadSite], Nothing),
    ("deviation open", "x --description y", &[Deviation], Center),
    ("deviation close", "{deviation} --action x", &[Deviation], Center),
    ("handoff list", "", &[ReadDelivery], Nothing),
    ("handoff show", "{delivery}", &[ReadDelivery], Delivery),
    ("handoff receipts", "{delivery}", &[ReadDelivery], Delivery),
    ("handoff reconcile", "outbox nothing.csv", &[ReadDelivery], Inside),
    ("handoff archived", "{delivery} --at x", &[HandOff], Addressed),
    ("handoff retire", "--list", &[ReadRun], Inside),
    ("handoff retire", "{delivery} --dry-run", &[Retire], Addressed),
    ("handoff reoffer", "{delivery} --reason x", &[HandOff], Addressed),
    ("handoff recall", "{delivery} --reason x", &[HandOff], Addressed),
    ("logs", "{run}", &[ReadRun], Institution),
    ("notice list", "", &[ReadSite], Nothing),
    ("notice show", "{trial}", &[ReadSite], Center),
    ("notice again", "{trial}", &[Notify], Center),
    ("notice test", "nobody", &[Notify], Nothing),
    ("order list", "", &[ReadSpecimen], Nothing),
    ("order show", "{order}", &[ReadSpecimen], Institution),
    ("order external", "{order}", &[ReportStage], Institution),
    ("order hold", "{order} --reason x", &[Hold], Institution),
    ("order resume", "{order}", &[Resume], Institution),
    ("order report", "{order} lab_started", &[ReportStage], Institution),
    ("order singleton", "{order} --reason x", &[ReportStage], Institution),
    ("order reopen", "{ended} --reason x", &[Reopen], Institution),
    ("qc decide", "{order} --verdict release --reason x", &[QcDecide], Institution),
    ("qc import", "{order} flagstat.txt", &[QcImport], Institution),
    ("qc lane", "{lane} --counts yes --use yes --reason x", &[QcDecide], Center),
    ("qc list", "", &[ReadRun], Nothing),
    ("qc trend", "reads", &[ReadReport], Inside),
    ("reference list", "", &[ReadSelf], Inside),
    ("reference show", "nothing@1", &[ReadSelf], Absent),
    ("reference verify", "", &[ReadSelf], Inside),
    ("report multiqc", "--out multiqc", &[ReadReport], Inside),
    ("report omissions", "", &[ReadReport], Nothing),
    ("report progress", "", &[ReadReport], Nothing),
    ("report turnaround", "", &[ReadReport], Nothing),
    ("schedule list", "", &[ReadSite], Inside),
    ("schedule next", "nothing/1", &[ReadSite], Absent),
    ("schedule pause", "nothing/1", &[Schedule], Absent),
    ("schedule resume", "nothing/1", &[Schedule], Absent),
    ("schedule run-now", "nothing/1", &[Submit], Absent),
    ("specimen list", "", &[ReadSpecimen], Nothing),
    ("specimen show", "{specimen}", &[ReadSpecimen], Institution),
    ("specimen history", "{specimen}", &[ReadSpecimen], Institution),
    ("specimen accession", "{specimen}", &[Receive], Institution),
    ("specimen close-shipment", "{shipment}", &[Receive], Center),
    ("specimen custody", "{specimen} packed", &[Custody], Institution),
    ("specimen transfer", "nothing", &[ReadSite], Absent),
    ("specimen expect", "s.csv --institution H1", &[Import], Institution),
    ("provenance export", "--run {run} --format prov-json --output -", &[ReadRun], Institution),
    ("provenance export", "--specimen {specimen} --format prov-json --output -", &[ReadRun], Institution),
    ("provenance export", "--delivery {delivery} --format prov-json --output -", &[ReadDelivery], Delivery),
    ("specimen import", "h.csv --table institutions", &[Import], Nothing),
    ("specimen receive", "T2 --institution H1", &[Receive], Nothing),
    ("specimen reject", "T9 --institution H1 --condition leaking --disposition return", &[Receive], Nothing),
    ("status", "", &[ReadRun], Nothing),
    ("status", "{run}", &[ReadRun], Institution),
    ("watch", "{run} --timeout 5s", &[ReadRun], Institution),
    ("why", "{order}", &[ReadSpecimen], Institution),
    ("why", "{specimen}", &[ReadSpecimen], Institution),
    ("why", "{barcode}", &[ReadSpecimen], Institution),
    ("why", "{shipment}", &[ReadSpecimen], Institution),
    ("why", "{lane}", &[ReadSpecimen], Institution),
    ("why", "{case}", CASES, Center),
    ("why", "{instrument}", &[ReadSite], Center),
    ("why", "{trial}", &[ReadSite], Center),
    ("why", "{delivery}", &[ReadDelivery], Delivery),
    ("why", "{run}", &[ReadRun], Center),
    ("why", "{run}/a", &[ReadRun], Center),
    ("workflow list", "", &[ReadSelf], Inside),
    ("workflow show", "test", &[ReadSelf], Inside),
    ("workflow rehearse", "wgs.yaml", &[Rehearse], Nothing),
    ("workflow register", "test.yaml", &[Register], Nothing),
    ("submit", "test.yaml --sheet sheet.csv", &[Submit], Nothing),
    ("stop-all", "x", &[StopAll], Nothing),
    ("resume-all", "", &[StopAll], Nothing),
    ("approve", "{run} --reason x", &[ReadRun], Institution),
    ("reject", "{run} --reason x", &[ReadRun], Institution),
    ("hold", "{run} --reason x", &[RunControl], Institution),
    ("resume", "{run}", &[RunControl], Institution),
    ("retry", "{run}", &[Retry], Institution),
    ("cancel", "{run} --reason x", &[RunControl], Institution),
    ("order cancel", "{order} --reason x", &[Cancel], Institution),
    ("confirm", "{proposal}", &[Confirm], Center),
    ("admin token revoke", "{token}", &[ManagePeople], People),
    ("admin user disable", "spare", &[ManagePeople], Nothing),
    ("admin user add", "{new}", &[ManagePeople], Nothing),
];

/// Every verb that the program has a page for.
fn known(doors: &Doors) -> Result<BTreeSet<String>> {
    let pages = doors.site.directory.path().join("man");
    doors.kentai(&["man", "--dir", &pages.to_string_lossy()])?;
    let mut known = BTreeSet::new();
    for page in fs::read_dir(&pages)? {
        let page = page?.path();
        let name = page.file_stem().and_then(|name| name.to_str()).context("a name")?.to_owned();
        let text = fs::read_to_string(&page)?;
        // The synopsis of what has verbs of its own says so.
        if !text.contains("<\\fIsubcommands\\fR>") && !text.contains(".SH SUBCOMMANDS") {
            known.insert(name.trim_start_matches("kentai-").to_owned());
        }
    }
    Ok(known)
}

fn asked(doors: &Doors, somebody: &Somebody, verb: &str, rest: &str) -> Result<(Outcome, String)> {
    let mut arguments = vec!["--token", &somebody.token];
    arguments.extend(verb.split(' '));
    arguments.extend(rest.split(' ').filter(|word| !word.is_empty()));
    let (code, told, error) = doors.site.run(&arguments)?;
    let outcome = match code {
        4 => Outcome::NotFound,
        5 => Outcome::NotAllowed,
        _ => Outcome::Open,
    };
    Ok((outcome, told + &error))
}

#[test]
fn every_verb_by_every_role_about_ones_own_and_about_others_things() -> Result<()> {
    let doors = Doors::open("verbs")?;
    let rows = VERBS.iter().map(|row| row.0).chain(LOCAL.iter().copied());
    let rows: BTreeSet<String> = rows.map(|verb| verb.replace(' ', "-")).collect();
    let known = known(&doors)?;
    ensure!(rows == known, "the table and the program differ: {:?}", rows.symmetric_difference(&known));
    let flagstat = "100 + 0 in total (QC-passed reads + QC-failed reads)\n100 + 0 primary\n0 + 0 secondary\n0 + 0 supplementary\n0 + 0 duplicates\n100 + 0 mapped (100.00% : N/A)\n";
    doors.site.write("flagstat.txt", flagstat)?;
    doors.site.write("sheet.csv", "specimen\nX1\n")?;
    doors.site.write("consents.csv", "program,pseudonym,document,document_version,scopes\n")?;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (verb, rest, needs, whose) in VERBS {
        for somebody in &doors.people {
            let mut told = Vec::new();
            let rest = rest.replace("{new}", &format!("new-{} --roles operator", somebody.name));
            for missing in [true, false] {
                let (rest, ids) = doors.filled(&rest, missing);
                if missing && ids.is_empty() {
                    continue;
                }
                let (found, text) = asked(&doors, somebody, verb, &rest)?;
                count += 1;
                let expected = somebody.expects(needs, *whose, !missing);
                if !expected.fits(found) {
                    wrong.push(format!("{verb} {rest} as {}: {found:?} and not {expected:?}: {text}", somebody.name));
                }
                told.push((expected, without(text, &ids)));
            }
            if let [(Outcome::NotFound, nothing), (Outcome::NotFound, foreign)] = &told[..]
                && nothing != foreign
            {
                wrong.push(format!("{verb} as {}: foreign is told from missing:\n{foreign}\n{nothing}", somebody.name));
            }
        }
    }
    eprintln!("{} verbs, {count} answers", VERBS.len());
    verdict(&wrong)
}

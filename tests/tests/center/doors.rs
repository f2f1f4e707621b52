//! Every route and every verb, asked by every role, about things of their own, of others, and that are not there. What is foreign is
//! answered byte for byte like what does not exist; what is one's own and needs another role is refused by name.
//!
//! The routes are read from the server's source and the verbs from the program's own manual pages: one that is missing from the tables
//! turns the test red. curl asks the routes.

#[path = "doors/pages.rs"]
mod pages;
#[path = "doors/routes.rs"]
mod routes;
#[path = "doors/verbs.rs"]
mod verbs;
#[path = "doors/wes.rs"]
mod wes;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use kentai_engine::people::permission::Action;
use kentai_engine::people::role::Role;
use kentai_engine::specimen::check_character;
use kentai_tests::{Site, tool};
use serde_json::Value;

/// Whose a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Nobody's: a list, or something to be done.
    Nothing,
    /// Nobody's, and only for people of the center.
    Inside,
    /// The center's own: to people from outside it is not there.
    Center,
    /// Of the institution `H1`.
    Institution,
    /// Of `H1`, and for the data center `outbox`.
    Delivery,
    /// For the data center `outbox`, and nobody's else from outside.
    Addressed,
    /// The same, and of nobody's concern within the center.
    Receiver,
    /// A list for whoever is a data center.
    Receivers,
    /// An account or a token: to whoever may not manage people they are one thing, there or not.
    People,
    /// It is not there.
    Absent,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Somebody {
    name: String,
    role: Role,
    institution: Option<&'static str>,
    data_center: Option<&'static str>,
    token: String,
}

/// What must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Neither refused for want of a role nor hidden; whatever else is said.
    Open,
    /// 403, exit 5.
    NotAllowed,
    /// 404, exit 4.
    NotFound,
    /// One of the two: who may not learns nothing, and need not be told which.
    Shut,
}

impl Somebody {
    fn may(&self, needs: &[Action]) -> bool {
        needs.iter().any(|action| action.roles().contains(&self.role))
    }

    fn owns(&self, whose: Whose) -> bool {
        match whose {
            Whose::Institution => self.institution == Some("H1"),
            Whose::Delivery => self.institution == Some("H1") || self.data_center == Some("outbox"),
            Whose::Addressed | Whose::Receiver => self.data_center == Some("outbox"),
            Whose::Receivers => self.data_center.is_some(),
            Whose::Nothing | Whose::Inside | Whose::Center | Whose::People | Whose::Absent => false,
        }
    }

    pub(super) fn is_outside(&self) -> bool {
        self.institution.is_some() || self.data_center.is_some()
    }

    /// The rule, in one place: what `docs/permissions.md` and the vision promise.
    pub(super) fn expects(&self, needs: &[Action], whose: Whose, exists: bool) -> Outcome {
        let may = self.may(needs);
        let by_role = if may { Outcome::Open } else { Outcome::NotAllowed };
        match (self.is_outside(), whose) {
            (true, Whose::Inside | Whose::People) => Outcome::NotAllowed,
            (_, Whose::Receiver | Whose::Receivers) if self.data_center.is_none() => Outcome::NotAllowed,
            (_, Whose::Absent) if !may || self.is_outside() => Outcome::Shut,
            (_, Whose::Absent) => Outcome::NotFound,
            (_, Whose::Nothing) | (false, Whose::Inside) => by_role,
            (true, _) if exists && self.owns(whose) => by_role,
            (true, _) => Outcome::NotFound,
            (false, _) if exists => by_role,
            (false, _) if may => Outcome::NotFound,
            (false, _) => Outcome::Shut,
        }
    }
}

impl Outcome {
    pub(super) fn fits(self, found: Self) -> bool {
        self == found || self == Self::Shut && found != Self::Open
    }
}

/// A site with one of everything, an engine, and people of every role.
pub(super) struct Doors {
    site: Site,
    engine: Child,
    /// Things by name: `run`, `order` …
    things: BTreeMap<&'static str, String>,
    people: Vec<Somebody>,
}

impl Drop for Doors {
    fn drop(&mut self) {
        let _ = self.engine.kill();
        let _ = self.engine.wait();
    }
}

const WORKFLOW: &str = "kentai: 1
workflow: test
steps:
  a:
    outputs: { m: { path: m.json, keep: true } }
    script: |
      echo '{}' > \"$out_m\"
  give:
    after: [a]
    handoff: { to: outbox, files: [\"${{ steps.a.m }}\"] }
";
/// Nobody listens on port 9: a notice to `trial` waits for its next try.
const CONFIG: &str = "targets:
  outbox: { kind: directory, path: ../outbox }
notices:
  trial: [ { kind: webhook, url: \"http://127.0.0.1:9/\", secrets: [hook], allow_private: true } ]
secrets: { hook: { file: ../hook.secret } }
people:
  - { user: root, name: ops-01, roles: [operator, withdrawal_officer, auditor, admin, reviewer] }
";

impl Doors {
    pub(super) fn open(name: &str) -> Result<Self> {
        let site = Site::new(name, CONFIG)?;
        fs::create_dir_all(site.directory.path().join("outbox"))?;
        site.write("test.yaml", WORKFLOW)?;
        site.write("wgs.yaml", "workflow: test\nreads_ordered: 100\n")?;
        site.write("h.csv", "code,name,role\nH1,Hospital 1,sender\nH2,Hospital 2,sender\n")?;
        site.write("p.csv", "code,name\nrare,Rare diseases\n")?;
        site.write("s.csv", &shipment())?;
        site.write("lanes.csv", "")?;
        let secret = site.write("hook.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        let log = fs::File::create(site.directory.path().join("engine.log"))?;
        let mut command = site.command(["serve", "--executor", "process"])?;
        let engine = command.stdout(Stdio::null()).stderr(log).spawn()?;
        let mut doors = Self { site, engine, things: BTreeMap::new(), people: Vec::new() };
        while !doors.socket().exists() {
            ensure!(matches!(doors.engine.try_wait(), Ok(None)), "the engine ended");
        }
        doors.fill()?;
        Ok(doors)
    }

    fn socket(&self) -> std::path::PathBuf {
        self.site.path().join("run/kentai.sock")
    }

    fn kentai(&self, arguments: &[&str]) -> Result<String> {
        let (code, told, error) = self.site.run(arguments)?;
        ensure!(code == 0, "kentai {}: {code}\n{told}{error}", arguments.join(" "));
        Ok(told)
    }

    fn sql(&self, sql: &str) -> Result<String> {
        let database = self.site.path().join("kentai.db").to_string_lossy().into_owned();
        Ok(tool("sqlite3", &["-cmd", ".timeout 10000", &database, sql], Path::new("/"))?.trim().to_owned())
    }

    /// Waits; each look is a program's start, which is pause enough.
    fn until(&self, sql: &str, wanted: &str) -> Result<()> {
        let began = std::time::Instant::now();
        while self.sql(sql)? != wanted {
            ensure!(began.elapsed().as_secs() < 120, "{sql} is {} and not {wanted}", self.sql(sql)?);
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        self.kentai(&["specimen", "import", "h.csv", "--table", "institutions"])?;
        self.kentai(&["specimen", "import", "p.csv", "--table", "programs"])?;
        self.kentai(&["workflow", "register", "test.yaml"])?;
        self.kentai(&["assay", "define", "wgs@1", "wgs.yaml"])?;
        self.kentai(&["specimen", "expect", "s.csv", "--institution", "H1"])?;
        self.everybody()?;
        for (barcode, pseudonym) in [("T1", "P1"), ("T3", "P3")] {
            self.consent(pseudonym)?;
            self.kentai(&["specimen", "receive", barcode])?;
        }
        let of = |what: &str, pseudonym: &str| {
            self.sql(&format!(
                "select o.{what} from order_line o join participant p using (participant_id) where p.pseudonym = '{pseudonym}'"
            ))
        };
        let (specimen, order) = (of("specimen_id", "P1")?, of("order_line_id", "P1")?);
        let ended = of("order_line_id", "P2")?;
        let gone = of("order_line_id", "P3")?;
        self.kentai(&["specimen", "accession", &specimen])?;
        let lanes =
            self.site.write("lanes.csv", &format!("instrument_run,lane,sample,reads\nRUN1,1,{specimen},100\n"))?;
        self.kentai(&["specimen", "import", &lanes.to_string_lossy(), "--table", "lanes"])?;
        self.until("select status from step where step_key = 'give'", "awaiting_person")?;
        let run = of("run_id", "P1")?;
        let releasers: Vec<&str> =
            self.people.iter().filter(|one| one.role == Role::Releaser).map(|one| one.token.as_str()).collect();
        for token in releasers {
            self.kentai(&["--token", token, "approve", &run, "give", "--reason", "good"])?;
        }
        self.until(&format!("select stage from order_line where order_line_id = '{order}'"), "delivered")?;
        self.kentai(&["order", "cancel", &ended, "--reason", "x"])?;
        // Whoever made everybody's account is nobody's first person.
        let proposer = self.account("proposer", &["--roles", "operator"])?;
        let reopened = self.kentai(&["--token", &proposer, "order", "reopen", &ended, "--reason", "x", "--json"])?;
        let reopened: Value = serde_json::from_str(&reopened)?;
        self.kentai(&["deviation", "open", &format!("specimen {specimen}"), "--description", "x"])?;
        self.kentai(&["consent", "withdraw", "rare", "P3", "--evidence", "letter"])?;
        self.until("select status from record where kind = 'case'", "sealed")?;
        let record = |kind: &str| self.sql(&format!("select record_id from record where kind = '{kind}' limit 1"));
        let delivery = self.sql("select delivery_id from delivery")?;
        let token = self.kentai(&["admin", "token", "new", "spare", "--json"])?;
        let token: Value = serde_json::from_str(&token)?;
        let token = token["changed"][0].as_str().context("a token")?.trim_start_matches("token ").to_owned();
        let trial: Value = serde_json::from_str(&self.kentai(&["notice", "test", "trial", "--json"])?)?;
        let trial = trial["changed"][0].as_str().context("a notice")?.trim_start_matches("notice ").to_owned();
        self.things = BTreeMap::from([
            ("trial", trial),
            ("run", run),
            ("order", order),
            ("gone", gone),
            ("ended", ended),
            ("lane", format!("RUN1/1/{specimen}")),
            ("specimen", specimen),
            ("delivery", delivery),
            ("shipment", "SH1".into()),
            ("instrument", "RUN1".into()),
            ("pseudonym", "P1".into()),
            ("barcode", "T1".into()),
            ("case", record("case")?),
            ("item", record("case_item")?),
            ("deviation", record("deviation")?),
            ("proposal", reopened["proposal"].as_str().context("a proposal")?.to_owned()),
            ("token", token),
        ]);
        Ok(())
    }

    fn consent(&self, pseudonym: &str) -> Result<()> {
        let form = ["--document", "form", "--version", "3", "--scope", "sequencing", "--scope", "research_domestic"];
        let mut arguments = vec!["consent", "record", "rare", pseudonym];
        arguments.extend(form);
        self.kentai(&arguments).map(drop)
    }

    /// A service with a token.
    fn account(&self, name: &str, more: &[&str]) -> Result<String> {
        let mut add = vec!["admin", "user", "add", name, "--service"];
        add.extend(more);
        self.kentai(&add)?;
        let made: Value = serde_json::from_str(&self.kentai(&["admin", "token", "new", name, "--json"])?)?;
        Ok(made["secret"].as_str().context("told once")?.to_owned())
    }

    /// A service of every role; two releasers; two institutions; two data centers.
    fn everybody(&mut self) -> Result<()> {
        let places = [
            ("institution-own", Role::Institution, Some("H1"), None),
            ("institution-other", Role::Institution, Some("H2"), None),
            ("data-center-own", Role::DataCenter, None, Some("outbox")),
            ("data-center-other", Role::DataCenter, None, Some("elsewhere")),
            ("releaser-too", Role::Releaser, None, None),
            ("spare", Role::Operator, None, None),
        ];
        let inside = Role::ALL.iter().filter(|role| !matches!(role, Role::Institution | Role::DataCenter));
        let inside = inside.map(|role| (role.word(), *role, None, None));
        for (name, role, institution, data_center) in inside.chain(places).collect::<Vec<_>>() {
            let mut more = vec!["--roles", role.word()];
            more.extend(institution.iter().flat_map(|place| ["--institution", place]));
            more.extend(data_center.iter().flat_map(|place| ["--data-center", place]));
            let token = self.account(name, &more)?;
            self.people.push(Somebody { name: name.to_owned(), role, institution, data_center, token });
        }
        Ok(())
    }

    /// The text with its `{thing}`s put in; `missing`: such that are not there. What was put in, for comparing.
    fn filled(&self, text: &str, missing: bool) -> (String, Vec<String>) {
        let (mut filled, mut ids) = (text.to_owned(), Vec::new());
        for (name, id) in &self.things {
            let mark = format!("{{{name}}}");
            if filled.contains(&mark) {
                // Of the same form: as long, of the same letters.
                let last = id.chars().last().map_or('7', |last| if last == '7' { '3' } else { '7' });
                let id = match *name {
                    _ if !missing => id.clone(),
                    // Their last character is a check character: it fits, too.
                    "order" | "gone" | "ended" => check_character::issue('O', 7_777_777),
                    "specimen" => check_character::issue('S', 7_777_777),
                    _ => format!("{}{last}", &id[..id.len() - 1]),
                };
                filled = filled.replace(&mark, &id);
                ids.push(id);
            }
        }
        (filled, ids)
    }
}

fn shipment() -> String {
    let rows = [("T1", "P1"), ("T2", "P2"), ("T3", "P3")];
    let row = |(barcode, pseudonym): &(&str, &str)| format!("SH1,{barcode},{pseudonym},rare,wgs\n");
    format!("shipment,barcode,pseudonym,program,assay\n{}", rows.iter().map(row).collect::<String>())
}

/// An answer with the ids that it was asked about taken out, for comparing.
pub(super) fn without(mut text: String, ids: &[String]) -> String {
    for id in ids {
        text = text.replace(id.as_str(), "ID");
    }
    text
}

/// Everything that did not fit, or nothing.
pub(super) fn verdict(wrong: &[String]) -> Result<()> {
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{} answer(s) are wrong:\n{}", wrong.len(), wrong.join("\n"))
}

fn curl(arguments: &[&str]) -> Result<String> {
    let output = Command::new("curl").args(arguments).output().context("run curl")?;
    // A stream that does not end is cut: what came is in the output.
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! `kentai serve`, and the same verbs through its socket.

use std::io::{BufRead, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use super::house::House;

/// A tool that goes on until a file appears beside the sheet: the test says when.
const PATIENT: &str = r#"kentai: 1
workflow: patient
version: "1"
specimen: { inputs: { reads: file } }
steps:
  wait:
    inputs:  { reads: "${{ specimen.reads }}" }
    outputs: { out: { path: out.txt } }
    script: |
      echo waiting
      until [ -e "GATE" ]; do sleep 0.05; done
      echo done > "$out_out"
"#;

struct Server {
    child: Child,
    told: BufReader<ChildStderr>,
}

impl Server {
    /// Comes back when it listens.
    fn start(house: &House) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kentai"))
            .args(["serve", "--executor", "process"])
            .current_dir(house.path("."))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be run");
        let mut told = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("listens on") {
            line.clear();
            assert_ne!(told.read_line(&mut line).expect("readable"), 0, "it ended before it listened");
        }
        Self { child, told }
    }

    /// Asks it to end, as a service manager does; gives its exit code.
    fn stop(mut self) -> i32 {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("asked");
        let mut rest = String::new();
        let _ = self.told.read_to_string(&mut rest);
        self.child.wait().expect("ended").code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed must not leave a server behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_submission_needs_a_server_and_says_so() {
    let house = House::with_site("");
    house.kentai("submit count.yaml --sheet one.csv").code(7).says(&["kentai serve", "kentai run"]);
}

#[test]
fn a_server_takes_submissions_and_answers_every_verb() {
    let house = House::of_processes();
    let server = Server::start(&house);
    let sheet = "--sheet sheet.csv";
    house.kentai(&format!("submit count.yaml {sheet} --wait")).code(0).says(&["2 run(s), 2 new", "S2", "succeeded"]);
    let again = house.kentai(&format!("submit count.yaml {sheet} --json")).code(0).json();
    assert_eq!((&again["existed"], &again["new_runs"]), (&true.into(), &0.into()));
    house.kentai("submit broken.yaml --sheet one.csv --wait").code(10).says(&["failed", "kentai why"]);
    house.write("bad.csv", "specimen,raeds\nS1,a.txt\n");
    house.kentai("submit count.yaml --sheet bad.csv").code(3).says(&["S104"]);
    let found = house.kentai("submit count.yaml --sheet one.csv --param depht=3 --json").code(3).json();
    assert!(found["diagnostics"][0]["message"].is_string(), "{found}");
    house.kentai("submit gated.yaml --sheet one.csv --wait").code(11).says(&["waits_for_person"]);
    let run = house.kentai("qc list --json").json()[0]["run"].as_str().expect("a run").to_owned();
    house.run(&["why", &run]).code(0).shows(&["quality", "reviewer"]);
    house.run(&["why", &run, "nothing"]).code(4);
    house.run(&["qc", "decide", &run, "--verdict", "release", "--reason", "x"]).code(0);
    house.run(&["resume", &run]).code(6).says(&["not held"]);
    house.kentai("specimen import sheet.csv --workflow count.yaml").code(0);
    house.kentai("workflow register count.yaml").code(0);
    house.kentai("workflow register hello").code(3).says(&["K050"]);
    house.kentai("doctor").shows(&["one runs and answers"]);
    assert_eq!(server.stop(), 0);
    assert!(!house.path(".kentai/run/kentai.sock").exists());
    house.kentai("status").code(0);
}

#[test]
fn a_second_engine_is_refused() {
    let house = House::with_site("");
    let server = Server::start(&house);
    house.kentai("serve").code(6).says(&["an engine is at work"]);
    house.kentai("run count.yaml --sheet one.csv --executor process").code(6).says(&["kentai submit"]);
    assert_eq!(server.stop(), 0);
    house.kentai("run count.yaml --sheet one.csv --executor process").code(0);
}

#[test]
fn a_server_that_was_killed_leaves_nothing_in_the_way() {
    let house = House::with_site("");
    drop(Server::start(&house));
    assert!(house.path(".kentai/run/kentai.sock").exists(), "the socket of a killed server stays");
    house.kentai("status").code(0);
    house.kentai("submit count.yaml --sheet one.csv").code(7);
    let server = Server::start(&house);
    house.kentai("submit count.yaml --sheet one.csv --wait").code(0);
    assert_eq!(server.stop(), 0);
}

#[test]
fn what_runs_is_seen_followed_timed_out_and_canceled() {
    let house = House::with_site("");
    let gate = house.path("go");
    house.write("patient.yaml", PATIENT.replace("GATE", &gate.to_string_lossy()));
    let server = Server::start(&house);
    house.kentai("submit patient.yaml --sheet sheet.csv --wait --timeout 1s").code(13);
    let (one, other) = (house.run_of("S1"), house.run_of("S2"));
    house.run(&["watch", &one, "--timeout", "1s"]).code(13).shows(&["step started wait"]);
    house.run(&["logs", &one]).code(0).shows(&["waiting"]);
    house.run(&["cancel", &other, "--reason", "wrong tube"]).code(0);
    house.run(&["watch", &other]).code(12);
    house.write("go", "");
    house.run(&["logs", &one, "--follow"]).code(0).shows(&["waiting"]);
    house.run(&["watch", &one]).code(0);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_run_lets_requests_in_while_it_works() {
    let house = House::with_site("");
    let gate = house.path("go");
    house.write("patient.yaml", PATIENT.replace("GATE", &gate.to_string_lossy()));
    let mut run = Command::new(env!("CARGO_BIN_EXE_kentai"))
        .args(["run", "patient.yaml", "--sheet", "one.csv", "--executor", "process"])
        .current_dir(house.path("."))
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be run");
    let mut told = BufReader::new(run.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("wait started") {
        line.clear();
        assert_ne!(told.read_line(&mut line).expect("readable"), 0, "it ended before it began");
    }
    let id = house.run_of("S1");
    house.run(&["why", &id]).code(0).shows(&["wait (running)"]);
    house.run(&["cancel", &id]).code(0);
    let mut rest = String::new();
    let _ = told.read_to_string(&mut rest);
    assert_eq!(run.wait().expect("ended").code(), Some(12), "{rest}");
    assert!(!house.path(".kentai/run/kentai.sock").exists());
}

#[test]
fn the_center_is_asked_through_the_server_with_the_same_answers() {
    let house = House::of_processes();
    house.write("institutions.csv", "code,name,role\nH1,One,sender\n");
    house.write("programs.csv", "code,name\nP1,Rare\n");
    house.write("wrong.csv", "code,name,role\nH3,,shop\n");
    house.write("wgs.yaml", "reads_ordered: 1000\n");
    house.write("shipment.csv", "shipment,barcode,pseudonym,program,assay\nSH1,B-001,N1,P1,wgs\n");
    let wrong = "specimen import wrong.csv --table institutions";
    let without =
        [house.kentai(wrong), house.kentai(&format!("{wrong} --json")), house.kentai("order cancel O1 --reason x")];
    let server = Server::start(&house);
    let with =
        [house.kentai(wrong), house.kentai(&format!("{wrong} --json")), house.kentai("order cancel O1 --reason x")];
    for (one, other) in without.iter().zip(&with) {
        assert_eq!((one.code, &one.out, &one.err), (other.code, &other.out, &other.err));
    }
    assert_eq!(with.each_ref().map(|done| done.code), [3, 3, 4]);
    house.kentai("specimen import institutions.csv --table institutions").code(0);
    house.kentai("specimen import programs.csv --table programs").code(0);
    house.kentai("assay define wgs@1 wgs.yaml").code(0);
    house.kentai("specimen expect shipment.csv --institution H1").code(0);
    house.kentai("specimen receive B-001").code(0).shows(&["received"]);
    house.kentai("consent record P1 N1 --document ICF --version 3 --scope sequencing").code(0);
    house.kentai("consent withdraw P1 N1 --evidence letter-1").code(0).says(&["two people"]);
    house.kentai("specimen list --stage withdrawn").code(0).shows(&["wgs@1"]);
    assert_eq!(server.stop(), 0);
}

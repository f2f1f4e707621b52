//! The center on the command line: tables, order lines, consent, and what people from outside see.

use super::house::House;

/// A site that runs plain processes and has no people file: its owner has every role.
fn house() -> House {
    let house = House::of_processes();
    house.write("institutions.csv", "code,name,role\nH1,One,sender\nH2,Two,sender\n");
    house.write("programs.csv", "code,name\nP1,Rare\n");
    house.write("wgs.yaml", "reads_ordered: 1000\n");
    house.write("shipment.csv", "shipment,barcode,pseudonym,program,assay\nSH1,B-001,N1,P1,wgs\nSH1,B-002,N2,P1,wgs\n");
    house
}

/// Two specimens of H1 are announced; gives the first one's order line and specimen.
fn announced(house: &House) -> (String, String) {
    house.kentai("specimen import institutions.csv --table institutions").code(0).shows(&["2 new"]);
    house.kentai("specimen import programs.csv --table programs").code(0);
    house.kentai("assay define wgs@1 wgs.yaml").code(0).shows(&["wgs@1"]);
    house.kentai("specimen expect shipment.csv --institution H1").code(0);
    let page = house.kentai("order list --json").code(0).json();
    let text = |name: &str| page["items"][0][name].as_str().expect("a text").to_owned();
    (text("id"), text("specimen"))
}

/// Whoever runs the tests is somebody else from now on.
fn become_a(house: &House, roles: &str, more: &str) {
    let uid = my_uid();
    let person = format!("{{ user: \"{uid}\", name: somebody, roles: [{roles}]{more} }}");
    house.write(
        ".kentai/kentai.yaml",
        format!("executors: [ {{ name: here, kind: process }} ]\npeople: [ {person} ]\n"),
    );
}

/// The user id of this process, as the kernel says it.
pub(crate) fn my_uid() -> u32 {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("Linux"))
}

#[test]
fn every_wrong_cell_is_told_by_row_and_column_and_nothing_is_taken() {
    let house = house();
    house.write("wrong.csv", "code,name,role\nH1,One,sender\n,Two,sender\nH3,,shop\n");
    let done = house.kentai("specimen import wrong.csv --table institutions").code(3);
    done.shows(&["wrong.csv:3: code: ", "(I001)", "wrong.csv:4: name: ", "wrong.csv:4: role: ", "(I004)"])
        .says(&["nothing was taken"]);
    let answer = house.kentai("specimen import wrong.csv --table institutions --json").code(3).json();
    assert_eq!(answer["problems"].as_array().map(Vec::len), Some(3), "{answer}");
    house.write("ragged.csv", "code,name,role\nH1,One\nH2,Two,shop\n");
    let done = house.kentai("specimen import ragged.csv --table institutions").code(3);
    done.shows(&["ragged.csv:2: : the row has 2 cells", "ragged.csv:3: role: "]);
    house.kentai("specimen import wrong.csv --table institutions --language ja").code(3).shows(&["空です"]);
    house.kentai("specimen expect shipment.csv --institution H1").code(3).shows(&["shipment.csv:2: program: "]);
    assert_eq!(house.kentai("specimen list --stage expected --json").code(0).json()["items"], serde_json::json!([]));
    house.kentai("specimen import nothing.csv --table institutions").code(4);
    house.kentai("specimen import wrong.csv --table nonsense").code(2).says(&["institutions"]);
    house.write("slip.yaml", "reads_orderd: 5\n");
    house.kentai("assay define wgs@1 slip.yaml").code(3).says(&["reads_orderd"]);
}

#[test]
fn a_dry_run_says_what_would_happen_and_the_same_table_again_changes_nothing() {
    let house = house();
    let import = "specimen import institutions.csv --table institutions";
    house.kentai(&format!("{import} --dry-run")).code(0).shows(&["2 would be new"]).says(&["nothing was taken"]);
    house.kentai(import).code(0).shows(&["2 new or changed, 0 as they were"]);
    let again = house.kentai(&format!("{import} --json")).code(0).json();
    assert_eq!((&again["unchanged"], &again["changed"]), (&2.into(), &serde_json::json!([])));
}

#[test]
fn a_specimen_is_announced_received_consented_and_accessioned() {
    let house = house();
    let (line, specimen) = announced(&house);
    house.kentai("specimen list").code(0).shows(&[&line, &specimen, "expected", "institution"]);
    house.kentai("specimen receive B-001 --condition good").code(0).shows(&[&specimen, "received"]);
    house.kentai("specimen receive B-001").code(6).says(&["scanned already"]);
    house.run(&["specimen", "accession", &specimen]).code(6).says(&["no consent"]);
    house.kentai("consent record P1 N1 --document ICF --version 3 --scope sequencing").code(0).shows(&["given"]);
    house.kentai("consent show P1 N1").code(0).shows(&["given", "sequencing", "ICF"]);
    house.run(&["specimen", "accession", &specimen]).code(0);
    house.run(&["order", "show", &line]).code(0).shows(&["accessioned", "lab", "needed"]);
    house.run(&["order", "hold", &line, "--reason", "asked back"]).code(0);
    house.run(&["order", "show", &line]).code(0).shows(&["held", "asked back"]);
    house.run(&["order", "hold", &line, "--reason", "asked back"]).code(6);
    house.run(&["order", "resume", &line]).code(0);
    house.run(&["order", "report", &line, "nonsense"]).code(2).says(&["lab_started"]);
    house.run(&["order", "report", &line, "lab_started"]).code(0).shows(&["in_lab"]);
    house.run(&["specimen", "history", &specimen]).code(0).shows(&["specimen_registered", "received", "asked back"]);
    house.run(&["specimen", "show", &specimen]).code(0).shows(&["B-001", "N1", "in_lab", "item"]);
    house.run(&["specimen", "custody", &specimen, "packed", "--holder", "lab"]).code(0).shows(&["packed"]);
    house.kentai("specimen reject B-002 --condition leaking --disposition return").code(0).shows(&["rejected"]);
    house.kentai("specimen close-shipment SH1").code(0).shows(&["complete"]);
    house.kentai("specimen list --stuck").code(0).says(&["nothing is stuck"]);
    house.kentai("specimen show S999").code(4).says(&["there is no specimen `S999`"]);
}

#[test]
fn too_few_reads_are_a_fork_and_a_decision_leads_on() {
    let house = house();
    let (line, specimen) = announced(&house);
    house.kentai("specimen receive B-001").code(0);
    house.kentai("consent record P1 N1 --document ICF --version 3 --scope sequencing").code(0);
    house.run(&["specimen", "accession", &specimen]).code(0);
    house.write("lanes.csv", format!("instrument_run,lane,sample,reads\nR1,1,{specimen},991\n"));
    house.kentai("specimen import lanes.csv --table lanes").code(0);
    house.run(&["order", "show", &line]).code(0).shows(&["sequence_qc_failed", "991", "1000"]);
    let decide = ["qc", "decide", &line, "--verdict", "top_up", "--reason", "two lanes are left"];
    house.run(&decide).code(0).shows(&["awaiting_top_up"]);
    let lane = format!("R1/1/{specimen}");
    house.run(&["qc", "lane", &lane, "--counts", "no", "--use", "maybe", "--reason", "x"]).code(2);
    house.run(&["qc", "lane", &lane, "--counts", "no", "--use", "yes", "--reason", "hopping"]).code(0);
    house.kentai("report progress").code(0).shows(&["failed", "given", "accepted"]);
    let csv = house.kentai("report progress --csv").code(0);
    assert_eq!(csv.out.lines().count(), 3, "{}", csv.out);
    house.kentai("report omissions").code(0).shows(&["order_without_consent", "institution"]);
    house.kentai("report omissions --kind nonsense").code(2).says(&["unanswered_notice"]);
    house.kentai("report omissions --after x").code(2).says(&["--kind"]);
    let first = house.kentai("report progress --limit 1").code(0).shows(&["B-001"]);
    first.says(&[&format!("--after {line}")]);
    let rest = house.run(&["report", "progress", "--after", &line, "--json"]).code(0).json();
    assert_eq!((&rest["items"][0]["barcode"], &rest["next"]), (&"B-002".into(), &serde_json::Value::Null));
    house.kentai("report progress --csv --limit 1").code(2);
    house.kentai("report turnaround").code(0).shows(&["wgs@1", "arrival", "100 %"]);
}

#[test]
fn a_withdrawal_is_a_case_that_two_people_decide() {
    let house = house();
    let (line, specimen) = announced(&house);
    let answer = house.kentai("consent withdraw P1 N1 --evidence letter-1 --json").code(0).json();
    let case = answer["changed"][0].as_str().and_then(|text| text.strip_prefix("case ")).expect("a case").to_owned();
    house.run(&["order", "show", &line]).code(0).shows(&["withdrawn"]);
    let shown = house.run(&["consent", "case", &case]).code(0).shows(&["specimen", &specimen]);
    shown.says(&["without a decision"]);
    let detail = house.run(&["consent", "case", &case, "--json"]).code(0).json();
    let item = detail["items"][0]["id"].as_str().expect("an item").to_owned();
    house.run(&["consent", "close", &case]).code(6);
    house.run(&["consent", "decide", &item, "keep"]).code(2).says(&["--reference"]);
    house.run(&["consent", "decide", &item, "stub"]).code(0);
    house.run(&["consent", "confirm", &item]).code(5).says(&["another person"]);
    house.kentai("consent record P1 N1 --document ICF --version 3 --scope sequencing").code(6).says(&["withdrawn"]);
    house.run(&["order", "reopen", &line, "--reason", "x"]).code(6);
}

#[test]
fn what_ends_is_opened_again_by_two_and_the_line_is_stopped_by_one() {
    let house = house();
    let (line, _) = announced(&house);
    house.run(&["order", "cancel", &line, "--reason", "taken back"]).code(0).shows(&["canceled"]);
    let answer = house.run(&["order", "reopen", &line, "--reason", "wrong one", "--json"]).code(0).json();
    let proposal = answer["proposal"].as_str().expect("a proposal").to_owned();
    house.run(&["confirm", &proposal]).code(5).says(&["another person"]);
    become_a(&house, "operator", "");
    house.run(&["confirm", &proposal]).code(0);
    house.run(&["stop-all", "water in the machine room"]).code(0).shows(&["stopped"]);
    house.kentai("resume-all").code(0).shows(&["running"]);
    house.run(&["stop-all", " "]).code(2);
    let opened = house.run(&["deviation", "open", "freezer 3", "--description", "-12 overnight", "--json"]).code(0);
    let opened = opened.json()["changed"][0].as_str().map(|text| text.replace("deviation ", "")).expect("one");
    house.kentai("deviation list").code(0).shows(&[&opened, "freezer 3"]);
    house.run(&["deviation", "close", &opened, "--action", "moved"]).code(0);
    house.kentai("deviation list").code(0).says(&["no deviation"]);
}

#[test]
fn what_is_foreign_is_missing_word_for_word() {
    let house = house();
    let (line, specimen) = announced(&house);
    become_a(&house, "institution", ", institution: H2");
    for (verb, id) in [
        (&["order", "show"][..], &line),
        (&["order", "resume"], &line),
        (&["specimen", "show"], &specimen),
        (&["specimen", "history"], &specimen),
        (&["specimen", "accession"], &specimen),
        (&["consent", "show", "P1"], &"N1".to_owned()),
    ] {
        let ask = |id: &str| house.run(&[verb, &[id]].concat()).code(4);
        let (foreign, missing) = (ask(id), ask("MISSING"));
        assert_eq!(foreign.err.replace(id.as_str(), "MISSING"), missing.err, "{verb:?}");
        assert_eq!((foreign.out.as_str(), missing.out.as_str()), ("", ""));
    }
    for list in ["order list", "specimen list", "specimen list --institution H1"] {
        assert_eq!(house.kentai(&format!("{list} --json")).code(0).json()["items"], serde_json::json!([]), "{list}");
    }
    for verb in ["status", "handoff list", "qc list", "specimen list --stuck"] {
        house.kentai(verb).code(5);
    }
    assert_eq!(house.run(&["why", &line]).code(4).err.replace(line.as_str(), "S1"), house.kentai("why S1").code(4).err);
}

#[test]
fn what_is_ones_own_and_needs_another_role_is_refused_by_name() {
    let house = house();
    let (line, specimen) = announced(&house);
    become_a(&house, "institution", ", institution: H1");
    house.run(&["order", "show", &line]).code(0).shows(&["announced"]);
    house.run(&["specimen", "history", &specimen]).code(0).shows(&["specimen_registered"]);
    house.run(&["order", "cancel", &line, "--reason", "x"]).code(5).says(&["operator"]);
    house.run(&["specimen", "accession", &specimen]).code(5).says(&["operator"]);
    become_a(&house, "auditor", "");
    house.run(&["order", "show", &line]).code(0).shows(&["expected"]);
    house.run(&["order", "cancel", &line, "--reason", "x"]).code(5).says(&["operator"]);
    house.run(&["qc", "decide", &line, "--verdict", "top_up", "--reason", "x"]).code(5).says(&["reviewer"]);
    house.kentai("consent withdraw P1 N1 --evidence x").code(5).says(&["withdrawal_officer"]);
    house.kentai("specimen import programs.csv --table programs").code(5).says(&["operator"]);
    become_a(&house, "admin", "");
    house.run(&["order", "show", &line]).code(5);
    house.kentai("order list").code(5);
}

#[test]
fn leftovers_go_to_the_biobank_with_a_manifest_and_come_back_as_receipts() {
    let house = house();
    let (_, first) = announced(&house);
    let page = house.kentai("order list --json").code(0).json();
    let second = page["items"][1]["specimen"].as_str().expect("a specimen").to_owned();
    for (barcode, specimen) in [("B-001", &first), ("B-002", &second)] {
        house.kentai(&format!("specimen receive {barcode} --institution H1")).code(0);
        house
            .kentai(&format!("specimen custody {specimen} packed --transfer T-1 --holder biobank"))
            .code(0)
            .shows(&["packed"]);
    }
    house.kentai(&format!("specimen custody {first} handed_over")).code(0);
    house.kentai(&format!("specimen custody {second} unpacked")).code(6).says(&["transfer", "sent"]);
    house.kentai(&format!("specimen custody {second} handed_over")).code(0);
    let manifest = house.kentai("specimen transfer T-1 --csv").code(0).out;
    let lines: Vec<&str> = manifest.lines().collect();
    assert_eq!(lines.len(), 3, "{manifest}");
    assert!(lines[0].starts_with("transfer,to,specimen,barcode") && lines[1].contains("B-001"), "{manifest}");
    house.kentai(&format!("specimen custody {first} arrived")).code(2).says(&["--receipt"]);
    house.kentai(&format!("specimen custody {first} arrived --accession BB-1 --receipt R-1")).code(0);
    house.kentai("specimen transfer T-1").code(0).shows(&["sent", "BB-1", "R-1"]);
    house.kentai(&format!("specimen custody {second} arrived --accession BB-2 --receipt R-1")).code(0);
    house.kentai("specimen transfer T-1").code(0).shows(&["arrived", "BB-2"]);
    house.kentai(&format!("specimen custody {second} destroyed --receipt D-1")).code(0);
    house.kentai("specimen transfer nothing").code(4);
}

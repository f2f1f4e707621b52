//! What was measured, over many order lines: the trend of a metric, and the files for MultiQC.

use serde_json::Value;

use super::house::House;

const WGS: &str = "criteria:
  id: wgs
  version: \"1\"
  criteria:
    - { metric: mean_autosome_coverage, unit: x, comparator: \">=\", pass: 30, warn: 28 }
";

/// A site whose two assays have criteria, with `specimens` tubes announced for each; gives the order lines of each assay.
fn announced(specimens: usize) -> (House, Vec<String>, Vec<String>) {
    let house = House::of_processes();
    house.write("institutions.csv", "code,name,role\nH1,One,sender\n");
    house.write("programs.csv", "code,name\nP1,Rare\n");
    house.write("wgs.yaml", WGS);
    let both = ["wgs", "wgs_deep"];
    let row = |assay: &str, number: usize| format!("SH1,{assay}-{number},N{number},P1,{assay}\n");
    let rows: String = both.iter().flat_map(|assay| (0..specimens).map(move |number| row(assay, number))).collect();
    house.write("shipment.csv", format!("shipment,barcode,pseudonym,program,assay\n{rows}"));
    house.kentai("specimen import institutions.csv --table institutions").code(0);
    house.kentai("specimen import programs.csv --table programs").code(0);
    for assay in both {
        house.kentai(&format!("assay define {assay}@1 wgs.yaml")).code(0);
    }
    house.kentai("specimen expect shipment.csv --institution H1").code(0);
    let page = house.kentai("order list --json").code(0).json();
    let of = |assay: &str| {
        let lines = page["items"].as_array().expect("a page").iter();
        lines.filter(|line| line["assay"] == assay).map(|line| text(&line["id"])).collect()
    };
    (house, of("wgs@1"), of("wgs_deep@1"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Brings a depth for an order line, as the GA4GH JSON.
fn measure(house: &House, line: &str, depth: f64) {
    house.write("depth.json", format!("{{ \"mean_autosome_coverage\": {depth}, \"pct_reads_mapped\": 99.5 }}"));
    house.run(&["qc", "import", line, "depth.json"]).code(0);
}

/// Whoever runs the tests is somebody else from now on.
fn become_a(house: &House, roles: &str, more: &str) {
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("Linux"));
    let people = format!("people: [ {{ user: \"{uid}\", name: somebody, roles: [{roles}]{more} }} ]\n");
    house.write(".kentai/kentai.yaml", format!("executors: [ {{ name: here, kind: process }} ]\n{people}"));
}

#[test]
fn a_trend_names_the_order_line_that_is_out_of_control() {
    let (house, lines, deep) = announced(12);
    house.kentai("qc trend mean_autosome_coverage").code(0).says(&["nobody measured"]);
    let depths = [31.0, 31.2, 30.8, 31.1, 30.9, 31.2, 30.8, 31.0, 31.3, 30.7, 31.0, 25.0];
    for (line, depth) in lines.iter().zip(depths) {
        measure(&house, line, depth);
    }
    measure(&house, &deep[0], 62.0);
    // Measured again: it is one order line, and its newest value and time count.
    measure(&house, &lines[0], 31.1);
    let trend = "qc trend mean_autosome_coverage --assay wgs@1";
    let told = house.kentai(trend).code(0);
    let told = told.shows(&["value (x)", "judged (", "out of control: 1-2s, 1-3s", "within 2 deviations 3"]);
    let low: Vec<&str> = told.out.lines().filter(|line| line.contains("out of control")).collect();
    assert!(low.len() == 1 && low[0].contains(&lines[11]), "{}", told.out);
    let found = house.kentai(&format!("{trend} --json")).code(0).json();
    let points = found["points"].as_array().expect("points");
    let order: Vec<String> = points.iter().map(|point| text(&point["order_line"])).collect();
    let expected: Vec<String> = lines[1..].iter().chain(&lines[..1]).cloned().collect();
    assert_eq!(order, expected, "in time order, each once");
    assert_eq!((&points[11]["value"], &found["unit"], &found["counted"]), (&31.1.into(), &"x".into(), &11.into()));
    assert_eq!(points[10]["broken"], serde_json::json!(["1-2s", "1-3s"]));
    assert!(points[9]["limits"].is_null() && points[10]["limits"]["mean"].is_number(), "{found}");
    // All assays together are told to be several.
    house.kentai("qc trend mean_autosome_coverage").code(0).shows(&["wgs_deep@1", "62"]).says(&["--assay shows one"]);
    let few = house.kentai(&format!("{trend} --limit 3")).code(0).shows(&["no limits yet: 3 of 10 points"]);
    assert_eq!(few.says(&["the newest 3"]).out.lines().count(), 5);
    house.kentai(&format!("{trend} --since 2999-01-01")).code(0).says(&["nobody measured"]);
    // Whoever withdraws is compared with nobody.
    house.kentai("consent withdraw P1 N11 --evidence letter-1").code(0);
    let left = house.kentai(&format!("{trend} --json")).code(0).json();
    assert_eq!(left["points"].as_array().map(Vec::len), Some(11));
    assert!(!left.to_string().contains(&lines[11]), "{left}");
}

#[test]
fn what_cannot_be_asked_is_refused_and_people_from_outside_see_no_values() {
    let (house, lines, _) = announced(1);
    measure(&house, &lines[0], 31.0);
    let unknown = house.kentai("qc trend mean_autosomal_coverage").code(3);
    unknown.says(&["there is no metric `mean_autosomal_coverage`", "mean_autosome_coverage", "identity_concordance"]);
    house.kentai("qc trend reads --assay wgs").code(2).says(&["NAME@VERSION"]);
    house.kentai("qc trend reads --assay wgs@9").code(4).says(&["there is no assay `wgs@9`"]);
    house.kentai("qc trend reads --since yesterday").code(2).says(&["`yesterday` is no date"]);
    house.kentai("qc trend reads --limit 0").code(2);
    house.kentai("qc trend reads").code(0).says(&["nobody measured reads"]);
    become_a(&house, "institution", ", institution: H1");
    house.kentai("qc trend mean_autosome_coverage").code(5).says(&["people of the center"]);
    become_a(&house, "admin", "");
    house.kentai("qc trend mean_autosome_coverage").code(5).says(&["auditor"]);
    become_a(&house, "auditor", "");
    house.kentai("qc trend mean_autosome_coverage").code(0).shows(&[&lines[0]]);
}

/// What MultiQC does with a file: reads it as JSON, finds a type of plot, and for every cell a column that was described.
const AS_MULTIQC: &str = r#"
import json, sys
content = json.load(open(sys.argv[1], encoding="utf-8"))
assert content["plot_type"] in ("generalstats", "table"), content["plot_type"]
assert all(content[key] for key in ("id", "section_name", "description"))
columns = content["headers"] if content["plot_type"] == "table" else {k: v for one in content["pconfig"] for k, v in one.items()}
for name, row in sorted(content["data"].items()):
    assert set(row) <= set(columns), (set(row), set(columns))
    for column, cell in sorted(row.items()):
        print(name, columns[column]["title"], cell, sep="\t")
"#;

fn as_multiqc(house: &House, file: &str) -> String {
    let mut python = std::process::Command::new("python3");
    let done = python.args(["-c", AS_MULTIQC]).arg(house.path(file)).env("PYTHONUTF8", "1").output().expect("python3");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("UTF-8")
}

#[test]
fn multiqc_reads_values_and_verdicts_by_specimen() {
    let (house, lines, deep) = announced(2);
    house.kentai("report multiqc --out qc").code(0).says(&["nothing was measured"]);
    assert_eq!(as_multiqc(&house, "qc/kentai_values_mqc.json"), "");
    let specimen = |line: &str| text(&house.run(&["order", "show", line, "--json"]).code(0).json()["specimen"]);
    let (good, bad) = (specimen(&lines[0]), specimen(&lines[1]));
    measure(&house, &lines[0], 12.5);
    measure(&house, &lines[0], 31.25);
    measure(&house, &lines[1], 27.5);
    measure(&house, &deep[0], 62.0);
    let done = house.kentai("report multiqc --assay wgs@1 --out qc").code(0);
    assert_eq!(done.out, "qc/kentai_values_mqc.json\nqc/kentai_verdicts_mqc.json\n");
    let values = as_multiqc(&house, "qc/kentai_values_mqc.json");
    let wanted = |name: &str, depth: f64| {
        format!("{name}\tmean depth of the autosomes (x)\t{depth}\n{name}\tmapped reads (%)\t99.5\n")
    };
    assert_eq!(values, wanted(&good, 31.25) + &wanted(&bad, 27.5));
    let verdicts = as_multiqc(&house, "qc/kentai_verdicts_mqc.json");
    for said in [
        format!("{good}\tverdict\tpass\n"),
        format!("{bad}\tverdict\tfail\n"),
        format!("{bad}\tmean depth of the autosomes\tfail\n"),
        format!("{bad}\twhat was missed\tmean_autosome_coverage: 27.5 x, wanted &gt;= 30 x (8.3 % short)\n"),
        format!("{good}\tassay\twgs@1\n"),
    ] {
        assert!(verdicts.contains(&said), "`{said}` is not in:\n{verdicts}");
    }
    // Nothing but the two files is left in the directory.
    assert_eq!(std::fs::read_dir(house.path("qc")).expect("listed").count(), 2);
    house.kentai("report multiqc --limit 1 --out qc").code(0).says(&["the newest 1"]);
    assert!(as_multiqc(&house, "qc/kentai_values_mqc.json").contains("\t62.0\n"));
    house.kentai("consent withdraw P1 N1 --evidence letter-1").code(0);
    let told = house.kentai("report multiqc --out qc --json").code(0).json();
    assert_eq!(
        told,
        serde_json::json!({ "files": ["qc/kentai_values_mqc.json", "qc/kentai_verdicts_mqc.json"], "rows": 2, "older": false })
    );
    assert!(!as_multiqc(&house, "qc/kentai_values_mqc.json").contains(&bad), "whoever withdrew is in no file");
    house.kentai("report multiqc").code(2).says(&["--out"]);
    house.kentai("report multiqc --out sheet.csv").code(1).says(&["sheet.csv: "]);
    become_a(&house, "institution", ", institution: H1");
    house.kentai("report multiqc --out other").code(5);
    assert!(!house.path("other").exists());
}

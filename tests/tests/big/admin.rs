//! The last account that manages people, from every side: command line, page and API say the same and do nothing.

use std::path::Path;

use anyhow::{Result, ensure};
use kentai_tests::demo::demo_site;
use kentai_tests::page::Visitor;
use kentai_tests::tool;

use super::SPECIMENS;
use super::buttons::{PASSWORD, served};

const REMEDY: &str = "kentai admin user add NAME --roles admin";

#[test]
fn the_last_admin_is_told_what_to_do_first_by_verb_page_and_api() -> Result<()> {
    let (demo, origin) = served(demo_site(SPECIMENS)?)?;
    let active = "select status from record where kind = 'person' and record_id = 'adm-01'";
    for verb in [&["admin", "user", "disable", "adm-01"][..], &["admin", "user", "roles", "adm-01", "operator"]] {
        let (exit, _, said) = demo.run(verb)?;
        ensure!(exit == 6 && said.contains(REMEDY), "{verb:?}: {exit} {said}");
    }
    let visitor = Visitor::sign_in(&origin, "adm-01", PASSWORD)?;
    let form = visitor.page("/people/adm-01/disable")?.form("/people/adm-01/disable", "")?;
    let shown = visitor.fill(&form, &[])?;
    ensure!(shown.status == 409 && shown.text.contains(REMEDY), "{}: {}", shown.status, shown.text);
    ensure!(shown.text.contains(r#"role="alert""#), "it is not said in its place: {}", shown.text);
    let socket = demo.path().join("run/kentai.sock").to_string_lossy().into_owned();
    let body = r#"{ "request": "disable_person", "name": "adm-01" }"#;
    let fixed = ["-s", "-w", "\n%{http_code}", "--unix-socket", &socket, "-H", "content-type: application/json"];
    let rest = ["-d", body, "http://kentai/api/v1/requests"];
    let told = tool("curl", &[&fixed[..], &rest[..]].concat(), Path::new("/"))?;
    ensure!(told.ends_with("\n409") && told.contains(REMEDY), "{told}");
    ensure!(demo.sql(active)? == "active");
    // With another one they may go.
    demo.done(&["admin", "user", "add", "adm-02", "--roles", "admin"])?;
    let form = visitor.page("/people/adm-01/disable")?.form("/people/adm-01/disable", "")?;
    visitor.done(&form, &[])?;
    ensure!(demo.sql(active)? == "disabled");
    Ok(())
}

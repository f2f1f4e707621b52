//! Every request × every role × whose it is. The permission table says who may; what is somebody else's is refused word for word as
//! what is not there.

use anyhow::{Context, Result, ensure};
use kentai_engine::people::role::Role;
use kentai_engine::scheduler::Actor;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::Refusal;
use kentai_engine::specimen::import::Table;
use kentai_engine::specimen::record::{Assay, Consent};
use kentai_tests::house::person;

use super::desk::{Center, row, short};

/// A request about one thing, whose id is given.
type About = fn(&str) -> Request;

/// Everything that can be asked about an order line.
const ABOUT_ORDERS: [(&str, About); 9] = [
    ("report", |id| Request::Report { order_line: id.into(), event: "released".into(), reason: "x".into() }),
    ("hold", |id| Request::Hold { order_line: id.into(), reason: "x".into() }),
    ("resume", |id| Request::Resume { order_line: id.into() }),
    ("cancel", |id| Request::Cancel { order_line: id.into(), reason: "x".into() }),
    ("reopen", |id| Request::Reopen { order_line: id.into(), reason: "x".into() }),
    ("singleton", |id| Request::Singleton { order_line: id.into(), reason: "x".into() }),
    ("decide", |id| Request::Decide {
        order_line: id.into(),
        way: "give_up".into(),
        code: String::new(),
        reason: "x".into(),
    }),
    ("measured", |id| Request::Measured { order_line: id.into(), values: Vec::new() }),
    ("external", |id| Request::External {
        order_line: id.into(),
        clinical_information: "complete".into(),
        report_return: String::new(),
        accession: String::new(),
    }),
];

/// Everything that can be asked about a specimen.
const ABOUT_SPECIMENS: [(&str, About); 2] = [
    ("accession", |id| Request::Accession { specimen: id.into() }),
    ("custody", |id| Request::Custody {
        specimen: id.into(),
        event: "packed".into(),
        holder: "lab".into(),
        transfer: String::new(),
        accession: String::new(),
        receipt: String::new(),
    }),
];

/// What is about nothing that may be somebody's, or about things of the center alone.
fn others() -> Vec<(&'static str, Request)> {
    let id = || "nothing".to_owned();
    let consent = Consent { document: "form".into(), document_version: "3".into(), ..Consent::default() };
    let (program, pseudonym) = ("rare".to_owned(), "P1".to_owned());
    vec![
        (
            "import",
            Request::Import {
                table: Table::Programs,
                rows: vec![row(&[("code", "rare"), ("name", "Rare diseases")])],
                dry_run: true,
                source: String::new(),
                institution: String::new(),
            },
        ),
        ("assay", Request::Assay { name: "wgs".into(), version: "1".into(), assay: Box::new(Assay::default()) }),
        (
            "receive",
            Request::Receive {
                barcode: "none".into(),
                institution: String::new(),
                condition: String::new(),
                note: String::new(),
            },
        ),
        (
            "reject",
            Request::Reject {
                barcode: "none".into(),
                institution: String::new(),
                condition: "leaking".into(),
                disposition: "return".into(),
                note: String::new(),
            },
        ),
        ("close_shipment", Request::CloseShipment { shipment: id() }),
        ("lane", Request::Lane { lane_library: id(), counts: true, r#use: true, reason: "x".into() }),
        (
            "consent",
            Request::Consent {
                program: program.clone(),
                pseudonym: pseudonym.clone(),
                consent,
                status: "given".into(),
            },
        ),
        (
            "withdraw",
            Request::Withdraw {
                program,
                pseudonym,
                scopes: Vec::new(),
                evidence: String::new(),
                noticed_us: None,
                reason: String::new(),
            },
        ),
        (
            "case_decide",
            Request::CaseDecide {
                item: id(),
                decision: "keep".into(),
                reference: String::new(),
                reason: String::new(),
            },
        ),
        ("case_confirm", Request::CaseConfirm { item: id() }),
        ("notice_answered", Request::NoticeAnswered { notice: id(), receipt: "x".into() }),
        ("case_close", Request::CaseClose { case: id() }),
        (
            "deviation",
            Request::Deviation {
                specimen: String::new(),
                about: "x".into(),
                description: "x".into(),
                severity: "minor".into(),
            },
        ),
        ("deviation_close", Request::DeviationClose { deviation: id(), action: "x".into() }),
        ("archived", Request::Archived { delivery: id(), place: "x".into(), note: String::new() }),
        ("retire", Request::Retire { delivery: id(), reason: "x".into(), dry_run: true }),
        ("confirm", Request::Confirm { proposal: id() }),
        (
            "schedule",
            Request::Schedule { schedule: "none/1".into(), looked_us: None, paused: Some(true), reason: String::new() },
        ),
        ("stop_all", Request::StopAll { reason: "x".into() }),
        ("resume_all", Request::ResumeAll),
    ]
}

fn of(role: Role, institution: Option<&str>) -> Actor {
    let mut actor = person("somebody", role.word());
    actor.institution = institution.map(str::to_owned);
    if role == Role::DataCenter {
        actor.data_center = Some("dc".into());
    }
    actor
}

/// Refused for want of a role, and not for anything else.
fn is_not_allowed(result: &Result<kentai_engine::scheduler::center::request::Answer, Refusal>) -> bool {
    matches!(result, Err(Refusal::NotAllowed(_)))
}

#[tokio::test]
async fn every_request_needs_the_role_that_the_table_says() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    let handle = center.house.handle();
    let about_orders = ABOUT_ORDERS.iter().map(|(name, make)| (*name, make(&order)));
    let about_specimens = ABOUT_SPECIMENS.iter().map(|(name, make)| (*name, make(&specimen)));
    for (name, request) in about_orders.chain(about_specimens).chain(others()) {
        for role in Role::ALL {
            let actor = of(*role, (*role == Role::Institution).then_some("H1"));
            let may = request.action().roles().contains(role);
            let before = center.house.sql("select count(*) from event")?;
            let result = handle.center(request.clone(), &actor).await;
            if may {
                // Whatever else it is refused for: a releaser may report, but not every stage.
                let own_rule = name == "report" && *role != Role::Releaser;
                let outside = actor.data_center.is_some();
                ensure!(own_rule || outside || !is_not_allowed(&result), "{name} as {role}: {result:?}");
            } else {
                let refused = is_not_allowed(&result) || matches!(result, Err(Refusal::NotFound(_)));
                ensure!(refused, "{name} as {role}: {result:?}");
                ensure!(center.house.sql("select count(*) from event")? == before, "{name} as {role} did something");
            }
        }
        // What was stopped goes on for the next one.
        handle.center(Request::ResumeAll, &of(Role::Operator, None)).await.context("resumed")?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_foreign_and_what_is_not_there_are_one_refusal_for_every_request() -> Result<()> {
    let center = Center::open(&short()).await?;
    let (specimen, order) = center.bring("T1", "P1").await?;
    let handle = center.house.handle();
    for role in Role::ALL {
        let stranger = of(*role, Some("H2"));
        for (makes, here, missing) in
            [(&ABOUT_ORDERS[..], &order, "O77777777Z"), (&ABOUT_SPECIMENS[..], &specimen, "S77777777Z")]
        {
            for (name, make) in makes {
                let foreign = handle.center(make(here), &stranger).await;
                let nothing = handle.center(make(missing), &stranger).await;
                let (Err(foreign @ Refusal::NotFound(_)), Err(nothing @ Refusal::NotFound(_))) = (foreign, nothing)
                else {
                    anyhow::bail!("{name} as {role} of another institution was not `not found`");
                };
                ensure!(foreign.to_string() == nothing.to_string().replace(missing, here), "{name} as {role}");
            }
        }
    }
    ensure!(center.stage(&order)? == "accessioned", "a stranger moved it");
    Ok(())
}

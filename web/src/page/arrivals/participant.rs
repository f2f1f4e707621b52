//! A participant: a pseudonym, and what was agreed to.

use axum::extract::State;
use axum::response::Response;
use kentai_engine::people::permission::Action;
use kentai_engine::specimen::record;
use kentai_engine::view::center::{RecordView, participant};
use kentai_workflows::diagnostic::Language;

use super::states::pick;
use super::words::Words;
use super::{Arrival, Fact, Row, document};
use crate::App;
use crate::error::Problem;
use crate::extract::Names;
use crate::page::shape::{Shape, State as Shown};
use crate::page::shell::{Place, page};
use crate::page::visit::Visit;
use crate::page::withdrawals;

/// How consent stands.
pub(in crate::page) fn consented(status: &str, language: Language) -> Shown {
    let said = match status {
        "given" => (Shape::Passed, "Given", "同意あり"),
        "partial" => (Shape::Warned, "Given in part", "一部同意"),
        "withdrawn" => (Shape::Canceled, "Withdrawn", "撤回"),
        // What was recorded: a use was taken back, the rest stands.
        "narrowed" => (Shape::Warned, "Taken back in part", "一部撤回"),
        "refused" => (Shape::Failed, "Refused", "不同意"),
        "expired" => (Shape::Canceled, "Expired", "期限切れ"),
        _ => (Shape::Waiting, "Not recorded", "記録なし"),
    };
    pick(language, said)
}

/// `GET /participants/{program}/{pseudonym}`
pub(super) async fn show(
    State(app): State<App>,
    visit: Visit,
    Names(program, pseudonym): Names,
) -> Result<Response, Problem> {
    let found = participant(app.engine.reader(), &visit.principal(), &program, &pseudonym).await?;
    let (language, words) = (visit.language(), Words::of(visit.language()));
    let shell = visit.shell(Place::Specimens);
    let text = |key: &str| found.participant.document[key].as_str().unwrap_or_default().to_owned();
    let row = |consent: &RecordView| {
        let doc: record::Consent = document(consent);
        Row {
            id: consent.id.clone(),
            state: consented(&consent.status, language),
            href: String::new(),
            thing: doc.document,
            cells: vec![doc.document_version, doc.scopes.join(", "), doc.recorded_by],
            stands: Vec::new(),
            at: consent.created.clone(),
        }
    };
    let facts = [
        Fact { label: words.program, value: found.participant.program.clone() },
        Fact { label: words.institution, value: found.participant.institution.clone() },
        Fact { label: words.scopes, value: found.participant.scopes.join(", ") },
        Fact { label: words.family, value: [text("family"), text("family_role")].join(" ").trim().to_owned() },
    ];
    let may_withdraw = visit.may(Action::Withdraw) && found.participant.consent != "withdrawn";
    let acts = may_withdraw.then(|| (withdrawals::record::href(&program, &pseudonym), words.withdraw));
    let acts = acts.into_iter().collect();
    Ok(page(&Arrival {
        list: ("/specimens", words.specimens),
        title: found.participant.pseudonym.clone(),
        state: Some(consented(&found.participant.consent, language)),
        acts,
        said: Vec::new(),
        facts: facts.into_iter().filter(|fact| !fact.value.is_empty()).collect(),
        section: words.consents,
        thing: words.form,
        heads: vec![words.version, words.scopes, words.recorded_by],
        with_stages: false,
        rows: found.consents.iter().map(row).collect(),
        empty: words.no_consents,
        shell,
        words,
    }))
}

//! What only people of the center see of a delivery: what can be done with it, the copies here and in archives, the letters about it.

use kentai_engine::scheduler::Subscriber;
use kentai_engine::scheduler::center::retire;
use kentai_engine::state::delivery::Status;
use kentai_engine::view::DeliveryView;
use kentai_engine::view::center::{NoticeView, notices_about, proposals_about_delivery};

use super::act::What;
use super::act::words::Words;
use crate::App;
use crate::error::Problem;
use crate::page::address::Address;
use crate::page::needs::who_may;
use crate::page::notices::{self, Letters};
use crate::page::rights;
use crate::page::shell::Shell;
use crate::page::specimen::text::path;
use crate::page::visit::Visit;

/// Letters that are shown, the newest.
const LETTERS: usize = 20;

/// A way to an act, or who may.
pub(super) struct Way {
    pub(super) label: &'static str,
    pub(super) href: String,
}

/// A file whose copy went, or stays.
pub(super) struct Gone {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) short: String,
    pub(super) fate: String,
    pub(super) how: String,
}

/// How the copies ended.
pub(super) struct Ended {
    pub(super) said: &'static str,
    pub(super) reason: String,
    pub(super) proposed_by: String,
    pub(super) confirmed_by: String,
    pub(super) at: String,
    pub(super) files: Vec<Gone>,
    pub(super) signature: String,
}

/// A proposal that waits.
pub(super) struct Waits {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) by: String,
    pub(super) href: Option<String>,
    pub(super) who: String,
}

/// Everything of it.
pub(super) struct Inside {
    pub(super) words: &'static Words,
    pub(super) notice_words: &'static notices::Words,
    pub(super) acts: Vec<Way>,
    /// Who may do what this person may not; may be empty.
    pub(super) others: Vec<(&'static str, String)>,
    /// It is at its receiver: the copies here are told of.
    pub(super) at_receiver: bool,
    pub(super) against: Vec<String>,
    pub(super) waits: Vec<Waits>,
    pub(super) ended: Option<Ended>,
    /// Place, by, when, note.
    pub(super) archives: Vec<(String, String, String, String)>,
    pub(super) letters: Vec<Letters>,
    /// The receiver cannot be asked from here, and how they are.
    pub(super) by_hand: Option<String>,
}

/// None for people from outside.
pub(super) async fn inside(
    app: &App,
    visit: &Visit,
    delivery: &DeliveryView,
    shell: &Shell,
) -> Result<Option<Inside>, Problem> {
    let who = visit.principal();
    if who.data_center.is_some() || who.institution.is_some() {
        return Ok(None);
    }
    let (words, say) = (Words::of(visit.language()), &shell.say);
    let id = delivery.id.as_str();
    let reader = app.engine.reader();
    let status = Status::parse(&delivery.status);
    let notices = notices_about(reader, &who, id).await?;
    let waits = proposals_about_delivery(reader, id, visit.now()).await?;
    let waits: Vec<Waits> = waits.into_iter().map(|one| waiting(one, id, visit, shell)).collect();
    let rule = app.engine.options().targets.get(&delivery.target).and_then(|target| target.retain);
    let looked = match status {
        Some(_) => retire::look(reader, id, rule, visit.now()).await?,
        None => None,
    };
    let against: Vec<String> =
        looked.iter().flat_map(|looked| &looked.against).map(|one| words.against(one, say)).collect();
    let (mut acts, mut others) = (Vec::new(), Vec::new());
    // A letter that nobody takes is carried by hand: there is nothing to press.
    let subscribed = |one: &NoticeView| {
        let all = &app.engine.options().subscribers;
        all.iter().any(|known| known.to == one.to || known.to == Subscriber::EVERYBODY)
    };
    let waiting_notice = notices.first().filter(|_| status.is_some_and(Status::waits_for_receipt));
    let newest = waiting_notice.filter(|one| subscribed(one));
    let by_hand = waiting_notice.filter(|one| !subscribed(one));
    for what in [What::Recall, What::Reoffer, What::Ask, What::Archived, What::Retire] {
        let fits = match what {
            What::Ask => newest.is_some(),
            // Two people are asked only when nothing stands against it, and once.
            What::Retire => status.is_some_and(|status| what.fits(status)) && against.is_empty() && waits.is_empty(),
            what => status.is_some_and(|status| what.fits(status)),
        };
        if !fits {
            continue;
        }
        if !visit.may(what.action()) {
            others.push((words.name(what), rights::who_may(what.action(), shell)));
            continue;
        }
        let notice = newest.filter(|_| what == What::Ask).map(|one| one.id.as_str());
        let href = act_href(id, what).with("notice", notice).to_string();
        acts.push(Way { label: words.name(what), href });
    }
    Ok(Some(Inside {
        acts,
        others,
        at_receiver: status.is_some(),
        against,
        waits,
        ended: ended(delivery, words, shell),
        archives: delivery
            .archives
            .iter()
            .map(|one| (one.place.clone(), one.by.clone(), say.date_time(&one.at), one.note.clone()))
            .collect(),
        letters: notices
            .iter()
            .take(LETTERS)
            .map(|one| {
                let again = act_href(id, What::Ask).with("notice", Some(&one.id)).to_string();
                let again = Some(again).filter(|_| visit.may(What::Ask.action()) && subscribed(one));
                notices::letters(one, shell, again)
            })
            .collect(),
        by_hand: by_hand.map(|one| words.by_hand(&one.to, &one.id)),
        notice_words: notices::Words::of(visit.language()),
        words,
    }))
}

fn act_href(id: &str, what: What) -> Address {
    Address::new(path(&["hand-off", id, "act"])).with("what", Some(what.word()))
}

fn waiting(one: kentai_engine::view::center::OpenProposal, id: &str, visit: &Visit, shell: &Shell) -> Waits {
    let action = What::Confirm.action();
    let may = visit.may(action) && one.proposed_by != visit.who.name;
    let roles: Vec<String> = action.roles().iter().map(|role| role.word().to_owned()).collect();
    let href = act_href(id, What::Confirm).with("proposal", Some(&one.id)).to_string();
    Waits {
        who: who_may(&roles, std::slice::from_ref(&one.proposed_by), shell.words, &shell.say),
        href: may.then_some(href),
        id: one.id,
        what: one.what,
        by: one.proposed_by,
    }
}

fn ended(delivery: &DeliveryView, words: &'static Words, shell: &Shell) -> Option<Ended> {
    let end = delivery.retirement.as_ref()?;
    let file = |file: &kentai_engine::specimen::record::RetiredFile| Gone {
        path: file.path.clone(),
        short: shell.say.digest(&file.sha256),
        sha256: file.sha256.clone(),
        fate: words.fate(file.fate.word()),
        how: shell.say.engine(file.certificate.as_ref().map_or(&file.because, |proof| &proof.method)),
    };
    Some(Ended {
        said: if end.certificate.is_some() { words.copies_gone } else { words.copies_going },
        reason: end.reason.clone(),
        proposed_by: end.proposed_by.clone(),
        confirmed_by: end.confirmed_by.clone(),
        at: shell.say.date_time(&end.at),
        files: end.files.iter().map(file).collect(),
        signature: end.certificate.as_ref().map(|signed| signed.signature.clone()).unwrap_or_default(),
    })
}

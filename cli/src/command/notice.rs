//! `notice list|show|again|test`

use clap::Subcommand;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::specimen::record::LetterState;
use kentai_engine::state::notice::Status;
use kentai_engine::view::Page;
use kentai_engine::view::center::{self, NoticeView};

use super::center::ask;
use crate::access::{self, hidden, who};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// Messages to somebody outside.
#[derive(Subcommand, Debug)]
pub(crate) enum Notice {
    /// List them, the newest first
    #[command(after_help = "Examples:
  kentai notice list
  kentai notice list --status undelivered")]
    List {
        /// Only these: pending, sending, sent, undelivered, answered, called_back
        #[arg(long)]
        status: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Only those before this one: the last of the page before
        #[arg(long, value_name = "NOTICE")]
        after: Option<String>,
    },
    /// Show one with its letters: where they went, how often, and what was said
    Show {
        /// Notice
        id: String,
    },
    /// Put it on its way again, to whoever subscribes now; letters that were given up first
    Again {
        /// Notice
        id: String,
    },
    /// Send a notice that says nothing to whoever subscribes
    Test {
        /// Whom it is for: a key of `notices:` in kentai.yaml
        to: String,
    },
}

impl Notice {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List { status, limit, after } => list(site, status, limit, after, output).await,
            Self::Show { id } => show(site, &id, output).await,
            Self::Again { id } => ask(site, output, Request::NoticeAgain { notice: id }).await,
            Self::Test { to } => ask(site, output, Request::NoticeTest { to }).await,
        }
    }
}

async fn list(
    site: &Site,
    status: Option<String>,
    limit: i64,
    after: Option<String>,
    output: Output,
) -> anyhow::Result<Exit> {
    if let Some(word) = status.as_deref().filter(|word| Status::parse(word).is_none()) {
        let words: Vec<&str> = Status::ALL.iter().map(|status| status.word()).collect();
        let message = format!("`{}` is no status; one of {}", word.escape_debug(), words.join(", "));
        return Err(Stop::new(Exit::Usage, message).into());
    }
    let page = match access::reader_if_any(site).await? {
        Some(reader) => {
            center::notices(&reader, &who(site), status.as_deref(), after.as_deref(), limit).await.map_err(hidden)?
        }
        None => Page { items: Vec::new(), next: None },
    };
    if output.json {
        output.json(&page);
    } else if page.items.is_empty() {
        output.say("no notice");
    } else {
        let zone = Zone::of(site);
        let rows = page.items.iter().map(|one| {
            let due = one.due.as_deref().map(|due| zone.show(due)).unwrap_or_default();
            let (id, status) = (one.id.clone(), one.status.clone());
            vec![id, status, zone.show(&one.written), one.to.clone(), one.subject.clone(), due, letters(one)]
        });
        let head = ["notice", "status", &zone.head("written"), "to", "says", &zone.head("answer by"), "letters"];
        output.line(table(&head, rows));
        if let Some(next) = &page.next {
            output.say(format!("there may be more: --after {next}, or a larger --limit"));
        }
    }
    Ok(Exit::Done)
}

/// `2 taken, 1 dead`
fn letters(one: &NoticeView) -> String {
    let counted = LetterState::ALL.iter().filter_map(|state| {
        let count = one.letters.iter().filter(|letter| letter.state == *state).count();
        (count > 0).then(|| format!("{count} {state}"))
    });
    counted.collect::<Vec<_>>().join(", ")
}

async fn show(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader(site).await?;
    let found = center::notice(&reader, &who(site), id).await.map_err(hidden)?;
    if output.json {
        output.json(&found);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let facts = [
        ("notice", found.id.clone()),
        ("status", found.status.clone()),
        ("to", found.to.clone()),
        ("says", found.subject.clone()),
        ("about", found.about.clone()),
        ("written", zone.show(&found.written)),
        ("answer by", found.due.as_deref().map(|due| zone.show(due)).unwrap_or_default()),
        ("answer", found.receipt.clone()),
        ("body", found.body.to_string()),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        output.line(plain(&format!("{name:<12} {value}")));
    }
    if !found.letters.is_empty() {
        let rows = found.letters.iter().map(|letter| {
            let time = |at: &Option<String>| at.as_deref().map(|at| zone.show(at)).unwrap_or_default();
            let (state, tries) = (letter.state.to_string(), letter.tries.to_string());
            let (tried, next) = (time(&letter.tried), time(&letter.next));
            vec![letter.channel.clone(), letter.address.clone(), state, tries, tried, next, letter.said.clone()]
        });
        let head = ["letter", "address", "state", "tries", &zone.head("tried"), &zone.head("next"), "said"];
        output.line(table(&head, rows));
    }
    if found.status == Status::Undelivered.word() {
        output.say(format!("next: kentai notice again {id}"));
    }
    Ok(Exit::Done)
}

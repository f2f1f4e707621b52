//! `handoff retire`: which copies of deliveries may go, the first person's word, and how it is shown afterwards.

use kentai_engine::clock;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::store::read::DeliveryFilter;
use kentai_engine::view::center::Inner;
use kentai_engine::view::retention::{RetentionView, retention};
use kentai_engine::view::{DeliveryView, Page};

use crate::access;
use crate::command::center::ask;
use crate::config::Retain;
use crate::exit::Exit;
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// Arguments of `handoff retire`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Copies go only when every file was acknowledged, the time of the target's `retain:` is over, copies elsewhere are
known, nothing is held, withdrawn or disputed, and nothing else needs the files.
Another person confirms with `kentai confirm`; a signed certificate stays: `kentai handoff show`."
)]
pub(crate) struct Retire {
    /// Delivery id
    #[arg(required_unless_present = "list")]
    id: Option<String>,
    /// Why
    #[arg(long, required_unless_present_any = ["list", "dry_run"], default_value = "", hide_default_value = true)]
    reason: String,
    /// Only say whether they may go, and what stands against it
    #[arg(long)]
    dry_run: bool,
    /// List deliveries: what may go, and why the others may not
    #[arg(long, conflicts_with_all = ["id", "reason", "dry_run"])]
    list: bool,
    /// List only those to this target
    #[arg(long, requires = "list")]
    target: Option<String>,
    /// List only those with this status
    #[arg(long, requires = "list")]
    status: Option<String>,
    /// List at most so many
    #[arg(long, requires = "list", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,
    /// List only those older than this one: the last of the page before
    #[arg(long, requires = "list", value_name = "ID")]
    after: Option<String>,
}

impl Retire {
    pub(super) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self.id {
            Some(delivery) => {
                ask(site, output, Request::Retire { delivery, reason: self.reason, dry_run: self.dry_run }).await
            }
            None => self.show(site, output).await,
        }
    }

    async fn show(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        access::of_the_center(site, Inner::Run, None).await?;
        let Self { target, status, limit, after, .. } = self;
        let filter = DeliveryFilter { specimen: None, target, status, late_us: None, limit, after };
        let targets = &site.config.targets;
        let rule = |name: &str| targets.get(name).and_then(|target| target.retain).map(Retain::rule);
        let page = match access::reader_if_any(site).await? {
            Some(reader) => retention(&reader, &filter, rule, clock::now()).await?,
            None => Page { items: Vec::new(), next: None },
        };
        if output.json {
            output.json(&page);
            return Ok(Exit::Done);
        }
        if page.items.is_empty() {
            output.say("no deliveries");
            return Ok(Exit::Done);
        }
        output.line(table(
            &["delivery", "specimen", "target", "status", "may go", "because"],
            page.items.iter().map(row),
        ));
        if let Some(next) = &page.next {
            output.say(format!("there may be more: --after {next}, or a larger --limit"));
        }
        if let Some(first) = page.items.iter().find(|one| one.may_go) {
            output.say(format!("next: kentai handoff retire {} --reason …", first.delivery));
        }
        Ok(Exit::Done)
    }
}

fn row(one: &RetentionView) -> Vec<String> {
    let may = if one.may_go { "yes" } else { "no" };
    vec![
        one.delivery.clone(),
        one.specimen.clone(),
        one.target.clone(),
        one.status.clone(),
        may.to_owned(),
        one.against.join("; "),
    ]
}

/// Copies elsewhere, and how those here ended.
pub(super) fn told(one: &DeliveryView, zone: &Zone, output: Output) {
    for archive in &one.archives {
        let note = if archive.note.is_empty() { String::new() } else { format!(": {}", archive.note) };
        let at = zone.show(&archive.at);
        output.line(plain(&format!("a copy lies at {}, said {} on {at}{note}", archive.place, archive.by)));
    }
    let Some(end) = &one.retirement else { return };
    output.line(plain(&format!(
        "its copies here went by {}: proposed by {}, confirmed by {} on {} ({})",
        end.id,
        end.proposed_by,
        end.confirmed_by,
        zone.show(&end.at),
        end.reason
    )));
    let rows = end.files.iter().map(|file| {
        let how = file.certificate.as_ref().map_or(file.because.as_str(), |proof| proof.method.as_str());
        vec![file.path.clone(), file.sha256.clone(), file.fate.word().to_owned(), how.to_owned()]
    });
    output.line(table(&["file", "sha256", "here", "how"], rows));
    match &end.certificate {
        Some(signed) => {
            output.line(format!("certificate {}", signed.signature));
            output.say(format!(
                "the signed text: kentai --json handoff show {} | jq -j .retirement.certificate.text",
                one.id
            ));
        }
        None => output.say("the bytes are being destroyed; the certificate follows"),
    }
}

//! `cancel`, `retry`, `hold`, `resume`, `approve`, `reject`, `qc decide`: one request about one run each.

use clap::Args;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::scheduler::handle::{Answer, AnswerKind};
use kentai_engine::specimen::check_character;
use kentai_engine::view::center::Inner;

use crate::access::{self, Door};
use crate::exit::Exit;
use crate::output::Output;
use crate::site::Site;

/// Arguments of `cancel`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  kentai cancel r019ab3 --reason 'wrong tube'")]
pub(crate) struct Cancel {
    /// Run id, or the beginning of one
    run: String,
    /// Why; kept with the run
    #[arg(long, default_value = "")]
    reason: String,
}

/// Arguments of `hold`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  kentai hold r019ab3 --reason 'the scale is checked first'")]
pub(crate) struct Hold {
    /// Run id, or the beginning of one
    run: String,
    /// Why; kept with the run
    #[arg(long, value_parser = said)]
    reason: String,
}

/// A reason that says something.
pub(crate) fn said(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("say why".into()) } else { Ok(text.to_owned()) }
}

/// Arguments of `retry`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai retry r019ab3               what failed
  kentai retry r019ab3 --from align  that step and everything after it")]
pub(crate) struct Retry {
    /// Run id, or the beginning of one
    run: String,
    /// Do this step and everything after it again; without it, what failed
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
}

/// Arguments of `resume`.
#[derive(Args, Debug)]
pub(crate) struct Plain {
    /// Run id, or the beginning of one
    run: String,
}

/// Arguments of `approve`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  kentai approve r019ab3 release --reason 'depth suffices for this assay'")]
pub(crate) struct Approve {
    /// Run id, or the beginning of one
    run: String,
    /// Step; may be left out when only one waits
    #[arg(default_value = "")]
    step: String,
    /// Why; travels with the delivery
    #[arg(long, default_value = "")]
    reason: String,
}

/// Arguments of `reject`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  kentai reject r019ab3 release --reason 'contamination suspected'")]
pub(crate) struct Reject {
    /// Run id, or the beginning of one
    run: String,
    /// Step; may be left out when only one waits
    #[arg(default_value = "")]
    step: String,
    /// Why; kept with the decision
    #[arg(long, value_parser = said)]
    reason: String,
}

/// Arguments of `qc decide`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai qc decide r019ab3 reads_ok --verdict release --reason 'two old lanes, the depth suffices'
  kentai qc decide O000000015 --verdict top_up --reason 'three lanes of the same library are left'")]
pub(crate) struct Decide {
    /// Run id, or the beginning of one; or an order line
    #[arg(value_name = "RUN_OR_ORDER_LINE")]
    run: String,
    /// Gate; may be left out when only one holds
    #[arg(default_value = "")]
    step: String,
    /// What follows
    #[arg(long, value_parser = ["release", "top_up", "re_prep", "re_extract", "new_material", "give_up"])]
    verdict: String,
    /// Why; travels with the delivery
    #[arg(long, value_parser = said)]
    reason: String,
    /// Code of the reason; for an order line
    #[arg(long, default_value = "")]
    code: String,
}

impl Decide {
    /// About an order line: its id has a check character. Everything else is about a run.
    pub(crate) fn of_order_line(&self) -> Option<Request> {
        if !self.run.starts_with('O') || check_character::number(&self.run).is_none() {
            return None;
        }
        let (order_line, way) = (self.run.clone(), self.verdict.clone());
        Some(Request::Decide { order_line, way, code: self.code.clone(), reason: self.reason.clone() })
    }
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Control {
    Cancel(Cancel),
    Hold(Hold),
    Resume(Plain),
    Retry(Retry),
    Approve(Approve),
    Reject(Reject),
    Decide(Decide),
}

impl Control {
    fn run(&self) -> &str {
        match self {
            Self::Cancel(args) => &args.run,
            Self::Hold(args) => &args.run,
            Self::Resume(args) => &args.run,
            Self::Retry(args) => &args.run,
            Self::Approve(args) => &args.run,
            Self::Reject(args) => &args.run,
            Self::Decide(args) => &args.run,
        }
    }

    /// Asks it, of the server or of the site itself.
    pub(crate) async fn ask(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        access::of_the_center(site, Inner::Run, Some(self.run())).await?;
        let run = access::run_id(&access::reader(site).await?, self.run()).await?;
        let door = Door::open(site).await?;
        let answer =
            |verdict: &str, reason: &str, kind| Answer { kind, verdict: verdict.to_owned(), reason: reason.to_owned() };
        let said = match &self {
            Self::Cancel(args) => door.cancel(&run, &args.reason).await,
            Self::Hold(args) => door.hold(&run, &args.reason).await,
            Self::Resume(_) => door.resume(&run).await,
            Self::Retry(args) => door.retry(&run, args.from.as_deref()).await,
            Self::Approve(args) => {
                door.answer(&run, &args.step, answer("approve", &args.reason, AnswerKind::Approve)).await
            }
            Self::Reject(args) => {
                door.answer(&run, &args.step, answer("reject", &args.reason, AnswerKind::Approve)).await
            }
            Self::Decide(args) => {
                door.answer(&run, &args.step, answer(&args.verdict, &args.reason, AnswerKind::Qc)).await
            }
        };
        let own = matches!(door, Door::Own(..));
        door.close().await?;
        let said = said?;
        if output.json {
            output.json(&serde_json::json!({ "run": run, "message": said }));
        } else {
            output.line(&said);
        }
        output.say(self.next(run.as_str(), &said, own));
        Ok(Exit::Done)
    }

    /// What follows, and by whom.
    fn next(&self, run: &str, said: &str, own: bool) -> String {
        match self {
            Self::Hold(_) => format!("next: kentai resume {run}"),
            Self::Cancel(_) if own && said.contains("canceling") => {
                "no engine runs on this site: what still runs is ended by the next one".into()
            }
            Self::Cancel(_) if own => format!("next: kentai status {run}"),
            _ if own => "no engine runs on this site: it goes on with the same `kentai run`, or `kentai serve`".into(),
            _ => format!("next: kentai watch {run}"),
        }
    }
}

//! `cancel`, `retry`, `hold`, `resume`, `approve`, `reject`, `qc decide`: one request about one run each.

use clap::Args;
use kentai_engine::scheduler::handle::{Answer, AnswerKind};

use crate::access::{self, Door};
use crate::exit::Exit;
use crate::output::Output;
use crate::site::Site;

/// Arguments of `cancel` and `hold`.
#[derive(Args, Debug)]
pub(crate) struct Reasoned {
    /// Run id, or the beginning of one
    run: String,
    /// Why; kept with the run
    #[arg(long, default_value = "")]
    reason: String,
}

/// Arguments of `retry`.
#[derive(Args, Debug)]
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

/// Arguments of `approve` and `reject`.
#[derive(Args, Debug)]
pub(crate) struct Approval {
    /// Run id, or the beginning of one
    run: String,
    /// Step; may be left out when only one waits
    #[arg(default_value = "")]
    step: String,
    /// Why; travels with the delivery
    #[arg(long, default_value = "")]
    reason: String,
}

/// Arguments of `qc decide`.
#[derive(Args, Debug)]
pub(crate) struct Decide {
    /// Run id, or the beginning of one
    run: String,
    /// Gate; may be left out when only one holds
    #[arg(default_value = "")]
    step: String,
    /// What follows
    #[arg(long, value_parser = ["release", "top_up", "re_prep", "re_extract", "new_material", "give_up"])]
    verdict: String,
    /// Why; travels with the delivery
    #[arg(long)]
    reason: String,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Control {
    Cancel(Reasoned),
    Hold(Reasoned),
    Resume(Plain),
    Retry(Retry),
    Approve(Approval),
    Reject(Approval),
    Decide(Decide),
}

impl Control {
    fn run(&self) -> &str {
        match self {
            Self::Cancel(args) | Self::Hold(args) => &args.run,
            Self::Resume(args) => &args.run,
            Self::Retry(args) => &args.run,
            Self::Approve(args) | Self::Reject(args) => &args.run,
            Self::Decide(args) => &args.run,
        }
    }

    /// Asks it, of the server or of the site itself.
    pub(crate) async fn ask(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
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
            output.json(&serde_json::json!({ "run": run, "said": said }));
        } else {
            output.line(said);
        }
        if own && !matches!(self, Self::Cancel(_) | Self::Hold(_)) {
            output.say("no engine runs on this site: it goes on with the same `kentai run`, or with `kentai serve`");
        }
        Ok(Exit::Done)
    }
}

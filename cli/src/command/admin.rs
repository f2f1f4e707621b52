//! `admin user|token|executor|audit`: who may do what, what runs it, and what was done.

mod audit;
mod executor;
mod token;
mod user;

use std::path::Path;

use clap::Subcommand;
use kentai_engine::people::permission::{Action, permit};
use kentai_engine::scheduler::center::request::{Answer, Request};

use crate::access::{Door, who};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::site::Site;

/// For the admin and the auditor.
#[derive(Subcommand, Debug)]
pub(crate) enum Admin {
    /// People and services
    #[command(subcommand)]
    User(user::User),
    /// Keys of services
    #[command(subcommand)]
    Token(token::Token),
    /// Whatever runs the site's tools
    #[command(subcommand)]
    Executor(executor::Executor),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Audit),
}

impl Admin {
    pub(crate) async fn run(self, site: &Path, output: Output) -> anyhow::Result<Exit> {
        match self {
            // A file is checked anywhere: whoever doubts a site does not ask it.
            Self::Audit(audit::Audit::Verify { file, key }) => audit::verify(&file, key.as_deref(), output),
            Self::Audit(audit) => audit.run(&Site::open(site)?, output).await,
            Self::User(user) => user.run(&Site::open(site)?, output).await,
            Self::Executor(executor) => executor.run(&Site::open(site)?, output).await,
            Self::Token(token) => token.run(&Site::open(site)?, output).await,
        }
    }
}

/// Asks, and gives the answer with what is told only once.
async fn answer(site: &Site, request: Request) -> anyhow::Result<Answer> {
    let door = Door::open(site).await?;
    let answer = door.center(request).await;
    door.close().await?;
    answer
}

/// Asks and shows; a secret goes where data goes, alone on its line.
async fn ask(site: &Site, output: Output, request: Request) -> anyhow::Result<Exit> {
    let answer = answer(site, request).await?;
    if output.json {
        output.json(&answer);
        return Ok(Exit::Done);
    }
    match &answer.secret {
        Some(secret) => {
            output.say(plain(&answer.said));
            output.line(plain(&secret.0));
        }
        None => output.line(plain(&answer.said)),
    }
    Ok(Exit::Done)
}

/// As the API writes times.
fn time(at_us: i64) -> String {
    jiff::Timestamp::from_microsecond(at_us).map(|at| at.to_string()).unwrap_or_default()
}

/// Lists are read from the database: whoever may not is told so here.
fn may(site: &Site, action: Action) -> anyhow::Result<()> {
    let who = who(site);
    if permit(&who, action, None).is_ok() {
        return Ok(());
    }
    let needs: Vec<&str> = action.roles().iter().map(|role| role.word()).collect();
    let message = format!("{} may not do this: it needs the role {}", who.name, needs.join(" or "));
    Err(Stop::new(Exit::NotAllowed, message).into())
}

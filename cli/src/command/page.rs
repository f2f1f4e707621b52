//! `kentai page`: an address that signs the user of this machine into the site's page, opened in a browser where there is one.
//!
//! The server makes the secret, for whom the kernel says it is; this only writes it behind the page's address.

use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::json;

use crate::client::Client;
use crate::config::Serve;
use crate::exit::{Exit, Stop};
use crate::output::Output;
use crate::site::Site;

/// Open the page, signed in.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  kentai page
  kentai page --no-open --at https://kentai.example")]
pub(crate) struct Page {
    /// The page's address as a browser reaches it; default: of the first of `serve:` in kentai.yaml
    #[arg(long)]
    at: Option<String>,
    /// Only print it
    #[arg(long)]
    no_open: bool,
}

impl Page {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let at = match self.at {
            Some(at) => at,
            None => site.config.serve.first().and_then(Serve::page).ok_or_else(|| nowhere(site))?,
        };
        let silent = || Stop::new(Exit::Unreachable, "the site's server does not answer: `kentai serve` starts it");
        let client = Client::connect(&site.socket()).await?.ok_or_else(silent)?;
        let link = client.sign_in_link().await?;
        let address = format!("{}/sign-in/link?secret={}", at.trim_end_matches('/'), link.secret);
        let (name, seconds) = (&link.name, link.seconds);
        if output.json {
            output.json(&json!({ "address": address, "name": name, "seconds": seconds }));
            return Ok(Exit::Done);
        }
        output.line(&address);
        output.say(format!("signs {name} in: once, within {seconds} s"));
        if !self.no_open && is_at_a_screen() {
            open(&address, output);
        }
        Ok(Exit::Done)
    }
}

fn nowhere(site: &Site) -> Stop {
    let file = site.directory.join("kentai.yaml");
    let remedy = "serve: [ { listen: \"127.0.0.1:8080\" } ]";
    let message =
        format!("the site has no address for browsers: write `{remedy}` into {}, or give --at", file.display());
    Stop::new(Exit::State, message)
}

/// A person at a terminal with a screen: everywhere else a browser would open for nobody.
fn is_at_a_screen() -> bool {
    let screen =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
    screen && std::io::stdout().is_terminal()
}

/// The address stands in the arguments of a program of the same user, for a moment; it counts once.
fn open(address: &str, output: Output) {
    let mut command = Command::new("xdg-open");
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return;
    }
    output.say("no browser could be opened: open the address yourself");
}

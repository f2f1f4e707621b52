//! `admin token new|list|revoke`

use anyhow::Context as _;
use clap::Subcommand;
use kentai_engine::clock;
use kentai_engine::people::permission::Action;
use kentai_engine::people::record::Token as Stored;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::specimen::record::Kind;
use kentai_engine::store::read::RecordFilter;
use serde_json::json;

use super::{ask, may, time};
use crate::access;
use crate::exit::Exit;
use crate::output::{Output, table};
use crate::site::Site;
use crate::times::Zone;

/// Read at once; there are few of them.
const LIMIT: i64 = 10_000;
const DAY_US: i64 = 86_400_000_000;

/// Keys of services.
#[derive(Subcommand, Debug)]
pub(crate) enum Token {
    /// Make one; it is shown once
    #[command(after_help = "Example:
  kentai admin token new lims --label 'LIMS of the bench' --scopes receive,report_stage --days 90")]
    New {
        /// The service that it is for, or yourself
        owner: String,
        /// What it is for
        #[arg(long, default_value = "")]
        label: String,
        /// What it may do at most (docs/permissions.md); absent: whatever its owner may
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<String>,
        /// Days that it counts
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=1826))]
        days: u16,
    },
    /// List them
    List,
    /// It counts no more
    Revoke {
        /// Token's id: what stands between the first two `_`
        id: String,
    },
}

impl Token {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::New { owner, label, scopes, days } => {
                let expires_us = Some(clock::now() + i64::from(days) * DAY_US);
                let made = Default::default();
                ask(site, output, Request::NewToken { owner, label, scopes, expires_us, made }).await
            }
            Self::List => list(site, output).await,
            Self::Revoke { id } => ask(site, output, Request::RevokeToken { token: id }).await,
        }
    }
}

async fn list(site: &Site, output: Output) -> anyhow::Result<Exit> {
    may(site, Action::ManagePeople)?;
    let mut rows = Vec::new();
    if let Some(reader) = access::reader_if_any(site).await? {
        let filter = RecordFilter { kind: Kind::Token.word().into(), limit: LIMIT, ..RecordFilter::default() };
        for row in reader.records(&filter).await? {
            let token: Stored = serde_json::from_str(&row.document).context("a token's record")?;
            rows.push((row, token));
        }
    }
    if output.json {
        let items: Vec<_> = rows
            .iter()
            .map(|(row, token)| {
                json!({
                    "id": row.record_id, "owner": row.parent, "status": row.status, "label": token.label,
                    "scopes": token.scopes, "expires": token.expires_us.map(time), "made_by": token.made_by,
                })
            })
            .collect();
        output.json(&json!({ "items": items }));
    } else if rows.is_empty() {
        output.say("no token");
    } else {
        let zone = Zone::of(site);
        let lines = rows.into_iter().map(|(row, token)| {
            let scopes = token.scopes.map_or_else(|| "all".to_owned(), |all| Vec::from_iter(all).join(","));
            let expires = token.expires_us.map(|at| zone.show(&time(at))).unwrap_or_default();
            vec![row.record_id, row.parent, row.status, scopes, expires, token.label]
        });
        output.line(table(&["token", "owner", "status", "scopes", &zone.head("until"), "label"], lines));
    }
    Ok(Exit::Done)
}

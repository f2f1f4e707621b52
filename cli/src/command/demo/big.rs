//! `kentai demo --site big`: a center with months of history, to be looked at. Nothing in it is real.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::demo::big::{self, SPECIMENS_MIN, Wish};
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};

/// The site that has this name is a center with a history.
const NAME: &str = "big";

/// Options of the center with a history.
#[derive(Args, Debug)]
pub(crate) struct Big {
    /// A center with months of history instead, to be looked at and not to be run; `--site big` is the same, in ./big
    #[arg(long)]
    big: bool,
    /// With --big: order lines of patients, at least 44; control tubes come beside
    #[arg(long, default_value_t = 500)]
    specimens: usize,
    /// With --big: when its story ends, as 2026-11-19T09:42:00+09:00; default: now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<i64>,
    /// With --big: where `kentai serve` is to listen on this machine
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

fn moment(text: &str) -> Result<i64, String> {
    kentai_engine::specimen::import::moment(text)
        .ok_or_else(|| "write it as 2026-11-19T09:42:00+09:00, or as a date".into())
}

impl Big {
    /// Is it asked for? By its own flag, or by the name of the site.
    pub(crate) fn is_wanted(&self, site: &Path) -> bool {
        self.big || site == Path::new(NAME)
    }

    /// Makes the site: in `dir`, or where the site is.
    pub(crate) async fn make(
        &self,
        site: &Path,
        dir: Option<&PathBuf>,
        seed: u64,
        output: Output,
    ) -> anyhow::Result<Exit> {
        let directory = dir.map_or(site, PathBuf::as_path);
        if self.specimens < SPECIMENS_MIN {
            let text = format!("--specimens {}: one of each needs {SPECIMENS_MIN} at least", self.specimens);
            return Err(Stop::new(Exit::Usage, text).into());
        }
        new(directory)?;
        let directory = directory.canonicalize()?;
        let now = self.now.unwrap_or_else(kentai_engine::clock::now);
        let wish = Wish { specimens: self.specimens, seed, now, port: self.port };
        let began = std::time::Instant::now();
        let mut tenths = 0;
        let lines = big::fill(&directory, NAME, wish, |share| {
            let reached = [0.2, 0.4, 0.6, 0.8].iter().filter(|at| share >= **at).count();
            if reached > tenths {
                tenths = reached;
                output.say(format!("{} % of its history", reached * 20));
            }
        })
        .await?;
        output.say(format!("{lines} order lines in {:.0} s", began.elapsed().as_secs_f64()));
        self.tell(&directory, lines, output);
        Ok(Exit::Done)
    }

    fn tell(&self, directory: &Path, lines: usize, output: Output) {
        let (people, password) = big::people();
        let serve = format!("kentai --site {} serve", directory.display());
        let address = format!("http://127.0.0.1:{}", self.port);
        if output.json {
            let people: Vec<_> = people.iter().map(|one| json!({ "name": one.name, "roles": one.roles })).collect();
            output.json(&json!({
                "site": directory, "order_lines": lines, "people": people, "password": password, "serve": serve, "address": address,
            }));
            return;
        }
        let rows = people.iter().map(|one| vec![one.name.to_owned(), one.roles.clone()]);
        output.line(table(&["who can sign in", "roles"], rows).trim_end());
        output.line(format!("password of each: {password}"));
        output.say("this password is known to the whole world: keep the site to this machine");
        output.say(format!("next: {serve}"));
        output.say(format!("then open {address}"));
    }
}

/// A directory with nothing in it.
fn new(directory: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    if std::fs::read_dir(directory)?.next().is_some() {
        let text = format!("{} has something in it: name another directory (--dir)", directory.display());
        return Err(Stop::new(Exit::State, text).into());
    }
    Ok(())
}

//! A house whose receivers fetch: two data centers with a token each, and a door on this machine's loopback.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::center::request::{Answer, Request};
use kentai_engine::scheduler::{Actor, Target};
use kentai_web::listen::{self, Limits, Options};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::house::{Act, House, Plan, person, specimen, workflow};

/// Gives one file to the first data center.
const STEPS: &str = "  a:
    outputs: { o: { path: calls.vcf }, n: { path: notes.txt } }
    script: x
  deliver:
    handoff: { to: dc1, files: [\"${{ steps.a.o }}\", \"${{ steps.a.n }}\"]MORE }
";

/// A house and its door.
pub struct Receivers {
    /// The engine and its site.
    pub house: House,
    /// Where the data centers come in.
    pub door: Door,
}

/// What the data centers reach of a house.
pub struct Door {
    /// Tokens by data center.
    pub tokens: BTreeMap<String, String>,
    /// Ids of the tokens.
    pub token_ids: BTreeMap<String, String>,
    address: SocketAddr,
    place: PathBuf,
    open: Open,
}

/// Closes when it is dropped.
struct Open {
    token: DropGuard,
    served: JoinHandle<()>,
}

impl Receivers {
    /// Two data centers, `dc1` and `dc2`, that fetch plain files.
    ///
    /// # Errors
    /// When the house cannot be opened.
    pub async fn open() -> Result<Self> {
        Self::with(Plan::default(), Target::pulled()).await
    }

    /// The same with this target for `dc1`.
    ///
    /// # Errors
    /// When the house cannot be opened.
    pub async fn with(mut plan: Plan, first: Target) -> Result<Self> {
        plan.targets = BTreeMap::from([("dc1".to_owned(), first), ("dc2".to_owned(), Target::pulled())]);
        let house = House::with(plan).await?;
        let door = Door::open(&house).await?;
        Ok(Self { house, door })
    }

    /// The engine and its door anew, at the same address.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub async fn again(&mut self) -> Result<()> {
        self.close().await?;
        self.house.stop().await?;
        self.house.start().await?;
        let address = self.door.address;
        (self.door.open, self.door.address) = serve(&self.house, address)?;
        Ok(())
    }

    /// Closes the door and waits until nobody is in it.
    async fn close(&mut self) -> Result<()> {
        let nothing = Open { token: CancellationToken::new().drop_guard(), served: tokio::spawn(async {}) };
        let Open { token, served } = std::mem::replace(&mut self.door.open, nothing);
        drop(token);
        Ok(served.await?)
    }

    /// A specimen's files, made and offered to `dc1`; the run and the delivery.
    ///
    /// # Errors
    /// When it does not come so far.
    pub async fn offered(&self, id: &str, content: &str) -> Result<(RunId, String)> {
        self.offered_with(id, content, "").await
    }

    /// The same by a hand-off that says more: `receipt: { … }`.
    ///
    /// # Errors
    /// When it does not come so far.
    pub async fn offered_with(&self, id: &str, content: &str, more: &str) -> Result<(RunId, String)> {
        let more = if more.is_empty() { String::new() } else { format!(", {more}") };
        let files = vec![("calls.vcf", content.to_owned()), ("notes.txt", format!("notes of {id}\n"))];
        self.house.hands.plan("a", [Act::Make(files)]);
        let run = self.house.submit(&workflow(&STEPS.replace("MORE", &more)), &specimen(id)).await?;
        let end = self.house.end(&run).await?;
        ensure!(end == "succeeded", "{}", self.house.why(&run, None).await?);
        let rows = self.house.handle().reader().deliveries_of(run.as_str()).await?;
        Ok((run, rows.last().context("a delivery")?.delivery_id.to_string()))
    }

    /// Asks something as this person with this role.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn ask(&self, role: &str, request: Request) -> Result<Answer> {
        Ok(self.house.handle().center(request, &person("abe", role)).await?)
    }

    /// Events of a delivery by their words, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn events(&self, delivery: &str) -> Result<Vec<String>> {
        let said =
            self.house.sql(&format!("select kind from event where stream = 'delivery:{delivery}' order by n"))?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// Comes back when this happened to a delivery.
    ///
    /// # Errors
    /// When it does not.
    pub async fn until_event(&self, delivery: &str, event: &str) -> Result<()> {
        let happened = async |_: &House| Ok(self.events(delivery)?.iter().any(|word| word == event));
        self.house.until(event, happened).await
    }

    /// Closes the door and looks at everything; see [`House::check`].
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub async fn check(mut self) -> Result<()> {
        self.close().await?;
        self.house.check().await
    }
}

impl Door {
    /// A door to this house for programs of `dc1` and `dc2`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(house: &House) -> Result<Self> {
        let (mut tokens, mut token_ids) = (BTreeMap::new(), BTreeMap::new());
        for center in ["dc1", "dc2"] {
            let (id, token) = robot(house, center).await?;
            tokens.insert(center.to_owned(), token);
            token_ids.insert(center.to_owned(), id);
        }
        let (open, address) = serve(house, "127.0.0.1:0".parse()?)?;
        Ok(Self { tokens, token_ids, address, place: house.directory.path().to_owned(), open })
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs curl as a data center (an empty name: nobody) over this path; its standard output.
    ///
    /// # Errors
    /// When curl fails.
    pub fn curl(&self, center: &str, path: &str, more: &[&str]) -> Result<String> {
        let output = self.curl_output(center, path, more)?;
        ensure!(output.status.success(), "curl {path}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The same with everything that curl says.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn curl_output(&self, center: &str, path: &str, more: &[&str]) -> Result<Output> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "60"]).args(more);
        if !center.is_empty() {
            command.args(["--header", &self.bearer(center)?]);
        }
        Ok(command.arg(format!("{}{path}", self.base())).output()?)
    }

    /// Status and body.
    ///
    /// # Errors
    /// When curl fails.
    pub fn status(&self, center: &str, path: &str, more: &[&str]) -> Result<(u16, String)> {
        let mut all = vec!["--write-out", "\n%{http_code}"];
        all.extend(more);
        let said = self.curl(center, path, &all)?;
        let (body, status) = said.rsplit_once('\n').context("a status")?;
        Ok((status.parse()?, body.to_owned()))
    }

    /// The JSON at this path.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self, center: &str, path: &str) -> Result<Value> {
        let (status, body) = self.status(center, path, &[])?;
        ensure!(status == 200, "{path}: {status} {body}");
        Ok(serde_json::from_str(&body)?)
    }

    /// Sends JSON; status and answer.
    ///
    /// # Errors
    /// When curl fails.
    pub fn post(&self, center: &str, path: &str, body: &str) -> Result<(u16, Value)> {
        let file = self.place.join("sent.json");
        std::fs::write(&file, body)?;
        let data = format!("@{}", file.display());
        let sent = ["--header", "Content-Type: application/json", "--data-binary", &data];
        let (status, body) = self.status(center, path, &sent)?;
        Ok((status, serde_json::from_str(&body).unwrap_or_default()))
    }

    /// The header by which a data center says who it is.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn bearer(&self, center: &str) -> Result<String> {
        match self.tokens.get(center) {
            Some(token) => Ok(format!("Authorization: Bearer {token}")),
            None => bail!("there is no {center}"),
        }
    }

    /// A directory of its own.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn place(&self, name: &str) -> Result<PathBuf> {
        let place = self.place.join(name);
        std::fs::create_dir_all(&place)?;
        Ok(place)
    }
}

/// A program of a data center, with a token: the token's id, and what it shows.
async fn robot(house: &House, center: &str) -> Result<(String, String)> {
    let admin = Actor { name: "root".into(), roles: ["admin".into()].into(), ..Actor::default() };
    let name = format!("{center}-robot");
    let add = Request::AddPerson {
        name: name.clone(),
        service: true,
        roles: vec!["data_center".into()],
        institution: None,
        data_center: Some(center.into()),
    };
    house.handle().center(add, &admin).await?;
    let (label, scopes, expires_us, made) = (String::new(), Vec::new(), None, Default::default());
    let wish = Request::NewToken { owner: name, label, scopes, expires_us, made };
    let answer = house.handle().center(wish, &admin).await?;
    let id = answer.changed[0].split_once(' ').context("a token")?.1.to_owned();
    Ok((id, answer.secret.context("told once")?.0))
}

fn serve(house: &House, address: SocketAddr) -> Result<(Open, SocketAddr)> {
    let limits = Limits { requests_per_second: 10_000, burst: 10_000, ..Limits::default() };
    let options = Options { address, tls: None, plain_allowed: false, limits, certificates: Arc::new(|_: &str| None) };
    let door = listen::Door::open(options)?;
    let (token, address) = (CancellationToken::new(), door.address());
    let router = kentai_web::router(house.handle().clone(), Arc::new(|_| None), kentai_web::TimeZone::UTC);
    let served = tokio::spawn(door.serve(router, token.clone()));
    Ok((Open { token: token.drop_guard(), served }, address))
}

/// `sha256sum` of a file.
///
/// # Errors
/// When it cannot be run.
pub fn sha256sum(path: &Path) -> Result<String> {
    let said = crate::tool("sha256sum", &[&path.to_string_lossy()], Path::new("."))?;
    Ok(said.split_whitespace().next().unwrap_or_default().to_owned())
}

//! Signing in by a provider of OpenID Connect, at the real program: one that is not ours (`oidc-provider`, see `tests/browser`), with its own
//! forms and rules, and a false one for what no real one does. curl is the browser: it keeps cookies and follows redirects.

mod hostile;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use kentai_tests::{Site, browser, root, tool};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Serving;

/// What both providers know us by.
const SECRET: &str = "a secret of the test";
const PASSWORD: &str = "correct horse battery";

/// A provider that runs, and its address.
pub(super) struct Provider {
    child: Child,
    pub(super) issuer: String,
}

impl Provider {
    fn start(program: &str, modules: &Path, page: &str) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(root().join("tests/browser").join(program))
            .env("KENTAI_TEST_BROWSER", modules)
            .env("KENTAI_URL", page)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("run node (scripts/test installs it)")?;
        let said = serde_json::Deserializer::from_reader(child.stdout.take().context("a pipe")?);
        let told: Option<Value> = said.into_iter().next().transpose()?;
        let issuer = told.as_ref().and_then(|told| told["issuer"].as_str()).map(str::to_owned);
        let issuer = issuer.with_context(|| format!("{program} does not start (scripts/test installs its modules)"));
        let mut provider = Self { child, issuer: String::new() };
        provider.issuer = issuer?;
        Ok(provider)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A site, its server and its provider.
pub(super) struct Both {
    pub(super) door: Serving,
    pub(super) provider: Provider,
    pub(super) page: String,
    modules: PathBuf,
}

/// A page's address that nobody has yet: the provider must know it before the site does.
fn free_page() -> Result<String> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    Ok(format!("http://127.0.0.1:{port}"))
}

fn settings(page: &str, issuer: &str, more: &str) -> String {
    let listen = page.strip_prefix("http://").unwrap_or(page);
    format!(
        "site: elsewhere\nserve:\n- listen: \"{listen}\"\n  limits: {{ requests_per_second: 100000, burst: 100000 }}\n\
         secrets: {{ sso: {{ file: sso }} }}\n\
         sign_in:\n  oidc:\n    issuer: \"{issuer}\"\n    client_id: kentai\n    secret: sso\n    {more}\n    \
         label: {{ en: Sign in with the hospital, ja: 病院のアカウントでサインイン }}\n"
    )
}

fn write_secret(site: &Site, name: &str, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = site.write(&format!("site/{name}"), text)?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}

impl Both {
    /// None where there are no modules of Node and somebody said so. `more`: keys of `sign_in.oidc:`.
    pub(super) fn open(program: &str, more: &str) -> Result<Option<Self>> {
        let Some(modules) = browser()? else { return Ok(None) };
        let page = free_page()?;
        let provider = Provider::start(program, &modules, &page)?;
        let site = Site::new("elsewhere", "")?;
        write_secret(&site, "sso", SECRET)?;
        std::fs::write(site.path().join("kentai.yaml"), settings(&page, &provider.issuer, more))?;
        let door = Serving::start(site)?;
        let both = Self { door, provider, page, modules };
        both.door.kentai(&["admin", "user", "add", "dr-sato", "--roles", "reviewer"])?;
        Ok(Some(both))
    }

    pub(super) fn link(&self, value: &str) -> Result<()> {
        self.door.kentai(&["admin", "user", "link", "dr-sato", value]).map(drop)
    }

    /// Somebody at a browser that was never here.
    pub(super) fn browser(&self, name: &str) -> Browser<'_> {
        Browser { both: self, jar: name.to_owned() }
    }

    pub(super) fn sql(&self, query: &str) -> Result<String> {
        let database = self.door.site.path().join("kentai.db").display().to_string();
        Ok(tool("sqlite3", &["-readonly", &database, query], &self.door.site.path())?.trim().to_owned())
    }

    /// Why somebody was let in last, by the audit log.
    pub(super) fn why(&self) -> Result<String> {
        self.sql(
            "select json_extract(body, '$.why') from event where kind = 'sign_in_failed' order by seq desc limit 1",
        )
    }
}

/// What came.
pub(super) struct Seen {
    pub(super) status: String,
    /// Of the last answer.
    pub(super) headers: String,
    pub(super) body: String,
    /// Where the browser stands.
    pub(super) url: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> String {
        let line = self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        line.unwrap_or_default()
    }
}

pub(super) struct Browser<'a> {
    both: &'a Both,
    jar: String,
}

impl Browser<'_> {
    /// One request, without following.
    pub(super) fn ask(&self, url: &str, more: &[&str]) -> Result<Seen> {
        let url = if url.starts_with('/') { format!("{}{url}", self.both.page) } else { url.to_owned() };
        let fixed = ["-sS", "-D", "headers", "-b", &self.jar, "-c", &self.jar, "-w", "\n%{http_code} %{url_effective}"];
        let told = tool("curl", &[&fixed[..], more, &[&url]].concat(), &self.both.door.site.path())?;
        let (body, last) = told.rsplit_once('\n').context("curl ends with status and address")?;
        let (status, url) = last.split_once(' ').context("status and address")?;
        let all = std::fs::read_to_string(self.both.door.site.path().join("headers"))?;
        let headers = all.trim_end().rsplit("\r\n\r\n").next().unwrap_or_default().to_owned();
        Ok(Seen { status: status.into(), headers, body: body.into(), url: url.into() })
    }

    /// As people do: to wherever it leads.
    pub(super) fn go(&self, url: &str, form: &[&str]) -> Result<Seen> {
        let data: Vec<&str> = form.iter().flat_map(|field| ["--data-urlencode", field]).collect();
        self.ask(url, &[&["-L", "--max-redirs", "10"], &data[..]].concat())
    }

    /// The way there, the provider's login as `login`, its consent; not yet back. The address that leads back.
    fn at_the_provider(&self, begin: &str, login: &str) -> Result<String> {
        let asked = self.go(begin, &[])?;
        ensure!(asked.url.starts_with(&self.both.provider.issuer), "{}: {}", asked.url, asked.body);
        let logged_in = self.go(&action(&asked)?, &["prompt=login", &format!("login={login}"), "password=any"])?;
        let mut seen = self.ask(&action(&logged_in)?, &["-d", "prompt=consent"])?;
        for _ in 0..3 {
            let to = seen.header("location");
            if to.starts_with(&self.both.page) {
                return Ok(to);
            }
            seen = self.ask(&to, &[])?;
        }
        anyhow::bail!("the provider does not lead back: {} {}", seen.status, seen.body)
    }

    /// Who the page says that this is; none: nobody.
    pub(super) fn is_known(&self) -> Result<bool> {
        let seen = self.ask("/settings", &[])?;
        match seen.status.as_str() {
            "200" => Ok(seen.body.contains("dr-sato")),
            "303" => Ok(false),
            other => anyhow::bail!("/settings: {other}"),
        }
    }
}

/// Where the form of a page leads.
fn action(seen: &Seen) -> Result<String> {
    let action = seen.body.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
    action.map(str::to_owned).with_context(|| format!("no form at {}: {}", seen.url, seen.body))
}

#[test]
fn somebody_linked_signs_in_by_a_provider_that_is_not_ours_and_lands_where_they_wanted() -> Result<()> {
    let Some(both) = Both::open("provider.mjs", "claim: sub")? else { return Ok(()) };
    let browser = both.browser("sato");
    let form = browser.ask("/sign-in?back=%2Fruns%3Fstatus%3Dfailed", &[])?;
    let begin = "/sign-in/oidc?back=%2Fruns%3Fstatus%3Dfailed";
    ensure!(form.body.contains("Sign in with the hospital") && form.body.contains(begin), "{}", form.body);
    ensure!(form.header("content-security-policy").contains("form-action 'self';"), "no form leaves: {}", form.headers);
    let sent = browser.ask(begin, &[])?;
    let to = sent.header("location");
    ensure!(sent.status == "303" && to.starts_with(&format!("{}/auth?", both.provider.issuer)), "{}", sent.headers);
    for part in
        ["response_type=code", "code_challenge_method=S256", "code_challenge=", "state=", "nonce=", "scope=openid&"]
    {
        ensure!(format!("{to}&").contains(part), "{part}: {to}");
    }
    let way = sent.header("set-cookie");
    ensure!(way.starts_with("kentai-way=") && way.contains("HttpOnly") && way.contains("SameSite=Lax"), "{way}");
    ensure!(way.contains("Max-Age=600") && way.contains("Path=/") && !way.contains("Domain"), "{way}");

    // Known there, and nobody here: no account is made, and whoever it is learns what to tell the admin.
    let back = browser.at_the_provider(begin, "sato@hospital")?;
    let nobody = browser.ask(&back, &[])?;
    ensure!(
        nobody.status == "403" && nobody.body.contains("sub = sato@hospital"),
        "{}: {}",
        nobody.status,
        nobody.body
    );
    ensure!(!browser.is_known()? && both.why()? == "unknown identity");
    ensure!(both.sql("select count(*) from record where kind = 'person'")? == "1", "nobody is made");
    ensure!(both.sql("select count(*) from event where body like '%sato@hospital%'")? == "0", "nor named in the log");

    both.link("sato@hospital")?;
    let browser = both.browser("again");
    let back = browser.at_the_provider(begin, "sato@hospital")?;
    let opened = browser.ask(&back, &[])?;
    ensure!(opened.status == "303" && opened.header("location") == "/runs?status=failed", "{}", opened.headers);
    let cookies: Vec<&str> = opened.headers.lines().filter(|line| line.starts_with("set-cookie: ")).collect();
    ensure!(
        cookies.len() == 2 && cookies[0].contains("kentai=ks_") && cookies[1].contains("kentai-way=;"),
        "{cookies:?}"
    );
    ensure!(browser.is_known()?);
    let events = "select group_concat(kind) from (select kind from event where kind in ('identity_linked', 'signed_in', \
                  'session_opened') order by seq)";
    ensure!(both.sql(events)? == "identity_linked,identity_linked,signed_in,session_opened", "{}", both.sql(events)?);

    // What led back counts once, and in this browser only.
    let again = browser.ask(&back, &[])?;
    ensure!(again.status == "403" && both.why()? == "not on the way", "{}", again.body);
    let out = browser.ask("/sign-out", &["-X", "POST"])?;
    ensure!(out.status == "303" && !browser.is_known()?, "signing out ends the session here");

    // Taken away, it signs nobody in and ends what it opened; linked again, it does until the account is disabled.
    let signed_in = both.browser("open");
    let back = signed_in.at_the_provider(begin, "sato@hospital")?;
    signed_in.ask(&back, &[])?;
    ensure!(signed_in.is_known()?);
    both.door.kentai(&["admin", "user", "unlink", "dr-sato"])?;
    ensure!(!signed_in.is_known()?, "sessions end");
    let refused = |why: &str, name: &str| -> Result<()> {
        let browser = both.browser(name);
        let back = browser.at_the_provider("/sign-in/oidc", "sato@hospital")?;
        ensure!(browser.ask(&back, &[])?.status == "403" && !browser.is_known()?, "{why}");
        ensure!(both.why()? == why, "{why}: {}", both.why()?);
        Ok(())
    };
    refused("unknown identity", "unlinked")?;
    both.link("sato@hospital")?;
    both.door.kentai(&["admin", "user", "disable", "dr-sato"])?;
    refused("disabled", "disabled")
}

#[test]
fn an_account_with_a_key_is_asked_for_its_code_whatever_the_provider_asked() -> Result<()> {
    let Some(both) = Both::open("provider.mjs", "claim: preferred_username")? else { return Ok(()) };
    both.link("sato")?;
    let made = both.door.kentai(&["admin", "user", "totp", "dr-sato"])?;
    let key = made["secret"].as_str().and_then(|address| address.split_once("secret=")).context("a key")?.1;
    let key = key.split('&').next().unwrap_or_default();
    let browser = both.browser("sato");
    let back = browser.at_the_provider("/sign-in/oidc?back=/needs", "sato")?;
    let asked = browser.ask(&back, &[])?;
    ensure!(asked.status == "200" && asked.body.contains("one-time code") && !browser.is_known()?, "{}", asked.body);
    let wrong = browser.ask("/sign-in/oidc/code", &["-d", "code=000000x"])?;
    ensure!(wrong.status == "422" && both.why()? == "code" && !browser.is_known()?, "{}", wrong.body);
    // A code alone, without who proved what elsewhere, is nothing.
    let code = tool("python3", &["-c", super::page::CODE, key], &both.door.site.path())?;
    let code = format!("code={}", code.trim());
    let other = both.browser("other").ask("/sign-in/oidc/code", &["-d", &code])?;
    ensure!(other.status == "403" && both.why()? == "not on the way", "{}", other.body);
    let opened = browser.ask("/sign-in/oidc/code", &["-d", &code])?;
    ensure!(opened.status == "303" && opened.header("location") == "/needs" && browser.is_known()?, "{}", opened.body);
    // Five wrong ones lock the name for codes, here as at the form.
    let guesser = both.browser("guesser");
    let back = guesser.at_the_provider("/sign-in/oidc", "sato")?;
    guesser.ask(&back, &[])?;
    for _ in 0..5 {
        ensure!(guesser.ask("/sign-in/oidc/code", &["-d", "code=000000x"])?.status == "422");
    }
    ensure!(guesser.ask("/sign-in/oidc/code", &["-d", "code=000000x"])?.status == "422" && both.why()? == "locked");
    Ok(())
}

#[test]
fn an_address_of_mail_counts_when_the_provider_has_verified_it_in_whatever_case() -> Result<()> {
    let Some(both) = Both::open("provider.mjs", "claim: email")? else { return Ok(()) };
    both.link("SATO@hospital.EXAMPLE")?;
    let browser = both.browser("sato");
    let back = browser.at_the_provider("/sign-in/oidc", "sato")?;
    ensure!(browser.ask(&back, &[])?.status == "303" && browser.is_known()?);
    let browser = both.browser("unverified");
    let back = browser.at_the_provider("/sign-in/oidc", "unverified")?;
    ensure!(browser.ask(&back, &[])?.status == "403" && both.why()? == "claim", "{}", both.why()?);
    Ok(())
}

#[test]
fn an_account_elsewhere_is_one_persons_and_of_no_service() -> Result<()> {
    let Some(both) = Both::open("provider.mjs", "claim: sub")? else { return Ok(()) };
    let exit = |arguments: &[&str]| -> Result<(i32, String)> {
        let (exit, _, said) = both.door.site.run(arguments)?;
        Ok((exit, said))
    };
    both.link("sato")?;
    both.door.kentai(&["admin", "user", "add", "dr-ito", "--roles", "reviewer"])?;
    both.door.kentai(&["admin", "user", "add", "robot", "--service", "--roles", "operator"])?;
    let taken = exit(&["admin", "user", "link", "dr-ito", "sato"])?;
    ensure!(taken.0 == 6 && taken.1.contains("dr-sato's already"), "{taken:?}");
    let second = exit(&["admin", "user", "link", "dr-sato", "sato2"])?;
    ensure!(second.0 == 6 && second.1.contains("take it away first"), "{second:?}");
    let service = exit(&["admin", "user", "link", "robot", "robot"])?;
    ensure!(service.0 != 0 && service.1.contains("is a service"), "{service:?}");
    both.door.kentai(&["admin", "user", "unlink", "dr-sato"])?;
    both.door.kentai(&["admin", "user", "link", "dr-ito", "sato"])?;
    // The same on the page, for whoever manages people: here the machine's user, who owns the site.
    let socket = both.door.site.path().join("run/kentai.sock").display().to_string();
    let page = |path: &str, form: &[&str]| {
        let fixed = ["-sS", "-w", "\n%{http_code}", "--unix-socket", &socket, path];
        tool("curl", &[form, &fixed[..]].concat(), &both.door.site.path())
    };
    let account = page("http://kentai/people/dr-sato", &[])?;
    ensure!(account.contains("/people/dr-sato/link") && !account.contains("unlink"), "{account}");
    let form = page("http://kentai/people/dr-sato/link", &[])?;
    let shown =
        form.split("name=\"shown\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).context("shown")?;
    let linked = |value: &str| {
        let fields = [format!("shown={shown}"), format!("identity={value}")];
        page("http://kentai/people/dr-sato/link", &["--data-urlencode", &fields[0], "--data-urlencode", &fields[1]])
    };
    let taken = linked("sato")?;
    ensure!(taken.ends_with("409") && taken.contains("is dr-ito&#39;s already"), "{taken}");
    ensure!(linked("<b>sato</b>")?.ends_with("303"));
    let account = page("http://kentai/people/dr-sato", &[])?;
    ensure!(account.contains("/people/dr-sato/unlink") && account.contains("&#60;b&#62;sato"), "{account}");
    both.door.kentai(&["admin", "user", "unlink", "dr-sato"])?;
    let list = both.door.kentai(&["admin", "user", "list"])?;
    let items = list["items"].as_array().context("people")?;
    let of = |name: &str| items.iter().find(|one| one["name"] == name).map(|one| one["identity"].clone());
    ensure!(of("dr-ito") == Some("sato".into()) && of("dr-sato") == Some(Value::Null), "{list}");
    Ok(())
}

#[test]
fn in_a_real_browser_the_way_there_and_back_is_not_stopped_by_our_own_policy() -> Result<()> {
    let Some(both) = Both::open("provider.mjs", "claim: sub")? else { return Ok(()) };
    both.link("sato")?;
    let output = Command::new("node")
        .arg(root().join("tests/browser/elsewhere.mjs"))
        .env("KENTAI_TEST_BROWSER", &both.modules)
        .env("FONTCONFIG_FILE", root().join("tests/browser/fonts.conf"))
        .env("KENTAI_URL", &both.page)
        .env("KENTAI_PROVIDER", &both.provider.issuer)
        .stdin(Stdio::null())
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// Gives the account a password of this site besides.
pub(super) fn with_password(both: &Both) -> Result<()> {
    let mut asked = both.door.site.command(["admin", "user", "password", "dr-sato"])?;
    let mut asked = asked.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    asked.stdin.take().context("a pipe")?.write_all(format!("{PASSWORD}\n").as_bytes())?;
    ensure!(asked.wait()?.success());
    Ok(())
}

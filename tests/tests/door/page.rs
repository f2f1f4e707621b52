//! Signing in to the page of the real program, over TLS: by an address of `kentai page`, and by a password with one-time codes that
//! another program computes. curl is the browser.

use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use kentai_tests::{Site, tool};

use super::{Serving, open};

/// RFC 6238 by Python's own modules: the code of now.
pub(super) const CODE: &str = r#"
import base64, hashlib, hmac, struct, sys, time
key = base64.b32decode(sys.argv[1] + "=" * (-len(sys.argv[1]) % 8))
mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
at = mac[-1] & 15
print("%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff) % 1000000))
"#;

/// Status, headers and body of one request of a browser.
fn browse(door: &Serving, path: &str, more: &[&str]) -> Result<(String, String)> {
    let url = format!("{}{path}", origin(door));
    let fixed = ["-sS", "-i", "--cacert", "site.pem", "-w", "\n%{http_code}", &url];
    let told = tool("curl", &[&fixed[..], more].concat(), &door.site.path())?;
    let (rest, status) = told.rsplit_once('\n').context("curl ends with the status")?;
    Ok((status.to_owned(), rest.to_owned()))
}

fn origin(door: &Serving) -> String {
    format!("https://{}", door.addresses[0])
}

fn line(told: &str, name: &str) -> String {
    let found = told.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    found.unwrap_or_default().trim().to_owned()
}

/// The session of an answer that signs somebody in, and nothing weaker than it must be.
fn session(told: &str) -> Result<String> {
    let cookie = line(told, "set-cookie");
    let parts: Vec<&str> = cookie.split("; ").collect();
    ensure!(parts[0].starts_with("__Host-kentai=ks_"), "no other host and no other path gets or sets it: {cookie}");
    for flag in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        ensure!(parts.contains(&flag), "{flag}: {cookie}");
    }
    ensure!(!cookie.contains("Domain"), "{cookie}");
    Ok(parts[0].to_owned())
}

fn is_known(door: &Serving, cookie: &str) -> Result<bool> {
    let (status, told) = browse(door, "/settings", &["-b", cookie])?;
    ensure!(line(&told, "strict-transport-security").starts_with("max-age="), "{told}");
    match status.as_str() {
        "200" => Ok(true),
        "303" => Ok(false),
        other => anyhow::bail!("/settings: {other}\n{told}"),
    }
}

#[test]
fn the_address_of_kentai_page_signs_this_machines_user_in_once() -> Result<()> {
    let door = open("")?;
    let told = door.kentai(&["page", "--at", &origin(&door)])?;
    let address = told["address"].as_str().context("an address")?;
    let name = told["name"].as_str().context("whom")?;
    let path = address.strip_prefix(&origin(&door)).context("of this site")?;
    let (status, page) = browse(&door, path, &[])?;
    ensure!(status == "200" && page.contains(&format!("Sign in as {name}")), "{page}");
    ensure!(line(&page, "set-cookie").is_empty(), "looking signs nobody in");
    let form = path.split_once('?').context("a secret")?.1;
    let (status, opened) = browse(&door, "/sign-in/link", &["-d", form])?;
    ensure!(status == "303", "{opened}");
    let cookie = session(&opened)?;
    ensure!(is_known(&door, &cookie)?);
    let (status, again) = browse(&door, "/sign-in/link", &["-d", form])?;
    ensure!(status == "410" && line(&again, "set-cookie").is_empty(), "{again}");
    // A token's owner stays what the token is.
    let token = door.account("robot")?;
    let (exit, _, said) = door.site.run(["--token", &token, "page", "--at", "https://x"])?;
    ensure!(exit == 5, "{exit}: {said}");
    let (status, _) = browse(&door, "/api/v1/sign-in-links", &["-X", "POST", "-b", &cookie])?;
    ensure!(status == "401", "over the network nobody gets one: {status}");
    let (exit, told, said) = door.site.run(["page"])?;
    ensure!(exit == 6 && told.is_empty() && said.contains("--at"), "the machine chose the port: {exit} {said}");
    Ok(())
}

#[test]
fn without_a_server_or_an_address_the_verb_says_what_to_do() -> Result<()> {
    let site = Site::new("page", "")?;
    let (exit, _, said) = site.run(["page"])?;
    ensure!(exit == 6 && said.contains("serve:"), "{exit}: {said}");
    let (exit, _, said) = site.run(["page", "--at", "http://localhost:1"])?;
    ensure!(exit == 7 && said.contains("kentai serve"), "{exit}: {said}");
    Ok(())
}

#[test]
fn a_password_needs_the_code_that_another_program_computes_and_each_code_counts_once() -> Result<()> {
    let door = open("")?;
    door.kentai(&["admin", "user", "add", "sato", "--roles", "reviewer"])?;
    let mut asked = door.site.command(["admin", "user", "password", "sato"])?;
    let mut asked = asked.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    asked.stdin.take().context("a pipe")?.write_all(b"correct horse battery\n")?;
    ensure!(asked.wait()?.success());
    let made = door.kentai(&["admin", "user", "totp", "sato"])?;
    let key = made["secret"].as_str().and_then(|address| address.split_once("secret=")).context("a key")?.1;
    let key = key.split('&').next().unwrap_or_default();
    let try_with = |code: &str| {
        let code = format!("code={code}");
        let form = ["-d", "name=sato", "--data-urlencode", "password=correct horse battery", "-d", &code];
        browse(&door, "/sign-in", &form)
    };
    for wrong in ["", "000000x"] {
        let (status, told) = try_with(wrong)?;
        ensure!(status == "422" && line(&told, "set-cookie").is_empty(), "`{wrong}`: {told}");
    }
    let code = tool("python3", &["-c", CODE, key], &door.site.path())?;
    let (status, told) = try_with(code.trim())?;
    ensure!(status == "303", "{told}");
    let cookie = session(&told)?;
    ensure!(is_known(&door, &cookie)?);
    let (status, told) = try_with(code.trim())?;
    ensure!(status == "422", "a code that somebody looked at over the shoulder: {told}");
    let (status, told) = browse(&door, "/sign-out", &["-X", "POST", "-b", &cookie])?;
    ensure!(status == "303" && told.matches("Max-Age=0").count() == 2, "both cookies go: {told}");
    ensure!(!is_known(&door, &cookie)?, "signed out");
    Ok(())
}

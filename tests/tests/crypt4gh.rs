//! Crypt4GH against its reference implementation, both ways: bodies, headers, ranges and key files.
//!
//! Oracle: the `crypt4gh` tool for Python, and `ssh-keygen`. It stays out of `--range` when decrypting: its end is off by one there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kentai_engine::handoff::crypt4gh::Nonce;
use kentai_engine::handoff::crypt4gh::body::Expect;
use kentai_engine::handoff::crypt4gh::header::{self, header_for};
use kentai_engine::handoff::crypt4gh::key::{DataKey, PublicKey, SecretKey};
use kentai_engine::handoff::crypt4gh::keyfile::{self, Lock};
use kentai_engine::handoff::crypt4gh::stream::{Opening, Sealing};
use kentai_tests::{peer, tool};

const PASSPHRASE: &str = "correct horse";
/// Around one segment and around two.
const SIZES: [usize; 7] = [0, 1, 1_000, 65_535, 65_536, 65_537, 200_000];

/// The reference tool, and a directory to work in.
struct Reference {
    program: PathBuf,
    directory: tempfile::TempDir,
}

impl Reference {
    fn there() -> Result<Option<Self>> {
        let Some(program) = peer("crypt4gh")? else { return Ok(None) };
        Ok(Some(Self { program, directory: tempfile::tempdir()? }))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path(name))?)
    }

    /// Runs it over these bytes.
    fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        fs::write(self.path("in"), input)?;
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(self.directory.path())
            .env("C4GH_PASSPHRASE", PASSPHRASE)
            .env_remove("C4GH_SECRET_KEY")
            .stdin(File::open(self.path("in"))?)
            .output()?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "crypt4gh {}: {told}", arguments.join(" "));
        Ok(output.stdout)
    }

    /// A pair of its own making: `NAME.sec` and `NAME.pub`, derived as it is told.
    fn generate(&self, name: &str, scrypt: bool, passphrase: &str) -> Result<(SecretKey, PublicKey)> {
        const SCRIPT: &str = "import sys; from crypt4gh.keys import c4gh; name, kdf, passphrase = sys.argv[1:]; \
             c4gh.scrypt_supported = kdf == 'True'; \
             c4gh.generate(name + '.sec', name + '.pub', passphrase.encode() or None, b'of the reference')";
        let python = self.program.with_file_name("python3");
        let scrypt = if scrypt { "True" } else { "False" };
        let python = python.to_str().context("a path in UTF-8")?;
        tool(python, &["-c", SCRIPT, name, scrypt, passphrase], self.directory.path())?;
        let secret = keyfile::read_secret(&self.text(&format!("{name}.sec"))?, Some(passphrase))?;
        Ok((secret, keyfile::read_public(&self.text(&format!("{name}.pub"))?)?))
    }

    /// A pair of our own making, locked by the passphrase or open.
    fn write(&self, name: &str, seed: u8, locked: bool) -> Result<SecretKey> {
        let key = SecretKey::new(&[seed; 32]);
        let lock = Lock { passphrase: PASSPHRASE, salt: [seed; 16], nonce: [seed; 12] };
        let secret = keyfile::write_secret(&key, locked.then_some(&lock));
        fs::write(self.path(&format!("{name}.sec")), secret.as_bytes())?;
        fs::write(self.path(&format!("{name}.pub")), keyfile::write_public(&key.public()))?;
        Ok(key)
    }
}

fn nonces() -> impl FnMut() -> Nonce {
    let mut count = 0_u64;
    move || {
        count += 1;
        let mut nonce = [9; 12];
        nonce[..8].copy_from_slice(&count.to_le_bytes());
        nonce
    }
}

fn plain(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| (place % 251) as u8).collect()
}

fn body(plain: &[u8]) -> Result<Vec<u8>> {
    let mut sealing = Sealing::new(Vec::new(), &DataKey::new(&[5; 32]), nonces());
    std::io::Write::write_all(&mut sealing, plain)?;
    Ok(sealing.finish()?)
}

fn head(recipient: &PublicKey, sender: &SecretKey) -> Result<Vec<u8>> {
    Ok(header_for(&DataKey::new(&[5; 32]), recipient, sender, nonces())?)
}

fn opened(bytes: &[u8], reader: &SecretKey, writer: Option<&PublicKey>, expect: Expect) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut Opening::new(bytes, reader, writer, expect)?, &mut plain)?;
    Ok(plain)
}

#[test]
fn what_we_encrypt_the_reference_decrypts() -> Result<()> {
    let Some(reference) = Reference::there()? else { return Ok(()) };
    let sender = reference.write("sender", 2, false)?;
    reference.generate("scrypt", true, PASSPHRASE)?;
    reference.generate("bcrypt", false, PASSPHRASE)?;
    reference.generate("open", true, "")?;
    // A key file that we locked ourselves is read by it too.
    reference.write("ours", 3, true)?;
    for size in SIZES {
        let plain = plain(size);
        let body = body(&plain)?;
        for name in ["scrypt", "bcrypt", "open", "ours"] {
            let recipient = keyfile::read_public(&reference.text(&format!("{name}.pub"))?)?;
            let file = [head(&recipient, &sender)?, body.clone()].concat();
            let key = format!("{name}.sec");
            let back = reference.run(&["decrypt", "--sk", &key, "--sender_pk", "sender.pub"], &file)?;
            ensure!(back == plain, "{size} bytes for {name} came back as {}", back.len());
        }
    }
    Ok(())
}

#[test]
fn what_the_reference_encrypts_we_decrypt() -> Result<()> {
    let Some(reference) = Reference::there()? else { return Ok(()) };
    let (_, sender) = reference.generate("sender", true, PASSPHRASE)?;
    let pairs = [reference.generate("scrypt", true, PASSPHRASE)?, reference.generate("bcrypt", false, PASSPHRASE)?];
    let stranger = reference.write("stranger", 7, true)?;
    for size in SIZES {
        let plain = plain(size);
        let to = ["encrypt", "--sk", "sender.sec", "--recipient_pk", "scrypt.pub", "--recipient_pk", "bcrypt.pub"];
        let file = reference.run(&to, &plain)?;
        for (secret, _) in &pairs {
            let back = opened(&file, secret, Some(&sender), Expect::PlainBytes(size as u64))?;
            ensure!(back == plain, "{size} bytes came back as {}", back.len());
        }
        ensure!(opened(&file, &stranger, None, Expect::Anything).is_err(), "read by somebody else");
        ensure!(opened(&file, &pairs[0].0, Some(&pairs[1].1), Expect::Anything).is_err(), "taken for another's");
        if size > 0 {
            let cut = opened(&file[..file.len() - 1], &pairs[0].0, None, Expect::Anything);
            ensure!(cut.is_err(), "{size} bytes were read although one is missing");
        }
    }
    Ok(())
}

#[test]
fn headers_are_made_anew_by_the_one_for_the_other() -> Result<()> {
    let Some(reference) = Reference::there()? else { return Ok(()) };
    let (theirs, _) = reference.generate("theirs", true, PASSPHRASE)?;
    let ours = reference.write("ours", 3, true)?;
    let plain = plain(100_000);
    // A file of the reference, handed on by us.
    let file = reference.run(&["encrypt", "--recipient_pk", "ours.pub"], &plain)?;
    let (old, body_of_theirs) = file.split_at(header::open(&file, &ours, None)?.bytes);
    let new = header::reissue(old, &ours, &theirs.public(), &ours, nonces())?;
    ensure!(new.len() == header::ONE_READER_BYTES);
    let handed_on = [&new, body_of_theirs].concat();
    let back = reference.run(&["decrypt", "--sk", "theirs.sec", "--sender_pk", "ours.pub"], &handed_on)?;
    ensure!(back == plain, "handed on by us");
    // A header of ours, handed on by the reference; the body is what it was.
    let old = head(&theirs.public(), &ours)?;
    let again = ["reencrypt", "--sk", "theirs.sec", "--recipient_pk", "ours.pub", "--trim", "--header-only"];
    let new = reference.run(&again, &old)?;
    let handed_on = [new, body(&plain)?].concat();
    ensure!(opened(&handed_on, &ours, Some(&theirs.public()), Expect::PlainBytes(100_000))? == plain);
    Ok(())
}

#[test]
fn ranges_that_the_reference_cut_out_are_the_same_bytes() -> Result<()> {
    let Some(reference) = Reference::there()? else { return Ok(()) };
    let ours = reference.write("ours", 3, false)?;
    let plain = plain(300_000);
    let file = [head(&ours.public(), &ours)?, body(&plain)?].concat();
    for range in ["10-20", "0-65537", "65530-65540", "65536-131073", "100000-250000", "299990-300000"] {
        let part = reference.run(&["rearrange", "--sk", "ours.sec", "--range", range], &file)?;
        let back = opened(&part, &ours, None, Expect::Anything)?;
        let from: usize = range.split('-').next().context("a range")?.parse()?;
        ensure!(header::open(&part, &ours, None)?.edits.is_some(), "{range} has no edit list");
        ensure!(!back.is_empty() && back == plain[from..from + back.len()], "{range} are other bytes");
        ensure!(back == reference.run(&["decrypt", "--sk", "ours.sec"], &part)?, "{range} is read in two ways");
    }
    Ok(())
}

#[test]
fn keys_of_openssh_are_the_same_keys_to_both() -> Result<()> {
    let Some(reference) = Reference::there()? else { return Ok(()) };
    let directory: &Path = reference.directory.path();
    tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "a receiver", "-f", "ssh"], directory)?;
    let sender = reference.write("sender", 2, false)?;
    let public = keyfile::read_public(&reference.text("ssh.pub")?)?;
    let secret = keyfile::read_secret(&reference.text("ssh")?, None)?;
    ensure!(secret.public() == public, "two halves that do not fit");
    let plain = plain(1_000);
    let file = [head(&public, &sender)?, body(&plain)?].concat();
    ensure!(reference.run(&["decrypt", "--sk", "ssh", "--sender_pk", "sender.pub"], &file)? == plain);
    let file = reference.run(&["encrypt", "--recipient_pk", "ssh.pub"], &plain)?;
    ensure!(opened(&file, &secret, None, Expect::PlainBytes(1_000))? == plain);
    Ok(())
}

//! A package on a disk, and everything that can happen to it there. Whatever it is, it is refused: with the sender's key and without.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kentai_engine::audit::checkpoint::{Secret, Stand};
use kentai_engine::handoff::crypt4gh::key::SecretKey;
use kentai_engine::handoff::verify::{Report, verify};
use kentai_engine::store::package::measure;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rustix::fs::{CWD, FileType, Mode};

use super::package::Package;
use super::story::Story;

async fn package() -> Result<Package> {
    let story = Story::told().await?;
    let secret = Secret::from_bytes(&[7; 32]);
    let checkpoint = secret.sign(&Stand { events: 7, head: "ab".repeat(32), at_us: 5, sha256: String::new() });
    let package = Package::of(story.house.handle().reader(), &story.run, &secret, Some(checkpoint)).await?;
    story.house.check().await?;
    let report = looked(&package)?;
    ensure!(report.faults.is_empty() && report.notes.is_empty(), "{report:?}");
    Ok(package)
}

fn looked(package: &Package) -> Result<Report> {
    Ok(verify(&measure(&package.place(), None)?, Some(&package.key)))
}

/// It is refused, whoever asks; what was said to one who has the key.
fn refused(package: &Package, what: &str) -> Result<String> {
    let found = measure(&package.place(), None)?;
    ensure!(!verify(&found, None).faults.is_empty(), "{what} is taken without a key");
    let report = verify(&found, Some(&package.key));
    ensure!(!report.faults.is_empty(), "{what} is taken");
    Ok(report.faults.iter().map(|fault| format!("{}: {}\n", fault.file, fault.reason)).collect())
}

/// Flips one bit, sees that it is found, and flips it back.
fn flip(package: &Package, path: &Path, at: u64, bit: u8) -> Result<()> {
    let file = fs::File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    file.write_all_at(&[byte[0] ^ 1 << bit], at)?;
    refused(package, &format!("bit {bit} of byte {at} of {}", path.display()))?;
    file.write_all_at(&byte, at)?;
    Ok(())
}

#[tokio::test]
async fn every_flipped_byte_of_every_tag_file_is_found() -> Result<()> {
    let package = package().await?;
    for path in package.files()?.iter().filter(|path| path.parent() == Some(&package.place())) {
        for at in 0..fs::metadata(path)?.len() {
            flip(&package, path, at, (at % 8) as u8)?;
        }
    }
    ensure!(looked(&package)?.faults.is_empty(), "it was not put back");
    Ok(())
}

#[tokio::test]
async fn a_flipped_byte_anywhere_in_the_payload_is_found() -> Result<()> {
    let package = package().await?;
    let seed: u64 = StdRng::from_os_rng().random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for path in package.files()?.iter().filter(|path| path.parent() != Some(&package.place())) {
        let bytes = fs::metadata(path)?.len();
        let places = [0, bytes - 1].into_iter().chain((0..60).map(|_| random.random_range(0..bytes)));
        for at in places.collect::<Vec<_>>() {
            flip(&package, path, at, random.random_range(0..8))?;
        }
    }
    ensure!(looked(&package)?.faults.is_empty(), "it was not put back");
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_cut_longer_lost_or_called_otherwise_is_found() -> Result<()> {
    let package = package().await?;
    let files = package.files()?;
    ensure!(files.len() == 13, "{files:?}");
    for path in &files {
        let (whole, name) = (fs::read(path)?, path.display());
        for length in [0, whole.len() / 2, whole.len() - 1] {
            fs::write(path, &whole[..length])?;
            refused(&package, &format!("{name} of {length} bytes"))?;
        }
        fs::write(path, [whole.as_slice(), b"\n"].concat())?;
        refused(&package, &format!("{name} with a byte more"))?;
        fs::write(path, &whole)?;
        let other = path.with_file_name("other");
        fs::rename(path, &other)?;
        let told = refused(&package, &format!("{name} under another name"))?;
        let lost = path.strip_prefix(package.place())?.display().to_string();
        ensure!(told.contains(&lost) && told.contains("other"), "{lost} has no name in: {told}");
        fs::remove_file(&other)?;
        let told = refused(&package, &format!("a package without {name}"))?;
        ensure!(told.contains(&lost), "{lost} has no name in: {told}");
        fs::write(path, &whole)?;
    }
    ensure!(looked(&package)?.faults.is_empty(), "it was not put back");
    Ok(())
}

/// Files that trade places have the right bytes under the wrong names.
#[tokio::test]
async fn two_files_that_traded_places_are_found() -> Result<()> {
    let package = package().await?;
    let files: Vec<_> = package.files()?.into_iter().filter(|path| path.parent() != Some(&package.place())).collect();
    let between = package.beside("between");
    for (one, other) in files.iter().zip(&files[1..]) {
        let trade = || {
            fs::rename(one, &between)?;
            fs::rename(other, one)?;
            fs::rename(&between, other)
        };
        trade()?;
        refused(&package, &format!("{} in the place of {}", one.display(), other.display()))?;
        trade()?;
    }
    ensure!(looked(&package)?.faults.is_empty(), "they were not put back");
    Ok(())
}

#[tokio::test]
async fn nothing_that_is_no_file_is_followed_opened_or_waited_for() -> Result<()> {
    let package = package().await?;
    let place = package.place();
    // A secret that must not be read, and a file's own content elsewhere.
    for path in package.files()? {
        let (elsewhere, name) = (package.beside("elsewhere"), path.display().to_string());
        fs::rename(&path, &elsewhere)?;
        for target in [elsewhere.as_path(), Path::new("/etc/hostname"), Path::new("/nowhere")] {
            symlink(target, &path)?;
            let told = refused(&package, &format!("a link for {name}"))?;
            ensure!(told.contains("it is a link"), "{told}");
            fs::remove_file(&path)?;
        }
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
        let told = refused(&package, &format!("a pipe for {name}"))?;
        ensure!(told.contains("it is no file"), "{told}");
        fs::remove_file(&path)?;
        fs::create_dir(&path)?;
        refused(&package, &format!("a folder for {name}"))?;
        fs::remove_dir(&path)?;
        fs::rename(&elsewhere, &path)?;
    }
    for (more, is_folder) in [
        ("more", false),
        ("data/more", false),
        ("data/.hidden", false),
        ("more", true),
        ("data/more", true),
        ("data/S1.CRAM", false),
    ] {
        let path = place.join(more);
        if is_folder {
            fs::create_dir(&path)?
        } else {
            fs::write(&path, "")?
        }
        let told = refused(&package, &format!("a package with {more}"))?;
        ensure!(told.contains(more), "{told}");
        if is_folder { fs::remove_dir(&path)? } else { fs::remove_file(&path)? }
    }
    let odd = place.join("data").join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    fs::write(&odd, "")?;
    ensure!(refused(&package, "a name that is no text")?.contains("not UTF-8"));
    fs::remove_file(&odd)?;
    fs::rename(place.join("data"), package.beside("data"))?;
    symlink(package.beside("data"), place.join("data"))?;
    ensure!(refused(&package, "a link for all of the payload")?.contains("it is a link"));
    Ok(())
}

#[tokio::test]
async fn what_is_within_an_encrypted_file_is_checked_by_whoever_has_its_key() -> Result<()> {
    let package = package().await?;
    let with = |key: &SecretKey| anyhow::Ok(verify(&measure(&package.place(), Some(key))?, Some(&package.key)));
    let report = with(&package.receiver)?;
    ensure!(report.faults.is_empty() && report.decrypted == 1 && report.encrypted == 1, "{report:?}");
    let stranger = with(&SecretKey::new(&[1; 32]))?;
    let fault = stranger.faults.first().context("a stranger opened it")?;
    ensure!(stranger.faults.len() == 1 && fault.reason.contains("cannot be decrypted"), "{stranger:?}");
    Ok(())
}

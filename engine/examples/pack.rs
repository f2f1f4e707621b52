//! What packing a file costs, for measuring: `pack DIRECTORY BYTES`. Prints one line of JSON; `scripts/bench pack` holds it against floors.
//!
//! It calls what packing calls, on a store of its own in the directory, and leaves the file there, and encrypted as a receiver gets it
//! (`plain`, `header`, `body`), so that others can look at it. It knows no delivery and writes no documents.

use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};
use kentai_engine::handoff::crypt4gh::key::SecretKey;
use kentai_engine::handoff::crypt4gh::segment::PLAIN_BYTES;
use kentai_engine::store::artifact::ArtifactStore;
use kentai_engine::store::artifact::digest::{Digests, digests};
use md5::Md5;
use rand::{RngCore as _, SeedableRng as _};
use sha2::{Digest, Sha256};

const MIB: f64 = 1_048_576.0;
/// Of the floors: each of the crates alone, on one core, over memory that is in its cache.
const FLOOR_BYTES: usize = 512 << 20;

#[expect(clippy::print_stdout, reason = "the line is what it is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, bytes] = &arguments[..] else { return Err("usage: pack DIRECTORY BYTES".into()) };
    let directory = Path::new(directory);
    let store = ArtifactStore::open(directory)?;
    let mut generator = rand::rngs::StdRng::try_from_os_rng()?;
    let mut random = |bytes: &mut [u8]| generator.fill_bytes(bytes);
    let imported = store.import(Noise(&mut random).take(bytes.parse()?))?;
    let (plain, plain_s) = timed(|| digests(&mut store.open_read(&imported.sha256)?))?;

    let (site, recipient) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]).public());
    let (first, encrypt_s) = timed(|| store.encrypt(&imported.sha256, &site, &recipient, &mut random))?;
    let (again, again_s) = timed(|| store.encrypt(&imported.sha256, &site, &recipient, &mut random))?;
    // Under second names: nothing is copied.
    std::fs::write(directory.join("header"), &first.header)?;
    std::fs::hard_link(store.path_of(&imported.sha256, false), directory.join("plain"))?;
    std::fs::hard_link(store.encrypted_path(&imported.sha256), directory.join("body"))?;

    let size = plain.size;
    let rate = |seconds: f64| (size as f64 / MIB / seconds).round();
    let line = serde_json::json!({
        "bytes": size,
        "plain": named(&plain),
        "encrypted": named(&first.whole),
        "encrypted_bytes": first.whole.size,
        "seconds": { "plain": plain_s, "encrypt": encrypt_s, "again": again_s },
        "mib_per_s": {
            "plain": rate(plain_s),
            "encrypt": rate(encrypt_s),
            "pack": rate(plain_s + encrypt_s),
            "again": rate(again_s),
        },
        "floor_mib_per_s": floors(),
    });
    println!("{line}");
    // Another recipient has another header over the same body.
    if again.whole.size != first.whole.size || again.whole == first.whole {
        return Err("the second recipient did not get the same body behind another header".into());
    }
    Ok(())
}

/// Bytes without an end, and without a pattern.
struct Noise<R>(R);

impl<R: FnMut(&mut [u8])> std::io::Read for Noise<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        (self.0)(buffer);
        Ok(buffer.len())
    }
}

fn named(digests: &Digests) -> serde_json::Value {
    serde_json::json!({ "sha256": digests.sha256, "md5": digests.md5 })
}

/// What was done, and seconds.
fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, f64), E> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed().as_secs_f64()))
}

/// The crates alone.
fn floors() -> serde_json::Value {
    let plain = vec![7_u8; PLAIN_BYTES];
    let rate = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        for _ in 0..FLOOR_BYTES / PLAIN_BYTES {
            work();
        }
        (FLOOR_BYTES as f64 / MIB / began.elapsed().as_secs_f64()).round()
    };
    let (mut sha256, mut md5) = (Sha256::new(), Md5::new());
    let cipher = ChaCha20Poly1305::new(&[3; 32].into());
    let mut sealed = plain.clone();
    serde_json::json!({
        "sha2": rate(&mut || sha256.update(&plain)),
        "md-5": rate(&mut || md5.update(&plain)),
        "chacha20poly1305": rate(&mut || {
            let tag = cipher.encrypt_inout_detached(&[4; 12].into(), &[], sealed.as_mut_slice().into());
            std::hint::black_box(tag.is_ok());
        }),
    })
}

//! How fast Crypt4GH bodies are encrypted and decrypted, beside the bare cipher over the same bytes in the same run.
//!
//! `cargo run --release -p kentai-engine --example crypt4gh_speed`. Machines differ and have slow hours: compare ratios of one run. The
//! floor is one call of the cipher (`encrypt_inout_detached`, in place) for each 64 KiB, over one buffer that stays in the cache: it
//! neither moves bytes nor keeps them. Prints one line of JSON; each figure is the best of several rounds, MB are 10⁶ bytes.

#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::hint::black_box;
use std::time::Instant;

use chacha20poly1305::{AeadInOut as _, ChaCha20Poly1305, KeyInit as _};
use kentai_engine::handoff::crypt4gh::body::{Decryptor, Encryptor, Expect};
use kentai_engine::handoff::crypt4gh::header;
use kentai_engine::handoff::crypt4gh::key::{DataKey, SecretKey};
use kentai_engine::handoff::crypt4gh::segment::{PLAIN_BYTES, sealed_bytes};

/// Plain bytes of one round: not a multiple of a segment, as files are not.
const FILE_BYTES: usize = 256 * 1_000_000 + 1;
/// What a file is read by.
const PIECE_BYTES: usize = 1 << 20;
const ROUNDS: usize = 5;

fn nonces() -> impl FnMut() -> [u8; 12] {
    let mut count = 0_u64;
    move || {
        count += 1;
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&count.to_le_bytes());
        nonce
    }
}

/// MB per second.
fn timed(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    FILE_BYTES as f64 / began.elapsed().as_secs_f64() / 1e6
}

fn bare() -> f64 {
    let cipher = ChaCha20Poly1305::new(&[5; 32].into());
    let (mut nonce, mut buffer) = (nonces(), vec![7; PLAIN_BYTES]);
    timed(|| {
        for _ in 0..FILE_BYTES.div_ceil(PLAIN_BYTES) {
            let nonce = nonce().into();
            let mac = cipher.encrypt_inout_detached(&nonce, &[], buffer.as_mut_slice().into()).expect("short enough");
            black_box(mac);
        }
    })
}

fn encrypt(key: &DataKey, piece: &[u8], mut out: impl FnMut(&[u8])) -> f64 {
    let mut encryptor = Encryptor::new(key, nonces());
    timed(|| {
        let mut left = FILE_BYTES;
        while left > 0 {
            let mut rest = &piece[..left.min(piece.len())];
            left -= rest.len();
            while let Some(segment) = encryptor.push(&mut rest) {
                out(segment);
            }
        }
        out(&encryptor.finish());
    })
}

fn decrypt(header: &[u8], reader: &SecretKey, body: &[u8]) -> f64 {
    let header = header::open(header, reader, None).expect("for this reader");
    let mut decryptor = Decryptor::new(header, Expect::PlainBytes(FILE_BYTES as u64));
    timed(|| {
        for mut rest in body.chunks(PIECE_BYTES) {
            while let Some(plain) = decryptor.push(&mut rest).expect("whole") {
                black_box(plain);
            }
        }
        black_box(decryptor.finish().expect("whole").plain.len());
    })
}

fn main() {
    let (key, reader, writer) = (DataKey::new(&[5; 32]), SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
    let header = header::header_for(&key, &reader.public(), &writer, nonces()).expect("no weak key");
    let piece = vec![7; PIECE_BYTES];
    let mut body = Vec::with_capacity(sealed_bytes(FILE_BYTES as u64).expect("small") as usize);
    encrypt(&key, &piece, |segment| body.extend_from_slice(segment));
    let nowhere = |segment: &[u8]| {
        black_box(segment);
    };
    let mut best = [0.0_f64; 3];
    for _ in 0..ROUNDS {
        let round = [bare(), encrypt(&key, &piece, nowhere), decrypt(&header, &reader, &body)];
        best.iter_mut().zip(round).for_each(|(best, now)| *best = best.max(now));
    }
    let [bare, encrypt, decrypt] = best;
    println!(
        "{{\"bare_mb_per_s\": {bare:.0}, \"encrypt_mb_per_s\": {encrypt:.0}, \"encrypt_ratio\": {:.2}, \
         \"decrypt_mb_per_s\": {decrypt:.0}, \"decrypt_ratio\": {:.2}}}",
        encrypt / bare,
        decrypt / bare
    );
}

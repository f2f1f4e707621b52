//! Crypt4GH as a whole: there and back, every change found, and files that nobody means well with.

use std::cell::Cell;

use proptest::prelude::*;

use super::body::{Decryptor, Encryptor, Error, Expect, Summary};
use super::header::{self, Header, header_for};
use super::key::{DataKey, PublicKey, SecretKey};
use super::segment::PLAIN_BYTES;
use super::{Nonce, packet};

mod hostile;
mod reference;
mod round;

/// Nonces that differ; in tests nothing else is asked of them.
fn nonces() -> impl FnMut() -> Nonce {
    let count = Cell::new(0_u64);
    move || {
        count.set(count.get() + 1);
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&count.get().to_le_bytes());
        nonce
    }
}

fn reader() -> SecretKey {
    SecretKey::new(&[1; 32])
}

fn writer() -> SecretKey {
    SecretKey::new(&[2; 32])
}

fn data_key() -> DataKey {
    DataKey::new(&[5; 32])
}

fn head() -> Vec<u8> {
    header_for(&data_key(), &reader().public(), &writer(), nonces()).expect("no weak key")
}

fn plain(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| (place % 251) as u8).collect()
}

/// The body, pushed in pieces of this size.
fn body(plain: &[u8], piece: usize) -> Vec<u8> {
    let mut encryptor = Encryptor::new(&data_key(), nonces());
    let mut body = Vec::new();
    for piece in plain.chunks(piece) {
        let mut rest = piece;
        while let Some(segment) = encryptor.push(&mut rest) {
            body.extend_from_slice(segment);
        }
        assert!(rest.is_empty());
    }
    body.extend_from_slice(&encryptor.finish());
    body
}

fn opened(header: Header, body: &[u8], piece: usize, expect: Expect) -> Result<(Vec<u8>, Summary), Error> {
    decrypted(Decryptor::new(header, expect), body, piece)
}

fn decrypted(mut decryptor: Decryptor, body: &[u8], piece: usize) -> Result<(Vec<u8>, Summary), Error> {
    let mut plain = Vec::new();
    for piece in body.chunks(piece) {
        let mut rest = piece;
        while let Some(segment) = decryptor.push(&mut rest)? {
            plain.extend_from_slice(segment);
        }
        assert!(rest.is_empty());
    }
    let last = decryptor.finish()?;
    plain.extend_from_slice(&last.plain);
    Ok((plain, last.summary))
}

/// A whole file, as the reader sees it.
fn file(bytes: &[u8], expect: Expect) -> Result<Vec<u8>, String> {
    let header = header::open(bytes, &reader(), None).map_err(|error| error.to_string())?;
    let body = &bytes[header.bytes..];
    opened(header, body, body.len().max(1), expect).map(|(plain, _)| plain).map_err(|error| error.to_string())
}

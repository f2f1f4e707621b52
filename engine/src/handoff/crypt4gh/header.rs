//! The header (section "Header"): where it ends, what one reader can open of it, and one written for a recipient. It does not know the
//! body behind it.

use zeroize::Zeroizing;

use super::edits::Edits;
use super::key::{DataKey, KEY_BYTES, PublicKey, SecretKey};
use super::packet::{self, OVERHEAD_BYTES, PREFIX_BYTES, WeakKey};
use super::{Nonce, le_u32};

/// What every file begins with.
pub const MAGIC: [u8; 8] = *b"crypt4gh";
/// The only version there is.
pub const VERSION: u32 = 1;
/// Magic, version and count, bytes.
pub const START_BYTES: usize = 16;
/// Packets of one header: each costs a key agreement, and a file has a handful of readers.
pub const PACKETS_MAX: u32 = 1_024;
/// Bytes of one packet: an edit list of 131,000 lengths.
pub const PACKET_BYTES_MAX: u32 = 1 << 20;
/// Bytes of a header; more is never asked for.
pub const HEADER_BYTES_MAX: usize = 4 << 20;
/// Data keys for one reader: each may be tried on each segment.
pub const DATA_KEYS_MAX: usize = 64;
/// Bytes of a header with one packet and one data key: what [`header_for`] writes.
pub const ONE_READER_BYTES: usize = START_BYTES + OVERHEAD_BYTES + DATA_KEY_PAYLOAD_BYTES;

const DATA_ENCRYPTION_PARAMETERS: u32 = 0;
const DATA_EDIT_LIST: u32 = 1;
const CHACHA20_IETF_POLY1305: u32 = 0;
const DATA_KEY_PAYLOAD_BYTES: usize = 8 + KEY_BYTES;

/// Why a header is refused. Packets are counted from 1; places are bytes from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("not a Crypt4GH file: it does not begin with `crypt4gh`")]
    Magic,
    #[error("Crypt4GH version {0} at byte 8; only version {VERSION} is known")]
    Version(u32),
    #[error("the header says at byte 12 that it has no packets")]
    NoPackets,
    #[error("the header says at byte 12 that it has {0} packets; at most {PACKETS_MAX} are read")]
    ManyPackets(u32),
    #[error("header packet {packet} at byte {at} says that it is {bytes} bytes long, too short for what it must hold")]
    ShortPacket { packet: u32, at: usize, bytes: u32 },
    #[error(
        "header packet {packet} at byte {at} says that it is {bytes} bytes long; at most {PACKET_BYTES_MAX} are read"
    )]
    LongPacket { packet: u32, at: usize, bytes: u32 },
    #[error("the header goes on behind byte {HEADER_BYTES_MAX} with packet {packet}; no more is read")]
    LongHeader { packet: u32 },
    #[error("the header is cut off: {have} bytes of at least {need}")]
    Cut { have: usize, need: usize },
    #[error("header packet {packet} at byte {at} is of type {kind}, which Crypt4GH 1.0 does not have")]
    PacketType { packet: u32, at: usize, kind: u32 },
    #[error(
        "header packet {packet} at byte {at} wants data encryption method {method}; Crypt4GH 1.0 has only 0, chacha20_ietf_poly1305"
    )]
    DataMethod { packet: u32, at: usize, method: u32 },
    #[error("header packet {packet} at byte {at} holds less than its type needs")]
    ShortPayload { packet: u32, at: usize },
    #[error("header packet {packet} at byte {at} is a second edit list")]
    SecondEdits { packet: u32, at: usize },
    #[error("header packet {packet} at byte {at} brings one data key too many; at most {DATA_KEYS_MAX} are tried")]
    ManyDataKeys { packet: u32, at: usize },
    #[error(
        "none of the {packets} header packets gives a data key to this reader: it is for another key, from another writer, or was changed"
    )]
    NotForThisKey { packets: u32 },
    #[error(transparent)]
    Weak(#[from] WeakKey),
}

/// How much of a header is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It ends before this byte; the body begins here.
    Whole(usize),
    /// It is longer: at least so many bytes, never more than [`HEADER_BYTES_MAX`].
    AtLeast(usize),
}

/// What one reader can open of a header.
#[derive(Clone)]
pub struct Header {
    /// At least one.
    pub data_keys: Vec<DataKey>,
    /// When the file is only a part of what is decrypted.
    pub edits: Option<Edits>,
    /// The body begins here.
    pub bytes: usize,
    /// For other readers, from other writers, of other methods, or changed.
    pub skipped_packets: u32,
}

struct Packet<'a> {
    number: u32,
    at: usize,
    /// With its length.
    bytes: &'a [u8],
}

/// Says from the beginning of a file where its header ends. To be asked again with more bytes as long as it says
/// [`Extent::AtLeast`]; what it asks for is bounded, whatever the file says of itself.
///
/// # Errors
/// [`Error::Magic`] to [`Error::LongHeader`]: what cannot be a header, as soon as it can be seen.
pub fn extent(start: &[u8]) -> Result<Extent, Error> {
    split(start).map(|(_, extent)| extent)
}

fn split(start: &[u8]) -> Result<(Vec<Packet<'_>>, Extent), Error> {
    let known = start.len().min(MAGIC.len());
    if start[..known] != MAGIC[..known] {
        return Err(Error::Magic);
    }
    let numbers = start.get(MAGIC.len()..).and_then(le_u32);
    if let Some((version, _)) = numbers
        && version != VERSION
    {
        return Err(Error::Version(version));
    }
    let Some((count, _)) = numbers.and_then(|(_, rest)| le_u32(rest)) else {
        return Ok((Vec::new(), Extent::AtLeast(START_BYTES)));
    };
    match count {
        0 => return Err(Error::NoPackets),
        1..=PACKETS_MAX => {}
        _ => return Err(Error::ManyPackets(count)),
    }
    let mut packets = Vec::new();
    let mut at = START_BYTES;
    for number in 1..=count {
        let Some((bytes, rest)) = start.get(at..).and_then(le_u32) else {
            return Ok((packets, Extent::AtLeast(at + PREFIX_BYTES)));
        };
        let end = packet_end(number, at, bytes, rest)?;
        let Some(whole) = start.get(at..end) else { return Ok((packets, Extent::AtLeast(end))) };
        packets.push(Packet { number, at, bytes: whole });
        at = end;
    }
    Ok((packets, Extent::Whole(at)))
}

fn packet_end(packet: u32, at: usize, bytes: u32, rest: &[u8]) -> Result<usize, Error> {
    if bytes > PACKET_BYTES_MAX {
        return Err(Error::LongPacket { packet, at, bytes });
    }
    // A packet of a method that we do not know may have any form behind its method; ours has at least a type to encrypt.
    let ours = le_u32(rest).is_some_and(|(method, _)| method == packet::METHOD);
    let least = if ours { OVERHEAD_BYTES + 4 } else { PREFIX_BYTES };
    let length = bytes as usize;
    if length < least {
        return Err(Error::ShortPacket { packet, at, bytes });
    }
    let end = at + length;
    if end > HEADER_BYTES_MAX { Err(Error::LongHeader { packet }) } else { Ok(end) }
}

/// Opens what is for this reader; the bytes may go on behind the header. With a writer, packets of anybody else are as if for other
/// readers.
///
/// # Errors
/// What cannot be a header; what was for this reader and is not well-formed, or of a later version; [`Error::NotForThisKey`].
pub fn open(bytes: &[u8], reader: &SecretKey, writer: Option<&PublicKey>) -> Result<Header, Error> {
    open_packets(bytes, reader, writer).map(|(header, _)| header)
}

type Payloads = Vec<Zeroizing<Vec<u8>>>;

fn open_packets(bytes: &[u8], reader: &SecretKey, writer: Option<&PublicKey>) -> Result<(Header, Payloads), Error> {
    let (packets, end) = match split(bytes)? {
        (packets, Extent::Whole(end)) => (packets, end),
        (_, Extent::AtLeast(need)) => return Err(Error::Cut { have: bytes.len(), need }),
    };
    let mut header = Header { data_keys: Vec::new(), edits: None, bytes: end, skipped_packets: 0 };
    let mut payloads = Vec::new();
    for packet in &packets {
        let Some(payload) = packet::open(packet.bytes, reader, writer) else {
            header.skipped_packets += 1;
            continue;
        };
        header.take(packet, &payload)?;
        payloads.push(payload);
    }
    if header.data_keys.is_empty() {
        return Err(Error::NotForThisKey { packets: header.skipped_packets });
    }
    Ok((header, payloads))
}

impl Header {
    /// Section "Header packet encrypted payload". What is behind the fields is padding.
    fn take(&mut self, packet: &Packet<'_>, payload: &[u8]) -> Result<(), Error> {
        let (number, at) = (packet.number, packet.at);
        let short = || Error::ShortPayload { packet: number, at };
        let (kind, rest) = le_u32(payload).ok_or_else(short)?;
        match kind {
            DATA_ENCRYPTION_PARAMETERS => {
                let (method, rest) = le_u32(rest).ok_or_else(short)?;
                if method != CHACHA20_IETF_POLY1305 {
                    return Err(Error::DataMethod { packet: number, at, method });
                }
                let (key, _) = rest.split_first_chunk::<KEY_BYTES>().ok_or_else(short)?;
                let key = DataKey::new(key);
                if self.data_keys.iter().any(|known| known.is(&key)) {
                    return Ok(());
                }
                if self.data_keys.len() == DATA_KEYS_MAX {
                    return Err(Error::ManyDataKeys { packet: number, at });
                }
                self.data_keys.push(key);
            }
            DATA_EDIT_LIST if self.edits.is_some() => return Err(Error::SecondEdits { packet: number, at }),
            DATA_EDIT_LIST => self.edits = Some(Edits::read(rest).ok_or_else(short)?),
            kind => return Err(Error::PacketType { packet: number, at, kind }),
        }
        Ok(())
    }
}

/// Writes the header that opens a body of this data key to one recipient: [`ONE_READER_BYTES`] long. Written once and stored, it makes
/// with its body a file that is the same bytes every time.
///
/// # Errors
/// When everybody could read it.
pub fn header_for(
    data_key: &DataKey,
    recipient: &PublicKey,
    sender: &SecretKey,
    nonces: impl FnMut() -> Nonce,
) -> Result<Vec<u8>, WeakKey> {
    write(std::slice::from_ref(&payload_of(data_key)), std::slice::from_ref(recipient), sender, nonces)
}

/// The same for several recipients of one file; each learns how many others there are.
///
/// # Errors
/// When everybody could read it.
///
/// # Panics
/// Without a recipient, or with more than [`PACKETS_MAX`].
pub fn header_for_all(
    data_key: &DataKey,
    recipients: &[PublicKey],
    sender: &SecretKey,
    nonces: impl FnMut() -> Nonce,
) -> Result<Vec<u8>, WeakKey> {
    write(std::slice::from_ref(&payload_of(data_key)), recipients, sender, nonces)
}

/// Makes a header for another recipient out of one that the reader can open: the same data keys, the same edit list; the body stays as
/// it is. Packets for others are left out.
///
/// # Errors
/// Those of [`open`], and [`Error::Weak`].
pub fn reissue(
    header: &[u8],
    reader: &SecretKey,
    recipient: &PublicKey,
    sender: &SecretKey,
    nonces: impl FnMut() -> Nonce,
) -> Result<Vec<u8>, Error> {
    let (_, payloads) = open_packets(header, reader, None)?;
    Ok(write(&payloads, std::slice::from_ref(recipient), sender, nonces)?)
}

fn payload_of(data_key: &DataKey) -> Zeroizing<Vec<u8>> {
    let mut payload = Zeroizing::new(Vec::with_capacity(DATA_KEY_PAYLOAD_BYTES));
    payload.extend_from_slice(&DATA_ENCRYPTION_PARAMETERS.to_le_bytes());
    payload.extend_from_slice(&CHACHA20_IETF_POLY1305.to_le_bytes());
    payload.extend_from_slice(data_key.bytes());
    payload
}

pub(super) fn write(
    payloads: &[Zeroizing<Vec<u8>>],
    recipients: &[PublicKey],
    sender: &SecretKey,
    mut nonces: impl FnMut() -> Nonce,
) -> Result<Vec<u8>, WeakKey> {
    let count = u32::try_from(payloads.len() * recipients.len()).unwrap_or(u32::MAX);
    assert!((1..=PACKETS_MAX).contains(&count), "a header of {count} packets is read by nobody");
    let mut out = Vec::with_capacity(ONE_READER_BYTES);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    for recipient in recipients {
        for payload in payloads {
            packet::seal(payload, recipient, sender, nonces(), &mut out)?;
        }
    }
    Ok(out)
}

//! One file through the network door, for measuring: `serve FILE [CERTIFICATE KEY]`. Prints where it listens; ends with its input.
//!
//! It knows no site: everybody gets the file at `/file`, the same behind a header from memory at `/encrypted`, as a receiver of Crypt4GH
//! gets one, and `/healthz` answers as the site's does. `scripts/bench serve` holds it against nginx.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::get;
use kentai_web::download::{Guard, Object, Piece, answer};
use kentai_web::listen::{Door, Files, Limits, Options};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

/// As long as one for one recipient; what it says is looked at by nobody.
const HEADER: [u8; 124] = [7; 124];

fn object(path: &str, header: &'static [u8]) -> std::io::Result<Object> {
    let mut file = File::open(path)?;
    let (mut digest, mut len, mut buffer) = (Sha256::new_with_prefix(header), 0, vec![0; 1 << 20]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digest.update(&buffer[..count]);
        len += count as u64;
    }
    Ok(Object {
        pieces: vec![Piece::Text(header.into()), Piece::whole(Arc::new(file), len)],
        sha256: digest.finalize().into(),
        md5: None,
        modified_us: 0,
        media_type: "application/octet-stream".into(),
        file_name: "file".into(),
    })
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "whoever started it reads where it listens")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, tls) = match &arguments[..] {
        [file] => (file, None),
        [file, certificate, key] => {
            let (certificate, key) = (PathBuf::from(certificate), PathBuf::from(key));
            (file, Some(Files { certificate, key, client_ca: None }))
        }
        _ => return Err("usage: serve FILE [CERTIFICATE KEY]".into()),
    };
    let serve = |object: Object| {
        get(move |method: Method, headers: HeaderMap| async move {
            let response: Response = answer(&method, &headers, object, Guard::default());
            response
        })
    };
    let (plain, encrypted) = (serve(object(file, &[])?), serve(object(file, &HEADER)?));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let certificates = Arc::new(|_: &str| None);
    let door = Door::open(Options { address, tls, plain_allowed: false, limits: Limits::default(), certificates })?;
    println!("{}", door.address());
    let token = CancellationToken::new();
    let router = kentai_web::Router::new().route("/file", plain).route("/encrypted", encrypted);
    let router = router.route("/healthz", get(|| async { "ok\n" }));
    let serving = tokio::spawn(door.serve(router, token.clone()));
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    token.cancel();
    serving.await?;
    Ok(())
}

//! Programs of others: the GA4GH client walks bundles, samtools reads a region and no more of a file.
//!
//! DRS's own addresses are names without a port, over TLS. A tunnel leads from such a name to the test's door, as a proxy does.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use kentai_engine::scheduler::Target;
use kentai_tests::house::{Act, Plan, specimen, workflow};
use kentai_tests::receivers::{Receivers, sha256sum};
use kentai_tests::{peer, tool};
use kentai_web::listen::{self, Files, Limits, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{ids, object};

/// The center as its receivers know it.
const NAME: &str = "center.example";

/// A door with TLS, and a proxy that leads every name to it. Both close when this is dropped.
struct Tls {
    _door: DropGuard,
    _tunnels: JoinSet<()>,
    proxy: SocketAddr,
}

impl Tls {
    async fn open(site: &Receivers, place: &Path) -> Result<Self> {
        let made = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=center", "-days", "30", "-nodes"];
        let name = format!("subjectAltName=DNS:{NAME}");
        let ec = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-addext", &name];
        tool("openssl", &[&ec[..], &made].concat(), place)?;
        tool("chmod", &["600", "key.pem"], place)?;
        let files = Files { certificate: place.join("cert.pem"), key: place.join("key.pem"), client_ca: None };
        let limits = Limits { requests_per_second: 10_000, burst: 10_000, ..Limits::default() };
        let address = "127.0.0.1:0".parse()?;
        let certificates: listen::Certificates = Arc::new(|_: &str| None);
        let door =
            listen::Door::open(Options { address, tls: Some(files), plain_allowed: false, limits, certificates })?;
        let (token, to) = (CancellationToken::new(), door.address());
        let mut tasks = JoinSet::new();
        let serving = door.serve(
            kentai_web::router(site.house.handle().clone(), Arc::new(|_| None), kentai_web::TimeZone::UTC),
            token.clone(),
        );
        tasks.spawn(serving);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = listener.local_addr()?;
        tasks.spawn(async move {
            let mut tunnels = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                tunnels.spawn(tunnel(stream, to));
            }
        });
        Ok(Self { _door: token.drop_guard(), _tunnels: tasks, proxy })
    }
}

/// One CONNECT (RFC 9110, section 9.3.6), whatever name it is for.
async fn tunnel(mut from: TcpStream, to: SocketAddr) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = from.read_u8().await else { return };
        head.push(byte);
    }
    let Ok(mut to) = TcpStream::connect(to).await else { return };
    if head.starts_with(b"CONNECT ") && from.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.is_ok() {
        // Either side may hang up at any time.
        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_ga4gh_fetches_files_and_whole_bundles() -> Result<()> {
    let Some(program) = peer("drs")? else { return Ok(()) };
    let site = Receivers::open().await?;
    let (_, id) = site.offered("S1", "calls\n").await?;
    let (delivery, file) = ids(&site, &id, "data/S1.vcf")?;
    let specimen = object(&site, &delivery)?["aliases"][1].as_str().context("a specimen")?.to_owned();
    let entries = site.door.json("dc1", &format!("/api/v1/offers/{id}"))?["entries"].clone();
    let place = site.door.place("drs")?;
    let tls = Tls::open(&site, &place).await?;
    for (object, count) in [(&file, 1), (&delivery, 0), (&specimen, 0)] {
        let to = site.door.place(&format!("got-{}", &object[..8]))?;
        let mut command = Command::new(&program);
        command.args([
            "get",
            &format!("https://{NAME}"),
            object,
            "--download",
            "--expand",
            "--validate-checksum",
            "--verbosity",
            "DEBUG",
        ]);
        command.args(["--authtoken", &site.door.tokens["dc1"], "--output-dir"]).arg(&to);
        command.env("HTTPS_PROXY", format!("http://{}", tls.proxy)).env_remove("NO_PROXY").env_remove("no_proxy");
        command.env("REQUESTS_CA_BUNDLE", place.join("cert.pem")).current_dir(&place);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{object}: {said}");
        // It puts each file into a folder of the object's id: the digest of the file, says sha256sum.
        let found = tool("find", &[".", "-type", "f", "-path", "./f-*", "-printf", "%P\\n"], &to)?;
        for path in found.lines() {
            let digest = sha256sum(&to.join(path))?;
            ensure!(path.starts_with(&format!("f-{digest}/")), "{path} has other bytes: {digest}");
        }
        let count = if count == 0 { entries.as_array().map_or(0, Vec::len) } else { count };
        ensure!(found.lines().count() == count, "{count} files, and not\n{found}{said}");
    }
    drop(tls);
    site.check().await
}

/// Gives a BAM file and its index to the first data center.
const BAM: &str = "  a:
    outputs: { o: { path: calls.bam }, n: { path: calls.bam.bai } }
    script: x
  deliver:
    handoff: { to: dc1, files: [\"${{ steps.a.o }}\", \"${{ steps.a.n }}\"] }
";

/// A sorted BAM file with an index, larger than what a reader takes at once.
fn alignments(place: &Path) -> Result<()> {
    let mut text = String::from("@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:2000000\n@SQ\tSN:chr2\tLN:2000000\n");
    let mut seed: u32 = 1;
    for chromosome in ["chr1", "chr2"] {
        for read in 0..40_000_u32 {
            let mut bases = String::new();
            for _ in 0..50 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bases.push(char::from(b"ACGT"[(seed >> 30) as usize]));
            }
            let at = 1 + read * 49;
            text.push_str(&format!("{chromosome}.{read}\t0\t{chromosome}\t{at}\t60\t50M\t*\t0\t0\t{bases}\t*\n"));
        }
    }
    std::fs::write(place.join("calls.sam"), text)?;
    tool("samtools", &["view", "--bam", "--output", "calls.bam", "calls.sam"], place)?;
    tool("samtools", &["index", "calls.bam"], place)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn samtools_reads_a_region_by_a_link_and_by_a_token() -> Result<()> {
    let site = Receivers::with(Plan::default(), Target::pulled()).await?;
    let place = site.door.place("bam")?;
    alignments(&place)?;
    site.house.hands.plan("a", [Act::Wait]);
    let run = site.house.submit(&workflow(BAM), &specimen("S1")).await?;
    site.house.until("the tool runs", async |house| Ok(!house.hands.running().is_empty())).await?;
    let work = site.house.hands.of("a")[0].directory.join("work");
    std::fs::create_dir_all(&work)?;
    for name in ["calls.bam", "calls.bam.bai"] {
        std::fs::copy(place.join(name), work.join(name))?;
    }
    site.house.hands.finish("a", &Act::Make(Vec::new()));
    ensure!(site.house.end(&run).await? == "succeeded", "{}", site.house.why(&run, None).await?);
    let rows = site.house.handle().reader().deliveries_of(run.as_str()).await?;
    let id = rows.last().context("a delivery")?.delivery_id.to_string();
    let (_, bam) = ids(&site, &id, "data/S1.bam")?;
    let (_, index) = ids(&site, &id, "data/S1.bam.bai")?;
    let here = |region: &str| tool("samtools", &["view", "calls.bam", region], &place);
    let base = site.door.base();
    let url = |file: &str| -> Result<String> { Ok(format!("{base}{}", super::link(&site, "dc1", file)?)) };
    let token = place.join("token");
    std::fs::write(&token, &site.door.tokens["dc1"])?;
    for region in ["chr1:1000-2000", "chr2:1900000-1950000", "chr2:1999999-2000000"] {
        let wanted = here(region)?;
        let by_link = tool("samtools", &["view", "-X", &url(&bam)?, &url(&index)?, region], &place)?;
        ensure!(by_link == wanted, "{region}: other reads by a link");
        let output = Command::new("samtools")
            .args(["view", &format!("{base}/deliveries/{id}/data/S1.bam"), region])
            .env("HTS_AUTH_LOCATION", &token)
            .env("HTS_ALLOW_UNENCRYPTED_AUTHORIZATION_HEADER", "I understand the risks")
            .current_dir(site.door.place("elsewhere")?)
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        ensure!(output.stdout == wanted.as_bytes(), "{region}: other reads by a token");
    }
    ensure!(here("chr1:1000-2000")?.lines().count() > 10, "the region is empty");
    // Of the file only a part was sent: nobody asked for all of it.
    ensure!(!site.events(&id)?.iter().any(|event| event == "delivered"), "{:?}", site.events(&id)?);
    site.check().await
}

//! Lines that break at any byte: whoever carries again ends with the same bytes, and nothing is left over.

use std::sync::Arc;

use kentai_engine::port::courier::{Courier, Error, Package};
use kentai_executors::courier::s3::S3Courier;
use kentai_executors::courier::sftp::SftpCourier;

use super::s3::S3;
use super::sftp::Sftp;
use super::{Target, assert_whole};
use crate::support::package::large;
use crate::support::proxy::Proxy;

const ROUNDS: usize = 10;

/// Numbers that look like chance and can be had again (Knuth's generator); the seed is said when a test fails.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let given = std::env::var("KENTAI_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()));
        eprintln!("KENTAI_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

/// Carries over a line that breaks again and again, and looks at the target after each break.
async fn carried_in_spite_of_cuts(target: &impl Target, courier: Arc<dyn Courier>, proxy: &Proxy, package: &Package) {
    let size: usize = package.entries.iter().map(|entry| usize::try_from(entry.size).expect("small")).sum();
    let mut chance = Chance::new();
    for round in 0..ROUNDS {
        // Half of the cuts early, where a connection is made; half anywhere.
        let budget = if round % 2 == 0 { chance.below(60_000) } else { chance.below(size) };
        proxy.allow(i64::try_from(budget).expect("small"));
        match courier.carry(package).await {
            // What is there already may need few bytes.
            Ok(_) => break,
            Err(Error::Unreachable { .. }) => {}
            Err(error) => panic!("after {budget} bytes: {error}"),
        }
        let files = target.files();
        if files.contains_key("tagmanifest-sha256.txt.sig") {
            assert_eq!(files.len(), package.entries.len(), "the signature says that the package is whole");
        }
    }
    proxy.allow(i64::MAX);
    courier.carry(package).await.expect("carried");
    assert_whole(target, package);
}

#[tokio::test]
async fn a_bucket_behind_a_line_that_breaks_gets_the_same_package() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = large(directory.path(), 40 << 20);
    let proxy = Proxy::start(target.bucket.port).await;
    let mut options = target.options.clone();
    options.endpoint = format!("http://127.0.0.1:{}", proxy.port);
    let courier = Arc::new(S3Courier::new(options).unwrap_or_else(|reason| panic!("{reason}")));
    carried_in_spite_of_cuts(&target, courier, &proxy, &package).await;
}

#[tokio::test]
async fn an_inbox_behind_a_line_that_breaks_gets_the_same_package() {
    let target = Sftp::start();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = large(directory.path(), 10 << 20);
    let proxy = Proxy::start(target.sshd.port).await;
    target.sshd.know_at("host", proxy.port);
    let mut options = target.options.clone();
    options.port = proxy.port;
    carried_in_spite_of_cuts(&target, Arc::new(SftpCourier::new(options)), &proxy, &package).await;
}

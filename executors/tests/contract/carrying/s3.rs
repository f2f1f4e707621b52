//! A bucket of moto as a target; every signature is recomputed by botocore, and boto3 looks at what arrived.

use std::sync::Arc;

use kentai_engine::port::courier::{Courier, Error};
use kentai_executors::courier::s3::{Options, S3Courier, Verify};

use super::{Target, assert_whole, promises};
use crate::support::package::{FOLDER, Files, files, large, small};
use crate::support::s3::Bucket;

const PREFIX: &str = "from/center";
const MIB: usize = 1 << 20;
/// Two parts of 16 MiB and a shorter one.
const LARGE: usize = 32 * MIB + 5;

pub(super) struct S3 {
    pub(super) bucket: Bucket,
    pub(super) options: Options,
}

impl S3 {
    pub(super) fn start() -> Option<Self> {
        let bucket = Bucket::start()?;
        let options = bucket.options(PREFIX);
        Some(Self { bucket, options })
    }

    fn with(&self, change: impl Fn(&mut Options)) -> Arc<dyn Courier> {
        let mut options = self.options.clone();
        change(&mut options);
        Arc::new(S3Courier::new(options).unwrap_or_else(|reason| panic!("{reason}")))
    }

    fn key(path: &str) -> String {
        format!("{PREFIX}/{FOLDER}/{path}")
    }

    /// Requests with this method whose address contains all of these words.
    fn requests(&self, method: &str, words: &[&str]) -> usize {
        let log = self.bucket.log();
        log.iter().filter(|line| line.starts_with(method) && words.iter().all(|word| line.contains(word))).count()
    }
}

impl Target for S3 {
    fn courier(&self) -> Arc<dyn Courier> {
        self.with(|_| ())
    }

    fn unreachable(&self) -> (Arc<dyn Courier>, &'static str) {
        (self.with(|options| options.bucket = "elsewhere".into()), "make the bucket elsewhere, or correct `bucket:`")
    }

    fn files(&self) -> Files {
        self.bucket.objects(&Self::key(""))
    }

    fn leftovers(&self) -> Vec<String> {
        let objects = self.bucket.objects("").into_keys().filter(|key| !key.starts_with(&Self::key("")));
        objects.chain(self.bucket.uploads()).collect()
    }

    fn place(&self) -> String {
        format!("s3://inbox/{}", Self::key(""))
    }

    fn plant(&self, path: &str, bytes: &[u8]) {
        self.bucket.put(&Self::key(path), bytes);
    }

    fn plant_half(&self, path: &str, bytes: &[u8]) {
        self.bucket.begin(&Self::key(path), &[bytes]);
    }
}

promises!(S3::start());

#[tokio::test]
async fn parts_that_are_there_are_not_sent_again_and_others_are_replaced() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = large(directory.path(), LARGE);
    let whole = &files(&package)["data/S1.cram"];
    let (key, part) = (S3::key("data/S1.cram"), 16 * MIB);
    // One has the first part and another's second one; one is older; one is of parts that this file does not have.
    target.bucket.begin(&key, &[&whole[..part], &vec![7; part]]);
    target.bucket.begin(&key, &[&whole[..part]]);
    target.bucket.begin(&key, &[&whole[..5 * MIB]]);
    target.courier().carry(&package).await.expect("carried");
    assert_whole(&target, &package);
    let parts: Vec<usize> = (1..=3).map(|number| target.requests("PUT", &[&format!("partNumber={number}&")])).collect();
    assert_eq!(parts, [0, 1, 1], "the first part was there");
    assert_eq!((target.requests("DELETE", &["uploadId"]), target.requests("POST", &["?uploads"])), (2, 0));
}

#[tokio::test]
async fn a_large_file_that_changed_on_disk_leaves_no_upload_behind() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut package = large(directory.path(), LARGE);
    package.entries[0].sha256 = "0".repeat(64);
    assert!(matches!(target.courier().carry(&package).await, Err(Error::Corrupt { .. })));
    assert!(target.files().is_empty() && target.leftovers().is_empty());
}

#[tokio::test]
async fn the_signature_comes_last_and_the_payload_first() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut package = small(directory.path());
    // As the engine gives them; then tag files stand before the payload.
    package.entries.sort_by(|one, other| one.path.cmp(&other.path));
    target.courier().carry(&package).await.expect("carried");
    let log = target.bucket.log();
    let name = |line: &String| {
        line.split(['?', ' ']).nth(1).and_then(|path| path.split_once(FOLDER)).map(|it| it.1.to_owned())
    };
    let written: Vec<String> = log.iter().filter(|line| line.starts_with("PUT")).filter_map(name).collect();
    assert!(written[..3].iter().all(|path| path.starts_with("/data/")), "{written:?}");
    assert_eq!(written[written.len() - 2..], ["/tagmanifest-sha256.txt", "/tagmanifest-sha256.txt.sig"]);
    // Each was compared before the next one left.
    let verbs: Vec<&str> = log.iter().skip_while(|line| !line.starts_with("PUT")).map(|line| &line[..4]).collect();
    assert!(verbs.chunks(2).take(written.len()).all(|pair| pair == ["PUT ", "HEAD"]), "{verbs:?}");
}

#[tokio::test]
async fn what_a_server_has_no_checksum_of_is_read_back() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = small(directory.path());
    target.courier().carry(&package).await.expect("carried");
    assert_eq!(target.requests("GET", &["/data/S1.cram?"]), 0, "checksums were told");
    target.with(|options| options.verify = Verify::Read).carry(&package).await.expect("carried");
    assert_eq!(target.requests("GET", &["/data/S1.cram?"]), 1);
    target.bucket.be_silent();
    target.courier().carry(&package).await.expect("carried");
    assert_eq!(target.requests("GET", &["/data/S1.cram?"]), 2);
}

#[tokio::test]
async fn a_file_that_the_package_does_not_have_is_a_conflict_before_anything_is_sent() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    target.plant("data/S2.cram", b"other");
    let said = target.courier().carry(&small(directory.path())).await;
    assert!(matches!(&said, Err(Error::Conflict { place }) if place.ends_with("data/S2.cram")), "{said:?}");
    assert_eq!(target.requests("P", &[]), 0, "nothing was written");
}

#[tokio::test]
async fn an_endpoint_is_believed_when_the_named_authority_certifies_it() {
    let Some(bucket) = Bucket::start_certified() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let target = S3 { options: bucket.options(PREFIX), bucket };
    let said = target.courier().carry(&small(directory.path())).await.expect_err("refused").to_string();
    assert!(said.contains("certificate") && target.bucket.log().is_empty(), "{said}");
    let authority = target.bucket.path("authority.pem");
    let courier = target.with(|options| options.authorities = Some(authority.clone()));
    // Each file was compared by the checksum that the server told.
    courier.carry(&small(directory.path())).await.expect("carried");
    assert_eq!(target.requests("PUT", &[FOLDER]), files(&small(directory.path())).len());
}

#[tokio::test]
async fn what_reads_back_otherwise_is_not_followed_by_its_signature() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    target.bucket.rot();
    let courier = target.with(|options| options.verify = Verify::Read);
    let said = courier.carry(&small(directory.path())).await.expect_err("refused").to_string();
    assert!(said.contains("data/S1.cram is not there as it was sent"), "{said}");
    // boto3 too compares what it reads with what is told, and refuses it.
    target.bucket.be_silent();
    assert_eq!(target.files().into_keys().collect::<Vec<_>>(), ["data/S1.cram"], "nothing came after it");
}

#[tokio::test]
async fn an_object_that_came_meanwhile_is_a_conflict_and_stays_as_it_was() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    target.bucket.race();
    assert!(matches!(target.courier().carry(&small(directory.path())).await, Err(Error::Conflict { .. })));
    assert_eq!(target.files().into_values().collect::<Vec<_>>(), [b"other"], "nothing came after it");
}

#[tokio::test]
async fn a_server_that_says_no_is_unreachable_with_its_reason_and_a_remedy() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = small(directory.path());
    for (fault, words) in [
        ("403 AccessDenied", ["AccessDenied", "let the key in"]),
        ("507 QuotaExceeded", ["QuotaExceeded", "make room there"]),
        ("503 SlowDown", ["503 SlowDown", "write from/center"]),
    ] {
        target.bucket.fault(Some(fault));
        let said = target.courier().carry(&package).await.expect_err("refused");
        let text = said.to_string();
        assert!(matches!(said, Error::Unreachable { .. }) && words.iter().all(|word| text.contains(word)), "{text}");
    }
    target.bucket.fault(None);
    target.courier().carry(&package).await.expect("carried");
    assert_whole(&target, &package);
}

#[tokio::test]
async fn a_wrong_key_is_named_by_its_file_and_never_told() {
    let Some(target) = S3::start() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let package = small(directory.path());
    target.bucket.write_credentials("AKIATEST", "wrong-secret");
    let said = target.courier().carry(&package).await.expect_err("refused").to_string();
    assert!(said.contains("SignatureDoesNotMatch") && said.contains("credentials"), "{said}");
    assert!(!said.contains("wrong-secret") && !said.contains("Signature="), "{said}");
    let gone = target.with(|options| options.endpoint = "http://127.0.0.1:1".into());
    let said = gone.carry(&package).await.expect_err("refused").to_string();
    assert!(said.contains("did not answer") && !said.contains("Signature="), "{said}");
    std::fs::set_permissions(target.bucket.credentials(), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .expect("set");
    let said = target.courier().carry(&package).await.expect_err("refused").to_string();
    assert!(said.contains("0644") && said.contains("make it 0600"), "{said}");
}

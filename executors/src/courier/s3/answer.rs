//! S3's answers, read from XML by the names of their elements alone: servers differ in namespaces, and in what they leave out.

use roxmltree::{Document, Node};

/// One page of a list, and where the next one begins.
pub(super) struct Page<T, Next> {
    pub found: Vec<T>,
    pub next: Option<Next>,
}

/// An upload that nobody completed.
#[derive(Debug, PartialEq)]
pub(super) struct Upload {
    pub key: String,
    pub id: String,
    /// What its parts are checked by; servers may leave it out.
    pub algorithm: Option<String>,
}

/// A part that is there.
#[derive(Debug, PartialEq)]
pub(super) struct FoundPart {
    pub number: u32,
    /// Bytes.
    pub size: u64,
    /// As it must be named when the upload is completed.
    pub etag: String,
    /// Base64; servers may leave it out.
    pub sha256: Option<String>,
}

type Read<T> = Result<T, String>;

/// `verb` is how the name of the root begins; some servers end it with `Response` instead of `Result`.
fn read<T>(text: &str, verb: &str, take: impl Fn(Node<'_, '_>) -> Read<T>) -> Read<T> {
    let document = Document::parse(text).map_err(|error| format!("its answer is no XML: {error}"))?;
    let found = document.root_element();
    match found.tag_name().name() {
        name if name.starts_with(verb) => take(found),
        name => Err(format!("its answer is `{name}`, not `{verb}…`")),
    }
}

fn children<'a>(node: Node<'a, 'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

/// An element without text is one that is not there.
fn word(node: Node<'_, '_>, name: &str) -> Option<String> {
    let found = node.children().find(|child| child.tag_name().name() == name);
    found.and_then(|child| child.text()).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn need(node: Node<'_, '_>, name: &str) -> Read<String> {
    word(node, name).ok_or_else(|| format!("its answer has no `{name}`"))
}

fn number<T: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Read<T> {
    need(node, name)?.parse().map_err(|_| format!("`{name}` of its answer is no number"))
}

/// A list that goes on, and does not say where, would be taken for whole.
fn next<T>(node: Node<'_, '_>, take: impl Fn() -> Read<T>) -> Read<Option<T>> {
    if word(node, "IsTruncated").is_some_and(|text| text == "true") { take().map(Some) } else { Ok(None) }
}

/// Keys of `ListObjectsV2`.
pub(super) fn objects(text: &str) -> Read<Page<String, String>> {
    read(text, "ListBucket", |root| {
        let found = children(root, "Contents").map(|node| need(node, "Key")).collect::<Read<_>>()?;
        Ok(Page { found, next: next(root, || need(root, "NextContinuationToken"))? })
    })
}

/// Uploads of `ListMultipartUploads`; the next page begins after a key and an id.
pub(super) fn uploads(text: &str) -> Read<Page<Upload, (String, String)>> {
    fn one(node: Node<'_, '_>) -> Read<Upload> {
        let algorithm = word(node, "ChecksumAlgorithm");
        Ok(Upload { key: need(node, "Key")?, id: need(node, "UploadId")?, algorithm })
    }
    read(text, "ListMultipartUploads", |root| {
        let found = children(root, "Upload").map(one).collect::<Read<_>>()?;
        let after = || Ok((need(root, "NextKeyMarker")?, need(root, "NextUploadIdMarker")?));
        Ok(Page { found, next: next(root, after)? })
    })
}

/// Parts of `ListParts`.
pub(super) fn parts(text: &str) -> Read<Page<FoundPart, String>> {
    fn one(node: Node<'_, '_>) -> Read<FoundPart> {
        Ok(FoundPart {
            number: number(node, "PartNumber")?,
            size: number(node, "Size")?,
            etag: need(node, "ETag")?,
            sha256: word(node, "ChecksumSHA256"),
        })
    }
    read(text, "ListParts", |root| {
        let found = children(root, "Part").map(one).collect::<Read<_>>()?;
        Ok(Page { found, next: next(root, || need(root, "NextPartNumberMarker"))? })
    })
}

/// The id of an upload that has begun.
pub(super) fn begun(text: &str) -> Read<String> {
    read(text, "InitiateMultipartUpload", |root| need(root, "UploadId"))
}

/// Was the upload completed? A server may say 200 before it knows, and then no.
pub(super) fn completed(text: &str) -> Read<()> {
    if let Some((code, message)) = refusal(text) {
        return Err(format!("{code} {message}"));
    }
    read(text, "CompleteMultipartUpload", |_| Ok(()))
}

/// Code and message of a refusal.
pub(super) fn refusal(text: &str) -> Option<(String, String)> {
    read(text, "Error", |root| Ok((need(root, "Code")?, word(root, "Message").unwrap_or_default()))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the API reference of ListParts, with the checksums that a server adds to an upload of SHA256.
    const PARTS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Bucket>example-bucket</Bucket><Key>example-object</Key><UploadId>XXBsb2Fk</UploadId>
  <PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker>
  <MaxParts>2</MaxParts><IsTruncated>true</IsTruncated>
  <Part><PartNumber>2</PartNumber><LastModified>2010-11-10T20:48:34.000Z</LastModified>
    <ETag>"7778aef83f66abc1fa1e8477f296d394"</ETag><Size>10485760</Size>
    <ChecksumSHA256>ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=</ChecksumSHA256></Part>
  <Part><PartNumber>3</PartNumber><ETag>"aaaa18db4cc2f85cedef654fccc4a4x8"</ETag><Size>10485760</Size></Part>
</ListPartsResult>"#;

    #[test]
    fn parts_with_and_without_a_checksum() {
        let page = parts(PARTS).expect("read");
        assert_eq!((page.found.len(), page.next.as_deref()), (2, Some("3")));
        assert_eq!(page.found[0].etag, "\"7778aef83f66abc1fa1e8477f296d394\"");
        assert_eq!(page.found[0].sha256.as_deref(), Some("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="));
        assert_eq!(page.found[1].sha256, None);
    }

    #[test]
    fn a_list_that_goes_on_says_where_or_is_not_believed() {
        assert!(parts(&PARTS.replace("<NextPartNumberMarker>3</NextPartNumberMarker>", "")).is_err());
        let list = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert!(objects(list).is_err());
        assert!(objects(&list.replace("true", "false")).is_ok_and(|page| page.next.is_none()));
    }

    #[test]
    fn a_refusal_in_an_answer_of_200_is_one() {
        let refused = "<Error><Code>InternalError</Code><Message>try again</Message></Error>";
        assert_eq!(completed(refused), Err("InternalError try again".into()));
        assert!(completed("<CompleteMultipartUploadResult/>").is_ok());
        assert!(completed("").is_err() && objects(refused).is_err());
    }
}

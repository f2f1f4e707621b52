//! GA4GH Phenopackets 2.0, as JSON: whose it is, and whether it is one. What is said about the person is passed over unread.
//!
//! The frame is checked: names of fields, kinds of values, what the standard requires of a phenopacket, its subject and its metadata.
//! The insides of features, measurements and so on are the business of the programs that use them.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};

/// Characters of a pseudonym.
const PSEUDONYM_MAX: usize = 200;

/// A phenopacket that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Its own id.
    pub id: String,
    /// The participant's pseudonym.
    pub subject: String,
}

/// Reads one; else says why it is none.
pub(crate) fn read(text: &[u8]) -> Result<Packet, String> {
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err("it is no object".to_owned());
    }
    let read: Phenopacket = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let needed = |what: &str, value: Option<String>| {
        value.filter(|it| !it.is_empty()).ok_or_else(|| format!("`{what}` is missing"))
    };
    let id = needed("id", read.id)?;
    let subject = read.subject.ok_or("`subject` is missing")?;
    let subject_id = needed("subject.id", subject.id)?;
    if subject_id.contains(char::is_control) {
        return Err("`subject.id` holds a control character".to_owned());
    }
    // A pseudonym with a blank around it would join with nobody, and a long text is none.
    if subject_id.trim() != subject_id || subject_id.chars().count() > PSEUDONYM_MAX {
        return Err(format!(
            "`subject.id` is no pseudonym: it has blanks around it, or more than {PSEUDONYM_MAX} characters"
        ));
    }
    if let Some(sex) = subject.sex.filter(|sex| !sex.is_known()) {
        return Err(format!("`subject.sex` is {sex:?}"));
    }
    let meta = read.meta_data.ok_or("`metaData` is missing")?;
    let version = needed("metaData.phenopacketSchemaVersion", meta.phenopacket_schema_version)?;
    if !is_version_2(&version) {
        return Err(format!("it is of version {version} of the schema; version 2 is read"));
    }
    let created = needed("metaData.created", meta.created)?;
    created.parse::<Timestamp>().map_err(|_| format!("`metaData.created` is `{created}`, which is no time"))?;
    needed("metaData.createdBy", meta.created_by)?;
    Ok(Packet { id, subject: subject_id })
}

/// `2`, `2.0`, `2.0.1`
fn is_version_2(version: &str) -> bool {
    let mut parts = version.split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next() == Some("2") && parts.all(is_number)
}

/// An object or null. A list of values in the order of the fields would be read too, otherwise.
fn object<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct OrNull<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for OrNull<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_any(OrNull(std::marker::PhantomData))
}

/// An object of which nothing is kept.
#[derive(Debug)]
struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Object)
            }
        }
        deserializer.deserialize_map(Any)
    }
}

type Objects = Option<Vec<Object>>;

/// Both spellings are JSON of protocol buffers; null says the same as nothing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "what is not kept is still checked for its kind")]
struct Phenopacket {
    id: Option<String>,
    #[serde(default, deserialize_with = "object")]
    subject: Option<Individual>,
    #[serde(alias = "phenotypic_features")]
    phenotypic_features: Objects,
    measurements: Objects,
    biosamples: Objects,
    interpretations: Objects,
    diseases: Objects,
    #[serde(alias = "medical_actions")]
    medical_actions: Objects,
    files: Objects,
    #[serde(alias = "meta_data", default, deserialize_with = "object")]
    meta_data: Option<MetaData>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "what is not kept is still checked for its kind")]
struct Individual {
    id: Option<String>,
    #[serde(alias = "alternate_ids")]
    alternate_ids: Option<Vec<String>>,
    #[serde(alias = "date_of_birth")]
    date_of_birth: Option<String>,
    #[serde(alias = "time_at_last_encounter")]
    time_at_last_encounter: Option<Object>,
    #[serde(alias = "vital_status")]
    vital_status: Option<Object>,
    sex: Option<Word>,
    #[serde(alias = "karyotypic_sex")]
    karyotypic_sex: Option<Word>,
    gender: Option<Object>,
    taxonomy: Option<Object>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "what is not kept is still checked for its kind")]
struct MetaData {
    created: Option<String>,
    #[serde(alias = "created_by")]
    created_by: Option<String>,
    #[serde(alias = "submitted_by")]
    submitted_by: Option<String>,
    resources: Objects,
    updates: Objects,
    #[serde(alias = "phenopacket_schema_version")]
    phenopacket_schema_version: Option<String>,
    #[serde(alias = "external_references")]
    external_references: Objects,
}

/// A word of a list, or its number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Word {
    Name(String),
    Number(i32),
}

impl Word {
    fn is_known(&self) -> bool {
        match self {
            Self::Name(name) => matches!(name.as_str(), "UNKNOWN_SEX" | "FEMALE" | "MALE" | "OTHER_SEX"),
            Self::Number(number) => (0..=3).contains(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str = r#"{"created":"2026-11-01T00:00:00Z","createdBy":"clinic","phenopacketSchemaVersion":"2.0"}"#;

    fn packet(subject: &str, more: &str) -> Result<Packet, String> {
        read(format!(r#"{{"id":"p1","subject":{subject},"metaData":{META}{more}}}"#).as_bytes())
    }

    #[test]
    fn whose_it_is() {
        let read = packet(r#"{"id":"P1","sex":"FEMALE"}"#, r#","phenotypicFeatures":[{"type":{"id":"HP:1"}}]"#);
        assert_eq!(read, Ok(Packet { id: "p1".into(), subject: "P1".into() }));
    }

    #[test]
    fn what_is_none_is_said_in_words() {
        for (subject, more, why) in [
            ("null", "", "`subject` is missing"),
            ("{}", "", "`subject.id` is missing"),
            (r#"{"id":"P\n1"}"#, "", "control character"),
            (r#"{"id":"P1 "}"#, "", "no pseudonym"),
            (r#"{"id":7}"#, "", "expected a string"),
            (r#"{"id":"P1","sex":"woman"}"#, "", "subject.sex"),
            (r#"{"id":"P1"}"#, r#","genes":[]"#, "unknown field `genes`"),
            (r#"{"id":"P1"}"#, r#","files":{}"#, "expected a sequence"),
            (r#"{"id":"P1"}"#, r#","files":[1]"#, "an object"),
            (r#"{"id":"P1"}"#, r#","id":"p2""#, "duplicate field"),
        ] {
            let told = packet(subject, more).expect_err("it is none");
            assert!(told.contains(why), "{told}");
        }
        for version in ["1.0.0", "2.x", "2.", "20.0", "v2"] {
            let old = META.replace("2.0", version);
            let told = read(format!(r#"{{"id":"p1","subject":{{"id":"P1"}},"metaData":{old}}}"#).as_bytes());
            assert!(told.expect_err("it is none").contains(&format!("version {version} ")), "{version}");
        }
        let bare = read(br#"{"id":"p1","subject":{"id":"P1"}}"#);
        assert!(bare.expect_err("it is none").contains("`metaData` is missing"));
        let unnamed = read(format!(r#"{{"subject":{{"id":"P1"}},"metaData":{META}}}"#).as_bytes());
        assert!(unnamed.expect_err("it is none").contains("`id` is missing"));
    }
}

//! Sizes and durations of the site file: written `4 GiB`, `90s`; kept as bytes and seconds.

use kentai_workflows::resources::{format_duration_s, format_size, parse_duration_s, parse_size};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub u64);

/// Seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Duration(pub u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(bytes) => Ok(Self(bytes)),
            Written::Text(text) => parse_size(&text)
                .map(Self)
                .ok_or_else(|| D::Error::custom(format!("`{text}` is no size; write one like `4 GiB`"))),
        }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(seconds) => Ok(Self(seconds)),
            Written::Text(text) => parse_duration_s(&text)
                .map(Self)
                .ok_or_else(|| D::Error::custom(format!("`{text}` is no duration; write one like `90s` or `7d`"))),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 0 { serializer.serialize_u64(0) } else { serializer.serialize_str(&format_size(self.0)) }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration_s(self.0))
    }
}

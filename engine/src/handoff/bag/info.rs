//! `bag-info.txt` (RFC 8493, section 2.2.2): facts about a package, each label at most once and in a fixed order.

use jiff::civil::Date;

use super::{Error, Oxum};

/// What a package says of itself. Every text is one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Who sends it.
    pub source_organization: String,
    /// What it is, in people's words.
    pub external_description: Option<String>,
    /// The day (UTC) on which it was begun: of the delivery, not of a try, so that another try gives the same bytes.
    pub bagging_date: Date,
    /// The delivery's id.
    pub external_identifier: String,
    /// The sender's own name for what is in it: the order line, or the run.
    pub internal_sender_identifier: Option<String>,
    /// What made it, with its version.
    pub software_agent: Option<String>,
}

impl Info {
    /// Its bytes.
    ///
    /// # Errors
    /// [`Error::Info`] when a text is not one line.
    pub(super) fn write(&self, oxum: Oxum) -> Result<String, Error> {
        let mut text = String::new();
        for (label, value) in self.labels(oxum) {
            let Some(value) = value else { continue };
            if value.is_empty() || value.trim() != value || value.contains(char::is_control) {
                return Err(Error::Info { label });
            }
            text.extend([label, ": ", &value, "\n"]);
        }
        Ok(text)
    }

    fn labels(&self, oxum: Oxum) -> [(&'static str, Option<String>); 7] {
        [
            ("Source-Organization", Some(self.source_organization.clone())),
            ("External-Description", self.external_description.clone()),
            ("Bagging-Date", Some(self.bagging_date.to_string())),
            ("External-Identifier", Some(self.external_identifier.clone())),
            ("Payload-Oxum", Some(format!("{}.{}", oxum.bytes, oxum.files))),
            ("Internal-Sender-Identifier", self.internal_sender_identifier.clone()),
            ("Bag-Software-Agent", self.software_agent.clone()),
        ]
    }

    /// What such bytes say. Whether they are canonical shows when they are written again; gives the line that cannot be read.
    pub(super) fn read(text: &str) -> Result<(Self, Oxum), usize> {
        let (mut info, mut oxum) = (Self::default(), Oxum::default());
        for (line, number) in text.lines().zip(1..) {
            let (label, value) = line.split_once(": ").ok_or(number)?;
            let told = || Some(value.to_owned());
            match label {
                "Source-Organization" => info.source_organization = value.to_owned(),
                "External-Description" => info.external_description = told(),
                "Bagging-Date" => info.bagging_date = value.parse().map_err(|_| number)?,
                "External-Identifier" => info.external_identifier = value.to_owned(),
                "Payload-Oxum" => oxum = parse_oxum(value).ok_or(number)?,
                "Internal-Sender-Identifier" => info.internal_sender_identifier = told(),
                "Bag-Software-Agent" => info.software_agent = told(),
                _ => return Err(number),
            }
        }
        Ok((info, oxum))
    }
}

fn parse_oxum(text: &str) -> Option<Oxum> {
    let (bytes, files) = text.split_once('.')?;
    Some(Oxum { bytes: bytes.parse().ok()?, files: files.parse().ok()? })
}

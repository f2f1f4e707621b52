//! The access key of an S3 target, out of a file as AWS's own tools write it. Never printed, wiped when dropped.

use std::path::Path;

use zeroize::Zeroizing;

use crate::courier::secret;

/// An access key.
pub(super) struct Keys {
    pub id: Zeroizing<String>,
    pub secret: Zeroizing<String>,
    /// Of a key that is lent for a time.
    pub token: Option<Zeroizing<String>>,
}

/// Reads it; the error names the file, and never what is in it.
pub(super) fn read(path: &Path) -> Result<Keys, String> {
    let text = secret::read(path)?;
    let missing = |name| format!("secret file {}: it has no line `{name} = …`", path.display());
    Ok(Keys {
        id: value(&text, "aws_access_key_id").ok_or_else(|| missing("aws_access_key_id"))?,
        secret: value(&text, "aws_secret_access_key").ok_or_else(|| missing("aws_secret_access_key"))?,
        token: value(&text, "aws_session_token"),
    })
}

fn value(text: &str, name: &str) -> Option<Zeroizing<String>> {
    let pair = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        (key.trim() == name && !value.is_empty()).then(|| Zeroizing::new(value.to_owned()))
    };
    text.lines().find_map(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_aws_writes_them() {
        let text =
            "[default]\n# key = x\naws_access_key_id = AKIA\naws_secret_access_key=a/b+c=\naws_session_token =\n";
        assert_eq!(value(text, "aws_access_key_id").expect("there").as_str(), "AKIA");
        assert_eq!(value(text, "aws_secret_access_key").expect("there").as_str(), "a/b+c=");
        assert!(value(text, "aws_session_token").is_none() && value(text, "key").is_none());
    }
}

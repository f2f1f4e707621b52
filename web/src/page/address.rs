//! Addresses of lists: sort and filter live in them, so that a page can be sent to a colleague as it is.

use url::form_urlencoded::Serializer;

/// A path and what stands behind its `?`.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    path: String,
    pairs: Vec<(&'static str, String)>,
}

impl Address {
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new() }
    }

    /// With this said, and not twice; an empty value or none is left out.
    pub(crate) fn with(&self, name: &'static str, value: Option<&str>) -> Self {
        let mut pairs: Vec<_> = self.pairs.iter().filter(|(known, _)| *known != name).cloned().collect();
        pairs.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value.to_owned())));
        Self { path: self.path.clone(), pairs }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        if self.pairs.is_empty() {
            return Ok(());
        }
        let query = Serializer::new(String::new()).extend_pairs(&self.pairs).finish();
        write!(f, "?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_anew_is_not_said_twice_and_nothing_breaks_out() {
        let list = Address::new("/runs").with("status", Some("failed")).with("after", Some("R1&x=<\""));
        assert_eq!(list.with("status", Some("running")).to_string(), "/runs?after=R1%26x%3D%3C%22&status=running");
        assert_eq!(list.with("status", None).with("after", Some("")).to_string(), "/runs");
    }
}

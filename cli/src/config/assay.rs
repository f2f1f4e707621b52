//! A version of an assay, as its YAML file says it. It looks at no disk.

use kentai_engine::specimen::record::Assay;

/// Reads an assay's text.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn assay(text: &str) -> Result<Assay, String> {
    let assay: Assay = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    // A stored assay of a later version may have more keys; in a file of today one more key is a slip of the pen.
    let known = serde_json::to_value(&assay).map_err(|error| error.to_string())?;
    let written: serde_yaml::Mapping = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let names: Vec<&str> = known.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    for key in written.keys() {
        let key = key.as_str().unwrap_or_default();
        if !names.contains(&key) {
            return Err(format!("there is no key `{key}`; known are: {}", names.join(", ")));
        }
    }
    Ok(assay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assay_is_read_and_a_slip_of_the_pen_is_named() {
        let found = assay("reads_ordered: 600000000\nreads_percent: 99.5\ntargets: { lab: 10 }\n").expect("good");
        assert_eq!((found.reads_ordered, found.consent_use.as_str()), (600_000_000, "sequencing"));
        assert!(assay("reads_orderd: 6\n").is_err_and(|error| error.contains("reads_orderd")));
        assert!(assay("targets: { labb: 10 }\n").is_err_and(|error| error.contains("labb")));
    }
}

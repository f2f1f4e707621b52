//! The shipped workflows, inside the binary.

/// Name and text.
pub(crate) const NAMES: [(&str, &str); 3] = [
    ("germline_wgs", include_str!("../../workflows/library/germline_wgs/germline_wgs.yaml")),
    ("reference_bundle", include_str!("../../workflows/library/reference_bundle/reference_bundle.yaml")),
    ("hello", include_str!("../../workflows/library/hello/hello.yaml")),
];

/// The text of a shipped workflow.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

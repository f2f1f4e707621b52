//! The workflows of the demonstration's center. Their scripts are what a center runs; nobody runs them here.

/// As assays name them: name@version → text.
pub(super) const ALL: [(&str, &str); 5] = [
    ("germline_wgs@2026.3.0", include_str!("germline_wgs-2026.3.0.yaml")),
    ("germline_wgs@2026.11.0", include_str!("germline_wgs-2026.11.0.yaml")),
    ("germline_exome@1.4.0", include_str!("germline_exome-1.4.0.yaml")),
    ("low_pass@0.9.0", include_str!("low_pass-0.9.0.yaml")),
    ("control@2.0.0", include_str!("control-2.0.0.yaml")),
];

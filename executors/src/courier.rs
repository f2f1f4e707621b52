//! Couriers: they carry a finished package to one target, whole or not at all. They do not decide what is in it.

pub mod directory;

/// A name that every file system takes and no checksum file has to escape.
fn is_safe(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=200).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_lead_elsewhere_are_not_safe() {
        for name in ["", ".", "..", "../x", "a/b", "a b", ".hidden", "a\n", "検体"] {
            assert!(!is_safe(name), "{name:?}");
        }
        assert!(is_safe("S1.vcf.gz") && is_safe("S1_2-x.cram"));
    }
}

//! Is this binary static? Only then can it be the witness inside any container image.

use std::fs::File;
use std::io::Read;

const PROGRAM_HEADER_INTERPRETER: u32 = 3;

/// True when the running binary needs no dynamic loader (no `PT_INTERP` header), so that it runs in any image.
#[must_use]
pub fn check_static() -> bool {
    let mut head = Vec::new();
    let read = File::open("/proc/self/exe").and_then(|file| file.take(64 * 1024).read_to_end(&mut head));
    read.is_ok() && needs_loader(&head) == Some(false)
}

/// Reads a 64-bit little-endian ELF's program headers (ELF-64 Object File Format 1.5, "Program Header").
fn needs_loader(head: &[u8]) -> Option<bool> {
    if head.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let table = usize::try_from(u64::from_le_bytes(head.get(32..40)?.try_into().ok()?)).ok()?;
    let size = usize::from(u16::from_le_bytes(head.get(54..56)?.try_into().ok()?));
    let count = usize::from(u16::from_le_bytes(head.get(56..58)?.try_into().ok()?));
    for number in 0..count {
        let at = table.checked_add(number * size)?;
        let kind = u32::from_le_bytes(head.get(at..at.checked_add(4)?)?.try_into().ok()?);
        if kind == PROGRAM_HEADER_INTERPRETER {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_not_called_static() {
        assert_eq!(needs_loader(b"#!/bin/sh\n"), None);
        assert_eq!(needs_loader(b"\x7fELF\x02\x01"), None);
    }

    #[test]
    fn this_test_is_static_as_the_whole_house() {
        assert!(check_static());
    }
}

//! Bytes → text: size, encoding, byte-order mark, control characters.

use crate::diagnostic::{Diagnostic, Lines};

use super::BYTES_MAX;

const BYTE_ORDER_MARK: char = '\u{feff}';
/// One file full of control characters is one mistake, not a million.
const CONTROLS_MAX: usize = 20;

/// The text of `bytes` and what is odd about it, or why it is not text.
pub(super) fn decode(path: &str, bytes: &[u8]) -> Result<(String, Vec<Diagnostic>), Box<Diagnostic>> {
    if bytes.len() > BYTES_MAX {
        return Err(Box::new(too_large(path, bytes.len())));
    }
    let source = std::str::from_utf8(bytes).map_err(|error| Box::new(not_utf8(path, bytes, error.valid_up_to())))?;
    let lines = Lines::of(source);
    let mut findings = Vec::new();
    if source.starts_with(BYTE_ORDER_MARK) {
        findings.push(byte_order_mark().at_lines(path, &lines, source, 0..3));
    }
    let controls = source.char_indices().filter(|(_, character)| is_forbidden(*character)).take(CONTROLS_MAX);
    findings.extend(controls.map(|(offset, character)| {
        control(character).at_lines(path, &lines, source, offset..offset + character.len_utf8())
    }));
    Ok((source.to_owned(), findings))
}

fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\u{85}')
}

fn too_large(path: &str, bytes: usize) -> Diagnostic {
    Diagnostic::error(
        "K005",
        format!("this file has {bytes} bytes; a workflow has at most {BYTES_MAX}"),
        format!("このファイルは {bytes} バイトあります。ワークフローの上限は {BYTES_MAX} バイトです"),
    )
    .at_line(path, 1, 1)
}

fn not_utf8(path: &str, bytes: &[u8], offset: usize) -> Diagnostic {
    let before = &bytes[..offset];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    let found = Diagnostic::error(
        "K002",
        format!("this file is not UTF-8: byte {offset} (counted from 0) is {:#04x}", bytes[offset]),
        format!(
            "このファイルは UTF-8 ではありません: 先頭から {offset} バイト目 (0 始まり) が {:#04x} です",
            bytes[offset]
        ),
    );
    found.help(encoding_help(bytes).0, encoding_help(bytes).1).at_line(path, line, column)
}

fn encoding_help(bytes: &[u8]) -> (&'static str, &'static str) {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return ("it looks like UTF-16; save it as UTF-8", "UTF-16 のようです。UTF-8 で保存してください");
    }
    (
        "save it as UTF-8 (Japanese Windows programs often write Shift-JIS)",
        "UTF-8 で保存してください (Shift-JIS で保存されることがあります)",
    )
}

fn byte_order_mark() -> Diagnostic {
    let (en, ja) = ("this file begins with a byte-order mark", "このファイルは BOM (バイト順マーク) で始まっています");
    Diagnostic::warning("K017", en, ja)
        .help("it is ignored; save as UTF-8 without BOM", "無視します。BOM なしの UTF-8 で保存してください")
}

fn control(character: char) -> Diagnostic {
    let code = u32::from(character);
    Diagnostic::error("K018", format!("control character U+{code:04X}"), format!("制御文字 U+{code:04X} があります"))
        .help("delete it; in quoted text write an escape", "削除してください。必要なら引用符の中でエスケープを使います")
}

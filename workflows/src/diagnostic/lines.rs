//! From byte offsets to lines and columns, found once per file.
//!
//! This is the one place that rounds byte offsets to character boundaries: parsers hand out ranges that cut characters.

/// Where the lines of a text begin.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Finds the lines of `source`.
    #[must_use]
    pub fn of(source: &str) -> Self {
        let after_breaks = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(offset, _)| offset + 1);
        Self { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// 1-based line and column (in characters) of a byte offset of `source`.
    #[must_use]
    pub fn position(&self, source: &str, offset: usize) -> (usize, usize) {
        let offset = floor(source, offset);
        let line = self.line(offset);
        let start = self.start(line);
        let column = source.get(start..offset).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }

    /// 1-based line of a byte offset.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// Byte offset at which the 1-based `line` begins; the last line's when there are fewer.
    #[must_use]
    pub fn start(&self, line: usize) -> usize {
        let index = line.saturating_sub(1).min(self.starts.len().saturating_sub(1));
        self.starts.get(index).copied().unwrap_or(0)
    }
}

/// The nearest character boundary at or before `offset`, never beyond the text.
pub(super) fn floor(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The nearest character boundary at or after `offset`, never beyond the text.
pub(super) fn ceiling(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset += 1;
    }
    offset
}

//! Edit lists (section "Edit List"): which of the decrypted bytes are the file. Read and applied; we write none, because what we hand
//! off is whole.

use super::le_u32;

/// Byte counts, alternately to discard and to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edits(Vec<u64>);

impl Edits {
    /// From the payload of a `data_edit_list` packet, behind its type; none when it holds fewer lengths than it says. What follows the
    /// lengths is padding.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let (count, rest) = le_u32(payload)?;
        // Checked against what is there before anything is allocated.
        let lengths = rest.get(..usize::try_from(count).ok()?.checked_mul(8)?)?;
        Some(Self(lengths.as_chunks().0.iter().map(|length| u64::from_le_bytes(*length)).collect()))
    }

    /// From byte counts, alternately to discard and to keep.
    #[must_use]
    pub fn new(lengths: Vec<u64>) -> Self {
        Self(lengths)
    }

    /// Byte counts, alternately to discard and to keep. None at all: everything is kept.
    #[must_use]
    pub fn lengths(&self) -> &[u64] {
        &self.0
    }
}

/// How far an edit list has been applied.
pub(super) struct Cursor {
    lengths: std::vec::IntoIter<u64>,
    keeping: bool,
    /// Of the present length.
    left_bytes: u64,
    /// Past the last length: what is being done goes on to the end.
    endless: bool,
}

impl Cursor {
    pub(super) fn new(edits: Edits) -> Self {
        let empty = edits.0.is_empty();
        // The first length turns keeping into discarding; no length at all leaves it.
        Self { lengths: edits.0.into_iter(), keeping: true, left_bytes: 0, endless: empty }
    }

    /// Moves what is kept of the next decrypted bytes to their front, and says how many bytes that is.
    pub(super) fn apply(&mut self, plain: &mut [u8]) -> usize {
        let (mut done, mut kept) = (0, 0);
        while done < plain.len() {
            self.settle();
            let rest = plain.len() - done;
            let span =
                if self.endless { rest } else { usize::try_from(self.left_bytes).map_or(rest, |left| left.min(rest)) };
            if self.keeping {
                plain.copy_within(done..done + span, kept);
                kept += span;
            }
            self.left_bytes = self.left_bytes.saturating_sub(span as u64);
            done += span;
        }
        kept
    }

    /// Goes on to a length with something in it, or past the end of the list.
    fn settle(&mut self) {
        while self.left_bytes == 0 && !self.endless {
            self.keeping = !self.keeping;
            match self.lengths.next() {
                Some(length) => self.left_bytes = length,
                None => self.endless = true,
            }
        }
    }

    /// Bytes that were to be kept and never came. The specification allows it ("or shorter"); whoever knows better says how long
    /// the file is.
    pub(super) fn missing_bytes(mut self) -> u64 {
        let mut missing: u64 = 0;
        loop {
            self.settle();
            if self.endless {
                return missing;
            }
            if self.keeping {
                missing = missing.saturating_add(self.left_bytes);
            }
            self.left_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The algorithm of section "Edit List", word for word.
    fn apply_edit_list(lengths: &[u64], input: &[u8]) -> Vec<u8> {
        let substr = |pos: u64, length: u64| {
            let from = usize::try_from(pos).unwrap_or(usize::MAX).min(input.len());
            let to = usize::try_from(pos.saturating_add(length)).unwrap_or(usize::MAX).min(input.len());
            &input[from..to]
        };
        if lengths.is_empty() {
            return input.to_vec();
        }
        let (mut output, mut pos, mut list) = (Vec::new(), 0_u64, lengths.iter());
        while let Some(discard) = list.next() {
            pos = pos.saturating_add(*discard);
            match list.next() {
                None => output.extend_from_slice(substr(pos, u64::MAX)),
                Some(keep) => {
                    output.extend_from_slice(substr(pos, *keep));
                    pos = pos.saturating_add(*keep);
                }
            }
        }
        output
    }

    fn applied(lengths: &[u64], input: &[u8], piece: usize) -> Vec<u8> {
        let mut cursor = Cursor::new(Edits::new(lengths.to_vec()));
        let mut output = Vec::new();
        for piece in input.chunks(piece) {
            let mut piece = piece.to_vec();
            let kept = cursor.apply(&mut piece);
            output.extend_from_slice(&piece[..kept]);
        }
        output
    }

    #[test]
    fn the_specifications_own_example_keeps_what_it_says() {
        // Header, chromosome II and end-of-file block of a CRAM, out of whole segments of it.
        let input: Vec<u8> = (0..438_864_u32).flat_map(u32::to_le_bytes).collect();
        let output = applied(&[0, 7_853, 71_721, 307_929, 51_299, 38], &input[..438_840], 65_536);
        let expected = [&input[..7_853], &input[79_574..387_503], &input[438_802..438_840]].concat();
        assert_eq!(output, expected);
    }

    #[test]
    fn what_was_to_be_kept_and_did_not_come_is_counted() {
        let missing = |lengths: &[u64], bytes: usize| {
            let mut cursor = Cursor::new(Edits::new(lengths.to_vec()));
            cursor.apply(&mut vec![0; bytes]);
            cursor.missing_bytes()
        };
        assert_eq!(missing(&[], 0), 0);
        assert_eq!(missing(&[5], 2), 0);
        assert_eq!(missing(&[5, 10], 15), 0);
        assert_eq!(missing(&[5, 10], 12), 3);
        assert_eq!(missing(&[5, 10, 1, 4], 12), 7);
        assert_eq!(missing(&[0, u64::MAX, 0, u64::MAX], 12), u64::MAX);
    }

    #[test]
    fn a_list_that_says_more_than_it_holds_is_none() {
        assert_eq!(Edits::read(&[]), None);
        assert_eq!(Edits::read(&[0xff; 4]), None);
        assert_eq!(Edits::read(&[[1, 0, 0, 0].as_slice(), &[0; 7]].concat()), None);
        // Padding is none of its business.
        assert_eq!(
            Edits::read(&[[1, 0, 0, 0].as_slice(), &[9, 0, 0, 0, 0, 0, 0, 0, 7]].concat()),
            Some(Edits(vec![9]))
        );
    }

    proptest! {
        #[test]
        fn any_list_over_any_pieces_gives_what_the_specification_says(
            lengths in prop::collection::vec(prop_oneof![0_u64..40, Just(0), Just(u64::MAX)], 0..12),
            bytes in 0_usize..300,
            piece in 1_usize..70,
        ) {
            let input: Vec<u8> = (0..bytes).map(|place| place as u8).collect();
            prop_assert_eq!(applied(&lengths, &input, piece), apply_edit_list(&lengths, &input));
        }
    }
}

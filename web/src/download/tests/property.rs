//! Whatever ranges an object is pulled in, their bytes are the object's.

use proptest::prelude::*;

use super::*;

/// Cut where nobody expects it: at pieces, at chunks, anywhere.
fn cuts(len: usize) -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::btree_set(1..len, 0..6).prop_map(|cuts| cuts.into_iter().collect())
}

/// The object in several pieces, some of them empty.
fn pieces(bytes: &[u8], cuts: &[usize]) -> Vec<Piece> {
    let all = file(bytes);
    let mut made = vec![Piece::Text(Bytes::new())];
    let mut begin = 0;
    for (number, end) in cuts.iter().copied().chain([bytes.len()]).enumerate() {
        made.push(if number % 2 == 0 {
            Piece::Text(Bytes::copy_from_slice(&bytes[begin..end]))
        } else {
            Piece::File { file: Arc::clone(&all), offset: begin as u64, len: (end - begin) as u64 }
        });
        made.push(Piece::File { file: Arc::clone(&all), offset: 0, len: 0 });
        begin = end;
    }
    made
}

const LEN: usize = 700_001;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn ranges_put_together_are_the_object(layout in cuts(LEN), asked in cuts(LEN)) {
        let bytes = noise(LEN);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut got = Vec::new();
        let mut begin = 0;
        for end in asked.iter().copied().chain([LEN]) {
            let range = format!("bytes={begin}-{}", end - 1);
            let object = describe(pieces(&bytes, &layout), &bytes);
            let response = ask(&Method::GET, &[(header::RANGE, &range)], object, Guard::default());
            prop_assert_eq!(response.status(), 206);
            got.extend(runtime.block_on(bytes_of(response)).expect("whole"));
            prop_assert_eq!(got.len(), end);
            begin = end;
        }
        prop_assert!(got == bytes);
    }
}

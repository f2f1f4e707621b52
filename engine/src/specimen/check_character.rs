//! The center's own ids: a letter, a number, and a check character (ISO/IEC 7064, MOD 37,36) that finds every single wrong character.
//! It misses some exchanges of neighbors: numbers that have such a twin are never issued, so that no issued id becomes another one.

const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const MODULUS: usize = 36;
/// Digits of the number: a hundred million specimens.
const WIDTH: usize = 8;

/// The id with this letter and number: `S00000012` and its check character.
#[must_use]
pub fn issue(letter: char, number: u64) -> String {
    let bare = format!("{letter}{number:0WIDTH$}");
    let check = check(&bare).unwrap_or('0');
    format!("{bare}{check}")
}

/// Would an exchange of two neighbors give another id that looks right? Such a number is not issued.
#[must_use]
pub fn has_twin(id: &str) -> bool {
    let letters: Vec<char> = id.chars().collect();
    (1..letters.len()).any(|place| {
        let mut twin = letters.clone();
        twin.swap(place - 1, place);
        twin != letters && verify(&twin.iter().collect::<String>())
    })
}

/// Is the last character the right one?
#[must_use]
pub fn verify(id: &str) -> bool {
    let mut letters = id.chars();
    let last = letters.next_back();
    last.is_some() && check(letters.as_str()) == last
}

/// The number of an id of ours.
#[must_use]
pub fn number(id: &str) -> Option<u64> {
    if !verify(id) {
        return None;
    }
    id.get(1..id.len() - 1)?.parse().ok()
}

fn value(letter: char) -> Option<usize> {
    ALPHABET.iter().position(|other| char::from(*other) == letter)
}

fn check(text: &str) -> Option<char> {
    let mut product = MODULUS;
    for letter in text.chars() {
        let sum = (product + value(letter)?) % MODULUS;
        product = (if sum == 0 { MODULUS } else { sum } * 2) % (MODULUS + 1);
    }
    Some(char::from(ALPHABET[(MODULUS + 1 - product) % MODULUS]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_issued_and_read_back() {
        for number in [1, 12, 99_999_999, 123_456_789] {
            let id = issue('S', number);
            assert_eq!(super::number(&id), Some(number), "{id}");
        }
        assert_eq!(number(""), None);
        assert_eq!(number("あ"), None);
    }

    #[test]
    fn no_issued_id_becomes_another_by_an_exchange_of_neighbors() {
        // One that the check character alone would miss.
        assert!(verify("S00000230P") && verify("S00000320P") && has_twin("S00000230P"));
        let issued = (1..5_000).map(|number| issue('S', number)).filter(|id| !has_twin(id)).count();
        assert!(issued > 4_500, "only {issued} of 4999 numbers can be issued");
    }

    #[test]
    fn every_wrong_character_and_every_exchange_of_neighbors_is_found() {
        for number in [1, 734, 86_420_975] {
            let id = issue('S', number);
            let letters: Vec<char> = id.chars().collect();
            for place in 0..letters.len() {
                for other in ALPHABET.iter().map(|other| char::from(*other)).filter(|other| *other != letters[place]) {
                    let mut wrong = letters.clone();
                    wrong[place] = other;
                    assert!(!verify(&wrong.iter().collect::<String>()), "{id}: {other} at {place}");
                }
                if place > 0 && letters[place - 1] != letters[place] {
                    let mut wrong = letters.clone();
                    wrong.swap(place - 1, place);
                    assert!(!verify(&wrong.iter().collect::<String>()), "{id}: {place} exchanged");
                }
            }
        }
    }
}

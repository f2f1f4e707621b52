//! Tests that need more than one room; what they share lies here, the tests themselves in `tests/`.

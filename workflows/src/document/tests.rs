//! YAML as written, from outside.

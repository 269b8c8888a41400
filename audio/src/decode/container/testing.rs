//! Files for the tests of readers.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use crate::decode::source::Source;

pub(super) fn source(bytes: &[u8]) -> Source {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Source::open(&file).unwrap()
}

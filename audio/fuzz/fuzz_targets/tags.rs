#![no_main]

use retake_audio_fuzz::{kept_tags, quiet};

libfuzzer_sys::fuzz_target!(init: quiet(), |data: &[u8]| {
    kept_tags(data);
});

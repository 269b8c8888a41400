#![no_main]

use retake_audio_fuzz::{odd, quiet};

libfuzzer_sys::fuzz_target!(init: quiet(), |data: &[u8]| {
    odd::check(data);
});

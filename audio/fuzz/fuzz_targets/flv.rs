#![no_main]

use retake_audio_fuzz::{Container, decode_only, quiet};

libfuzzer_sys::fuzz_target!(init: quiet(), |data: &[u8]| -> libfuzzer_sys::Corpus {
    decode_only(&[Container::Flv], data)
});

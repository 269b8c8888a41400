//! Every container and codec we take, against the formula its fixture was made from.
//!
//! The fixtures are short chirps encoded once by ffmpeg 5.1 (see fixtures/README.md); what is
//! expected of them is a formula and a number of frames, not bytes.
#![allow(clippy::unwrap_used)]

mod signals;

use retake_audio::{AudioError, Decoded, Limits, decode};
use retake_findings::Code;
use signals::{
    alignment, chirp, chirp_value, decode_bytes, decode_fixture, file_of, fixture_bytes, samples,
};

/// Codes of what was wrong with the file; what the recording itself is like, and what is only good to
/// know, is another matter.
fn faults(decoded: &Decoded) -> Vec<String> {
    let findings = decoded
        .findings
        .iter()
        .filter(|finding| finding.is_warning() && !decoded.measured.findings.contains(finding));
    findings.map(|finding| finding.code.clone()).collect()
}

/// Frames and spec as in the original, aligned to the frame, and close to it.
fn check_aligned(name: &str, rate: u32, channels: usize, frames: usize, snr_db_min: f64) {
    check_tail(name, rate, channels, frames, 0, snr_db_min);
}

/// The same, with `tail` frames of padding that the file does not declare.
fn check_tail(name: &str, rate: u32, channels: usize, frames: usize, tail: u64, snr_db_min: f64) {
    let decoded = decode_fixture(name);
    assert_eq!(decoded.spec.sample_rate, rate, "{name}");
    assert_eq!(decoded.spec.channels as usize, channels, "{name}");
    assert_eq!(decoded.frames, frames as u64 + tail, "{name}");
    assert_eq!(
        decoded.measured.measurement.frames, decoded.frames,
        "{name}"
    );
    assert_eq!(faults(&decoded), Vec::<String>::new(), "{name}");
    let amplitude = if channels == 6 { 0.3 } else { 0.4 };
    let expected = chirp(rate, channels, frames, amplitude);
    for (channel, actual) in samples(decoded).planes().enumerate() {
        // The low-frequency channel is lossy codecs' own business.
        if channels == 6 && channel == 3 {
            continue;
        }
        let (shift, snr_db) = alignment(expected.plane(channel), &actual[..frames], 12);
        assert_eq!(shift, 0, "{name}, channel {channel}");
        assert!(
            snr_db > snr_db_min,
            "{name}, channel {channel}: {snr_db} dB"
        );
    }
}

#[test]
fn opus_in_webm_as_browsers_and_ffmpeg_write_it() {
    check_aligned("chirp-opus.webm", 48_000, 2, 57_600, 15.0);
    check_aligned("chirp-opus-live.webm", 48_000, 2, 57_600, 15.0);
    check_aligned("video-and-chirp.webm", 48_000, 2, 57_600, 15.0);
}

#[test]
fn opus_in_ogg_and_in_mp4() {
    check_aligned("chirp.opus", 48_000, 2, 57_600, 15.0);
    check_aligned("chirp-opus.mp4", 48_000, 2, 57_600, 15.0);
    // Each packet says itself what is to be trimmed off it.
    check_aligned("chirp-opus.ts", 48_000, 2, 57_600, 15.0);
    // A fragmented file does not say how long the last packet is.
    check_tail("chirp-opus-fragmented.mp4", 48_000, 2, 57_600, 648, 15.0);
}

#[test]
fn opus_in_a_caf_that_declares_no_delay_is_heard_whole() {
    let decoded = decode_fixture("chirp-opus.caf");
    assert_eq!(decoded.frames, 61 * 960);
    let expected = chirp(48_000, 2, 57_600, 0.4);
    let (shift, _) = alignment(expected.plane(0), &samples(decoded).plane(0)[312..], 12);
    assert_eq!(shift, 0);
}

#[test]
fn opus_with_six_channels_comes_in_wave_order() {
    check_aligned("chirp-opus-5.1.opus", 48_000, 6, 57_600, 12.0);
    check_aligned("chirp-opus-5.1.webm", 48_000, 6, 57_600, 12.0);
}

#[test]
fn vorbis_in_ogg_and_in_webm() {
    check_aligned("chirp-vorbis.ogg", 48_000, 2, 57_600, 15.0);
    check_tail("chirp-vorbis.webm", 48_000, 2, 57_600, 320, 15.0);
    check_aligned("chirp-vorbis-5.1.ogg", 48_000, 6, 57_600, 12.0);
}

#[test]
fn aac_in_mp4_without_its_priming_and_padding() {
    for name in ["chirp-aac.m4a", "chirp-aac-faststart.m4a", "chirp-aac.mov"] {
        check_aligned(name, 44_100, 2, 52_920, 15.0);
    }
}

#[test]
fn mp3_with_a_lame_tag_without_its_delay_and_padding() {
    check_aligned("chirp-lame.mp3", 44_100, 2, 52_920, 15.0);
    check_aligned("chirp-mp3.mp4", 44_100, 2, 52_920, 15.0);
}

#[test]
fn aac_that_does_not_declare_its_priming_decodes_whole() {
    for name in [
        "chirp.aac",
        "chirp-aac.mkv",
        "chirp-aac-fragmented.mp4",
        "chirp-latm.ts",
    ] {
        let decoded = decode_fixture(name);
        assert_eq!(decoded.frames, 53 * 1024, "{name}");
        let expected = chirp(44_100, 2, 50_000, 0.4);
        let actual = samples(decoded);
        let (shift, _) = alignment(expected.plane(0), &actual.plane(0)[1024..], 12);
        assert_eq!(shift, 0, "{name}");
    }
}

#[test]
fn lossless_formats_keep_every_bit_of_sixteen() {
    let cases = [
        ("chirp.flac", 11_025),
        ("chirp-flac.ogg", 11_025),
        ("chirp-flac.wav", 8_820),
        ("chirp-alac.m4a", 11_025),
        ("chirp-alac.caf", 11_025),
        ("chirp.aiff", 8_820),
        ("chirp-24.aiff", 8_820),
        ("chirp-float.aifc", 8_820),
        ("chirp-pcm.caf", 8_820),
        ("chirp-rf64.wav", 8_820),
        ("chirp.w64", 8_820),
    ];
    for (name, frames) in cases {
        let decoded = decode_fixture(name);
        assert_eq!(decoded.frames, frames as u64, "{name}");
        for (channel, actual) in samples(decoded).planes().enumerate() {
            for (frame, sample) in actual.iter().enumerate() {
                let written = (0.4 * chirp_value(44_100, channel, frame) * 32_767.0).round();
                assert_eq!(
                    f64::from(*sample) * 32_768.0,
                    written,
                    "{name}, frame {frame}"
                );
            }
        }
    }
    check_aligned("chirp-5.1.flac", 48_000, 6, 12_000, 60.0);
    check_aligned("chirp-alac-5.1.m4a", 48_000, 6, 12_000, 60.0);
}

#[test]
fn the_source_is_described_in_words_people_know() {
    for (name, container, codec, bits) in [
        ("chirp-opus.webm", "WebM", "Opus", None),
        ("chirp.opus", "Ogg", "Opus", None),
        ("chirp-aac.m4a", "MP4", "AAC", None),
        ("chirp-lame.mp3", "MP3", "MP3", None),
        ("chirp.flac", "FLAC", "FLAC", Some(16)),
        ("chirp-24.aiff", "AIFF", "PCM", Some(24)),
        ("chirp-alac.caf", "CAF", "ALAC", Some(16)),
        ("chirp.w64", "Wave64", "PCM", Some(16)),
        ("chirp-ima.wav", "WAV", "IMA ADPCM", None),
    ] {
        let source = decode_fixture(name).source;
        assert_eq!(
            (
                source.container.as_str(),
                source.codec.as_str(),
                source.lossless_bits
            ),
            (container, codec, bits),
            "{name}"
        );
    }
}

#[test]
fn an_mp4_file_that_lost_its_index_is_damaged_and_says_what_is_missing() {
    let whole = fixture_bytes("chirp-aac.m4a");
    let error = decode_bytes(&whole[..whole.len() / 2]).unwrap_err();
    assert!(matches!(&error, AudioError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("moov"), "{error}");
}

#[test]
fn companded_and_adaptive_wave_files_decode() {
    check_aligned("chirp-alaw.wav", 44_100, 2, 8_820, 30.0);
    check_tail("chirp-ima.wav", 44_100, 2, 8_820, 333, 25.0);
}

#[test]
fn a_variable_mp3_without_a_count_is_not_cut() {
    let decoded = decode_fixture("chirp-vbr-untagged.mp3");
    // 4 s, and what the encoder needs before and after.
    assert!(
        (176_400..=176_400 + 3 * 1152).contains(&decoded.frames),
        "{}",
        decoded.frames
    );
}

#[test]
fn joined_mp3_files_are_not_cut_at_the_first_ones_count() {
    let one = fixture_bytes("chirp-lame.mp3");
    let joined = [one.clone(), one].concat();
    let decoded = decode_bytes(&joined).unwrap();
    // Each without what its own tag says is the encoder's.
    assert_eq!(decoded.frames, 2 * 52_920);
    assert!(
        decoded
            .findings
            .iter()
            .any(|found| found.is(Code::FilesJoined))
    );
    let expected = chirp(44_100, 2, 52_920, 0.4);
    let (shift, snr_db) = alignment(expected.plane(0), &samples(decoded).plane(0)[52_920..], 12);
    assert_eq!(shift, 0);
    assert!(snr_db > 15.0, "{snr_db} dB");
}

#[test]
fn chained_ogg_streams_follow_each_other_each_trimmed() {
    let mut second = fixture_bytes("chirp.opus");
    // The two streams of a chain have different serial numbers: change it, and the checksums.
    let serial_at = 14;
    let old_serial = second[serial_at..serial_at + 4].to_vec();
    let mut at = 0;
    while at < second.len() {
        let segments = second[at + 26] as usize;
        let body: usize = second[at + 27..at + 27 + segments]
            .iter()
            .map(|&s| s as usize)
            .sum();
        let len = 27 + segments + body;
        assert_eq!(second[at + serial_at..at + serial_at + 4], old_serial);
        second[at + serial_at] ^= 0x55;
        second[at + 22..at + 26].fill(0);
        let crc = ogg_crc(&second[at..at + len]);
        second[at + 22..at + 26].copy_from_slice(&crc.to_le_bytes());
        at += len;
    }
    let chain = [fixture_bytes("chirp.opus"), second].concat();
    let decoded = decode_bytes(&chain).unwrap();
    assert_eq!(decoded.frames, 2 * 57_600);
    let expected = chirp(48_000, 2, 57_600, 0.4);
    let (shift, snr_db) = alignment(expected.plane(0), &samples(decoded).plane(0)[57_600..], 12);
    assert_eq!(shift, 0);
    assert!(snr_db > 15.0);
}

fn ogg_crc(page: &[u8]) -> u32 {
    page.iter().fold(0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

#[test]
fn recordings_of_real_browsers_decode_whole() {
    // Lengths as ffmpeg decodes them.
    for (name, frames) in [
        ("chromium-recording-timeslice250.webm", 838_080),
        ("chromium-recording-opus.mp4", 284_160),
        ("firefox-recording.webm", 818_568),
        ("firefox-faketone-timeslice250.ogg", 239_630),
    ] {
        let decoded = decode_fixture(name);
        assert_eq!(
            decoded.frames.abs_diff(frames),
            0,
            "{name}: {}",
            decoded.frames
        );
        assert_eq!(decoded.source.codec, "Opus");
        assert!(decoded.measured.measurement.integrated_lufs.is_some());
        assert_eq!(faults(&decoded), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_was_saved_of_a_crashed_tab_decodes_with_a_warning() {
    let decoded = decode_fixture("chromium-recording-tabcrash.webm");
    assert_eq!(decoded.frames, 339_840);
    assert_eq!(faults(&decoded), ["truncated"]);
}

#[test]
fn a_gap_in_a_webm_file_costs_only_what_is_gone() {
    let whole = fixture_bytes("chromium-recording-timeslice250.webm");
    let third = whole.len() / 3;
    let torn = [&whole[..third], &whole[third + 5000..]].concat();
    let decoded = decode_bytes(&torn).unwrap();
    assert!(decoded.frames > 700_000, "{}", decoded.frames);
    // And it shows where: the rest stays in step.
    assert!(faults(&decoded).contains(&"gaps-filled".to_owned()));
    assert_eq!(decoded.frames, 838_080);
}

#[test]
fn truncated_files_give_what_they_hold_and_say_so() {
    for name in [
        "chirp-opus.webm",
        "chirp-aac-faststart.m4a",
        "chirp.aiff",
        "chirp-opus-5.1.webm",
    ] {
        let whole = fixture_bytes(name);
        let frames = decode_fixture(name).frames;
        let decoded = decode_bytes(&whole[..whole.len() * 6 / 10])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let part = decoded.frames as f64 / frames as f64;
        assert!((0.35..0.75).contains(&part), "{name}: {part}");
        assert!(faults(&decoded).contains(&"truncated".to_owned()), "{name}");
    }
}

#[test]
fn codecs_that_are_not_decoded_are_named() {
    for (name, codec) in [
        ("chirp.wma", "Windows Media Audio"),
        ("chirp.tta", "True Audio"),
        // Its decoder has a wrong table for that rate: docs/formats.md.
        ("chirp-ac3.mp4", "AC-3 at 44.1 kHz"),
        ("chirp-ac3.mkv", "AC-3 at 44.1 kHz"),
        ("chirp-ac3.wav", "AC-3 at 44.1 kHz"),
    ] {
        match decode_bytes(&fixture_bytes(name)) {
            Err(AudioError::UnknownCodec { codec: named }) => assert_eq!(named, codec, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn aac_of_every_profile_ac3_and_wavpack_decode_at_their_full_rate() {
    // Frames as ffmpeg counts them; where an edit list says what is padding, without it.
    for (name, rate, channels, frames) in [
        ("chirp-he.m4a", 44_100, 2, 51_200),
        ("chirp-he.aac", 44_100, 2, 51_200),
        ("chirp-hev2.aac", 44_100, 2, 51_200),
        ("chirp-aac-5.1.m4a", 48_000, 6, 14_400),
        ("chirp-5.1.aac", 48_000, 6, 16_384),
        ("chirp-ac3-48k.mp4", 48_000, 2, 15_104),
        ("chirp-ac3-48k.mkv", 48_000, 2, 15_360),
        ("chirp-ac3-48k.ac3", 48_000, 2, 15_360),
        ("chirp-eac3-48k.wav", 48_000, 2, 15_360),
        ("chirp.wv", 44_100, 2, 8_820),
    ] {
        let decoded = decode_fixture(name);
        let spec = decoded.spec;
        assert_eq!(
            (spec.sample_rate, spec.channels),
            (rate, channels),
            "{name}"
        );
        assert_eq!(decoded.frames, frames, "{name}");
        assert_eq!(faults(&decoded), Vec::<String>::new(), "{name}");
        let peak_dbfs = decoded.measured.measurement.sample_peak_dbfs.unwrap();
        // 0.4, or 0.3 with six channels, and a little off; by parametric stereo -3.44, as in ffmpeg.
        assert!((-13.0..-3.0).contains(&peak_dbfs), "{name}: {peak_dbfs}");
    }
}

#[test]
fn amr_decodes() {
    // Of silence: 20 ms, 160 frames, each.
    let frame = b"\x3c\x91\x17\x16\xbe\x66\x79\xe1\xe0\x01\xe7\xaf\xf0\0\0\0\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let decoded = decode_bytes(&[b"#!AMR\n".to_vec(), frame.repeat(50)].concat()).unwrap();
    assert_eq!((decoded.spec.sample_rate, decoded.frames), (8_000, 8_000));
    assert_eq!(decoded.source.codec, "AMR");
}

#[test]
fn low_rate_aac_that_hides_nothing_is_not_taken_for_he_aac() {
    let decoded = decode_fixture("chirp-22k.aac");
    assert_eq!(decoded.spec.sample_rate, 22_050);
}

#[test]
fn what_is_not_audio_is_refused() {
    assert!(matches!(decode_bytes(b""), Err(AudioError::Empty)));
    let executable = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let text = "Recordings of real browsers decode whole. ".repeat(500);
    let mut noise = signals::Noise::new(5);
    let random: Vec<u8> = (0..100_000).map(|_| noise.next_u64() as u8).collect();
    for (what, bytes) in [
        ("text", text.as_bytes()),
        ("noise", &random),
        ("zeros", &[0; 50_000]),
        (
            "an executable",
            &executable[..executable.len().min(1 << 20)],
        ),
        (
            "a picture",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x02\0\x08\x02\0\0\0",
        ),
    ] {
        match decode_bytes(bytes) {
            Err(AudioError::NotAudio { .. }) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn limits_are_held_and_named() {
    let limits = Limits {
        duration_ms_max: 1000,
        ..Limits::default()
    };
    let dir = std::env::temp_dir();
    let decode_limited = |name: &str, limits: &Limits| {
        decode(
            file_of(&fixture_bytes(name)),
            limits,
            None,
            &dir,
            &mut |_| (),
        )
        .map(|d| d.frames)
    };
    let long = decode_limited("chirp-opus.webm", &limits);
    assert!(
        matches!(long, Err(AudioError::TooLong { limit_ms: 1000 })),
        "{long:?}"
    );
    let exact = Limits {
        duration_ms_max: 1200,
        ..Limits::default()
    };
    assert_eq!(decode_limited("chirp-opus.webm", &exact).unwrap(), 57_600);
    let stereo = Limits {
        channels_max: 2,
        ..Limits::default()
    };
    let error = decode_limited("chirp-5.1.flac", &stereo)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "channel count is 6, allowed is 1 to 2");
    let low = Limits {
        sample_rate: 8_000..=44_100,
        ..Limits::default()
    };
    let error = decode_limited("chirp-opus.webm", &low)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "sample rate is 48000 Hz, allowed is 8000 to 44100 Hz"
    );
}

#[test]
fn progress_rises_to_one() {
    let mut heard = Vec::new();
    let file = file_of(&fixture_bytes("firefox-recording.webm"));
    decode(
        file,
        &Limits::default(),
        None,
        &std::env::temp_dir(),
        &mut |f| heard.push(f),
    )
    .unwrap();
    assert!(heard.len() > 2 && heard.is_sorted(), "{heard:?}");
    assert_eq!(heard.last(), Some(&1.0));
}

fn decode_track(name: &str, track: Option<u32>) -> Result<Decoded, AudioError> {
    let dir = std::env::temp_dir();
    let file = file_of(&fixture_bytes(name));
    decode(file, &Limits::default(), track, &dir, &mut |_| ())
}

#[test]
fn all_tracks_are_listed_and_a_silent_first_one_beside_another_is_a_warning() {
    let decoded = decode_track("silent-then-chirp.mkv", None).unwrap();
    let tracks = decoded.tracks.iter();
    let tracks: Vec<_> = tracks
        .map(|track| {
            (
                track.track,
                track.name.as_deref(),
                track.default,
                track.used,
            )
        })
        .collect();
    let expected = [
        (1, Some("Desktop"), true, true),
        (2, Some("Microphone"), false, false),
    ];
    assert_eq!(tracks, expected);
    assert_eq!(decoded.tracks[1].language.as_deref(), Some("deu"));
    assert_eq!(faults(&decoded), ["tracks-not-used", "track-silent"]);
}

#[test]
fn a_wished_track_is_read() {
    let decoded = decode_track("silent-then-chirp.mkv", Some(2)).unwrap();
    assert!(decoded.tracks[1].used);
    assert_eq!(decoded.frames, 24_000);
    assert_eq!(faults(&decoded), ["tracks-not-used"]);
    let expected = chirp(48_000, 1, 24_000, 0.4);
    let (shift, snr_db) = alignment(expected.plane(0), samples(decoded).plane(0), 12);
    assert_eq!(shift, 0);
    assert!(snr_db > 15.0, "{snr_db} dB");
    let error = decode_track("silent-then-chirp.mkv", Some(3)).unwrap_err();
    assert_eq!(error.to_string(), "track is 3, allowed is 1 to 2");
}

#[test]
fn a_first_track_that_cannot_be_decoded_is_passed_over_and_named() {
    let decoded = decode_track("tta-then-opus.mkv", None).unwrap();
    assert_eq!(decoded.tracks[0].codec, "True Audio");
    assert!(decoded.tracks[0].default && decoded.tracks[1].used);
    assert_eq!(decoded.frames, 24_000);
    let error = decode_track("tta-then-opus.mkv", Some(1)).unwrap_err();
    assert!(
        matches!(&error, AudioError::UnknownCodec { codec } if codec == "True Audio"),
        "{error}"
    );
}

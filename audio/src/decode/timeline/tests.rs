//! A packet of these tests says in its bytes what it decodes to, so that every length is known.
#![allow(clippy::unwrap_used)]

use retake_formats::Codec;

use super::*;
use crate::{
    Limits,
    decode::{
        codec::{Heard, PacketError},
        demux::CodecParams,
        recorder::Recorded,
        sink::ToSpill,
    },
};

const RATE: u32 = 48_000;
/// 20 ms.
const FRAMES: u16 = 960;
const MONO: (u8, u32) = (1, RATE);
const STEREO: (u8, u32) = (2, RATE);

/// Channels, rate and frames from the bytes; every sample is the last byte in hundredths. Without
/// bytes it cannot be decoded.
struct Fake;

impl PacketDecoder for Fake {
    fn decode(&mut self, packet: &[u8], block: &mut Block) -> Result<Heard, PacketError> {
        let [channels, a, b, c, d, e, f, value] = *packet else {
            return Err(PacketError("damaged".to_owned()));
        };
        let frames = u16::from_le_bytes([e, f]) as usize;
        *block = Block::from_fn(channels.into(), frames, |_, _| f32::from(value) / 100.0);
        Ok(Heard {
            sample_rate: u32::from_le_bytes([a, b, c, d]),
            mask: ChannelMask::unstated(channels.into()),
        })
    }

    fn frames(&self, packet: &[u8]) -> Option<u64> {
        (packet == [1]).then_some(FRAMES.into())
    }

    fn reset(&mut self) {}
}

fn sound((channels, rate): (u8, u32), frames: u16, value: u8, at: Option<i64>) -> Packet {
    let [a, b, c, d] = rate.to_le_bytes();
    let [e, f] = frames.to_le_bytes();
    Packet {
        data: vec![channels, a, b, c, d, e, f, value],
        at: at.map(|at| Time::new(at, RATE.into())),
        ..Packet::default()
    }
}

/// 20 ms, mono.
fn packet(value: u8, at: impl Into<Option<i64>>) -> Packet {
    sound(MONO, FRAMES, value, at.into())
}

fn damaged(at: impl Into<Option<i64>>) -> Packet {
    Packet {
        data: vec![0],
        ..packet(0, at)
    }
}

/// `count` packets whose clock begins at `at`.
fn run(value: u8, at: i64, count: i64) -> Vec<Packet> {
    let stamps = (0..count).map(|n| at + n * i64::from(FRAMES));
    stamps.map(|at| packet(value, at)).collect()
}

fn stream() -> Stream {
    Stream::new(CodecParams {
        sample_rate: Some(RATE),
        channels: Some(1),
        ..CodecParams::new(Codec::Opus)
    })
}

struct Played {
    spec: Spec,
    samples: Block,
    findings: Vec<Finding>,
}

impl Played {
    /// Runs of equal samples of the first channel: hundredths and how many.
    fn runs(&self) -> Vec<(u8, usize)> {
        let values = self.samples.plane(0).iter();
        let values: Vec<u8> = values.map(|x| (100.0 * x).round() as u8).collect();
        let runs = values.chunk_by(|a, b| a == b);
        runs.map(|run| (run[0], run.len())).collect()
    }

    fn codes(&self) -> Vec<&str> {
        let findings = self.findings.iter();
        findings.map(|finding| finding.code.as_str()).collect()
    }

    fn param(&self, code: Code, name: &str) -> f64 {
        let finding = self.findings.iter().find(|finding| finding.is(code));
        finding.unwrap().params[name].as_f64().unwrap()
    }
}

/// As the decoder does it, beginning again where something richer comes.
fn play_within(limits: &Limits, streams: &[(Stream, Vec<Packet>)]) -> Result<Played, AudioError> {
    let mut aim = None;
    for restart in 0..=3 {
        let mut sink = ToSpill::in_dir(std::env::temp_dir());
        let recorder = Recorder::new(limits, &mut sink, aim, restart < 3);
        match attempt(recorder, streams) {
            Ok(recorded) => return Ok(played(recorded, sink)),
            Err(Interrupted::Richer(spec)) => aim = Some(spec),
            Err(Interrupted::Failed(error)) => return Err(error),
        }
    }
    unreachable!()
}

fn attempt(
    recorder: Recorder<'_>,
    streams: &[(Stream, Vec<Packet>)],
) -> Result<Recorded, Interrupted> {
    let mut timeline = Timeline::new(recorder);
    for (stream, packets) in streams {
        timeline.end_stream()?;
        timeline.stream = Some(Playing::new(Box::new(Fake), stream.clone()));
        for packet in packets {
            timeline.packet(packet)?;
        }
    }
    let (recorder, mut findings) = timeline.finish()?;
    let mut recorded = recorder.finish()?;
    findings.append(&mut recorded.findings);
    recorded.findings = findings;
    Ok(recorded)
}

fn played(recorded: Recorded, sink: ToSpill) -> Played {
    let mut spill = sink.finish().unwrap();
    let mut samples = Block::new(recorded.spec.channels as usize);
    let mut block = Block::default();
    let mut reader = spill.read();
    while reader.read_into(&mut block).unwrap() {
        samples.append(&block);
    }
    Played {
        spec: recorded.spec,
        samples,
        findings: recorded.findings,
    }
}

fn play(packets: impl IntoIterator<Item = Packet>) -> Played {
    play_stream(stream(), packets)
}

fn play_stream(stream: Stream, packets: impl IntoIterator<Item = Packet>) -> Played {
    let packets = packets.into_iter().collect();
    play_within(&Limits::default(), &[(stream, packets)]).unwrap()
}

#[test]
fn a_gap_in_the_clock_becomes_silence_of_its_length() {
    let played = play([run(10, 0, 3), run(20, 2880 + 240_000, 3)].concat());
    assert_eq!(played.runs(), [(10, 2880), (0, 240_000), (20, 2880)]);
    assert_eq!(played.codes(), ["gaps-filled"]);
    assert_eq!(played.param(Code::GapsFilled, "silence_ms"), 5000.0);
}

#[test]
fn two_gaps_one_after_the_other_are_both_filled() {
    let played = play([run(10, 0, 2), run(20, 10_000, 1), run(30, 30_000, 2)].concat());
    let expected = [(10, 1920), (0, 8080), (20, 960), (0, 19_040), (30, 1920)];
    assert_eq!(played.runs(), expected);
    assert_eq!(played.param(Code::GapsFilled, "gaps"), 2.0);
}

#[test]
fn a_single_wrong_stamp_fills_nothing_whichever_way_it_is_wrong() {
    for wrong in [500_000, -500_000, i64::MAX / 4, i64::MIN, i64::MAX] {
        let mut packets = run(10, 0, 10);
        packets[4].at = Some(Time::new(wrong, RATE.into()));
        let played = play(packets);
        assert_eq!(played.runs(), [(10, 9600)], "{wrong}");
        assert_eq!(played.codes(), [""; 0], "{wrong}");
    }
}

#[test]
fn a_gap_before_the_last_packet_is_filled_unless_it_is_too_long_to_be_believed() {
    let played = play([run(10, 0, 3), run(20, 2880 + 48_000, 1)].concat());
    assert_eq!(played.runs(), [(10, 2880), (0, 48_000), (20, 960)]);
    let played = play([run(10, 0, 3), run(20, 2880 + 11 * 48_000, 1)].concat());
    assert_eq!(played.runs(), [(10, 2880), (20, 960)]);
}

#[test]
fn packets_without_stamps_do_not_confirm_a_gap() {
    let unstamped = |n| (0..n).map(|_| packet(20, None)).collect::<Vec<_>>();
    let wrong = [run(10, 0, 2), run(20, 99_000, 1), unstamped(9)].concat();
    let played = play([wrong.clone(), run(30, 12 * 960, 2)].concat());
    assert_eq!(played.runs(), [(10, 1920), (20, 9600), (30, 1920)]);
    let played = play([wrong, run(30, 99_000 + 9600, 2)].concat());
    let expected = [(10, 1920), (0, 97_080), (20, 9600), (30, 1920)];
    assert_eq!(played.runs(), expected);
}

#[test]
fn a_clock_that_starts_late_is_no_gap_unless_the_file_says_where_it_begins() {
    for late_s in [7_200, 566_101] {
        let played = play(run(10, late_s * 48_000, 5));
        assert_eq!(played.runs(), [(10, 4800)]);
        assert_eq!(played.codes(), [""; 0]);
    }
    let from_zero = Stream {
        origin: Some(Time::new(0, 1)),
        ..stream()
    };
    let played = play_stream(from_zero, run(10, 24_000, 5));
    assert_eq!(played.runs(), [(0, 24_000), (10, 4800)]);
    assert_eq!(played.codes(), ["late-start"]);
}

#[test]
fn a_clock_that_goes_back_leaves_nothing_out_and_a_gap_behind_it_is_filled() {
    let packets = [
        run(10, 480_000, 5),
        run(20, 0, 5),
        run(30, 4800 + 48_000, 5),
    ];
    let played = play(packets.concat());
    let expected = [(10, 4800), (20, 4800), (0, 48_000), (30, 4800)];
    assert_eq!(played.runs(), expected);
    assert_eq!(played.codes(), ["gaps-filled", "clock-went-back"]);
    assert_eq!(played.param(Code::ClockWentBack, "times"), 1.0);
    assert_eq!(played.param(Code::ClockWentBack, "back_ms"), 10_100.0);
}

#[test]
fn a_clock_that_goes_back_and_returns_has_no_gap() {
    let packets = [run(10, 0, 50), run(20, 0, 5), run(30, 55 * 960, 5)];
    let played = play(packets.concat());
    assert_eq!(played.runs(), [(10, 48_000), (20, 4800), (30, 4800)]);
    assert_eq!(played.codes(), ["clock-went-back"]);
}

#[test]
fn drift_is_said_and_changes_nothing() {
    // 1,000 ppm for two minutes.
    let packets = (0..6000).map(|n| packet(10, n * 961));
    let played = play(packets);
    assert_eq!(played.runs(), [(10, 6000 * 960)]);
    assert_eq!(played.codes(), ["clock-drift"]);
    let drift_ms = played.param(Code::ClockDrift, "drift_ms");
    assert!((124.0..=126.0).contains(&drift_ms), "{drift_ms}");
    let slow = play((0..6000).map(|n| packet(10, n * 959)));
    assert!(slow.param(Code::ClockDrift, "drift_ms") < -124.0);
}

#[test]
fn jitter_is_ignored() {
    let jitter = [0, 400, -300, 100, 450, -450, 0];
    let packets = (0..700).map(|n| packet(10, 48_000 + n * 960 + jitter[n as usize % 7]));
    let played = play(packets);
    assert_eq!(played.runs(), [(10, 700 * 960)]);
    assert_eq!(played.codes(), [""; 0]);
}

#[test]
fn stamps_in_milliseconds_leave_every_length_alone() {
    // 1024 frames at 48 kHz are 21.3 ms.
    let packets = (0..2000).map(|n| Packet {
        at: Some(Time::new((n * 1024 * 1000 + 24_000) / 48_000, 1000)),
        ..sound(MONO, 1024, 10, None)
    });
    let played = play(packets);
    assert_eq!(played.runs(), [(10, 2000 * 1024)]);
    assert_eq!(played.codes(), [""; 0]);
}

#[test]
fn behind_a_gap_the_clock_is_met_to_the_frame_whatever_had_drifted() {
    let drifting = (0..500).map(|n| packet(10, n * 965));
    let played = play(drifting.chain(run(20, 600_000, 5)));
    assert_eq!(played.samples.frames(), 600_000 + 4800);
    // Stamps in milliseconds, rounded down.
    let coarse = |n: i64| Packet {
        at: Some(Time::new(n * 1024 * 1000 / 48_000, 1000)),
        ..sound(MONO, 1024, 10, None)
    };
    let played = play((0..100).chain(150..200).map(coarse));
    let stamp = 150 * 1024 * 1000 / 48_000 * 48;
    assert_eq!(played.samples.frames(), stamp + 50 * 1024);
}

#[test]
fn a_packet_that_cannot_be_decoded_is_as_much_silence_as_it_stands_for() {
    let with_duration = Packet {
        duration: Some(Time::new(10, 1000)),
        ..damaged(None)
    };
    let counted = Packet {
        data: vec![1],
        ..damaged(None)
    };
    for (lost, frames) in [(damaged(None), 960), (with_duration, 480), (counted, 960)] {
        let played = play([packet(10, None), lost, packet(20, None)]);
        assert_eq!(played.runs(), [(10, 960), (0, frames), (20, 960)]);
        assert_eq!(played.codes(), ["packets-lost"]);
        assert_eq!(played.param(Code::PacketsLost, "lost"), 1.0);
        let ms = played.param(Code::PacketsLost, "silence_ms");
        assert_eq!(ms, frames as f64 / 48.0);
    }
}

#[test]
fn a_stated_length_of_a_lost_packet_is_not_believed_beyond_a_second() {
    let endless = Packet {
        duration: Some(Time::new(i64::MAX, 1)),
        ..damaged(None)
    };
    let played = play([packet(10, None), endless, packet(20, None)]);
    assert_eq!(played.runs(), [(10, 960), (0, 48_000), (20, 960)]);
}

#[test]
fn packets_lost_at_the_start_do_not_decide_what_the_recording_is() {
    // The container says 48 kHz mono, the packets are 44.1 kHz stereo.
    let cd = (2, 44_100);
    let lost = (0..3).map(|_| damaged(None));
    let played = play(lost.chain((0..5).map(|_| sound(cd, 1024, 10, None))));
    assert_eq!((played.spec.channels, played.spec.sample_rate), (2, 44_100));
    assert_eq!(played.runs(), [(0, 3 * 1024), (10, 5 * 1024)]);
    assert_eq!(played.codes(), ["packets-lost"]);
    // Nothing but what the container says.
    let lost = (0..100).map(|n| damaged(n * 960));
    let played = play(lost.chain(run(10, 96_000, 100)));
    assert_eq!(played.runs()[0].0, 0);
    assert_eq!(played.samples.frames(), 96_000 + 96_000);
}

#[test]
fn few_packets_of_another_kind_are_damage_and_more_are_a_change() {
    let strays = |n| {
        (0..n)
            .map(|_| sound((1, 24_000), 480, 30, None))
            .collect::<Vec<_>>()
    };
    let plain = |value| (0..5).map(|_| packet(value, None)).collect::<Vec<_>>();
    let played = play([plain(10), strays(3), plain(20)].concat());
    assert_eq!(played.runs(), [(10, 4800), (0, 3 * 960), (20, 4800)]);
    assert_eq!(played.codes(), ["packets-lost"]);
    let played = play([plain(10), strays(10), plain(20)].concat());
    assert_eq!(played.samples.frames(), 4800 + 10 * 960 + 4800);
    assert_eq!(played.codes(), ["stream-changed"]);
    let middle = played.samples.plane(0)[9600];
    assert!((middle - 0.3).abs() < 0.01, "{middle}");
    assert_eq!(played.samples.plane(0)[4800 + 9600 + 10], 0.2);
}

#[test]
fn mono_stereo_mono_is_stereo_all_along() {
    let some = |kind, value| (0..5).map(move |_| sound(kind, FRAMES, value, None));
    let packets = some(MONO, 10).chain(some(STEREO, 20)).chain(some(MONO, 30));
    let played = play(packets);
    assert_eq!(played.spec.channels, 2);
    assert_eq!(played.runs(), [(10, 4800), (20, 4800), (30, 4800)]);
    assert_eq!(played.samples.plane(0), played.samples.plane(1));
    assert_eq!(played.codes(), ["stream-changed"]);
    assert_eq!(played.param(Code::StreamChanged, "times"), 2.0);
}

#[test]
fn a_lower_rate_is_resampled_and_stays_where_it_was() {
    let low = (1, 16_000);
    let mut packets = run(10, 0, 50);
    packets.extend((0..50).map(|n| sound(low, 320, 20, Some(48_000 + n * 960))));
    packets.extend(run(30, 96_000 + 48_000, 50));
    let played = play(packets);
    assert_eq!(played.spec.sample_rate, RATE);
    assert_eq!(played.samples.frames(), 4 * 48_000);
    let samples = played.samples.plane(0);
    for (at, value) in [(47_999, 0.1), (72_000, 0.2), (120_000, 0.0), (144_000, 0.3)] {
        assert!((samples[at] - value).abs() < 0.01, "{at}: {}", samples[at]);
    }
    assert_eq!(played.codes(), ["gaps-filled", "stream-changed"]);
}

#[test]
fn a_higher_rate_that_comes_later_is_the_rate_of_all() {
    let low = (0..50).map(|_| sound((1, 16_000), 320, 20, None));
    let played = play(low.chain((0..50).map(|_| packet(10, None))));
    assert_eq!(played.spec.sample_rate, RATE);
    assert_eq!(played.samples.frames(), 96_000);
    assert_eq!(played.samples.plane(0)[95_999], 0.1);
}

#[test]
fn a_gap_beyond_the_limit_is_not_filled_and_said() {
    let limits = Limits {
        duration_ms_max: 10_000,
        ..Limits::default()
    };
    let packets = [
        run(10, 0, 5),
        run(20, 48_000_000, 5),
        run(30, 48_100_000, 5),
    ]
    .concat();
    let played = play_within(&limits, &[(stream(), packets)]).unwrap();
    let after = 100_000 - 4800;
    let expected = [(10, 4800), (20, 4800), (0, after), (30, 4800)];
    assert_eq!(played.runs(), expected);
    assert_eq!(played.codes(), ["gaps-filled", "gap-too-long"]);
}

#[test]
fn delay_and_what_is_to_be_heard_are_counted_in_frames() {
    let check = |delay: i64, heard: Option<i64>, expected: usize, left_out: Option<(i64, i64)>| {
        let time = |frames| Time::new(frames, RATE.into());
        let stream = Stream {
            delay: Some(time(delay)),
            heard: heard.map(time),
            ..stream()
        };
        let played = play_stream(stream, run(10, -delay, 10));
        assert_eq!(played.samples.frames(), expected, "{delay} {heard:?}");
        let said = played.findings.iter().find(|f| f.is(Code::PaddingLeftOut));
        let said = said.map(|f| {
            let param = |name: &str| f.params[name].as_i64().unwrap();
            (param("start"), param("end"))
        });
        assert_eq!(said, left_out, "{delay} {heard:?}");
        assert_eq!(played.findings.len(), usize::from(left_out.is_some()));
    };
    check(0, None, 9600, None);
    check(312, None, 9288, Some((312, 0)));
    check(2112, None, 7488, Some((2112, 0)));
    check(312, Some(8000), 8000, Some((312, 1288)));
    check(1000, Some(5000), 5000, Some((1000, 3600)));
    // More than there is.
    check(312, Some(1 << 40), 9288, Some((312, 0)));
    check(-5, None, 9600, None);
}

#[test]
fn what_is_trimmed_off_packets_is_not_heard_and_its_time_is_kept() {
    let mut packets = run(10, 0, 4);
    packets[1].trim_start = Some(Time::new(10, 1000));
    packets[2].trim_start = Some(Time::new(1 << 40, 1));
    let played = play(packets);
    let expected = [(10, 960), (0, 480), (10, 480), (0, 960), (10, 960)];
    assert_eq!(played.runs(), expected);
    // Trimmed at the end and stamped as an edit list plays it: nothing is missing.
    let mut packets = run(10, 0, 2);
    packets[1].trim_end = Some(Time::new(900, RATE.into()));
    packets.extend(run(20, 1020, 2));
    assert_eq!(play(packets).runs(), [(10, 1020), (20, 1920)]);
}

#[test]
fn a_second_stream_comes_right_behind_and_may_be_richer() {
    let first = run(10, 0, 5);
    let second: Vec<_> = (0..5)
        .map(|n| sound(STEREO, FRAMES, 20, Some(9_000_000 + n * 960)))
        .collect();
    let streams = [(stream(), first), (stream(), second)];
    let played = play_within(&Limits::default(), &streams).unwrap();
    assert_eq!(played.spec.channels, 2);
    assert_eq!(played.runs(), [(10, 4800), (20, 4800)]);
    assert_eq!(played.codes(), ["stream-changed"]);
}

#[test]
fn a_stream_without_frames_is_empty_and_limits_are_held() {
    let empty = play_within(&Limits::default(), &[(stream(), Vec::new())]);
    assert!(matches!(empty, Err(AudioError::Empty)));
    let limits = Limits {
        channels_max: 1,
        ..Limits::default()
    };
    let stereo = vec![sound(STEREO, FRAMES, 1, None)];
    let refused = play_within(&limits, &[(stream(), stereo)]);
    assert!(matches!(refused, Err(AudioError::UnsupportedStream { .. })));
}

#[test]
fn samples_that_are_no_numbers_are_silence_and_counted() {
    let mut sink = ToSpill::in_dir(std::env::temp_dir());
    let mut recorder = Recorder::new(&Limits::default(), &mut sink, None, true);
    let spec = Spec {
        sample_rate: RATE,
        channels: 1,
        mask: ChannelMask::unstated(1),
    };
    let bad = vec![0.5, f32::NAN, f32::INFINITY, 0.25];
    recorder.push(spec, &Block::mono(bad)).unwrap();
    let recorded = recorder.finish().unwrap();
    assert!(recorded.findings[0].is(Code::SamplesReplaced));
    assert_eq!(recorded.findings[0].params["count"], 2);
}

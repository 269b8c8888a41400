//! Impossible samples and lone knocks, and what only looks like them.

use super::*;

#[test]
fn one_impossible_sample_or_several_do_not_hold_the_talk_down() {
    for rate in RATES {
        let frames = rate as usize * 12;
        let talk = vec![speech(rate, 12.0, 0.05); 2];
        let (plain, _) = correct::<Loudness>(rate, &settings(-16.0, -1.5), &talk, 4800).unwrap();
        // Where, how many frames, how high.
        type Spike = (usize, usize, f32);
        let cases: [(&str, &[Spike]); 6] = [
            ("one", &[(frames / 3, 1, 1000.0)]),
            ("at both ends", &[(0, 1, 900.0), (frames - 1, 1, -900.0)]),
            ("a run", &[(frames / 2, 3, -300.0)]),
            ("within full scale", &[(frames / 5, 1, -1.4)]),
            (
                "several",
                &[
                    (100, 2, 50.0),
                    (frames / 4, 1, 60.0),
                    (frames / 4 + rate as usize / 50, 1, -70.0),
                    (frames - 400, 2, 80.0),
                ],
            ),
            (
                "close together",
                &[
                    (frames / 3, 1, 40.0),
                    (frames / 3 + rate as usize / 250, 1, 35.0),
                ],
            ),
        ];
        for (name, spikes) in cases {
            for channels in [1..2, 0..2] {
                let mut input = talk.clone();
                for &(at, run, height) in spikes {
                    for channel in channels.clone() {
                        input[channel][at..(at + run).min(frames)].fill(height);
                    }
                }
                let (output, report) =
                    correct::<Loudness>(rate, &settings(-16.0, -1.5), &input, 4800).unwrap();
                let what = format!("{name}, {rate} Hz, {channels:?}");
                let reached = lufs(rate, &output);
                assert!((reached + 16.0).abs() < 0.1, "{what}: {reached:.2} LUFS");
                assert!(
                    (report.get("reached").unwrap() - reached).abs() < 0.03,
                    "{what}"
                );
                assert_eq!(
                    report.get("spikes"),
                    Some((spikes.len() * channels.len()) as f64),
                    "{what}"
                );
                assert_eq!(report.get_text("why-not"), None, "{what}");
                // But for the repairs it is the talk as it would have been.
                let off = output.iter().flatten().zip(plain.iter().flatten());
                let different = off.filter(|(a, b)| (*a - *b).abs() > 0.02).count();
                assert!(different < 40 * spikes.len(), "{what}: {different}");
            }
        }
    }
}

#[test]
fn what_is_loud_or_short_or_many_is_no_spike() {
    let rate = 48_000;
    let talk = speech(rate, 4.0, 0.1);
    let at = 96_000;
    let clap: Vec<f32> = noise(4_800, 3)
        .iter()
        .enumerate()
        .map(|(n, s)| 0.9 * s * (-(n as f32) / 400.0).exp())
        .collect();
    let mut with_clap = talk.clone();
    with_clap[at..at + 4_800]
        .iter_mut()
        .zip(&clap)
        .for_each(|(s, c)| *s += c);
    let mut shout = talk.clone();
    shout[at..].iter_mut().for_each(|s| *s *= 9.0);
    let clicks: Vec<f32> = talk
        .iter()
        .enumerate()
        .map(|(n, s)| if n % 1_000 == 0 { 1.0 } else { *s })
        .collect();
    let mut impulse = vec![0.0; 96_000];
    impulse[48_000] = 1.0;
    let far_over: Vec<f32> = talk.iter().map(|s| s * 3_000.0).collect();
    let square: Vec<f32> = (0..96_000)
        .map(|n| if n / 40 % 2 == 0 { 0.9 } else { -0.9 })
        .collect();
    for (name, input) in [
        ("a clap", with_clap),
        ("a shout", shout),
        ("a row of clicks", clicks),
        ("an impulse in silence", impulse),
        ("all far over full scale", far_over),
        ("a square", square),
        ("noise", noise(96_000, 5)),
    ] {
        let (_, report) =
            correct::<Loudness>(rate, &settings(-16.0, -1.5), &vec![input], 4800).unwrap();
        assert_eq!(report.get("spikes"), None, "{name}");
    }
}

#[test]
fn a_knock_louder_than_the_talk_by_40_db_leaves_the_talk_on_target() {
    for rate in [16_000, 48_000] {
        let mut input = vec![speech(rate, 20.0, 0.04)];
        let thump = speech(rate, 0.05, 1.0);
        let at = rate as usize * 7;
        let burst: Vec<f32> = noise(thump.len(), 8).iter().map(|s| 0.9 * s).collect();
        input[0][at..at + burst.len()].copy_from_slice(&burst);
        let (output, report) =
            correct::<Loudness>(rate, &settings(-16.0, -1.5), &input, 4800).unwrap();
        let reached = lufs(rate, &output);
        assert!((reached + 16.0).abs() < 0.1, "{rate} Hz: {reached:.2}");
        assert!(report.get("limited").unwrap() > 20.0);
        assert!(true_peak_db(rate, &output) <= -1.45);
    }
}

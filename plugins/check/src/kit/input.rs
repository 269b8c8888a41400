//! Inputs of every kind: whatever a recording holds, the plugin comes back with finite output of the
//! right length.

use retake_audio::Block;

use super::{
    Found,
    drive::{Bad, Taken, not_finite},
    signals::{self, level_dbfs},
    subject::Subject,
};

/// Louder than this out of nothing is worth a look; dither lies below.
const SILENCE_DBFS: f64 = -90.0;
/// What is left of an impulse after two seconds is judged above this.
const RINGING_DBFS: f64 = -60.0;
/// Arithmetic with numbers this small (below 1.2e-38) can be a hundred times slower.
const DENORMAL: f32 = 1e-40;
/// Times longer than noise before denormals are called slow, and the least time that is judged.
const SLOWER_MAX: f64 = 8.0;
const JUDGED_CPU_S: f64 = 0.05;

/// Runs one input; a refusal is in order, but the author should know that such jobs end.
fn take(subject: &Subject<'_>, what: &str, input: &Block) -> Result<Taken, Found> {
    subject.take().sound(input).map_err(|bad| match bad {
        Bad::Refused(words) => Found::warned(format!(
            "{what}: {words}. That is in order, but jobs with such recordings fail"
        )),
        Bad::Broke(words) => Found::failed(format!("{what}: {words}")),
    })
}

pub fn silence(subject: &Subject<'_>) -> Found {
    let frames = subject.usual_hz() as usize * 2;
    let what = "2 s of silence in two channels went in";
    match take(
        subject,
        what,
        &subject.in_channels(2, |_| vec![0.0; frames]),
    ) {
        Err(found) => found,
        Ok(taken) => {
            let level = level_dbfs(&taken.planes.concat());
            if level > SILENCE_DBFS {
                Found::warned(format!(
                    "{what}, and sound at {level:.0} dBFS came out. Above {SILENCE_DBFS} dBFS it is heard"
                ))
            } else {
                Found::passed(format!("{what}, and silence came out"))
            }
        }
    }
}

pub fn offset(subject: &Subject<'_>) -> Found {
    let frames = subject.usual_hz() as usize;
    let what = "1 s of a constant 0.5 went in";
    match take(subject, what, &Block::mono(vec![0.5; frames])) {
        Err(found) => found,
        Ok(_) => Found::passed(format!("{what}, and it came back finite and as long")),
    }
}

pub fn full_scale(subject: &Subject<'_>) -> Found {
    let frames = subject.usual_hz() as usize;
    let inputs = [
        ("a square wave at full scale", signals::square(frames, 1.0)),
        ("white noise at full scale", signals::noise(frames, 1.0, 4)),
        (
            "white noise 24 dB above full scale, as 32-bit float files may have it,",
            signals::noise(frames, 15.8, 5),
        ),
    ];
    for (name, input) in inputs {
        if let Err(found) = take(
            subject,
            &format!("1 s of {name} went in"),
            &Block::mono(input),
        ) {
            return found;
        }
    }
    Found::passed(
        "a square wave and noise at full scale, and noise 24 dB above it: all came back finite",
    )
}

/// No file brings in what is no number, and no step hands it on; a plugin must live with it all the
/// same, because the contract does not exclude it.
pub fn no_numbers(subject: &Subject<'_>) -> Found {
    let hz = subject.usual_hz() as usize;
    let mut worst = None;
    for sample in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut input = signals::voice(hz as u32, hz, 3);
        input[hz / 4] = sample;
        let what = format!("1 s of a voice with one {sample} in it went in");
        match subject.take().any(&Block::mono(input)) {
            Err(Bad::Refused(_)) => {}
            Err(Bad::Broke(words)) => {
                return Found::failed(format!(
                    "{what}: {words}. Bad samples are answered with an error of kind bad-input, or lived \
                     with; a trap takes the plugin's own words from the user"
                ));
            }
            Ok(taken) => {
                let bad = taken.planes[0].iter().filter(|s| !s.is_finite()).count();
                if bad > hz / 10 {
                    let first = not_finite(&taken.planes).unwrap_or_default();
                    worst = Some(format!(
                        "{what}, and {bad} frames were lost to it, from {first} on. The host never lets \
                         one in, so this is no fault; a filter that clears its state is sturdier"
                    ));
                }
            }
        }
    }
    match worst {
        Some(words) => Found::warned(words),
        None => {
            Found::passed("a NaN, an infinity and a negative one: refused, or over within 0.1 s")
        }
    }
}

pub fn denormals(subject: &Subject<'_>) -> Found {
    let hz = subject.usual_hz() as usize;
    let what = format!("1 s of noise, then 2 s of noise at {DENORMAL:e}, went in");
    let mut input = signals::noise(hz, 0.25, 6);
    input.extend(signals::noise(hz * 2, DENORMAL, 7));
    let tiny = match take(subject, &what, &Block::mono(input)) {
        Err(found) => return found,
        Ok(taken) => taken.cpu.as_secs_f64(),
    };
    let usual = match take(
        subject,
        "3 s of noise went in",
        &Block::mono(signals::noise(hz * 3, 0.25, 6)),
    ) {
        Err(found) => return found,
        Ok(taken) => taken.cpu.as_secs_f64(),
    };
    if tiny > JUDGED_CPU_S && tiny > usual * SLOWER_MAX {
        Found::warned(format!(
            "{what}, and took {tiny:.2} s of CPU time; noise at -15 dBFS took {usual:.2} s. Numbers that \
             small are slow: set what is below 1e-20 to zero in feedback paths"
        ))
    } else {
        Found::passed(format!(
            "{what}, and came back finite, in {tiny:.3} s ({usual:.3} s for noise)"
        ))
    }
}

pub fn impulse(subject: &Subject<'_>) -> Found {
    let hz = subject.usual_hz() as usize;
    let mut input = vec![0.0; hz * 3];
    input[hz / 10] = 1.0;
    let what = "a single 1.0 in 3 s of silence went in";
    let taken = match take(subject, what, &Block::mono(input)) {
        Err(found) => return found,
        Ok(taken) => taken,
    };
    let output = &taken.planes[0];
    let (early, late) = (
        level_dbfs(&output[output.len() / 3..output.len() / 2]),
        level_dbfs(&output[output.len() * 5 / 6..]),
    );
    if late > RINGING_DBFS && late >= early {
        Found::failed(format!(
            "{what}, and 2.5 s later {late:.0} dBFS came out, after {early:.0} dBFS at 1 s: it does not \
             die away. A filter is unstable"
        ))
    } else {
        Found::passed(format!("{what}, and died away: {late:.0} dBFS after 2.5 s"))
    }
}

pub fn short(subject: &Subject<'_>) -> Found {
    let quantum = subject.manifest().block_quantum as usize;
    let lengths = [0, 1, 2, quantum - 1, quantum + 1, 479];
    for frames in lengths {
        let input = subject.in_channels(2, |channel| signals::noise(frames, 0.1, channel));
        let what = format!("a stream of {frames} frames went in");
        if let Err(found) = take(subject, &what, &input) {
            return found;
        }
    }
    Found::passed(format!("streams of {lengths:?} frames came back as long"))
}

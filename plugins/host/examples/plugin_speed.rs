//! CPU time of our own plugins on noisy "speech", as seconds per hour of recording.
//!
//!     make plugins
//!     cargo run --release -p retake-plugin-host --example plugin_speed [minutes [rate [channels [plugin...]]]]
//!
//! A number by itself depends on the machine; it is for comparing two builds on the same one.

use std::{fs, path::Path, time::Duration, time::Instant};

use retake_audio::{BLOCK_FRAMES, Block, Spec};
use retake_plugin_host::{Cache, Host};
use retake_plugin_manifest::Settings;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let mut numbers = asked.iter().take(3).map(|arg| arg.parse::<u32>());
    let minutes = numbers.next().transpose()?.unwrap_or(5);
    let sample_rate = numbers.next().transpose()?.unwrap_or(48_000);
    let channels = numbers.next().transpose()?.unwrap_or(2);
    let spec = Spec::new(sample_rate, channels);
    let frames = u64::from(minutes) * 60 * u64::from(sample_rate);
    let per_hour = 60.0 / f64::from(minutes);

    let folder = tempfile::tempdir()?;
    let cache = Cache::open(folder.path())?;
    let host = Host::new(cache.clone())?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/plugins");
    println!("{minutes} min, {spec}; CPU seconds per hour of recording");
    let ours = [
        "gain",
        "highpass",
        "denoise",
        "loudness",
        "hum",
        "declick",
        "declip",
        "leveler",
        "de-ess",
        "gate",
        "eq",
        "denoise-best",
        "dereverb",
        "voice",
        "plosive",
    ];
    let is_asked = |name: &&str| asked.len() <= 3 || asked[3..].iter().any(|asked| asked == name);
    for name in ours.into_iter().filter(is_asked) {
        let wasm = fs::read(built.join(name).with_extension("wasm"))
            .map_err(|error| format!("{name}: {error}; run make plugins"))?;
        let plugin = host.load(&cache.install(&wasm)?.digest)?;
        let settings = Settings::resolve(plugin.manifest(), &serde_json::Map::new())
            .map_err(|e| format!("{e:?}"))?;
        let (mut stage, record) = plugin.stage(name, spec, frames, &settings, 1.0, 1)?;
        let start = Instant::now();
        let blocks = || (0..frames / BLOCK_FRAMES as u64).map(|index| speech(spec, index));
        let mut analysis = Duration::ZERO;
        if stage.analyzes() {
            for block in blocks() {
                stage.analyze(&block)?;
            }
            analysis = record.cpu();
        }
        let mut peak = 0f32;
        let mut emit = |block: &Block| {
            peak = block.samples().fold(peak, |peak, s| peak.max(s.abs()));
            Ok(())
        };
        for block in blocks() {
            stage.process(&block, &mut emit)?;
        }
        stage.finish(&mut emit)?;
        println!(
            "{name:9} analyze {:6.2}  process {:6.2}  (wall {:6.2}, signal included; peak {peak:.3})",
            analysis.as_secs_f64() * per_hour,
            (record.cpu() - analysis).as_secs_f64() * per_hour,
            start.elapsed().as_secs_f64() * per_hour,
        );
    }
    Ok(())
}

/// Voiced syllables with pauses over steady noise; the same for the same index.
fn speech(spec: Spec, index: u64) -> Block {
    let mut noise = (index as u32).wrapping_mul(2_654_435_761) | 1;
    let mono = Block::from_fn(1, BLOCK_FRAMES, |_, n| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let time = (index * BLOCK_FRAMES as u64 + n as u64) as f32 / spec.sample_rate as f32;
        let syllable = (time * 8.0).sin().max(0.0);
        let phase = (time * 140.0).fract();
        let voice = syllable * (0.5 - phase) * 0.5;
        voice + (noise >> 8) as f32 / 16_777_216.0 * 0.02 - 0.01
    });
    let channels = spec.channels as usize;
    Block::from_fn(channels, BLOCK_FRAMES, |_, n| mono.plane(0)[n])
}

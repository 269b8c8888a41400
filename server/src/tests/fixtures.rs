//! What a worker would have written, and a plugin.

use retake_chain::{
    InstalledPlugin,
    report::{Measurement, StepReport},
};
use retake_plugin_manifest::{ChannelUse, Manifest, Param, ParamKind, Passes, Scale};
use serde_json::json;

pub fn step() -> StepReport {
    let json = json!({
        "step": "gain", "plugin": null, "skipped": false, "delta": true, "latency_frames": 0,
        "cpu_ms": 1,
    });
    serde_json::from_value(json).unwrap()
}

pub fn measured() -> Measurement {
    Measurement {
        sample_rate: 48_000,
        channels: 1,
        frames: 48_000,
        duration_ms: 1000,
        integrated_lufs: Some(-20.0),
        loudness_range_lu: None,
        true_peak_dbtp: Some(-3.0),
        sample_peak_dbfs: Some(-3.1),
        channel_mask: Some(4),
        momentary_max_lufs: Some(-15.0),
        short_term_max_lufs: Some(-17.5),
        noise_floor_dbfs: Some(-60.0),
        voice_above_noise_db: Some(38.0),
        hum_hz: None,
        hum_dbfs: None,
        bandwidth_hz: None,
        loudness_curve: None,
    }
}

pub fn gain() -> InstalledPlugin {
    let param = Param {
        id: "gain-db".to_owned(),
        label: "Gain".to_owned(),
        help: "How much louder".to_owned(),
        unit: "dB".to_owned(),
        group: String::new(),
        kind: ParamKind::Float {
            min: -60.0,
            max: 24.0,
            default: 0.0,
            step: None,
            scale: Scale::Linear,
        },
    };
    let manifest = Manifest {
        id: "org.retake.gain".to_owned(),
        name: "Gain".to_owned(),
        version: "1.0.0".to_owned(),
        vendor: "Retake".to_owned(),
        summary: "Louder or softer".to_owned(),
        license: "MIT".to_owned(),
        params: vec![param],
        passes: Passes {
            analyze: false,
            process: true,
        },
        channels: ChannelUse::Linked,
        max_channels: 0,
        sample_rates: Vec::new(),
        block_quantum: 1,
        extras: Vec::new(),
    };
    InstalledPlugin {
        manifest: manifest.into(),
        digest: "ab".repeat(32),
        realtime_factor: None,
    }
}

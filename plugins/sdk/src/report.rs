//! What a plugin measured, for the job's report.

use crate::bindings::retake::correction::types as wit;

/// Measurements and curves, in the order they were added.
///
/// Numbers that are not finite are dropped by the host, and so is what does not fit 256 KiB of JSON,
/// curves first.
///
/// ```
/// # use retake_plugin_sdk::Report;
/// let report = Report::default()
///     .number("gain", "Gain applied", "dB", 3.5)
///     .count("repaired", "Clicks repaired", "", 12)
///     .flag("clipped", "Clipping found", true)
///     .text("finding", "Finding", "hum at 50 Hz and seven harmonics")
///     .curve("reduction", "Gain reduction", "dB", 4_800.0, vec![0.0, -1.5, -3.0]);
/// assert_eq!(report.get("gain"), Some(3.5));
/// ```
#[derive(Default)]
pub struct Report {
    pub(crate) measurements: Vec<wit::Measurement>,
    pub(crate) curves: Vec<wit::Curve>,
}

impl Report {
    /// A number with its unit ("dB", "LUFS", ... or ""). The host drops what is not finite.
    pub fn number(self, id: &str, label: &str, unit: &str, value: f64) -> Self {
        self.measurement(id, label, unit, wit::Value::Float(value))
    }

    /// A count.
    pub fn count(self, id: &str, label: &str, unit: &str, value: i64) -> Self {
        self.measurement(id, label, unit, wit::Value::Int(value))
    }

    /// Yes or no.
    pub fn flag(self, id: &str, label: &str, value: bool) -> Self {
        self.measurement(id, label, "", wit::Value::Toggle(value))
    }

    /// A finding in words.
    pub fn text(self, id: &str, label: &str, value: &str) -> Self {
        self.measurement(id, label, "", wit::Value::Text(value.into()))
    }

    /// What was cut out of the input: for a plugin that [may shorten](crate::Facts::may_shorten),
    /// once for each cut, in order. Frames of its input at the rate it works at; the host takes at
    /// most 10 000.
    pub fn cut(self, start: u64, frames: u64) -> Self {
        self.count("cut", "Cut out", "frames", frames as i64)
            .at(start, frames)
    }

    /// Says where in the input the measurement that was added last stands: from frame `start` on,
    /// `frames` long. Without a measurement it says nothing.
    pub fn at(mut self, start: u64, frames: u64) -> Self {
        if let Some(measurement) = self.measurements.last_mut() {
            measurement.span = Some(wit::Span { start, frames });
        }
        self
    }

    /// A value over time: one point per `frames_per_point` frames, from the first frame on.
    pub fn curve(
        mut self,
        id: &str,
        label: &str,
        unit: &str,
        frames_per_point: f64,
        points: Vec<f32>,
    ) -> Self {
        self.curves.push(wit::Curve {
            id: id.into(),
            label: label.into(),
            unit: unit.into(),
            channel: None,
            frames_per_point,
            points,
        });
        self
    }

    /// The number added under `id`, if there is one.
    pub fn get(&self, id: &str) -> Option<f64> {
        self.measurements
            .iter()
            .find(|m| m.id == id)
            .and_then(|m| match m.value {
                wit::Value::Float(value) => Some(value),
                wit::Value::Int(value) => Some(value as f64),
                _ => None,
            })
    }

    /// The text added under `id`, if there is one.
    pub fn get_text(&self, id: &str) -> Option<&str> {
        self.measurements
            .iter()
            .find(|m| m.id == id)
            .and_then(|m| match &m.value {
                wit::Value::Text(text) => Some(text.as_str()),
                _ => None,
            })
    }

    /// The cuts that were added, as (start, frames): for the plugin's own tests.
    pub fn cuts(&self) -> Vec<(u64, u64)> {
        self.spans("cut")
    }

    /// Where the measurements of that id stand, as (start, frames).
    pub fn spans(&self, id: &str) -> Vec<(u64, u64)> {
        let measurements = self.measurements.iter().filter(|m| m.id == id);
        let spans = measurements.filter_map(|m| m.span.as_ref());
        spans.map(|span| (span.start, span.frames)).collect()
    }

    /// The points of the curve of that id and its frames per point, if there is one.
    pub fn points(&self, id: &str) -> Option<(f64, &[f32])> {
        let curve = self.curves.iter().find(|curve| curve.id == id)?;
        Some((curve.frames_per_point, &curve.points))
    }

    fn measurement(mut self, id: &str, label: &str, unit: &str, value: wit::Value) -> Self {
        self.measurements.push(wit::Measurement {
            id: id.into(),
            label: label.into(),
            unit: unit.into(),
            value,
            channel: None,
            span: None,
        });
        self
    }
}

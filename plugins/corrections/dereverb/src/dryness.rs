//! Whether there is a room to be taken away at all.
//!
//! A voice recorded close by is predicted a little too: its vowels are held, and every word has an end. What
//! would be taken of it is so little that it is left there.

/// Where voices are, and rooms sound.
const VOICE_HZ: std::ops::Range<f32> = 200.0..4_000.0;
/// Where less than this would be taken, against all that was heard, nothing is; from the second on, all.
pub const NOTHING_DB: f64 = -11.0;
pub const ALL_DB: f64 = -8.5;

#[derive(Default)]
pub struct Dryness {
    heard: f64,
    room: f64,
    block: Sums,
    all: Sums,
}

#[derive(Default)]
struct Sums {
    heard: f64,
    room: f64,
    taken: f64,
}

impl Dryness {
    /// A block begins; the one before is half forgotten, so that no single word decides.
    pub fn begin(&mut self) {
        (self.heard, self.room) = (0.5 * self.heard, 0.5 * self.room);
        self.block = Sums::default();
    }

    /// A band of a frame, and what was predicted of it.
    pub fn hear(&mut self, hz: f32, (re, im): (f32, f32), (room_re, room_im): (f32, f32)) {
        if VOICE_HZ.contains(&hz) {
            self.block.heard += f64::from(re * re + im * im);
            self.block.room += f64::from(room_re * room_re + room_im * room_im);
        }
    }

    /// The block has been heard: how much of what was predicted is taken.
    pub fn share(&mut self) -> f32 {
        let Sums { heard, room, .. } = self.block;
        self.heard += heard;
        self.room += room;
        let share = (db(self.room, self.heard) - NOTHING_DB) / (ALL_DB - NOTHING_DB);
        let share = share.clamp(0.0, 1.0);
        self.all.heard += heard;
        self.all.room += room;
        self.all.taken += share * share * room;
        share as f32
    }

    /// What was predicted of the recording, against what was heard; `None` of silence.
    pub fn room_db(&self) -> Option<f64> {
        (self.all.heard > 0.0).then(|| db(self.all.room, self.all.heard))
    }

    /// The part of it that was taken, against what was heard.
    pub fn taken_db(&self) -> Option<f64> {
        (self.all.taken > 0.0).then(|| db(self.all.taken, self.all.heard))
    }
}

/// Between -120 and 120, silence included.
fn db(power: f64, of: f64) -> f64 {
    10.0 * ((power + 1e-12 * of) / of.max(f64::MIN_POSITIVE))
        .max(1e-12)
        .log10()
}

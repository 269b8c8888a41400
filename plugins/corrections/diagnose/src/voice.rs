//! What the levels of a voice, hop by hop, tell of the room that it is in and of how far its phrases are apart.

/// A sound dies away over at least so many hops and decibels to tell anything of the room, …
const DECAY_HOPS: usize = 3;
const DECAY_DB: f64 = 12.0;
/// … from a sound that is not itself the end of another, …
const FROM_BELOW_VOICE_DB: f64 = 25.0;
/// … and as far as the noise does not bear it up.
const ABOVE_FLOOR_DB: f64 = 5.0;
/// A voice at least so far above the noise.
const SNR_DB: f64 = 25.0;
/// So many sounds must die away in it.
const DECAYS_MIN: usize = 5;
/// A phrase is so long, and so far from the next.
const PHRASE_S: f64 = 0.5;
const PAUSE_S: f64 = 0.3;
const PHRASES_MIN: usize = 4;

/// Levels of hops, in dBFS, and how many there are in a second.
pub struct Voice<'a> {
    pub hops_db: &'a [f64],
    pub hops_per_s: f64,
    pub voice_dbfs: f64,
    pub floor_dbfs: f64,
}

impl Voice<'_> {
    /// How long it takes a sound to fall by 60 dB. Nothing dies away faster than the room lets it, so what ends
    /// fastest tells most: a quarter of all is shorter. The way of speaking is in it too, and what is in the same place
    /// as the voice: dry voices have 0.15 to 0.4 s, and a room whose late sound is as loud as the voice itself about
    /// its reverberation time. `None` where too few sounds can be heard to die away, noise bearing them up.
    pub fn decay_s(&self) -> Option<f64> {
        if self.voice_dbfs - self.floor_dbfs < SNR_DB {
            return None;
        }
        // Of two hops each: noise in a room goes up and down by a decibel or two from one hop to the next.
        let power = |db: f64| 10f64.powf(db / 10.0);
        let pairs = self.hops_db.windows(2);
        let levels = pairs.map(|pair| 10.0 * ((power(pair[0]) + power(pair[1])) / 2.0).log10());
        let levels: Vec<f64> = levels.collect();
        let (mut found, mut from) = (Vec::new(), 0);
        while from + 1 < levels.len() {
            let (mut end, mut place) = (from, from);
            let loud = levels[from] >= self.voice_dbfs - FROM_BELOW_VOICE_DB;
            if loud && levels[from + 1] < levels[from] - 0.5 {
                while let Some(&next) = levels.get(place + 1) {
                    if next > levels[end] + 1.0 || next <= self.floor_dbfs + ABOVE_FLOOR_DB {
                        break;
                    }
                    place += 1;
                    if next <= levels[end] {
                        end = place;
                    }
                }
            }
            let fell_db = levels[from] - levels[end];
            if fell_db >= DECAY_DB && end - from >= DECAY_HOPS {
                found.push(60.0 * (end - from) as f64 / self.hops_per_s / fell_db);
            }
            from = end + 1;
        }
        found.sort_unstable_by(f64::total_cmp);
        (found.len() >= DECAYS_MIN).then(|| found[found.len() / 4])
    }

    /// How far the louder phrases are above the quieter ones: from the 10th to the 90th percentile.
    pub fn phrases_apart_db(&self) -> Option<f64> {
        let quiet_below = self.floor_dbfs + 0.35 * (self.voice_dbfs - self.floor_dbfs);
        let [phrase, pause] = [PHRASE_S, PAUSE_S].map(|s| (s * self.hops_per_s) as usize);
        let mut phrases: Vec<(usize, usize)> = Vec::new();
        for (hop, &level) in self.hops_db.iter().enumerate() {
            match phrases.last_mut() {
                _ if level <= quiet_below => {}
                Some((_, end)) if hop - *end <= pause => *end = hop + 1,
                _ => phrases.push((hop, hop + 1)),
            }
        }
        let level = |&(start, end): &(usize, usize)| {
            let powers = self.hops_db[start..end]
                .iter()
                .map(|db| 10f64.powf(db / 10.0));
            10.0 * (powers.sum::<f64>() / (end - start) as f64).log10()
        };
        let long = phrases.iter().filter(|(start, end)| end - start >= phrase);
        let mut levels: Vec<f64> = long.map(level).collect();
        levels.sort_unstable_by(f64::total_cmp);
        let last = levels.len().checked_sub(1)?;
        (levels.len() >= PHRASES_MIN).then(|| levels[last * 9 / 10] - levels[last / 10])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(hops_db: &[f64]) -> Voice<'_> {
        Voice {
            hops_db,
            hops_per_s: 50.0,
            voice_dbfs: -20.0,
            floor_dbfs: -70.0,
        }
    }

    /// Words of 0.2 s that die away by so many decibels a hop.
    fn dying(per_hop_db: f64) -> Vec<f64> {
        let word = |_| {
            let tail = (1..).map(move |hop| -20.0 - per_hop_db * f64::from(hop));
            std::iter::repeat_n(-20.0, 10)
                .chain(tail.take(25))
                .map(|db: f64| db.max(-70.0))
        };
        (0..8).flat_map(word).collect()
    }

    #[test]
    fn a_room_is_as_long_as_sounds_take_to_die_away() {
        // 2.4 dB in 20 ms are 60 dB in half a second; the sound itself lasts as long as it lasts.
        let found = voice(&dying(2.4)).decay_s();
        assert!(found.is_some_and(|s| (0.5..0.75).contains(&s)), "{found:?}");
        let dry = voice(&dying(12.0)).decay_s();
        assert!(dry.is_none_or(|s| s < 0.35), "{dry:?}");
        assert_eq!(voice(&[-20.0; 400]).decay_s(), None);
    }

    #[test]
    fn phrases_are_as_far_apart_as_two_people_at_one_microphone() {
        let phrase = |db: f64| std::iter::repeat_n(db, 60).chain(std::iter::repeat_n(-70.0, 30));
        let two: Vec<f64> = [-20.0, -32.0, -20.0, -32.0]
            .into_iter()
            .flat_map(phrase)
            .collect();
        let apart = voice(&two).phrases_apart_db();
        assert!(apart.is_some_and(|db| (db - 12.0).abs() < 0.1), "{apart:?}");
        let one: Vec<f64> = [-20.0; 4].into_iter().flat_map(phrase).collect();
        assert!(
            voice(&one)
                .phrases_apart_db()
                .is_some_and(|db| db.abs() < 0.1)
        );
        assert_eq!(voice(&one[..200]).phrases_apart_db(), None);
    }
}

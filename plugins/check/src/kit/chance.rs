//! Chance that is the same every time: from a plugin's digest, so that the same file is checked at the
//! same values, and the next build of it at others.

/// splitmix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0.0..1.0.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// 0..`count`; 0 where there is nothing to choose from.
    pub fn below(&mut self, count: usize) -> usize {
        (self.unit() * count as f64) as usize
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        from.get(self.below(from.len()))
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Lengths of blocks that nobody would choose: odd, from one frame to more than a pipeline's.
    pub fn odd_blocks(&mut self) -> Vec<usize> {
        const LONGEST: f64 = 6_000.0;
        let count = 2 + self.below(3);
        let odd = |_| LONGEST.powf(self.unit()) as usize | 1;
        (0..count).map(odd).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_every_time_and_all_of_a_range() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            (0..1000).map(|_| chance.below(10)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        for value in 0..10 {
            let times = draw(7).iter().filter(|drawn| **drawn == value).count();
            assert!((60..140).contains(&times), "{value}: {times} of 1000");
        }
        let mut chance = Chance::new(1);
        for _ in 0..1000 {
            let blocks = chance.odd_blocks();
            assert!((2..=4).contains(&blocks.len()), "{blocks:?}");
            let all_odd = blocks.iter().all(|n| n % 2 == 1 && *n <= 6_001);
            assert!(all_odd, "{blocks:?}");
        }
        assert_eq!(chance.pick::<u8>(&[]), None);
    }
}

//! Memory given back to the system when many clients have left. What thousands of event streams held
//! lies scattered over the allocator's pages afterwards, and glibc keeps those: 20 MB after 9,000
//! streams, whatever its thresholds are set to. Asked to, it gives back every whole page.

/// Fewer are not worth it.
const MANY: usize = 1_000;

/// How many connections there were, and how many are left.
#[derive(Debug, Default)]
pub struct Ebb {
    high: usize,
}

impl Ebb {
    /// Whether so many have left since the last time that it is worth asking. Whoever comes and goes
    /// while the others stay changes nothing.
    pub fn has_come(&mut self, open: usize) -> bool {
        self.high = self.high.max(open);
        let has_come = self.high >= MANY && open <= self.high / 2;
        if has_come {
            self.high = open;
        }
        has_come
    }
}

/// Gives back what is free. Walks through all free memory: not for a thread that others wait for.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: takes no pointer, may be called by any thread at any time, and touches only what is
    // free; the allocator's own locks keep it from the others.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators give back by themselves, or not at all.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_come_when_half_of_many_have_left_and_then_half_of_the_rest() {
        let mut ebb = Ebb::default();
        let comes: Vec<usize> = (0..=9_000)
            .chain((0..9_000).rev())
            .filter(|open| ebb.has_come(*open))
            .collect();
        assert_eq!(comes, [4_500, 2_250, 1_125, 562]);
    }

    #[test]
    fn few_who_leave_and_many_who_come_and_go_change_nothing() {
        let mut ebb = Ebb::default();
        for open in [999, 0, 999, 0] {
            assert!(!ebb.has_come(open), "{open}");
        }
        let mut ebb = Ebb::default();
        for _ in 0..100 {
            for open in [9_000, 5_000, 9_000, 4_600] {
                assert!(!ebb.has_come(open), "{open}");
            }
        }
    }
}

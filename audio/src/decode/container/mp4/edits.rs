//! From the edit list to parts of the track, each with its place on the time line that is heard.

use super::movie::Edit;

/// From `start` to `end` of the track is heard from `at` on. All in the track's ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub at: i64,
    pub start: i64,
    /// `None`: to wherever the track ends.
    pub end: Option<i64>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub parts: Vec<Part>,
    /// What is never heard: before the first part, between parts, behind the last one.
    pub left_out: LeftOut,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub before: i64,
    pub between: i64,
    pub behind: i64,
}

/// What the track is, for its edits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub timescale: u64,
    pub movie_timescale: u64,
    /// The edits' media times are multiplied by it.
    pub scale: i64,
    /// Its first time stamp.
    pub first: i64,
    /// Where it ends, if its header knows it: not in fragmented files, whose header was written
    /// before there was any audio.
    pub end: Option<i64>,
    /// What the codec's own configuration says is not to be heard at its beginning.
    pub delay: i64,
}

impl Extent {
    /// All of the track, but the delay.
    pub(super) fn whole(&self) -> Plan {
        Plan {
            parts: vec![Part {
                at: 0,
                start: self.first.saturating_add(self.delay),
                end: None,
            }],
            ..Plan::default()
        }
    }

    /// Delay and length from elsewhere.
    pub(super) fn trimmed(&self, delay: i64, len: i64) -> Plan {
        Plan {
            parts: vec![Part {
                at: 0,
                start: delay,
                end: Some(delay.saturating_add(len)),
            }],
            ..Plan::default()
        }
    }

    pub(super) fn plan(&self, edits: &[Edit]) -> Plan {
        let mut plan = Plan::default();
        let mut at = 0_i64;
        for (number, edit) in edits.iter().enumerate() {
            let len = self.ticks(edit.duration);
            let Some(start) = self.start(edit) else {
                at = at.saturating_add(len);
                continue;
            };
            let next = edits.get(number + 1);
            let goes_on = next.is_none() && (edit.duration == 0 || self.end.is_none());
            if goes_on {
                plan.parts.push(Part {
                    at,
                    start,
                    end: None,
                });
                break;
            }
            let next_start = next.and_then(|next| self.start(next));
            let end = self.end_meant(start.saturating_add(len), next_start);
            if end > start {
                plan.parts.push(Part {
                    at,
                    start,
                    end: Some(end),
                });
                at = at.saturating_add(end - start);
            }
        }
        plan.left_out = self.left_out(&plan.parts);
        plan
    }

    fn start(&self, edit: &Edit) -> Option<i64> {
        let start = edit.media_time?.saturating_mul(self.scale);
        Some(start.max(self.first).max(self.delay))
    }

    /// The movie's time is often in milliseconds. If the track's own end, or the beginning of what
    /// is heard next, is within one tick of an edit's end, it is meant, and it is exact.
    fn end_meant(&self, end: i64, next_start: Option<i64>) -> i64 {
        let tick = self.ticks(1) + 1;
        next_start
            .into_iter()
            .chain(self.end)
            .find(|meant| end.abs_diff(*meant) <= tick as u64)
            .unwrap_or(end)
    }

    fn ticks(&self, movie_ticks: u64) -> i64 {
        let scaled = u128::from(movie_ticks) * u128::from(self.timescale);
        let scale = u128::from(self.movie_timescale.max(1));
        ((scaled + scale / 2) / scale).min(1 << 60) as i64
    }

    fn left_out(&self, parts: &[Part]) -> LeftOut {
        let mut heard: Vec<_> = parts.iter().map(|part| (part.start, part.end)).collect();
        heard.sort_unstable();
        let mut left_out = LeftOut::default();
        let mut reached: Option<i64> = None;
        for (start, end) in heard {
            match reached {
                None => left_out.before = start.saturating_sub(self.first),
                Some(reached) => {
                    left_out.between = left_out.between.saturating_add((start - reached).max(0));
                }
            }
            let Some(end) = end else {
                return left_out;
            };
            reached = Some(reached.map_or(end, |reached| reached.max(end)));
        }
        if let (Some(reached), Some(end)) = (reached, self.end) {
            left_out.behind = (end - reached).max(0);
        }
        left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 44_100;

    fn track(end: Option<i64>) -> Extent {
        Extent {
            timescale: 44_100,
            movie_timescale: 1000,
            scale: 1,
            first: 0,
            end,
            delay: 0,
        }
    }

    fn edit(duration: u64, media_time: i64) -> Edit {
        Edit {
            duration,
            media_time: (media_time >= 0).then_some(media_time),
        }
    }

    fn part(at: i64, start: i64, end: i64) -> Part {
        Part {
            at,
            start,
            end: Some(end),
        }
    }

    #[test]
    fn an_edits_end_within_a_tick_of_the_tracks_is_the_tracks() {
        let check = |duration, end| {
            let plan = track(Some(1024 + SECOND)).plan(&[edit(duration, 1024)]);
            assert_eq!(plan.parts, [part(0, 1024, end)]);
        };
        check(1000, 1024 + SECOND);
        check(999, 1024 + SECOND);
        check(1001, 1024 + SECOND);
        check(500, 1024 + SECOND / 2);
        check(2000, 1024 + 2 * SECOND);
    }

    #[test]
    fn an_edit_goes_on_to_the_end_if_it_has_no_length_or_nobody_knew() {
        let whole = [Part {
            at: 0,
            start: 1024,
            end: None,
        }];
        assert_eq!(track(Some(SECOND)).plan(&[edit(0, 1024)]).parts, whole);
        assert_eq!(track(None).plan(&[edit(120, 1024)]).parts, whole);
    }

    #[test]
    fn parts_follow_each_other_and_what_is_between_is_left_out() {
        let plan = track(Some(12 * SECOND)).plan(&[edit(4000, 0), edit(4000, 8 * SECOND)]);
        assert_eq!(
            plan.parts,
            [
                part(0, 0, 4 * SECOND),
                part(4 * SECOND, 8 * SECOND, 12 * SECOND)
            ]
        );
        assert_eq!(plan.left_out.between, 4 * SECOND);
        assert_eq!((plan.left_out.before, plan.left_out.behind), (0, 0));
    }

    #[test]
    fn an_edit_that_was_only_split_leaves_no_seam() {
        let split = 44_123;
        let plan = track(Some(2 * SECOND)).plan(&[edit(1000, 0), edit(1000, split)]);
        assert_eq!(
            plan.parts,
            [part(0, 0, split), part(split, split, 2 * SECOND)]
        );
        assert_eq!(plan.left_out, LeftOut::default());
    }

    #[test]
    fn gaps_move_what_follows() {
        let plan = track(Some(2 * SECOND)).plan(&[
            edit(500, -1),
            edit(1000, 0),
            edit(250, -1),
            edit(1000, SECOND),
        ]);
        assert_eq!(
            plan.parts,
            [
                part(22_050, 0, SECOND),
                part(22_050 + SECOND + 11_025, SECOND, 2 * SECOND)
            ]
        );
    }

    #[test]
    fn an_edit_as_far_away_as_numbers_go_is_only_far_away() {
        // Shifts of samples (ctts) can bring the first stamp before 0.
        let extent = Extent {
            first: -5,
            ..track(Some(SECOND))
        };
        let plan = extent.plan(&[edit(1000, i64::MAX)]);
        assert_eq!(plan.parts, []);
        let plan = extent.plan(&[edit(0, i64::MAX)]);
        assert_eq!(plan.left_out.before, i64::MAX);
    }

    #[test]
    fn a_delay_that_only_the_codec_states_is_taken_off() {
        let extent = Extent {
            delay: 312,
            ..track(Some(SECOND))
        };
        assert_eq!(extent.plan(&[edit(0, 0)]).parts[0].start, 312);
        assert_eq!(extent.plan(&[edit(0, 700)]).parts[0].start, 700);
        assert_eq!(extent.whole().parts[0].start, 312);
    }
}

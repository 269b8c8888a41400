//! Through a track's packets in the order of the file, and to any place of them: the tables of the
//! header first, the fragments behind them.

use std::{collections::VecDeque, io};

use super::{
    boxes::Input,
    fragment::{FragmentPosition, Fragments},
    movie::{Movie, Track},
    table::{Run, TablePosition},
};

/// Places are remembered so many steps apart.
const STEPS_BETWEEN: u64 = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    place: Place,
    /// How many runs are before it.
    pub steps: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Table(TablePosition),
    Fragment(FragmentPosition),
}

impl Position {
    pub(super) const START: Self = Self {
        place: Place::Table(TablePosition::START),
        steps: 0,
    };

    fn time(&self) -> i64 {
        match &self.place {
            Place::Table(table) => table.time(),
            Place::Fragment(fragment) => fragment.time,
        }
    }
}

/// What a decoder has to be given before a place, so that it is right from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PreRoll {
    Packets(usize),
    Ticks(i64),
}

/// Where to begin for a time: with the pre-roll, and the packet that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub from: Position,
    pub packet: Position,
}

pub(super) struct Walk {
    fragments: Fragments,
    /// Each `STEPS_BETWEEN` steps, the first behind so many.
    places: Vec<Position>,
}

impl Walk {
    pub(super) fn new(track: &Track) -> Self {
        Self {
            fragments: Fragments::new(track.id, track.scale),
            places: Vec::new(),
        }
    }

    pub(super) fn damaged_fragments(&self) -> u64 {
        self.fragments.damaged
    }

    pub(super) fn step(
        &mut self,
        position: &mut Position,
        movie: &Movie,
        track: &Track,
        input: &mut Input,
    ) -> io::Result<Option<Run>> {
        let mut run = None;
        if let Place::Table(table) = &mut position.place {
            run = track.tables.step(table, &track.entries, input.len());
            if run.is_none() {
                position.place = Place::Fragment(FragmentPosition::at(table.time()));
            }
        }
        if let Place::Fragment(fragment) = &mut position.place {
            run = self
                .fragments
                .step(fragment, movie, &track.entries, input)?;
        }
        if run.is_some() {
            position.steps += 1;
            if position.steps == (self.places.len() as u64 + 1) * STEPS_BETWEEN {
                self.places.push(*position);
            }
        }
        Ok(run)
    }

    /// `None`: the track ends before.
    pub(super) fn find(
        &mut self,
        time: i64,
        pre_roll: PreRoll,
        movie: &Movie,
        track: &Track,
        input: &mut Input,
    ) -> io::Result<Option<Found>> {
        // One place earlier than needed, for the pre-roll.
        let place = self.places.partition_point(|place| place.time() <= time);
        let mut position = match place.checked_sub(2) {
            Some(place) => self.places[place],
            None => Position::START,
        };
        let mut before = VecDeque::new();
        loop {
            let packet = position;
            let Some(run) = self.step(&mut position, movie, track, input)? else {
                return Ok(None);
            };
            if run
                .time
                .saturating_add_unsigned(run.duration.max(run.holds))
                > time
            {
                let from = before.front().map_or(packet, |(position, _)| *position);
                return Ok(Some(Found { from, packet }));
            }
            before.push_back((packet, run.time));
            let is_too_early = |before: &VecDeque<(Position, i64)>| match pre_roll {
                PreRoll::Packets(packets) => before.len() > packets,
                PreRoll::Ticks(ticks) => before
                    .get(1)
                    .is_some_and(|(_, second)| *second <= time.saturating_sub(ticks)),
            };
            while is_too_early(&before) {
                before.pop_front();
            }
        }
    }
}

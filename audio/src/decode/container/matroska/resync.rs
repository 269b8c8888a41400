//! Where reading can go on after damage.

use std::io;

use super::{
    super::bytes::{Bytes, PEEK_BYTES_MAX},
    block::block_header,
    ebml::{BLOCK, BLOCK_GROUP, CLUSTER, EBML, SIMPLE_BLOCK, TRACKS, header, is_known},
};

/// What is known of the place of the damage.
pub(super) struct Landmarks<'a> {
    /// Of all tracks.
    pub numbers: &'a [u64],
    /// The last block's within the cluster; `None`: the damage is not within a cluster, so blocks
    /// that follow would have no stamp.
    pub stamp: Option<i16>,
}

/// Blocks of one cluster are that close together.
const STAMP_STEP_MAX: i32 = 10_000;

impl Landmarks<'_> {
    /// Goes to the next place at which something begins for certain; to the end of the file, or
    /// behind the limit, and false if there is none.
    pub(super) fn find(&self, bytes: &mut Bytes, limit: Option<u64>) -> io::Result<bool> {
        loop {
            let at = bytes.position();
            if limit.is_some_and(|limit| at >= limit) {
                return Ok(false);
            }
            let window = bytes.peek(PEEK_BYTES_MAX)?;
            let is_last = window.len() < PEEK_BYTES_MAX;
            let searched = if is_last {
                window.len()
            } else {
                window.len() / 2
            };
            match (0..searched).find(|&at| self.begins(&window[at..], is_last)) {
                Some(found) => {
                    bytes.skip(found as u64)?;
                    return Ok(limit.is_none_or(|limit| at + (found as u64) < limit));
                }
                None => bytes.skip(searched as u64)?,
            }
            if is_last {
                return Ok(false);
            }
        }
    }

    fn begins(&self, window: &[u8], is_last: bool) -> bool {
        let Some(head) = self.head(window) else {
            return false;
        };
        if matches!(head.id, CLUSTER | EBML | TRACKS) {
            return true;
        }
        // Four bytes are no accident; one is, unless what it says leads to the next.
        let end = head
            .size
            .and_then(|size| (head.len as u64).checked_add(size));
        match end.and_then(|end| window.get(usize::try_from(end).ok()?..)) {
            Some([]) => is_last,
            Some(next) => {
                self.head(next).is_some()
                    || header(next, 4).is_some_and(|next| {
                        !matches!(next.id, SIMPLE_BLOCK | BLOCK_GROUP) && is_known(next.id)
                    })
            }
            None => false,
        }
    }

    /// A cluster, a file, a description, or a block that can be one of this place.
    fn head(&self, window: &[u8]) -> Option<super::ebml::Header> {
        if !matches!(*window.first()?, 0x1f | 0x1a | 0x16 | 0xa3 | 0xa0) {
            return None;
        }
        let head = header(window, 4)?;
        let body = window.get(head.len..)?;
        let block = match head.id {
            CLUSTER | EBML | TRACKS => return Some(head),
            SIMPLE_BLOCK => block_header(body),
            BLOCK_GROUP => {
                let child = header(body, 4).filter(|child| child.id == BLOCK)?;
                block_header(body.get(child.len..)?)
            }
            _ => None,
        }?;
        let step = i32::from(block.stamp) - i32::from(self.stamp?);
        (block.is_plausible
            && self.numbers.contains(&block.track)
            && (-STAMP_STEP_MAX / 10..=STAMP_STEP_MAX).contains(&step))
        .then_some(head)
    }
}

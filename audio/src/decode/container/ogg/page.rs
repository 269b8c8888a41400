//! Pages of Ogg (RFC 3533): each with a checksum, so that a damaged one is known, and a name at its
//! start, so that the next one is found.

use std::io::{self, Read};

const HEADER_BYTES: usize = 27;
/// 255 segments of 255 bytes.
const PAGE_BYTES_MAX: usize = HEADER_BYTES + 255 + 255 * 255;
const NAME: &[u8] = b"OggS";
/// So many bytes are summed up in vain, beside as many as the file has; after that whole pages are
/// stepped over. A hostile file has a page begin every few bytes.
const SUMMED_BYTES_MAX: u64 = 4 << 20;

/// Made once and filled anew.
#[derive(Debug, Default, Clone)]
pub(super) struct Page {
    pub is_continued: bool,
    pub is_first: bool,
    pub is_last: bool,
    /// Where the last packet that ends on this page ends; negative: none does.
    pub granule: i64,
    pub serial: u32,
    pub number: u32,
    /// Lengths of the pieces of packets; 255 means that the piece goes on.
    pub lacing: Vec<u8>,
    pub body: Vec<u8>,
}

pub(super) struct Pages<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    is_at_end: bool,
    /// Not looked at where even the first page has a wrong one: nobody cared.
    checks_sums: Option<bool>,
    /// Before the first page.
    pub leading: u64,
    /// Bytes of damaged pages and of none, behind it, and in how many places.
    pub skipped: u64,
    pub places: u64,
    pub is_truncated: bool,
    /// The page before ended right here.
    is_in_sync: bool,
    /// Bytes of pages whose checksum is wrong, and all bytes that were read.
    summed_in_vain: u64,
    read: u64,
}

impl<R: Read> Pages<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            is_at_end: false,
            checks_sums: None,
            leading: 0,
            skipped: 0,
            places: 0,
            is_truncated: false,
            is_in_sync: true,
            summed_in_vain: 0,
            read: 0,
        }
    }

    /// The next sound page; false at the end.
    pub(super) fn next(&mut self, page: &mut Page) -> io::Result<bool> {
        loop {
            self.fill()?;
            let ahead = &self.buffer[self.start..];
            if ahead.is_empty() {
                return Ok(false);
            }
            if let Some(bytes) = page_bytes(ahead) {
                if let Some(bytes) = ahead.get(..bytes) {
                    let is_sound = checksum(bytes) == stated_checksum(bytes);
                    if is_sound || self.checks_sums.is_none_or(|checks| !checks) {
                        self.checks_sums.get_or_insert(is_sound);
                        parse(bytes, page);
                        self.start += bytes.len();
                        self.is_in_sync = true;
                        return Ok(true);
                    }
                    let bytes = bytes.len();
                    if self.summed_in_vain > SUMMED_BYTES_MAX.saturating_add(self.read) {
                        self.step_over(bytes);
                        continue;
                    }
                    self.summed_in_vain += bytes as u64;
                } else if self.is_in_sync {
                    // All that is left is here: the page is not.
                    self.is_truncated = true;
                    self.start = self.buffer.len();
                    return Ok(false);
                }
            }
            self.skip();
        }
    }

    /// There is a whole page to look at, if there is as much.
    fn fill(&mut self) -> io::Result<()> {
        while !self.is_at_end && self.buffer.len() - self.start < PAGE_BYTES_MAX {
            self.buffer.drain(..self.start);
            self.start = 0;
            let wanted = 4 * PAGE_BYTES_MAX as u64;
            let read = (&mut self.reader)
                .take(wanted)
                .read_to_end(&mut self.buffer)?;
            self.read += read as u64;
            self.is_at_end = (read as u64) < wanted;
        }
        Ok(())
    }

    /// To the next name.
    fn skip(&mut self) {
        let ahead = &self.buffer[self.start..];
        let found = (1..ahead.len()).find(|&at| {
            let rest = &ahead[at..];
            // At the end of what is read the name may be cut.
            rest[0] == b'O' && rest.iter().zip(NAME).all(|(byte, name)| byte == name)
        });
        self.step_over(found.unwrap_or(ahead.len()));
    }

    fn step_over(&mut self, skipped: usize) {
        self.start += skipped;
        if self.checks_sums.is_none() {
            self.leading += skipped as u64;
        } else {
            self.skipped += skipped as u64;
            self.places += u64::from(self.is_in_sync);
        }
        self.is_in_sync = false;
    }
}

/// How long the page is that begins here, if one does.
fn page_bytes(ahead: &[u8]) -> Option<usize> {
    if !ahead.starts_with(NAME) || *ahead.get(4)? != 0 {
        return None;
    }
    let segments = usize::from(*ahead.get(26)?);
    let lacing = ahead.get(HEADER_BYTES..HEADER_BYTES + segments)?;
    let body: usize = lacing.iter().map(|&len| usize::from(len)).sum();
    Some(HEADER_BYTES + segments + body)
}

fn parse(bytes: &[u8], page: &mut Page) {
    let u32_at = |at: usize| {
        bytes[at..at + 4]
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u32::from(byte))
    };
    page.is_continued = bytes[5] & 1 != 0;
    page.is_first = bytes[5] & 2 != 0;
    page.is_last = bytes[5] & 4 != 0;
    page.granule = (u64::from(u32_at(10)) << 32 | u64::from(u32_at(6))) as i64;
    page.serial = u32_at(14);
    page.number = u32_at(18);
    let (lacing, body) = bytes[HEADER_BYTES..].split_at(usize::from(bytes[26]));
    page.lacing.clear();
    page.lacing.extend_from_slice(lacing);
    page.body.clear();
    page.body.extend_from_slice(body);
}

fn stated_checksum(page: &[u8]) -> u32 {
    page[22..26]
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u32::from(byte))
}

/// CRC-32 with the polynomial 0x04c11db7, highest bit first, its own field taken as 0.
pub(super) fn checksum(page: &[u8]) -> u32 {
    let mut crc = 0;
    for (at, &byte) in page.iter().enumerate() {
        let byte = if (22..26).contains(&at) { 0 } else { byte };
        crc = crc << 8 ^ TABLE[usize::from((crc >> 24) as u8 ^ byte)];
    }
    crc
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 != 0 {
                crc << 1 ^ 0x04c1_1db7
            } else {
                crc << 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(in super::super) const CONTINUED: u8 = 1;
    pub(in super::super) const FIRST: u8 = 2;
    pub(in super::super) const LAST: u8 = 4;

    /// A page with whole packets.
    pub(in super::super) fn page(
        flags: u8,
        granule: i64,
        serial: u32,
        number: u32,
        packets: &[&[u8]],
    ) -> Vec<u8> {
        let mut lacing = Vec::new();
        for packet in packets {
            lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
            lacing.push((packet.len() % 255) as u8);
        }
        laced(flags, granule, serial, number, &lacing, &packets.concat())
    }

    pub(in super::super) fn laced(
        flags: u8,
        granule: i64,
        serial: u32,
        number: u32,
        lacing: &[u8],
        body: &[u8],
    ) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend_from_slice(&granule.to_le_bytes());
        page.extend_from_slice(&serial.to_le_bytes());
        page.extend_from_slice(&number.to_le_bytes());
        page.extend_from_slice(&[0; 4]);
        page.push(lacing.len() as u8);
        page.extend_from_slice(lacing);
        page.extend_from_slice(body);
        let crc = checksum(&page);
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        page
    }

    fn numbers(bytes: &[u8]) -> (Vec<u32>, u64, u64, bool) {
        let mut pages = Pages::new(bytes);
        let mut page = Page::default();
        let mut numbers = Vec::new();
        while pages.next(&mut page).unwrap() {
            numbers.push(page.number);
        }
        (numbers, pages.skipped, pages.places, pages.is_truncated)
    }

    fn three() -> [Vec<u8>; 3] {
        [0, 1, 2].map(|number| page(0, 960, 7, number, &[&[number as u8; 300], b"x"]))
    }

    #[test]
    fn the_checksum_is_that_of_other_programs() {
        assert_eq!(checksum(b"123456789"), 0x89a1_897f);
    }

    #[test]
    fn a_page_says_all_about_itself() {
        let bytes = page(LAST | CONTINUED, -1, 0x0102_0304, 9, &[&[5; 510]]);
        let mut page = Page::default();
        assert!(Pages::new(bytes.as_slice()).next(&mut page).unwrap());
        assert!(page.is_last && page.is_continued && !page.is_first);
        assert_eq!(
            (page.granule, page.serial, page.number),
            (-1, 0x0102_0304, 9)
        );
        assert_eq!((page.lacing, page.body.len()), (vec![255, 255, 0], 510));
    }

    #[test]
    fn a_damaged_page_is_left_out_and_the_next_one_found() {
        let mut pages = three();
        let len = pages[1].len() as u64;
        pages[1][100] ^= 1;
        assert_eq!(numbers(&pages.concat()), (vec![0, 2], len, 1, false));
    }

    #[test]
    fn bytes_between_pages_are_stepped_over() {
        let [first, second, third] = three();
        let noise = [b"OggS".as_slice(), &[0xab; 40], b"Ogg"].concat();
        let bytes = [first, noise.clone(), second, third].concat();
        assert_eq!(
            numbers(&bytes),
            (vec![0, 1, 2], noise.len() as u64, 1, false)
        );
    }

    #[test]
    fn the_end_in_the_middle_of_a_page_is_seen() {
        let bytes = three().concat();
        let (numbers, _, _, is_truncated) = numbers(&bytes[..bytes.len() - 1]);
        assert_eq!((numbers, is_truncated), (vec![0, 1], true));
    }

    #[test]
    fn pages_that_begin_every_few_bytes_are_not_all_summed_up() {
        // Each header's lengths are the next ones', which makes a long page of any of them.
        let mut header = [0xffu8; 28];
        header[..5].copy_from_slice(b"OggS\0");
        let damage = header.repeat(40_000);
        let [first, ..] = three();
        let bytes = [&first[..], &damage, &first].concat();
        let mut pages = Pages::new(bytes.as_slice());
        let mut page = Page::default();
        let mut found = 0;
        while pages.next(&mut page).unwrap() {
            found += 1;
        }
        assert_eq!((found, pages.places), (2, 1));
        assert!(pages.summed_in_vain <= SUMMED_BYTES_MAX + 2 * bytes.len() as u64);
    }

    #[test]
    fn checksums_that_nobody_wrote_are_not_asked_for() {
        let mut pages = three();
        for page in &mut pages {
            page[22..26].fill(0);
        }
        assert_eq!(numbers(&pages.concat()).0, [0, 1, 2]);
    }
}

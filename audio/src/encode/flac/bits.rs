//! Bits, most significant first, and the two checksums of a FLAC frame (RFC 9639 section 9).

pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that do not fill a word yet, in the high end.
    word: u64,
    free: u32,
}

impl BitWriter {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            word: 0,
            free: 64,
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.word = 0;
        self.free = 64;
    }

    /// The lowest `count` bits of `value`, which has none above; at most 57.
    #[inline(always)]
    pub(super) fn put(&mut self, value: u64, count: u32) {
        debug_assert!(count <= 57 && (value >> count) == 0);
        if count <= self.free {
            self.free -= count;
            // A shift by 64 would be one too many: `free` is 64 only where `count` is 0.
            self.word |= value << (self.free & 63);
        } else {
            let over = count - self.free;
            self.bytes
                .extend_from_slice(&(self.word | value >> over).to_be_bytes());
            self.free = 64 - over;
            self.word = value << self.free;
        }
    }

    pub(super) fn put_signed(&mut self, value: i32, count: u32) {
        self.put(u64::from(value as u32) & ((1 << count) - 1), count);
    }

    /// `quotient` zeros and a one, then the lowest `parameter` bits of `folded`.
    #[inline(always)]
    pub(super) fn put_rice(&mut self, folded: u32, parameter: u32) {
        let mut quotient = folded >> parameter;
        while quotient + 1 + parameter > 57 {
            let zeros = quotient.min(32);
            self.put(0, zeros);
            quotient -= zeros;
            if quotient == 0 {
                break;
            }
        }
        let low = u64::from(folded) & ((1 << parameter) - 1);
        self.put(1 << parameter | low, quotient + 1 + parameter);
    }

    /// Zeros up to the next byte.
    pub(super) fn align(&mut self) {
        self.put(0, self.free % 8);
    }

    /// Everything so far; what was written is whole bytes.
    pub(super) fn flushed(&mut self) -> &[u8] {
        debug_assert_eq!(self.free % 8, 0);
        let used = (64 - self.free) as usize / 8;
        self.bytes
            .extend_from_slice(&self.word.to_be_bytes()[..used]);
        self.word = 0;
        self.free = 64;
        &self.bytes
    }
}

/// Polynomial x^8 + x^2 + x + 1, for the frame's header.
pub(crate) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| {
            crc << 1 ^ if crc & 0x80 != 0 { 0x07 } else { 0 }
        })
    })
}

/// Polynomial x^16 + x^15 + x^2 + 1, for the whole frame; eight bytes at a step.
pub(crate) fn crc16(bytes: &[u8]) -> u16 {
    crc16_on(0, bytes)
}

/// The same of bytes behind others, whose checksum is given.
pub(crate) fn crc16_on(mut crc: u16, bytes: &[u8]) -> u16 {
    static TABLES: [[u16; 256]; 8] = crc16_tables();
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let [high, low] = crc.to_be_bytes();
        crc = TABLES[7][usize::from(eight[0] ^ high)]
            ^ TABLES[6][usize::from(eight[1] ^ low)]
            ^ TABLES[5][usize::from(eight[2])]
            ^ TABLES[4][usize::from(eight[3])]
            ^ TABLES[3][usize::from(eight[4])]
            ^ TABLES[2][usize::from(eight[5])]
            ^ TABLES[1][usize::from(eight[6])]
            ^ TABLES[0][usize::from(eight[7])];
    }
    rest.iter().fold(crc, |crc, byte| {
        crc << 8 ^ TABLES[0][usize::from(byte ^ crc.to_be_bytes()[0])]
    })
}

/// Table n: what a byte does to the checksum n bytes later.
const fn crc16_tables() -> [[u16; 256]; 8] {
    let mut tables = [[0u16; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ if crc & 0x8000 != 0 { 0x8005 } else { 0 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before << 8) ^ tables[0][(before >> 8) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_their_published_check_values() {
        // CRC-8/SMBUS and CRC-16/UMTS of "123456789".
        assert_eq!(crc8(b"123456789"), 0xf4);
        assert_eq!(crc16(b"123456789"), 0xfee8);
    }

    #[test]
    fn a_long_unary_run_spans_words() {
        let mut writer = BitWriter::new();
        writer.put_rice(200 << 2 | 3, 2);
        writer.align();
        let bytes = writer.flushed();
        let zeros: u32 = bytes.iter().take_while(|b| **b == 0).count() as u32 * 8;
        assert_eq!(zeros + bytes[zeros as usize / 8].leading_zeros(), 200);
        assert_eq!(bytes[25], 0b1110_0000);
    }
}

//! The header packets of Ogg's Opus, Vorbis and FLAC streams.

use std::io;

use super::{collect::Collector, flac, input::Input, limits::*, vorbis};

/// A stream whose header packets are being put together.
struct Stream {
    serial: [u8; 4],
    kind: Kind,
    packets: usize,
    packet: Vec<u8>,
    is_too_long: bool,
    sample_rate: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Opus,
    Vorbis,
    Flac,
}

/// Of the first stream. A stream behind it is about another part: what it says and the first does not
/// is lost.
pub(super) fn read(input: &Input, to: &mut Collector) -> io::Result<()> {
    let mut at = 0;
    let mut stream: Option<Stream> = None;
    let mut streams = 0;
    let mut of_later = Collector::default();
    for _ in 0..STEPS_MAX {
        let Some(head) = input.array::<27>(at)? else {
            break;
        };
        if !head.starts_with(b"OggS") {
            break;
        }
        let serial = [head[14], head[15], head[16], head[17]];
        let lacing = input.read(at + 27, usize::from(head[26]))?;
        let body_at = at + 27 + lacing.len() as u64;
        let body_bytes = lacing
            .iter()
            .map(|bytes| usize::from(*bytes))
            .sum::<usize>();
        at = body_at + body_bytes as u64;
        let is_first = head[5] & 2 != 0;
        let is_wanted = stream.as_ref().is_some_and(|own| own.serial == serial);
        if !is_first && !is_wanted {
            continue;
        }
        let body = input.read(body_at, body_bytes)?;
        if let Some(kind) = kind(&body).filter(|_| is_first && stream.is_none()) {
            streams += 1;
            stream = Some(Stream {
                serial,
                kind,
                packets: 0,
                packet: Vec::new(),
                is_too_long: false,
                sample_rate: 0,
            });
        }
        let to = if streams > 1 { &mut of_later } else { &mut *to };
        if let Some(own) = stream.as_mut().filter(|own| own.serial == serial)
            && !own.page(&lacing, &body, to)
        {
            stream = None;
        }
    }
    to.lost_of(of_later, "of a later part");
    Ok(())
}

fn kind(packet: &[u8]) -> Option<Kind> {
    [
        (&b"OpusHead"[..], Kind::Opus),
        (b"\x01vorbis", Kind::Vorbis),
        (b"\x7fFLAC", Kind::Flac),
    ]
    .into_iter()
    .find(|(signature, _)| packet.starts_with(signature))
    .map(|(_, kind)| kind)
}

impl Stream {
    /// Whether more header packets are wanted.
    fn page(&mut self, lacing: &[u8], body: &[u8], to: &mut Collector) -> bool {
        let mut rest = body;
        for &bytes in lacing {
            let (part, behind) = rest.split_at(usize::from(bytes).min(rest.len()));
            rest = behind;
            if self.packet.len() + part.len() <= TAG_BYTES_MAX {
                self.packet.extend(part);
            } else {
                self.is_too_long = true;
            }
            if bytes < 255 {
                if self.is_too_long {
                    to.lost(format!(
                        "the end of an Ogg header beyond {TAG_BYTES_MAX} bytes"
                    ));
                }
                let packet = std::mem::take(&mut self.packet);
                if !self.packet(&packet, to) {
                    return false;
                }
            }
        }
        true
    }

    fn packet(&mut self, packet: &[u8], to: &mut Collector) -> bool {
        self.packets += 1;
        let comment = match (self.kind, self.packets) {
            (Kind::Flac, 1) => {
                // The stream's information stands in the first packet, behind "fLaC".
                let info = packet.get(17..).unwrap_or_default();
                flac::read_block(0, info, &mut self.sample_rate, to);
                return true;
            }
            (Kind::Flac, 2..200) => {
                let Some((&[kind, ..], body)) = packet.split_first_chunk::<4>() else {
                    return false;
                };
                flac::read_block(kind & 0x7f, body, &mut self.sample_rate, to);
                return kind & 0x80 == 0 && kind != 0xff;
            }
            (_, 1) => return true,
            (Kind::Opus, 2) => packet.strip_prefix(b"OpusTags"),
            (Kind::Vorbis, 2) => packet.strip_prefix(b"\x03vorbis"),
            _ => None,
        };
        if let Some(comment) = comment {
            vorbis::read(comment, to);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use crate::tags::Tags;

    fn page(flags: u8, serial: u8, packet: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend([0; 8]);
        page.extend([serial; 4]);
        page.extend([0; 8]);
        page.extend([1, packet.len() as u8]);
        page.extend(packet);
        page
    }

    fn stream(serial: u8, comments: &[&str]) -> Vec<u8> {
        let mut tags = b"OpusTags\0\0\0\0\0\0\0\0".to_vec();
        for comment in comments {
            tags.extend((comment.len() as u32).to_le_bytes());
            tags.extend(comment.as_bytes());
        }
        [
            page(2, serial, b"OpusHead\x01\x01"),
            page(0, serial, &tags),
            page(4, serial, b"audio"),
        ]
        .concat()
    }

    fn read(bytes: &[u8]) -> (Tags, Vec<String>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let (tags, findings) = Tags::read(&file).unwrap();
        (tags, findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_a_chained_stream_says_of_its_part_is_said_to_be_lost() {
        let first = stream(1, &["TITLE=One", "ARTIST=Ada"]);
        let other = stream(2, &["TITLE=Two", "ARTIST=Ada", "ENCODER=x"]);
        let (tags, lost) = read(&[first.clone(), other].concat());
        assert_eq!(tags.fields.len(), 2);
        assert_eq!(lost, ["not kept: TITLE of a later part"]);
        let same = stream(1, &["TITLE=One"]);
        assert_eq!(read(&[first, same].concat()).1, [""; 0]);
    }
}

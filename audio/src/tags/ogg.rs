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

pub(super) fn read(input: &Input, to: &mut Collector) -> io::Result<()> {
    const PAGES_MAX: usize = 4096;
    let mut at = 0;
    let mut stream: Option<Stream> = None;
    for _ in 0..PAGES_MAX {
        let Some(head) = input.array::<27>(at)? else {
            break;
        };
        if !head.starts_with(b"OggS") {
            break;
        }
        let serial = [head[14], head[15], head[16], head[17]];
        let lacing = input.read(at + 27, usize::from(head[26]))?;
        let body_bytes = lacing
            .iter()
            .map(|bytes| usize::from(*bytes))
            .sum::<usize>();
        let body = input.read(at + 27 + lacing.len() as u64, body_bytes)?;
        at += 27 + (lacing.len() + body_bytes) as u64;
        if stream.is_none()
            && head[5] & 2 != 0
            && let Some(kind) = kind(&body)
        {
            stream = Some(Stream {
                serial,
                kind,
                packets: 0,
                packet: Vec::new(),
                is_too_long: false,
                sample_rate: 0,
            });
        }
        if let Some(stream) = stream.as_mut().filter(|stream| stream.serial == serial)
            && !stream.page(&lacing, &body, to)
        {
            break;
        }
    }
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

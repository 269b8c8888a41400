//! The names of a transport stream's services (ETSI EN 300 468). They are those of a station, not of
//! a recording, so they are not kept, and said to be lost.

use std::io;

use super::{
    collect::Collector,
    input::{Cursor, Input, text},
};

/// So much is looked through; the table is sent every two seconds.
const LOOK_BYTES: usize = 4 << 20;
const PID: u16 = 0x11;
const ACTUAL: u8 = 0x42;
const SERVICE: u8 = 0x48;
/// What ffmpeg writes where nothing was said.
const NO_NAMES: [&str; 3] = ["", "Service01", "FFmpeg"];

pub(super) fn read(input: &Input, to: &mut Collector) -> io::Result<()> {
    let bytes = input.read(0, LOOK_BYTES)?;
    for (size, before) in [(188, 0), (192, 4), (204, 0)] {
        let packets = bytes.chunks_exact(size).map(|packet| &packet[before..]);
        let mut first = packets.clone().take(4);
        if first.len() > 0 && first.all(|packet| packet[0] == 0x47) {
            if let Some(section) = section(packets) {
                read_services(&section, to);
            }
            break;
        }
    }
    Ok(())
}

/// The first whole table, from the packets that it stands in.
fn section<'a>(packets: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut section: Option<Vec<u8>> = None;
    for packet in packets {
        if u16::from_be_bytes([packet[1] & 0x1f, packet[2]]) != PID || packet[3] & 0x10 == 0 {
            continue;
        }
        let adaptation = match packet[3] & 0x20 {
            0 => 0,
            _ => 1 + usize::from(packet[4]),
        };
        let payload = packet.get(4 + adaptation..188).unwrap_or_default();
        if packet[1] & 0x40 != 0 {
            let pointer = usize::from(*payload.first().unwrap_or(&0));
            let body = payload.get(1 + pointer..).unwrap_or_default();
            section = (body.first() == Some(&ACTUAL)).then(|| body.to_vec());
        } else if let Some(section) = &mut section {
            section.extend_from_slice(payload);
        }
        if let Some(section) = &mut section
            && let Some(&[_, high, low]) = section.first_chunk()
        {
            let bytes = 3 + usize::from(u16::from_be_bytes([high & 0xf, low]));
            if section.len() >= bytes {
                section.truncate(bytes);
                return Some(std::mem::take(section));
            }
        }
    }
    None
}

fn read_services(section: &[u8], to: &mut Collector) {
    // Eleven bytes in front, four of checksum behind.
    let end = section.len().saturating_sub(4);
    let mut rest = Cursor(section.get(11..end).unwrap_or_default());
    while let Some([.., high, low]) = rest.array::<5>() {
        let bytes = usize::from(u16::from_be_bytes([high & 0xf, low]));
        let Some(descriptors) = rest.take(bytes) else {
            break;
        };
        let mut descriptors = Cursor(descriptors);
        while let Some([tag, bytes]) = descriptors.array() {
            let Some(body) = descriptors.take(bytes.into()) else {
                break;
            };
            if tag == SERVICE {
                read_service(body, to);
            }
        }
    }
}

/// Its kind, who provides it, its name.
fn read_service(body: &[u8], to: &mut Collector) {
    let mut rest = Cursor(body);
    rest.u8();
    for what in ["the provider", "the name"] {
        let bytes = rest.u8().unwrap_or(0);
        let name = rest.take(bytes.into()).unwrap_or_default();
        // A first byte below a space says how the others are coded.
        let name = text(name.strip_prefix(&[0x15]).unwrap_or(name));
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        if !NO_NAMES.contains(&name.as_str()) {
            to.lost(format!("{what} of the service ({name})"));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use crate::tags::Tags;

    fn file(provider: &str, name: &str) -> Vec<u8> {
        let mut service = vec![0x48, (3 + provider.len() + name.len()) as u8, 1];
        for text in [provider, name] {
            service.push(text.len() as u8);
            service.extend(text.as_bytes());
        }
        let mut section = vec![0x42, 0xf0, (8 + 5 + service.len() + 4) as u8];
        section.extend([0, 1, 0xc1, 0, 0, 0xff, 1, 0xff, 0, 1, 0xfc, 0x80]);
        section.push(service.len() as u8);
        section.extend(service);
        section.extend([0; 4]);
        let mut packet = vec![0x47, 0x40, 0x11, 0x10, 0];
        packet.extend(section);
        packet.resize(188, 0xff);
        let mut nothing = vec![0x47, 0x1f, 0xff, 0x10];
        nothing.resize(188, 0xff);
        [nothing.clone(), packet, nothing.repeat(3)].concat()
    }

    fn lost(bytes: &[u8]) -> Vec<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let (_, findings) = Tags::read(&file).unwrap();
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_name_of_a_station_is_said_to_be_lost() {
        assert_eq!(
            lost(&file("ARD", "Das Erste")),
            ["not kept: the name of the service (Das Erste), the provider of the service (ARD)"]
        );
        assert_eq!(lost(&file("FFmpeg", "Service01")), [""; 0]);
        assert_eq!(lost(&file("ARD", "Das Erste")[..400]), [""; 0]);
    }
}

#![allow(clippy::unwrap_used)]
use super::*;
use crate::{block::Block, decode::codec};
use std::{fs::File, io::Write};

fn pcm(params: &CodecParams, data: &[u8], block: &mut Block) {
    use crate::decode::pcm::PcmEncoding as E;
    let n = params.channels.unwrap() as usize;
    block.reset(n);
    if matches!(params.codec, Codec::Alaw | Codec::Mulaw) {
        for f in data.chunks_exact(n) {
            for (c, b) in f.iter().enumerate() {
                let mu = params.codec == Codec::Mulaw;
                let v = if mu {
                    let u = !b;
                    let t = (((u & 15) as i32) << 3) + 0x84 << ((u & 0x70) >> 4);
                    if u & 0x80 != 0 { 0x84 - t } else { t - 0x84 }
                } else {
                    let a = b ^ 0x55;
                    let mut t = ((a & 15) as i32) << 4;
                    let s = (a & 0x70) >> 4;
                    t += if s == 0 { 8 } else { 0x108 };
                    if s > 1 {
                        t <<= s - 1
                    }
                    if a & 0x80 != 0 { t } else { -t }
                };
                block.append_with(|i, p| {
                    if i == c {
                        p.push(v as f32 / 32768.0)
                    }
                });
            }
        }
        return;
    }
    let l = params.pcm.unwrap();
    let k = l.bytes as usize;
    let mut planes = vec![Vec::new(); n];
    for f in data.chunks_exact(n * k) {
        for (c, s) in f.chunks_exact(k).enumerate() {
            let mut b = s.to_vec();
            if !l.is_big_endian {
                b.reverse();
            }
            let v = match l.encoding {
                E::Float if k == 4 => f32::from_be_bytes(b.try_into().unwrap()),
                E::Float => f64::from_be_bytes(b.try_into().unwrap()) as f32,
                E::Unsigned => (b[0] as f32 - 128.0) / 128.0,
                E::Signed => {
                    let mut x = [0u8; 4];
                    for (i, y) in b.iter().take(4).enumerate() {
                        x[i] = *y;
                    }
                    i32::from_be_bytes(x) as f32 / 2147483648.0
                }
            };
            planes[c].push(v);
        }
    }
    *block = Block::from_planes(planes).unwrap();
}

#[test]
fn drive() {
    let Ok(list) = std::env::var("DRIVE") else {
        return;
    };
    for name in list.split(';') {
        if let Err(error) = one(name) {
            println!("RESULT {name} ERROR {error}");
        }
    }
}

fn one(name: &str) -> Result<(), AudioError> {
    let file = File::open(name).unwrap();
    let Some(mut reader) = Mp4Reader::open(Source::open(&file, true)?)? else {
        println!("RESULT {name} not mp4");
        return Ok(());
    };
    if std::env::var("VERBOSE").is_ok() {
        println!("{:?}", reader.tracks());
    }
    let track = std::env::var("TRACK").ok().and_then(|t| t.parse().ok());
    let track = track.unwrap_or(reader.tracks().iter().position(|t| t.is_default).unwrap());
    reader.select(track);
    let mut packet = Packet::default();
    let mut out: Vec<Vec<f32>> = Vec::new();
    let (mut streams, mut packets, mut bad, mut gaps, mut rate) = (0, 0, 0, 0i64, 0);
    let mut decoder = None;
    let mut params = None;
    let mut base = 0i64;
    let mut origin = 0;
    let end = loop {
        packet.clear();
        match reader.next(&mut packet)? {
            Next::Packet => {}
            Next::Stream(stream) => {
                streams += 1;
                base = out.first().map_or(0, Vec::len) as i64;
                if !matches!(
                    stream.params.codec,
                    Codec::Pcm | Codec::PcmFloat | Codec::Alaw | Codec::Mulaw
                ) {
                    decoder = Some(codec::open(&stream.params)?);
                }
                origin =
                    stream.origin.unwrap().ticks * 48000 / stream.origin.unwrap().per_second as i64;
                params = Some(stream.params);
                continue;
            }
            Next::End(end) => break end,
        }
        packets += 1;
        if std::env::var("VERBOSE").is_ok() && packets < 60 {
            println!(
                "{:?} {:?} {:?} {:?} {} {}",
                packet.at,
                packet.duration,
                packet.trim_start,
                packet.trim_end,
                packet.is_jump,
                packet.data.len()
            );
        }
        let params = params.as_ref().unwrap();
        let mut block = Block::default();
        if let Some(decoder) = &mut decoder {
            if packet.is_jump {
                decoder.reset();
            }
            match decoder.decode(&packet.data, &mut block) {
                Ok(heard) => rate = heard.sample_rate,
                Err(e) => {
                    if bad == 0 {
                        println!("bad: {e:?}");
                    }
                    bad += 1;
                    continue;
                }
            }
        } else {
            rate = params.sample_rate.unwrap();
            pcm(params, &packet.data, &mut block);
        }
        let n = block.frames() as i64;
        let f =
            |t: Option<crate::decode::demux::Time>| t.map_or(0, |t| t.frames(rate).max(0)).min(n);
        let (s, e) = (f(packet.trim_start), f(packet.trim_end));
        if s + e >= n {
            continue;
        }
        let at = packet.at.unwrap().frames(rate) + s + base - origin * rate as i64 / 48000;
        let have = out.first().map_or(0, Vec::len) as i64;
        if out.is_empty() {
            out = vec![Vec::new(); block.channels()];
        }
        out.resize(block.channels(), vec![0.0; have as usize]);
        if at > have + 300 {
            gaps += at - have;
            for p in &mut out {
                p.resize(at as usize, 0.0);
            }
        } else if (at - have).abs() > 300 {
            println!("back {} at {}", at - have, have);
        }
        for (c, p) in out.iter_mut().enumerate() {
            p.extend(&block.plane(c)[s as usize..(n - e) as usize]);
        }
    };
    let frames = out.first().map_or(0, Vec::len);
    println!(
        "RESULT {name} {:?} {:?} {rate} Hz {} ch mask {:?} frames {frames} packets {packets} bad {bad} gaps {gaps} streams {streams} tracks {} {end:?} {:?}",
        reader.container(),
        params.as_ref().map(|p| p.codec.name().to_owned()),
        out.len(),
        params.as_ref().and_then(|p| p.mask),
        reader.tracks().len(),
        reader
            .findings()
            .iter()
            .map(|f| f.message.clone())
            .collect::<Vec<_>>()
    );
    let stem = name.replace('/', "_");
    let mut file =
        std::io::BufWriter::new(File::create(format!("/tmp/w/mp4out/{stem}.f32")).unwrap());
    for i in 0..frames {
        for p in &out {
            file.write_all(&p[i].to_le_bytes()).unwrap();
        }
    }
    Ok(())
}

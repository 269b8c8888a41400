//! Which of a file's audio tracks is read, and what to say of the others.

use retake_findings::{Code, Finding};
use serde::{Deserialize, Serialize};

use super::{
    codec, container,
    demux::{Next, Packet, Track},
    source::Source,
};
use crate::{AudioError, Block, Measured};

/// Below this a track is silent.
const SILENT_PEAK: f32 = 0.001;
/// So many other tracks are listened to, to say which of them is not silent.
const TRACKS_HEARD_MAX: usize = 8;

/// One audio track of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackInfo {
    /// From 1, in the order of the file.
    pub track: u32,
    pub codec: String,
    /// As the container says; the decoder may know better.
    pub channels: Option<u32>,
    pub sample_rate: Option<u32>,
    pub name: Option<String>,
    pub language: Option<String>,
    /// The file says that this one is played if nobody chooses.
    pub default: bool,
    /// This one was read.
    pub used: bool,
}

/// The wished one; else the default one, else the first, of those that can be decoded.
pub(super) fn choose(tracks: &[Track], wish: Option<u32>) -> Result<usize, AudioError> {
    let can_be_read = |track: &&Track| codec::open(&track.params).is_ok();
    let place = |track: &Track| tracks.iter().position(|other| std::ptr::eq(other, track));
    if let Some(wish) = wish {
        return match (wish as usize).checked_sub(1).filter(|n| *n < tracks.len()) {
            Some(place) => Ok(place),
            None => Err(AudioError::UnsupportedStream {
                field: "track",
                value: wish.to_string(),
                allowed: match tracks.len() {
                    0 => "nothing: it has no audio track".to_owned(),
                    n => format!("1 to {n}"),
                },
            }),
        };
    }
    let mut readable = tracks.iter().filter(can_be_read);
    let chosen = tracks
        .iter()
        .filter(|track| track.is_default)
        .find(can_be_read)
        .or_else(|| readable.next());
    match chosen.or(tracks.first()).and_then(place) {
        // If it cannot be decoded, opening its decoder says why.
        Some(place) => Ok(place),
        None => Err(AudioError::NotAudio {
            detail: "it has no audio track".to_owned(),
        }),
    }
}

pub(super) fn infos(tracks: &[Track], chosen: usize) -> Vec<TrackInfo> {
    /// A name comes from the file and is shown.
    fn shown(text: &Option<String>) -> Option<String> {
        const CHARS_MAX: usize = 200;
        let text = text.as_deref()?.chars();
        let text: String = text.filter(|c| !c.is_control()).take(CHARS_MAX).collect();
        (!text.is_empty()).then_some(text)
    }
    tracks
        .iter()
        .enumerate()
        .map(|(place, track)| TrackInfo {
            track: place as u32 + 1,
            codec: track.params.codec.name().to_owned(),
            channels: track.params.channels,
            sample_rate: track.params.sample_rate,
            name: shown(&track.name),
            language: shown(&track.language),
            default: track.is_default,
            used: place == chosen,
        })
        .collect()
}

/// That there are others; and, where the one that was read is silent, which of them is not.
pub(super) fn findings(
    source: &Source,
    tracks: &[TrackInfo],
    chosen: usize,
    measured: &Measured,
) -> Result<Vec<Finding>, AudioError> {
    if tracks.len() < 2 {
        return Ok(Vec::new());
    }
    let mut findings = vec![Finding::new(
        Code::TracksNotUsed,
        [
            ("track", (chosen + 1).into()),
            ("tracks", tracks.len().into()),
        ],
    )];
    let peak_dbfs = measured.measurement.sample_peak_dbfs;
    let is_silent = peak_dbfs.is_none_or(|db| db < 20.0 * f64::from(SILENT_PEAK).log10());
    let others = (0..tracks.len()).filter(|place| is_silent && *place != chosen);
    for other in others.take(TRACKS_HEARD_MAX) {
        if is_heard(source, other)? {
            findings.push(Finding::new(
                Code::TrackSilent,
                [
                    ("track", (chosen + 1).into()),
                    ("other", (other + 1).into()),
                ],
            ));
            break;
        }
    }
    Ok(findings)
}

/// Reads a track until something is heard in it. What cannot be read is not heard.
fn is_heard(source: &Source, track: usize) -> Result<bool, AudioError> {
    let mut demuxer = container::open(source)?;
    demuxer.select(track);
    let mut decoder = None;
    let mut packet = Packet::default();
    let mut block = Block::default();
    loop {
        packet.clear();
        match demuxer.next(&mut packet) {
            Ok(Next::Packet) => {}
            Ok(Next::Stream(stream)) => {
                decoder = codec::open(&stream.params).ok();
                continue;
            }
            Ok(Next::End(_)) | Err(_) => return Ok(false),
        }
        let Some(decoder) = &mut decoder else {
            return Ok(false);
        };
        let is_loud = |x: &f32| x.abs() >= SILENT_PEAK && x.is_finite();
        if decoder.decode(&packet.data, &mut block).is_ok()
            && block.planes().any(|plane| plane.iter().any(is_loud))
        {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use retake_formats::Codec;

    use super::*;
    use crate::decode::{
        demux::CodecParams,
        pcm::{PcmEncoding, PcmLayout},
    };

    fn track(codec: Codec, is_default: bool) -> Track {
        let params = CodecParams {
            pcm: PcmLayout::new(PcmEncoding::Signed, 2, 16),
            sample_rate: Some(48_000),
            channels: Some(1),
            ..CodecParams::new(codec)
        };
        Track {
            params,
            is_default,
            name: Some("Mic\u{7} 1".to_owned()),
            language: None,
        }
    }

    fn unknown() -> Codec {
        Codec::Unknown("True Audio".to_owned())
    }

    #[test]
    fn the_default_track_is_read_or_else_the_first_that_can_be() {
        let check = |tracks: &[(Codec, bool)], expected: usize| {
            let tracks: Vec<_> = tracks.iter().map(|(c, d)| track(c.clone(), *d)).collect();
            assert_eq!(choose(&tracks, None).unwrap(), expected);
        };
        check(&[(Codec::Pcm, false)], 0);
        check(&[(Codec::Pcm, false), (Codec::Pcm, true)], 1);
        check(&[(Codec::Pcm, true), (Codec::Pcm, true)], 0);
        check(&[(unknown(), false), (Codec::Pcm, false)], 1);
        check(&[(unknown(), true), (Codec::Pcm, false)], 1);
        check(
            &[(unknown(), true), (Codec::Pcm, false), (Codec::Pcm, true)],
            2,
        );
        // Its decoder will say what it is.
        check(&[(unknown(), false), (unknown(), true)], 0);
    }

    #[test]
    fn a_wish_is_followed_or_refused_by_number() {
        let tracks = [track(Codec::Pcm, true), track(unknown(), false)];
        assert_eq!(choose(&tracks, Some(1)).unwrap(), 0);
        assert_eq!(choose(&tracks, Some(2)).unwrap(), 1);
        let refused = |tracks: &[Track], wish| choose(tracks, Some(wish)).unwrap_err().to_string();
        assert_eq!(refused(&tracks, 3), "track is 3, allowed is 1 to 2");
        assert_eq!(refused(&tracks, 0), "track is 0, allowed is 1 to 2");
        assert!(refused(&[], 1).contains("no audio track"));
        assert!(matches!(
            choose(&[], None),
            Err(AudioError::NotAudio { .. })
        ));
    }

    #[test]
    fn names_from_the_file_are_shown_without_what_controls() {
        let mut long = track(Codec::Pcm, false);
        long.name = Some("x".repeat(100_000));
        let mut nameless = track(unknown(), false);
        nameless.name = Some("\n".to_owned());
        let infos = infos(&[track(Codec::Pcm, true), long, nameless], 1);
        assert_eq!(infos[0].name.as_deref(), Some("Mic 1"));
        assert_eq!(infos[1].name.as_ref().unwrap().len(), 200);
        assert_eq!(infos[2].name, None);
        assert_eq!(infos[2].codec, "True Audio");
        let used: Vec<_> = infos.iter().map(|info| (info.track, info.used)).collect();
        assert_eq!(used, [(1, false), (2, true), (3, false)]);
    }
}

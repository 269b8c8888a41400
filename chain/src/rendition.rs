//! One form that a correction is to be had in: a format and how it is encoded.
//!
//! In texts it is the format's name, and behind a colon what is to be other than usual:
//! `mp3:bitrate=64,mono`, `wav:bits=16,rate=44100`. There is one text for each rendition, so that it can
//! be a key.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::format::Format;

/// The ranges of what can be asked for. In one place, since they are promises.
pub mod limits {
    use std::ops::RangeInclusive;

    /// kbit/s, all channels together.
    pub const MP3_BITRATE_KBPS: RangeInclusive<u32> = 8..=320;
    pub const M4A_BITRATE_KBPS: RangeInclusive<u32> = 16..=512;
    pub const OPUS_BITRATE_KBPS: RangeInclusive<u32> = 6..=510;
    pub const SAMPLE_RATE_HZ: RangeInclusive<u32> = 8_000..=192_000;
    pub const MP3_RATES_HZ: [u32; 9] = [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
    ];
    pub const M4A_RATES_HZ: [u32; 12] = [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200,
        96_000,
    ];
    pub const OPUS_RATES_HZ: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];
    /// Of a spectrogram.
    pub const COLUMNS_PER_SECOND: RangeInclusive<u16> = 1..=1_000;
    /// A longer text is none.
    pub const TEXT_BYTES_MAX: usize = 100;
}

/// What is `None` or false is as is usual: a bitrate that is good for the format, the bits that the
/// recording had, its channels and its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rendition {
    pub format: Format,
    /// Of all channels together; for formats that lose something.
    pub bitrate_kbps: Option<u32>,
    /// MP3 whose bitrate is only kept on average.
    pub vbr: bool,
    /// Per sample; for WAV and FLAC.
    pub bits: Option<Bits>,
    /// All channels mixed into one.
    pub mono: bool,
    pub sample_rate: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bits {
    Int16,
    Int24,
    /// WAV only.
    Float32,
}

impl Bits {
    pub const ALL: [Bits; 3] = [Bits::Int16, Bits::Int24, Bits::Float32];

    pub fn name(self) -> &'static str {
        match self {
            Bits::Int16 => "16",
            Bits::Int24 => "24",
            Bits::Float32 => "32f",
        }
    }
}

/// Why a text is no rendition, or a rendition cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotARendition(String);

impl From<Format> for Rendition {
    fn from(format: Format) -> Self {
        Self {
            format,
            ..Self::default()
        }
    }
}

impl Rendition {
    /// Holds what was asked for against what the format has.
    pub fn check(self) -> Result<Self, NotARendition> {
        let name = self.format.name();
        if let Some(kbps) = self.bitrate_kbps {
            match bitrates(self.format) {
                None => return refuse(format!("{name} has no bitrate to choose")),
                Some(range) if !range.contains(&kbps) => {
                    let (low, high) = range.into_inner();
                    return refuse(format!(
                        "bitrate is {kbps} kbit/s; {name} has {low} to {high}"
                    ));
                }
                Some(_) => {}
            }
        }
        if self.vbr && self.format != Format::Mp3 {
            return refuse(format!("vbr is for mp3, not for {name}"));
        }
        if let Some(bits) = self.bits {
            let can = match self.format {
                Format::Wav => &Bits::ALL[..],
                Format::Flac => &Bits::ALL[..2],
                Format::Opus | Format::Mp3 | Format::M4a => &[],
            };
            if !can.contains(&bits) {
                let bits = bits.name();
                let can: Vec<_> = can.iter().map(|bits| bits.name()).collect();
                return refuse(match can[..] {
                    [] => format!("bits are for wav and flac, not for {name}"),
                    _ => format!("bits are \"{bits}\"; {name} has {}", can.join(", ")),
                });
            }
        }
        if let Some(rate) = self.sample_rate {
            let (low, high) = limits::SAMPLE_RATE_HZ.into_inner();
            match rates(self.format) {
                Some(rates) if !rates.contains(&rate) => {
                    let rates: Vec<_> = rates.iter().map(u32::to_string).collect();
                    let rates = rates.join(", ");
                    return refuse(format!("rate is {rate} Hz; {name} has {rates}"));
                }
                None if !(low..=high).contains(&rate) => {
                    return refuse(format!("rate is {rate} Hz; {name} has {low} to {high}"));
                }
                _ => {}
            }
        }
        Ok(self)
    }

    /// Several, with commas between them: a piece that begins with a format begins another one.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, NotARendition> {
        let mut texts: Vec<String> = Vec::new();
        for piece in text.split(',') {
            let name = piece.split(':').next().unwrap_or_default();
            match texts.last_mut() {
                Some(last) if Format::parse(name).is_none() => {
                    last.push(',');
                    last.push_str(piece);
                }
                _ => texts.push(piece.to_owned()),
            }
        }
        texts.iter().map(|text| text.parse()).collect()
    }

    /// What stands behind the format's name, in the one order that there is.
    fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        options.extend(self.bitrate_kbps.map(|kbps| format!("bitrate={kbps}")));
        options.extend(self.bits.map(|bits| format!("bits={}", bits.name())));
        options.extend(self.mono.then(|| "mono".to_owned()));
        options.extend(self.sample_rate.map(|rate| format!("rate={rate}")));
        options.extend(self.vbr.then(|| "vbr".to_owned()));
        options
    }
}

/// `None`: it has none to choose.
fn bitrates(format: Format) -> Option<RangeInclusive<u32>> {
    match format {
        Format::Wav | Format::Flac => None,
        Format::Opus => Some(limits::OPUS_BITRATE_KBPS),
        Format::Mp3 => Some(limits::MP3_BITRATE_KBPS),
        Format::M4a => Some(limits::M4A_BITRATE_KBPS),
    }
}

/// `None`: any.
fn rates(format: Format) -> Option<&'static [u32]> {
    match format {
        Format::Wav | Format::Flac => None,
        Format::Opus => Some(&limits::OPUS_RATES_HZ),
        Format::Mp3 => Some(&limits::MP3_RATES_HZ),
        Format::M4a => Some(&limits::M4A_RATES_HZ),
    }
}

fn refuse<T>(why: String) -> Result<T, NotARendition> {
    Err(NotARendition(why))
}

impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format.name())?;
        for (place, option) in self.options().iter().enumerate() {
            f.write_str(if place == 0 { ":" } else { "," })?;
            f.write_str(option)?;
        }
        Ok(())
    }
}

impl FromStr for Rendition {
    type Err = NotARendition;

    fn from_str(text: &str) -> Result<Self, NotARendition> {
        if text.len() > limits::TEXT_BYTES_MAX {
            let most = limits::TEXT_BYTES_MAX;
            return refuse(format!(
                "a rendition is {} bytes long, at most {most}",
                text.len()
            ));
        }
        let (name, options) = text.split_once(':').unwrap_or((text, ""));
        let Some(format) = Format::parse(name) else {
            let names = Format::ALL.map(Format::name).join(", ");
            return refuse(format!("\"{name}\" is no format; there are {names}"));
        };
        let mut rendition = Self::from(format);
        let mut seen = Vec::new();
        for option in options.split(',').filter(|_| !options.is_empty()) {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            if seen.contains(&key) {
                return refuse(format!("\"{key}\" is given twice"));
            }
            seen.push(key);
            match (key, value) {
                ("bitrate", value) => rendition.bitrate_kbps = Some(number(key, value, "kbit/s")?),
                ("rate", value) => rendition.sample_rate = Some(number(key, value, "Hz")?),
                ("bits", value) => {
                    let known = Bits::ALL.into_iter().find(|bits| bits.name() == value);
                    match known {
                        Some(bits) => rendition.bits = Some(bits),
                        None => {
                            return refuse(format!("bits are \"{value}\"; there are 16, 24, 32f"));
                        }
                    }
                }
                ("mono", "") => rendition.mono = true,
                ("vbr", "") => rendition.vbr = true,
                _ => {
                    return refuse(format!(
                        "\"{option}\" is no option; there are bitrate=kbit/s, bits=16|24|32f, mono, rate=Hz and vbr"
                    ));
                }
            }
        }
        rendition.check()
    }
}

fn number(key: &str, value: &str, unit: &str) -> Result<u32, NotARendition> {
    // "+64" and "064" would be other texts for the same.
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
    let parsed = value.parse().ok().filter(|_| is_plain);
    parsed.map_or_else(
        || {
            refuse(format!(
                "{key} is \"{value}\"; it is a whole number of {unit}"
            ))
        },
        Ok,
    )
}

impl TryFrom<String> for Rendition {
    type Error = NotARendition;

    fn try_from(text: String) -> Result<Self, NotARendition> {
        text.parse()
    }
}

impl From<Rendition> for String {
    fn from(rendition: Rendition) -> Self {
        rendition.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_rendition_has_one_text_whatever_the_order_it_was_asked_in() {
        for (asked, text) in [
            ("flac", "flac"),
            ("mp3:mono,bitrate=64", "mp3:bitrate=64,mono"),
            (
                "mp3:vbr,rate=44100,bitrate=192",
                "mp3:bitrate=192,rate=44100,vbr",
            ),
            ("wav:bits=32f", "wav:bits=32f"),
            ("opus:rate=16000", "opus:rate=16000"),
            ("m4a:bitrate=128", "m4a:bitrate=128"),
        ] {
            let rendition: Rendition = asked.parse().unwrap();
            assert_eq!(rendition.to_string(), text);
            assert_eq!(text.parse::<Rendition>().unwrap(), rendition);
            let json = serde_json::to_value(rendition).unwrap();
            assert_eq!(json, text);
            assert_eq!(
                serde_json::from_value::<Rendition>(json).unwrap(),
                rendition
            );
        }
    }

    #[test]
    fn a_list_is_cut_where_a_format_begins() {
        let list = Rendition::parse_list("mp3:bitrate=64,mono,m4a,wav:bits=16").unwrap();
        let texts: Vec<_> = list.iter().map(Rendition::to_string).collect();
        assert_eq!(texts, ["mp3:bitrate=64,mono", "m4a", "wav:bits=16"]);
        assert!(Rendition::parse_list("mono,mp3").is_err());
        assert!(Rendition::parse_list("mp3,").is_err());
    }

    #[test]
    fn what_a_format_does_not_have_is_refused_with_what_it_has() {
        for (text, said) in [
            (
                "mp4",
                "\"mp4\" is no format; there are wav, flac, opus, mp3, m4a",
            ),
            ("mp3:bitrate=321", "bitrate is 321 kbit/s; mp3 has 8 to 320"),
            ("flac:bitrate=64", "flac has no bitrate to choose"),
            (
                "opus:rate=44100",
                "rate is 44100 Hz; opus has 8000, 12000, 16000, 24000, 48000",
            ),
            ("wav:rate=1", "rate is 1 Hz; wav has 8000 to 192000"),
            ("wav:bits=8", "bits are \"8\"; there are 16, 24, 32f"),
            ("flac:bits=32f", "bits are \"32f\"; flac has 16, 24"),
            ("m4a:bits=16", "bits are for wav and flac, not for m4a"),
            ("m4a:vbr", "vbr is for mp3, not for m4a"),
            ("mp3:mono,mono", "\"mono\" is given twice"),
            (
                "mp3:bitrate=+64",
                "bitrate is \"+64\"; it is a whole number of kbit/s",
            ),
            (
                "mp3:bitrate=064",
                "bitrate is \"064\"; it is a whole number of kbit/s",
            ),
            (
                "mp3:bitrate",
                "bitrate is \"\"; it is a whole number of kbit/s",
            ),
            (
                "mp3:mono=1",
                "\"mono=1\" is no option; there are bitrate=kbit/s, bits=16|24|32f, mono, rate=Hz and vbr",
            ),
            (
                "mp3:,",
                "\"\" is no option; there are bitrate=kbit/s, bits=16|24|32f, mono, rate=Hz and vbr",
            ),
        ] {
            assert_eq!(
                text.parse::<Rendition>().unwrap_err().to_string(),
                said,
                "{text}"
            );
        }
        assert!("x".repeat(101).parse::<Rendition>().is_err());
    }
}

//! The one list of what can be found.

use super::Severity;

/// Each line: the variant, its code, its severity, its sentence. A code never changes its meaning and
/// is never used again for another one.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident, $name:literal, $severity:ident, $template:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $variant,)* }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// As it stands in JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// The English sentence, with its parameters in braces. `{n?one|many}` is what stands for one of
            /// them and for any other number.
            pub fn template(self) -> &'static str {
                match self { $(Self::$variant => $template,)* }
            }

            /// What it means and what can be done, for the docs.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

codes! {
    /// Stored by a version that had only sentences, or said by a plugin in its own words.
    Note, "note", Warning, "{text}";

    // ---- reading the file
    /// The file ends where more should follow: what is there was read.
    Truncated, "truncated", Warning, "the file ends in the middle of the audio, after {read_s:.1} s";
    /// The container is damaged and its reader could not go on or had to look for where it goes on.
    ContainerDamaged, "container-damaged", Warning, "the file is damaged in {places} {places?place|places} ({detail}); what could not be read is silence where its length is known";
    /// Packets that could not be decoded. As much silence as they stand for is in their place.
    PacketsLost, "packets-lost", Warning, "{lost} of {packets} {packets?packet|packets} could not be decoded; {silence_ms} ms of silence stand in {lost?its|their} place";
    /// Bytes that belong to nothing: between packets, or behind the end.
    BytesSkipped, "bytes-skipped", Warning, "{bytes} {bytes?byte|bytes} in the middle of the file {bytes?is|are} no audio and {bytes?was|were} left out";
    /// The clock of the file goes on where no audio is: filled with silence, so that what follows stays in step.
    GapsFilled, "gaps-filled", Warning, "{gaps} {gaps?gap|gaps} in the file's clock {gaps?was|were} filled with {silence_ms} ms of silence";
    /// A gap that would make the recording longer than is allowed was not filled.
    GapTooLong, "gap-too-long", Warning, "a gap of {gap_s:.0} s at {at_s:.1} s was not filled";
    /// Time stamps went back. Nothing is left out; what follows comes right behind.
    ClockWentBack, "clock-went-back", Warning, "the file's clock goes back {times} {times?time|times}, by up to {back_ms} ms; nothing was left out";
    /// The clock of the file and its number of samples drift apart. Nothing is changed.
    ClockDrift, "clock-drift", Warning, "the file's clock and its samples are {drift_ms} ms apart at the end ({ppm:.0} ppm)";
    /// The edit list begins with a pause: the audio starts later than the picture.
    LateStart, "late-start", Info, "the audio starts {late_ms} ms after the beginning; it is preceded by silence";
    /// The file's clock starts before 0: what it says is before the beginning is not part of the recording (a part of a Vorbis file that was cut out without coding it anew).
    StartTrimmed, "start-trimmed", Info, "{trimmed_ms} ms stand before the beginning by the file's clock and are left out";
    /// What the encoder put before and behind the recording, as the file declares it. Players that do
    /// not know it play a little more.
    PaddingLeftOut, "padding-left-out", Info, "{start} {start?frame|frames} at the start and {end} at the end were left out: the file says that they are the encoder's";
    /// Parts that somebody cut out with an editor that only notes it (an edit list). They are left out.
    EditsApplied, "edits-applied", Info, "the file's edit list was followed: {left_out_ms} ms of its audio are not played";
    /// An edit list that cannot be followed, or not to its end (speeds other than 1, more entries than are taken, thousands of jumps between large fragments).
    EditsIgnored, "edits-ignored", Warning, "the file's edit list was not followed: {detail}";
    /// Samples that are no numbers, replaced by silence.
    SamplesReplaced, "samples-replaced", Warning, "{count} {count?sample was not a number|samples were not numbers} (NaN or infinite) and {count?was|were} replaced by silence";
    /// The number of channels, their layout or the rate changes within the file.
    StreamChanged, "stream-changed", Warning, "the audio changes {times} {times?time|times} within the file, first from {from} to {to} at {at_s:.1} s; all of it is {result}";
    /// The file states another length than it has: it was cut or put together without being told, or its
    /// sizes are wrong. What is there was read; padding that is stated for another length was not left out.
    LengthDiffers, "length-differs", Warning, "the file states a length of {stated_s:.3} s and has {read_s:.3} s of audio";
    /// Several files in one, or a chained stream.
    FilesJoined, "files-joined", Warning, "{streams} recordings stand one after the other in the file; all are read";
    /// A part of the file that was not read.
    PartNotRead, "part-not-read", Warning, "{bytes} {bytes?byte|bytes} of the file {bytes?was|were} not read: {detail}";
    /// Which of several tracks was read.
    TracksNotUsed, "tracks-not-used", Warning, "track {track} of {tracks} was read; the others were not";
    /// The track that was read is silent and another is not.
    TrackSilent, "track-silent", Warning, "track {track} is silent; track {other} is not";

    // ---- beside the samples
    /// Tags, pictures or chunks that the output format cannot hold, or that are too large.
    TagsLost, "tags-lost", Warning, "not kept: {names}";
    /// Replay gain of the original would be wrong for the correction.
    ReplayGainRemoved, "replay-gain-removed", Info, "the replay gain tags were removed, as the loudness has changed";
    /// The output format cannot hold the channel mask.
    MaskLost, "mask-lost", Warning, "the channel mask {mask} cannot be kept in {format}";

    // ---- the recording itself
    ChannelDead, "channel-dead", Warning, "{channels?this channel is|these channels are} silent while others are not: {channels}";
    ChannelsInverted, "channels-inverted", Warning, "channels {first} and {second} are inverted to each other (correlation {correlation:.2}): played in mono they cancel";
    ChannelsIdentical, "channels-identical", Info, "all {channels} channels are the same";
    DcOffset, "dc-offset", Warning, "the recording has a DC offset of {percent:.1} % of full scale";
    NearSilence, "near-silence", Warning, "the recording is nearly silent: its loudest 400 ms have {momentary_lufs:.1} LUFS";
    Silent, "silent", Warning, "the recording is silent";
    Clipped, "clipped", Warning, "{stretches} {stretches?stretch is|stretches are} clipped, {per_minute:.1} a minute, at {level_dbfs:.1} dBFS";
    BandwidthLow, "bandwidth-low", Info, "nothing is above {bandwidth_hz} Hz at a rate of {sample_rate_hz} Hz: it was a lossy or a slower recording before";
    SpikesIsolated, "spikes-isolated", Warning, "{count} impossible {count?sample|samples}, up to {peak_dbfs:.1} dBFS, {count?was|were} replaced";

    // ---- the steps
    /// The step failed or could not be reached, and the chain allows to leave it out. The report has its problem.
    StepSkipped, "step-skipped", Warning, "{name} was left out: {why}";
    /// What can be heard is much quieter behind the step, which promises no such thing.
    StepQuieter, "step-quieter", Warning, "{name} made what can be heard {change_db:.1} dB quieter; more than {usual_db} dB is unusual";
    /// What can be heard is much louder behind the step, which promises no such thing.
    StepLouder, "step-louder", Warning, "{name} made what can be heard {change_db:.1} dB louder; more than {usual_db} dB is unusual";
    /// Parts in which something was heard are empty behind the step.
    StepEmptied, "step-emptied", Warning, "{name} emptied {percent:.0} % of what could be heard";
    /// The step added a constant offset. It costs headroom, and clicks at cuts.
    StepOffset, "step-offset", Warning, "{name} moved the signal off its middle by {percent:.1} % of full scale (a DC offset)";
    /// What a step took away is louder than its file can hold.
    DeltaClipped, "delta-clipped", Warning, "the delta of {name} peaks {over_db:.1} dB over full scale and was clipped there";
    /// A plugin's report is longer than is kept.
    StepReportCut, "step-report-cut", Warning, "{name}: its {part} is too long to be kept";
    /// The chain follows an analyser that gave no chain.
    NothingRecommended, "nothing-recommended", Warning, "{name} recommends nothing that could be followed";
    /// An analyser names a plugin that is not there.
    RecommendedMissing, "recommended-missing", Warning, "{name} recommends {plugin}, which is not installed: it was left out";

    // ---- the result
    /// The format that was asked for holds fewer channels than the recording has.
    FormatReplaced, "format-replaced", Warning, "{wanted} holds at most {channels_max} {channels_max?channel|channels} and the recording has {channels}: the correction is {format}";
    /// The format has fewer channels than the recording: all of them are heard, but no longer apart.
    ChannelsMixed, "channels-mixed", Warning, "the {channels} channels are mixed into {into}: {format} has no more";
    /// The format does not have the recording's sample rate, or the one that was asked for.
    RateChanged, "rate-changed", Info, "the recording has {from_hz} Hz and the {format} file {to_hz}, which is the nearest that the format has";
    /// The format does not have the bitrate that was asked for, at this sample rate and for so many channels.
    BitrateChanged, "bitrate-changed", Warning, "{format} has no {wanted_kbps} kbit/s at {rate_hz} Hz with {channels} {channels?channel|channels}: it is {kbps} kbit/s";
    /// A variable bitrate was asked for; for one channel the constant one sounds better and is used.
    VbrNotUsed, "vbr-not-used", Info, "the bitrate is constant: a variable one is used for two channels only";
    /// A rendition in a format that loses something was made of a correction in another such format.
    LostTwice, "lost-twice", Warning, "the correction is in {from}, which has lost something; {to} made of it loses more. Correct it into FLAC, and make {to} of that";
    /// Original and correction, brought on one time line, are not equally long: the cuts are not all known, or it is
    /// the correction of another recording.
    CompareLengthDiffers, "compare-length-differs", Warning, "the original is {longer_ms:.1} ms longer than the correction where it should be as long";
    /// The chain states a loudness and the correction has another one. `cause` says why: silent, too-short, max-gain,
    /// too-peaky, music, mix, later-step, format, skipped or unknown, or what the step itself says.
    LoudnessMissed, "loudness-missed", Warning, "the loudness is {reached:.1} LUFS and not {target:.1}: {why_not}";
    /// The chain states a loudness and the correction has none that could be measured.
    LoudnessUnmeasured, "loudness-unmeasured", Warning, "there is no loudness that could be brought to {target:.1} LUFS: {why_not}";
    /// The chain states a ceiling for true peaks and the correction goes beyond it. `cause` is as in `loudness-missed`.
    TruePeakOver, "true-peak-over", Warning, "the true peak is {reached:.1} dBTP, over the ceiling of {target:.1}: {why_not}";
    LoudnessLost, "loudness-lost", Warning, "{lost_lu:.1} LU of the recording's loudness are gone, besides what gain and loudness steps did on purpose";
    CorrectionTooQuiet, "correction-too-quiet", Warning, "the correction is too quiet to be measured; the recording had {before_lufs:.1} LUFS";
    CorrectionClipped, "correction-clipped", Warning, "the correction peaks {after_dbfs:.1} dB over full scale and was clipped there; the recording peaks at {before_dbfs:.1} dBFS";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Code;

    #[test]
    fn codes_are_unique_kebab_case_and_say_something() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let name = code.name();
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-' || b.is_ascii_digit()),
                "{name}"
            );
            assert!(!code.template().ends_with('.'), "{name}");
            assert_eq!(
                code.template().matches('{').count(),
                code.template().matches('}').count(),
                "{name}"
            );
        }
    }
}

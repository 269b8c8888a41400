// Made from the list in formats/; a test holds it to that.

/** What the file picker offers. */
export const ACCEPT = "audio/*,.wav,.wave,.bwf,.rf64,.w64,.aif,.aiff,.aifc,.caf,.m4a,.mp4,.m4b,.m4v,.3gp,.3g2,.mov,.qt,.webm,.weba,.mka,.mkv,.ogg,.oga,.opus,.flac,.mp3,.mp2,.mpga,.aac,.adts,.ac3,.eac3,.amr,.awb,.au,.snd,.wv,.avi,.flv,.ts,.mts,.m2ts";

/** The same in words. */
export const ACCEPTED = "WAV, Wave64, AIFF, CAF, MP4, QuickTime, WebM, Matroska, Ogg, FLAC, MP3, ADTS, AC-3, AMR, AU, WavPack, AVI, FLV or MPEG-TS";

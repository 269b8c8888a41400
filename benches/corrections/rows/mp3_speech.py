"""A voice as MP3."""

from bench import encoded_voices

ROW = encoded_voices(
    "mp3",
    64,
    says="Voices as MP3 in mono at 64 kbit/s, as ffmpeg hears it: PESQ at least LAME's.",
    peer="libmp3lame",
    peer_name="LAME",
)

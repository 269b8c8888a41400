"""A voice as M4A."""

from bench import encoded_voices

ROW = encoded_voices(
    "m4a",
    128,
    says="Voices as M4A (AAC-LC) in mono at 128 kbit/s, as ffmpeg hears it: PESQ at least 4.0.",
    peer="aac",
    peer_name="ffmpeg aac",
)

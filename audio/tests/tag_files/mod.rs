//! Small files of each container with a title, an artist and, where they can, a cover and chapters.

pub const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\npixels, almost";
pub const HAVE_PICTURES: [&str; 8] = [
    "id3v2.2",
    "id3v2.3",
    "id3v2.4",
    "flac",
    "vorbis",
    "mp4",
    "matroska",
    "aiff with id3",
];
pub const HAVE_CHAPTERS: [&str; 11] = [
    "id3v2.3",
    "id3v2.4",
    "flac",
    "vorbis",
    "mp4",
    "matroska",
    "wave with cues",
    "rifx",
    "aiff plain",
    "caf",
    "quicktime",
];

pub fn all() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| files.push((name.to_owned(), bytes));
    for version in [2, 3, 4] {
        for coding in [0, 1, 2, 3] {
            if version < 4 && coding > 1 {
                continue;
            }
            for unsynchronised in [false, true] {
                let tag = id3(version, coding, unsynchronised);
                let name = format!("id3v2.{version} gain, coding {coding}, {unsynchronised}");
                add(&name, [tag.clone(), b"\xff\xfb\x90\0".to_vec()].concat());
            }
        }
    }
    add("id3v1", [mp3(), id3v1()].concat());
    add("ape gain", [mp3(), ape()].concat());
    add("ape and id3v1 gain", [mp3(), ape(), id3v1()].concat());
    add("flac gain", flac());
    add("flac behind id3", [id3(3, 0, false), flac()].concat());
    add(
        "vorbis gain",
        ogg(&[
            b"\x01vorbis",
            &[&b"\x03vorbis"[..], &comment(true)].concat(),
        ]),
    );
    add(
        "vorbis as opus gain",
        ogg(&[b"OpusHead", &[&b"OpusTags"[..], &comment(true)].concat()]),
    );
    add("wave with cues", wave(false));
    add("rifx", wave(true));
    let id3_chunk = riff_chunk(b"id3 ", &id3(4, 3, false), false);
    add("wave with id3", riff(&id3_chunk, b"WAVE", false));
    add("avi", riff(&info(false), b"AVI ", false));
    add("aiff plain", aiff(false));
    add("aiff with id3", aiff(true));
    add("caf", caf());
    add("mp4 gain, nero", mp4(true));
    add("quicktime track", mp4(false));
    add("matroska gain", matroska());
    files
}

fn mp3() -> Vec<u8> {
    let mut frame = b"\xff\xfb\x90\0".to_vec();
    frame.resize(417, 0);
    frame.repeat(3)
}

fn text_in(coding: u8, text: &str) -> Vec<u8> {
    match coding {
        0 => text.chars().map(|c| c as u32 as u8).collect(),
        1 => [0xfeff]
            .into_iter()
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect(),
        2 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

fn id3(version: u8, coding: u8, unsynchronised: bool) -> Vec<u8> {
    let end: &[u8] = if coding == 1 || coding == 2 {
        &[0, 0]
    } else {
        &[0]
    };
    let safe = |size: usize| [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f);
    let stuffed = |body: &[u8]| {
        let mut stuffed = Vec::new();
        for &byte in body {
            if stuffed.last() == Some(&0xff) && (byte == 0 || byte >= 0xe0) {
                stuffed.push(0);
            }
            stuffed.push(byte);
        }
        stuffed
    };
    let frame = |id: &str, body: &[u8]| {
        let mut frame = id.as_bytes().to_vec();
        let body = match unsynchronised && version == 4 {
            true => stuffed(body),
            false => body.to_vec(),
        };
        match version {
            2 => frame.extend(&(body.len() as u32).to_be_bytes()[1..]),
            3 => frame.extend((body.len() as u32).to_be_bytes()),
            _ => frame.extend(safe(body.len())),
        }
        match (version, unsynchronised) {
            (2, _) => {}
            (4, true) => frame.extend([0, 2]),
            _ => frame.extend([0, 0]),
        }
        frame.extend(body);
        frame
    };
    let text = |text: &str| [vec![coding], text_in(coding, text)].concat();
    let named = |name: &str, value: &str| {
        [
            vec![coding],
            text_in(coding, name),
            end.to_vec(),
            text_in(coding, value),
        ]
        .concat()
    };
    let picture = |format: &[u8]| {
        let description = [text_in(coding, "front"), end.to_vec()].concat();
        [&[coding], format, &[3], &description, PICTURE].concat()
    };
    let mut frames = Vec::new();
    if version == 2 {
        frames.extend(frame("TT2", &text("Ein Täg")));
        frames.extend(frame("TP1", &text("Who")));
        frames.extend(frame("PIC", &picture(b"PNG")));
        frames.extend(frame("TXX", &named("replaygain_track_gain", "-3 dB")));
    } else {
        frames.extend(frame("TIT2", &text("Ein Täg")));
        frames.extend(frame("TPE1", &text("Who")));
        frames.extend(frame("APIC", &picture(b"image/png\0")));
        frames.extend(frame("TXXX", &named("replaygain_track_gain", "-3 dB")));
        frames.extend(frame("TLEN", &text("1234")));
        for (id, start, title) in [("b", 1500u32, "Two"), ("a", 0, "One")] {
            let times = [
                start.to_be_bytes(),
                (start + 1500).to_be_bytes(),
                [0xff; 4],
                [0xff; 4],
            ];
            let inner = frame("TIT2", &text(title));
            frames.extend(frame(
                "CHAP",
                &[id.as_bytes(), &[0], &times.concat(), &inner].concat(),
            ));
        }
    }
    frames.extend([0; 20]);
    let flags = if unsynchronised { 0x80 } else { 0 };
    if unsynchronised && version < 4 {
        frames = stuffed(&frames);
    }
    [
        &[b'I', b'D', b'3', version, 0, flags][..],
        &safe(frames.len()),
        &frames,
    ]
    .concat()
}

fn id3v1() -> Vec<u8> {
    let mut tag = b"TAG".to_vec();
    tag.extend(text_in(0, "Ein Täg"));
    tag.resize(33, 0);
    tag.extend(b"Who");
    tag.resize(127, 0);
    tag.push(101);
    tag
}

fn ape() -> Vec<u8> {
    let mut items = Vec::new();
    for (key, value) in [
        ("Title", "Ein Täg"),
        ("Artist", "Who"),
        ("REPLAYGAIN_TRACK_GAIN", "1"),
    ] {
        items.extend((value.len() as u32).to_le_bytes());
        items.extend([0; 4]);
        items.extend(key.bytes().chain([0]).chain(value.bytes()));
    }
    let mut tag = items.clone();
    tag.extend(b"APETAGEX");
    tag.extend(2000u32.to_le_bytes());
    tag.extend((items.len() as u32 + 32).to_le_bytes());
    tag.extend(3u32.to_le_bytes());
    tag.extend([0; 12]);
    tag
}

fn comment(with_picture: bool) -> Vec<u8> {
    let mut comments = vec![
        "title=Ein Täg".to_owned(),
        "Artist=Who".to_owned(),
        "REPLAYGAIN_TRACK_GAIN=-3 dB".to_owned(),
        "R128_TRACK_GAIN=-300".to_owned(),
        "CHAPTER001NAME=Two".to_owned(),
        "CHAPTER001=00:00:01.500".to_owned(),
        "CHAPTER000=00:00:00.000".to_owned(),
        "CHAPTER000NAME=One".to_owned(),
    ];
    if with_picture {
        comments.push(format!(
            "METADATA_BLOCK_PICTURE={}",
            base64(&picture_block())
        ));
    }
    let mut body = [
        &4u32.to_le_bytes()[..],
        b"test",
        &(comments.len() as u32).to_le_bytes(),
    ]
    .concat();
    for comment in comments {
        body.extend((comment.len() as u32).to_le_bytes());
        body.extend(comment.bytes());
    }
    body
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three
            .iter()
            .fold(0u32, |word, &byte| word << 8 | u32::from(byte))
            << (8 * (3 - three.len()));
        for n in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * n)) as usize & 63];
            text.push(if n <= three.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

fn picture_block() -> Vec<u8> {
    let mut block = 3u32.to_be_bytes().to_vec();
    block.extend(9u32.to_be_bytes());
    block.extend(b"image/png");
    block.extend([0; 20]);
    block.extend((PICTURE.len() as u32).to_be_bytes());
    block.extend(PICTURE);
    block
}

fn flac() -> Vec<u8> {
    let block = |kind: u8, body: &[u8]| {
        let size = (body.len() as u32).to_be_bytes();
        [&[kind], &size[1..], body].concat()
    };
    [
        b"fLaC".to_vec(),
        block(0, &[0; 34]),
        block(4, &comment(false)),
        block(1, &[0; 10]),
        block(0x80 | 6, &picture_block()),
    ]
    .concat()
}

/// Each packet on pages of its own.
fn ogg(packets: &[&[u8]]) -> Vec<u8> {
    let mut file = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        let mut lacing = vec![255; packet.len() / 255];
        lacing.push((packet.len() % 255) as u8);
        // A page ends in the middle of the packet where that is long.
        let mut rest = *packet;
        for (page, lacing) in lacing.chunks(2).enumerate() {
            let bytes: usize = lacing.iter().map(|b| usize::from(*b)).sum();
            let (body, behind) = rest.split_at(bytes);
            rest = behind;
            file.extend(b"OggS\0");
            file.push(if index == 0 { 2 } else { u8::from(page > 0) });
            file.extend([0; 8]);
            file.extend([7; 4]);
            file.extend([0; 8]);
            file.push(lacing.len() as u8);
            file.extend(lacing);
            file.extend(body);
        }
    }
    file
}

fn number(value: u32, is_big: bool) -> [u8; 4] {
    if is_big {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    }
}

fn riff_chunk(id: &[u8; 4], body: &[u8], is_big: bool) -> Vec<u8> {
    let mut chunk = [&id[..], &number(body.len() as u32, is_big), body].concat();
    if body.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

fn riff(chunks: &[u8], form: &[u8; 4], is_big: bool) -> Vec<u8> {
    let magic = if is_big { b"RIFX" } else { b"RIFF" };
    let size = number(chunks.len() as u32 + 4, is_big);
    [&magic[..], &size, form, chunks].concat()
}

fn info(is_big: bool) -> Vec<u8> {
    let mut list = b"INFO".to_vec();
    list.extend(riff_chunk(
        b"INAM",
        &[&text_in(0, "Ein Täg")[..], &[0]].concat(),
        is_big,
    ));
    list.extend(riff_chunk(b"IART", b"Who\0", is_big));
    riff_chunk(b"LIST", &list, is_big)
}

fn wave(is_big: bool) -> Vec<u8> {
    let mut format = vec![0; 16];
    format[4..8].copy_from_slice(&number(8000, is_big));
    let mut cues = number(2, is_big).to_vec();
    let mut labels = b"adtl".to_vec();
    for (id, frame, title) in [(1, 0, &b"One\0"[..]), (2, 12_000, b"Two\0")] {
        cues.extend(number(id, is_big));
        cues.extend(number(frame, is_big));
        cues.extend(b"data");
        cues.extend([0; 8]);
        cues.extend(number(frame, is_big));
        labels.extend(riff_chunk(
            b"labl",
            &[&number(id, is_big), title].concat(),
            is_big,
        ));
    }
    let chunks = [
        riff_chunk(b"fmt ", &format, is_big),
        info(is_big),
        riff_chunk(b"data", b"odd", is_big),
        riff_chunk(b"cue ", &cues, is_big),
        riff_chunk(b"LIST", &labels, is_big),
    ];
    riff(&chunks.concat(), b"WAVE", is_big)
}

fn aiff(with_id3: bool) -> Vec<u8> {
    let mut common = vec![0; 8];
    // 8000 as an 80-bit float.
    common.extend([0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0]);
    let mut markers = 2u16.to_be_bytes().to_vec();
    for (id, frame, name) in [(1u16, 0u32, b"\x03One"), (2, 12_000, b"\x03Two")] {
        markers.extend(id.to_be_bytes());
        markers.extend(frame.to_be_bytes());
        markers.extend(name);
    }
    let mut chunks = riff_chunk(b"COMM", &common, true);
    chunks.extend(riff_chunk(b"MARK", &markers, true));
    if with_id3 {
        chunks.extend(riff_chunk(b"ID3 ", &id3(2, 0, false), true));
    } else {
        chunks.extend(riff_chunk(b"NAME", "Ein Täg".as_bytes(), true));
        chunks.extend(riff_chunk(b"AUTH", b"Who", true));
    }
    [
        &b"FORM"[..],
        &(chunks.len() as u32 + 4).to_be_bytes(),
        b"AIFF",
        &chunks,
    ]
    .concat()
}

fn caf() -> Vec<u8> {
    let chunk =
        |id: &[u8; 4], body: &[u8]| [&id[..], &(body.len() as u64).to_be_bytes(), body].concat();
    let mut description = 8000f64.to_be_bytes().to_vec();
    description.resize(32, 0);
    let mut markers = [0, 0, 0, 0, 0, 0, 0, 2].to_vec();
    let mut strings = 2u32.to_be_bytes().to_vec();
    for (id, frame) in [(1u32, 0f64), (2, 12_000.0)] {
        markers.extend([0; 4]);
        markers.extend(frame.to_be_bytes());
        markers.extend(id.to_be_bytes());
        markers.extend([0; 12]);
        strings.extend(id.to_be_bytes());
        strings.extend((4 * u64::from(id - 1)).to_be_bytes());
    }
    strings.extend(b"One\0Two\0");
    let pairs = [
        &2u32.to_be_bytes()[..],
        "title\0Ein Täg\0artist\0Who\0".as_bytes(),
    ]
    .concat();
    [
        &b"caff\0\x01\0\0"[..],
        &chunk(b"desc", &description),
        &chunk(b"info", &pairs),
        &chunk(b"mark", &markers),
        &chunk(b"strg", &strings),
        &chunk(b"data", &[0; 8]),
    ]
    .concat()
}

fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes(), &kind[..], body].concat()
}

fn item(kind: &[u8; 4], coding: u32, value: &[u8]) -> Vec<u8> {
    let data = [&coding.to_be_bytes()[..], &[0; 4], value].concat();
    atom(kind, &atom(b"data", &data))
}

fn mp4(is_nero: bool) -> Vec<u8> {
    let brand: &[u8; 4] = if is_nero { b"M4A " } else { b"qt  " };
    let mut file = atom(b"ftyp", &[&brand[..], &[0; 4]].concat());
    let texts = [&b"\0\x03One"[..], b"\0\x03Two"].concat();
    let texts_at = file.len() as u32 + 8;
    file.extend(atom(b"mdat", &texts));
    let mut movie = Vec::new();
    let mut user = Vec::new();
    if is_nero {
        let freeform = [
            atom(b"mean", b"\0\0\0\0com.apple.iTunes"),
            atom(b"name", b"\0\0\0\0iTunNORM"),
            atom(b"data", b"\0\0\0\x01\0\0\0\0 0000"),
        ];
        let list = [
            item(b"\xa9nam", 1, "Ein Täg".as_bytes()),
            item(b"\xa9ART", 1, b"Who"),
            item(b"trkn", 0, &[0, 0, 0, 3, 0, 12, 0, 0]),
            item(b"covr", 14, PICTURE),
            atom(b"----", &freeform.concat()),
        ];
        let meta = [&[0; 4][..], &atom(b"ilst", &list.concat())].concat();
        user.extend(atom(b"meta", &meta));
        let mut chapters = vec![1, 0, 0, 0, 0, 0, 0, 0, 2];
        for (ms, title) in [(0u64, b"\x03One"), (1500, b"\x03Two")] {
            chapters.extend((ms * 10_000).to_be_bytes());
            chapters.extend(title);
        }
        user.extend(atom(b"chpl", &chapters));
    } else {
        let classic = |text: &str| {
            [
                &(text.len() as u16).to_be_bytes()[..],
                &[0x55, 0xc4],
                text.as_bytes(),
            ]
            .concat()
        };
        user.extend(atom(b"\xa9nam", &classic("Ein Täg")));
        user.extend(atom(b"\xa9ART", &classic("Who")));
        movie.extend(chapter_tracks(texts_at));
    }
    movie.extend(atom(b"udta", &user));
    file.extend(atom(b"moov", &movie));
    file
}

/// A track that names the second one as its chapters.
fn chapter_tracks(texts_at: u32) -> Vec<u8> {
    let header = |id: u32| {
        let mut body = vec![0; 84];
        body[12..16].copy_from_slice(&id.to_be_bytes());
        atom(b"tkhd", &body)
    };
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_be_bytes()).collect() };
    let first = [header(1), atom(b"tref", &atom(b"chap", &words(&[2])))];
    let tables = [
        atom(b"stts", &words(&[0, 1, 2, 1500])),
        atom(b"stsz", &words(&[0, 5, 2])),
        atom(b"stsc", &words(&[0, 1, 1, 2, 1])),
        atom(b"stco", &words(&[0, 1, texts_at])),
    ];
    let mut handler = vec![0; 24];
    handler[8..12].copy_from_slice(b"text");
    let media = [
        atom(b"mdhd", &words(&[0, 0, 0, 1000, 3000, 0])),
        atom(b"hdlr", &handler),
        atom(b"minf", &atom(b"stbl", &tables.concat())),
    ];
    let second = [header(2), atom(b"mdia", &media.concat())];
    [
        atom(b"trak", &first.concat()),
        atom(b"trak", &second.concat()),
    ]
    .concat()
}

fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut size = (body.len() as u64).to_be_bytes();
    size[0] = 1;
    [id, &size, body].concat()
}

fn matroska() -> Vec<u8> {
    let simple = |name: &str, value: &str| {
        let parts = [
            element(b"\x45\xa3", name.as_bytes()),
            element(b"\x44\x87", value.as_bytes()),
        ];
        element(b"\x67\xc8", &parts.concat())
    };
    let tag = [
        element(b"\x63\xc0", b""),
        simple("ARTIST", "Who"),
        simple("REPLAYGAIN_GAIN", "-3"),
    ];
    let atoms: Vec<u8> = [(0u64, "One"), (1_500_000_000, "Two")]
        .iter()
        .flat_map(|(start, title)| {
            let display = element(b"\x80", &element(b"\x85", title.as_bytes()));
            element(
                b"\xb6",
                &[element(b"\x91", &start.to_be_bytes()), display].concat(),
            )
        })
        .collect();
    let attached = [
        element(b"\x46\x6e", b"cover.png"),
        element(b"\x46\x60", b"image/png"),
        element(b"\x46\x5c", PICTURE),
    ];
    // A cluster of unknown size stands before all that matters.
    let cluster = [
        &b"\x1f\x43\xb6\x75\xff"[..],
        &element(b"\xe7", &[0]),
        &element(b"\xa3", &[9; 50]),
    ];
    let segment = [
        element(
            b"\x15\x49\xa9\x66",
            &element(b"\x7b\xa9", "Ein Täg".as_bytes()),
        ),
        cluster.concat(),
        element(b"\x12\x54\xc3\x67", &element(b"\x73\x73", &tag.concat())),
        element(b"\x10\x43\xa7\x70", &element(b"\x45\xb9", &atoms)),
        element(
            b"\x19\x41\xa4\x69",
            &element(b"\x61\xa7", &attached.concat()),
        ),
    ];
    let head = element(b"\x1a\x45\xdf\xa3", &element(b"\x42\x82", b"matroska"));
    [head, b"\x18\x53\x80\x67\xff".to_vec(), segment.concat()].concat()
}

//! Texts from outside, before they are shown to people: what a plugin says, what a file is called,
//! what a service answers.
//!
//! Some characters are not seen and change what is: control characters drive a terminal, and those of
//! bidirectional text make `exe.wav` of a name that ends otherwise.

/// Whether a character is none that is read: of control, of the direction of text, an ending of lines
/// that only some programs know, or invisible by definition. Joiners (U+200C, U+200D) are none of
/// these: Persian and family emoji need them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' // marks of direction
            | '\u{202a}'..='\u{202e}' // embeddings and overrides
            | '\u{2066}'..='\u{2069}' // isolates
            | '\u{2028}' | '\u{2029}' // line and paragraph separators
            | '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' // of no width
            | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' // deprecated, annotations
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}

/// One line, at most `chars_max` characters.
pub fn plain(text: &str, chars_max: usize) -> String {
    let line = |c: char| if is_hidden(c) { ' ' } else { c };
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => text[..at].chars().map(line).chain(['…']).collect(),
        None => text.chars().map(line).collect(),
    }
}

/// For a terminal: lines stay lines, and whatever else is hidden is written out, so that nobody has
/// to guess what a name holds.
pub fn written_out(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && c != '\n' {
            written.extend(c.escape_unicode());
        } else {
            written.push(c);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_lines_joined() {
        assert_eq!(plain("näher\nan\u{1b}[31m", 100), "näher an [31m");
        assert_eq!(plain("take\u{202e}vaw.exe", 100), "take vaw.exe");
        assert_eq!(plain("ää", 2), "ää");
        assert_eq!(plain("äöü", 2), "äö…");
    }

    #[test]
    fn what_drives_a_terminal_or_turns_text_around_is_written_out() {
        for (text, shown) in [
            ("Grüße, 録音.wav", "Grüße, 録音.wav"),
            ("صوت ۱.wav", "صوت ۱.wav"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("two\nlines", "two\nlines"),
            ("red\u{1b}[31m", "red\\u{1b}[31m"),
            ("title\u{9d}0;x\u{7}", "title\\u{9d}0;x\\u{7}"),
            ("back\rward\u{8}s", "back\\u{d}ward\\u{8}s"),
            ("gpj\u{202e}.exe", "gpj\\u{202e}.exe"),
            ("\u{2067}a\u{2069}", "\\u{2067}a\\u{2069}"),
            ("no\u{200b}thing", "no\\u{200b}thing"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(written_out(text), shown, "{text:?}");
        }
    }
}

//! Sentences from outside, before they are shown to people.

/// One line, at most `chars_max` characters.
pub fn plain(text: &str, chars_max: usize) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => text[..at].chars().map(line).chain(['…']).collect(),
        None => text.chars().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_lines_joined() {
        assert_eq!(plain("näher\nan\u{1b}[31m", 100), "näher an [31m");
        assert_eq!(plain("ää", 2), "ää");
        assert_eq!(plain("äöü", 2), "äö…");
    }
}

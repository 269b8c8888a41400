//! A code that people read off one device and type into another: ten characters of Crockford's base 32,
//! 50 random bits. It lasts minutes and is good once, and wrong ones count as new sessions do, of
//! which an address may open so many a minute.

use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARS: usize = 10;

pub struct Code(String);

impl Code {
    pub fn new() -> Self {
        let mut random = [0; CHARS];
        OsRng
            .try_fill_bytes(&mut random)
            .expect("the system has randomness");
        let chars = random.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Self(chars.iter().collect())
    }

    /// As people type it: in any case, with spaces and dashes, O for 0, I and L for 1.
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = String::new();
        for char in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let char = match char.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let known = char.is_ascii() && ALPHABET.contains(&(char as u8));
            if !known || code.len() == CHARS {
                return None;
            }
            code.push(char);
        }
        (code.len() == CHARS).then_some(Self(code))
    }

    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// In two groups.
    pub fn reveal(&self) -> String {
        let (left, right) = self.0.split_at(CHARS / 2);
        format!("{left}-{right}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Code::new();
        let shown = code.reveal();
        assert_ne!(Code::new().reveal(), shown);
        let same =
            |text: &str| Code::parse(text).is_some_and(|read| read.sha256() == code.sha256());
        assert!(same(&shown) && same(&shown.to_lowercase()) && same(&shown.replace('-', "  ")));
        assert_eq!(Code::parse("oil00-00000").unwrap().reveal(), "01100-00000");
        for bad in [
            "",
            "12345-6789",
            "12345-678901",
            "12345-6789U",
            "12345-6789ä",
        ] {
            assert!(Code::parse(bad).is_none(), "{bad}");
        }
    }
}

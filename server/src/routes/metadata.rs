//! What an owner calls a recording: PATCH, and what it may say.

use retake_chain::problem::{FieldError, Problem, ProblemKind};
use retake_jobs::entry::Edit;
use retake_words::is_hidden;
use serde::{Deserialize, Deserializer};

use crate::{config::Config, http::respond::Refusal};

/// The body: what is left out stays, and null takes away.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    #[serde(deserialize_with = "given")]
    name: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    tags: Option<Option<Vec<String>>>,
    #[serde(deserialize_with = "given")]
    notes: Option<Option<String>>,
}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl Wanted {
    pub fn check(self, config: &Config) -> Result<Edit, Refusal> {
        let mut wrong = Vec::new();
        if let Some(Some(name)) = &self.name {
            line(&mut wrong, "name", "/name", name, config.name_chars_max);
        }
        if let Some(Some(tags)) = &self.tags {
            check_tags(&mut wrong, tags, config);
        }
        if let Some(Some(notes)) = &self.notes {
            let chars = notes.chars().count();
            if chars > config.notes_chars_max {
                let max = config.notes_chars_max;
                let detail = format!("notes has {chars} characters; it must have at most {max}");
                refuse(&mut wrong, "/notes", detail);
            }
            let hidden = |c: &char| is_hidden(*c) && !matches!(c, '\n' | '\r' | '\t');
            if let Some(c) = notes.chars().find(hidden) {
                refuse(
                    &mut wrong,
                    "/notes",
                    format!("notes holds {}, which is not seen", c.escape_unicode()),
                );
            }
        }
        if let Some(first) = wrong.first() {
            let problem = Problem::new(ProblemKind::InvalidField, first.detail.clone());
            return Err(Refusal::of(problem.with_errors(wrong)));
        }
        Ok(Edit {
            name: self.name,
            tags: self.tags.map(Option::unwrap_or_default),
            notes: self.notes,
        })
    }
}

fn check_tags(wrong: &mut Vec<FieldError>, tags: &[String], config: &Config) {
    let max = config.tags_per_recording_max;
    if tags.len() > max {
        let detail = format!("tags holds {} tags; it must hold at most {max}", tags.len());
        refuse(wrong, "/tags", detail);
        return;
    }
    for (at, tag) in tags.iter().enumerate() {
        let (field, pointer) = (format!("tags[{at}]"), format!("/tags/{at}"));
        line(wrong, &field, &pointer, tag, config.tag_chars_max);
        if tags[..at].contains(tag) {
            refuse(
                wrong,
                &pointer,
                format!("{field} is \"{tag}\", which is there twice"),
            );
        }
    }
}

/// One line that is read as it stands.
fn line(wrong: &mut Vec<FieldError>, field: &str, pointer: &str, text: &str, chars_max: usize) {
    let chars = text.chars().count();
    if !(1..=chars_max).contains(&chars) {
        let detail = format!("{field} has {chars} characters; it must have 1 to {chars_max}");
        refuse(wrong, pointer, detail);
    } else if let Some(c) = text.chars().find(|c| is_hidden(*c)) {
        let detail = format!("{field} holds {}, which is not seen", c.escape_unicode());
        refuse(wrong, pointer, detail);
    } else if text.trim() != text {
        let detail = format!("{field} is \"{text}\"; it must neither begin nor end with a space");
        refuse(wrong, pointer, detail);
    }
}

fn refuse(wrong: &mut Vec<FieldError>, pointer: &str, detail: String) {
    wrong.push(FieldError {
        detail,
        pointer: pointer.to_owned(),
    });
}

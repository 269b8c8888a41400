//! What people read about formats says what the list says. `RETAKE_WRITE_PAGES=1` writes it anew.

use std::{fs, path::PathBuf};

use retake_formats::{Codec, Container, REFUSED, accepted};

fn check(path: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path);
    if std::env::var_os("RETAKE_WRITE_PAGES").is_some() {
        fs::write(&path, expected).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is out of date: RETAKE_WRITE_PAGES=1 cargo test -p retake-formats",
        path.display()
    );
}

#[test]
fn the_picker_of_the_page_offers_what_is_read() {
    let extensions = Container::ALL
        .iter()
        .flat_map(|container| container.extensions());
    let extensions: Vec<_> = extensions
        .map(|extension| format!(".{extension}"))
        .collect();
    check(
        "web/src/recording/accepted.ts",
        &format!(
            "// Made from the list in formats/; a test holds it to that.\n\n\
             /** What the file picker offers. */\n\
             export const ACCEPT = \"audio/*,{}\";\n\n\
             /** The same in words. */\n\
             export const ACCEPTED = \"{}\";\n",
            extensions.join(","),
            accepted()
        ),
    );
}

#[test]
fn the_page_about_formats_lists_all_of_them() {
    let mut page = String::from(
        "# Formats\n\n\
         What is read, and what is not. This page is made from `formats/`, the one list that the server's\n\
         door, the decoder, the command line and the web app share.\n\n\
         ## Containers\n\n\
         Told by the first bytes, never by the name of the file.\n\n\
         | container | content type | usual names |\n|---|---|---|\n",
    );
    for container in Container::ALL {
        let names: Vec<_> = container
            .extensions()
            .iter()
            .map(|name| format!("`.{name}`"))
            .collect();
        page += &format!(
            "| {} | `{}` | {} |\n",
            container.name(),
            container.content_type(),
            names.join(" ")
        );
    }
    page += "\n## Codecs\n\n";
    let mut names: Vec<_> = Codec::DECODED.iter().map(Codec::name).collect();
    names.dedup();
    page += &format!("{}.\n", names.join(", "));
    page += "\n## Refused\n\nThe answer is `unknown-codec` (415) and says what to do.\n\n\
             | what | what to do |\n|---|---|\n";
    for refused in REFUSED {
        page += &format!("| {} | {} |\n", refused.name, refused.advice);
    }
    check("docs/formats.md", &page);
}

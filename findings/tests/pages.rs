//! The page about findings says what the list says. `RETAKE_WRITE_PAGES=1` writes it anew.

use std::{fs, path::PathBuf};

use retake_findings::Code;

#[test]
fn the_page_about_findings_lists_all_of_them() {
    let mut page = String::from(
        "# Findings\n\n\
         What is said about a recording or its correction: `warnings` of a job (severity `warning` only), \n\
         `findings` of a report, and `retake correct`. This page is made from `findings/`, the one list.\n\n\
         A finding is `{\"code\", \"severity\", \"params\", \"message\"}`. `code` never changes its meaning; \n\
         `params` has the values that its sentence names in braces; `message` is that sentence in English. \n\
         What is about a step has its place in the report, from 0, in `params.step`. Newer versions may \n\
         add codes: show `message` for one that you do not know.\n\n\
         | code | severity | sentence | what it means |\n|---|---|---|---|\n",
    )
    .replace(" \n", "\n");
    for code in Code::ALL {
        let meaning = code.meaning().replace('|', "\\|");
        page += &format!(
            "| `{}` | {} | {} | {meaning} |\n",
            code.name(),
            code.severity().name(),
            code.pattern(),
        );
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/findings.md");
    if std::env::var_os("RETAKE_WRITE_PAGES").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "{} is out of date: RETAKE_WRITE_PAGES=1 cargo test -p retake-findings",
        path.display()
    );
}

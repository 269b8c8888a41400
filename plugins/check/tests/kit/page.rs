//! The page for authors and the kit name the same checks.

use std::fs;

use retake_plugin_check::checks;

use crate::rig::dist;

#[test]
fn the_page_describes_every_check_in_the_order_they_run_and_no_other() {
    let page = fs::read_to_string(dist().join("../docs/plugin-check.md")).unwrap();
    let headings = page.lines().filter_map(|line| line.strip_prefix("### `"));
    let described: Vec<_> = headings.map(|rest| rest.trim_end_matches('`')).collect();
    let known: Vec<_> = checks().iter().map(|known| known.id).collect();
    assert_eq!(described, known);
}

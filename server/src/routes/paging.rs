//! Pages of lists, the newest first.

use std::{fmt::Display, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use retake_chain::problem::ProblemKind;

use crate::{api::Page, call::Call, http::respond::Refusal};

/// Behind which row the page begins, by `page_token`; nothing else may stand in the query.
pub fn before<Id: FromStr>(call: &Call) -> Result<Option<Id>, Refusal> {
    call.only_query(&["page_token"])?;
    let token = call.query("page_token");
    token.map(|text| parse(&text)).transpose()
}

/// `rows` holds one more than the page is long, if there is another page.
pub fn page<'r, Row, Id: Display, View>(
    rows: &'r [Row],
    length: usize,
    id: impl Fn(&Row) -> Id,
    view: impl Fn(&'r Row) -> View,
) -> Page<View> {
    let shown = &rows[..rows.len().min(length)];
    let last = shown.last().filter(|_| rows.len() > length);
    Page {
        items: shown.iter().map(view).collect(),
        // Opaque to clients, so that it may become something else.
        next_page_token: last.map(|row| BASE64_URL_SAFE_NO_PAD.encode(id(row).to_string())),
    }
}

fn parse<Id: FromStr>(text: &str) -> Result<Id, Refusal> {
    let id = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|id| String::from_utf8(id).ok());
    id.and_then(|id| id.parse().ok()).ok_or_else(|| {
        let detail = "page_token is not one that next_page_token gave";
        Refusal::field(ProblemKind::InvalidField, "/page_token", detail)
    })
}

//! Pages of lists, the newest first.

use std::{fmt::Display, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use retake_chain::problem::ProblemKind;
use serde::{Serialize, de::DeserializeOwned};

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

/// A page of a list whose rows say themselves where it goes on.
pub fn found<'r, Row, View>(
    rows: &'r [Row],
    next: Option<&impl Serialize>,
    view: impl Fn(&'r Row) -> View,
) -> Page<View> {
    Page {
        items: rows.iter().map(view).collect(),
        next_page_token: next.map(|place| {
            let text = serde_json::to_string(place).expect("plain data");
            BASE64_URL_SAFE_NO_PAD.encode(text)
        }),
    }
}

/// Where a page begins, as [`found`] has said.
pub fn place<Place: DeserializeOwned>(token: &str) -> Result<Place, Refusal> {
    decoded(token)
        .and_then(|text| serde_json::from_str(&text).ok())
        .ok_or_else(no_token)
}

fn parse<Id: FromStr>(text: &str) -> Result<Id, Refusal> {
    let id = decoded(text);
    id.and_then(|id| id.parse().ok()).ok_or_else(no_token)
}

fn decoded(token: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    String::from_utf8(bytes).ok()
}

pub fn no_token() -> Refusal {
    let detail = "page_token is not one that next_page_token of this list, in this order, gave";
    Refusal::field(ProblemKind::InvalidField, "/page_token", detail)
}

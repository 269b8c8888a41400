//! The words of HTTP: requests and answers, apart from what they are about. Knows nothing of the app.

pub mod body;
pub mod budget;
pub mod conditions;
pub mod cors;
pub mod multipart;
pub mod parameters;
pub mod place;
pub mod prefer;
pub mod proxies;
pub mod range;
pub mod request_id;
pub mod respond;
pub mod streamed;
pub mod target;

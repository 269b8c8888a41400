//! Who may take how much of what everybody shares.

pub mod address_rate;
pub mod admin_tries;
pub mod quotas;
pub mod stream_places;
pub mod under_way;
pub mod upload_places;

//! What webhooks and callbacks hear: signed by the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>), sent by whichever server claims it. What there is to be sent stands in
//! the store since the transaction of its event.

mod config;
mod deliver;
mod signature;

pub use config::Config;
pub use deliver::deliver;
pub use signature::new_secret;

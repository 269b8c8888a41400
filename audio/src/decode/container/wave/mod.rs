//! WAVE in all its wrappings.

mod format;

pub(in crate::decode) use format::params_of;

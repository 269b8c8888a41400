//! Everything a plugin names: `use retake_plugin_sdk::prelude::*;`

pub use crate::corrector::{
    Block, ChannelUse, Corrector, Facts, Params, Refusal, Settings, Stream,
};
pub use crate::level::{db_to_factor, factor_to_db};
pub use crate::param::{ChoiceParam, FloatParam, IntParam, ToggleParam};
pub use crate::report::Report;
pub use crate::{log, register};

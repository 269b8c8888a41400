//! The wall: decoding and plugins run in a child process (`audio_work`), which reads one request,
//! writes lines about how it is getting on, and ends. A decoder that crashes, a plugin that loops for
//! ever or eats memory ends that process and nothing else.
//!
//! The child knows files and steps, and nothing of jobs. What it writes is believed no more than the
//! recording it reads: every line is parsed, limited in length, and shown only after it was cut.

mod inside;
mod outside;
mod protocol;
mod said;
mod teller;

pub(crate) use inside::serve;
pub(crate) use outside::{Ended, Inside, Unfinished, run_child};
pub(crate) use protocol::{
    AudioFault, Correction, Done, Earlier, Expect, Failed, Harmless, Length, Line, Origin,
    Original, Output, Request, Source, StepDone, StepRequest,
};
pub use protocol::{CompareForm, Look, PeakForm};
pub(crate) use teller::Teller;

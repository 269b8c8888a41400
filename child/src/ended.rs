//! How a child ended.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use rustix::process::Signal;

/// By the system, for want of memory, or by a person: nothing of the child's own makes this signal.
pub fn was_killed(exit: ExitStatus) -> bool {
    exit.signal() == Some(Signal::KILL.as_raw())
}

/// It wrote a larger file than its limit allows.
pub fn wrote_too_much(exit: ExitStatus) -> bool {
    exit.signal() == Some(Signal::XFSZ.as_raw())
}

/// To go on a sentence: "was ended by signal 11 (segmentation fault)".
pub fn in_words(exit: ExitStatus) -> String {
    match (exit.signal(), exit.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}{}", signal_name(signal)),
        (None, code) => format!("ended with code {}", code.unwrap_or(-1)),
    }
}

fn signal_name(signal: i32) -> &'static str {
    let names = [
        (Signal::ABORT, " (abort; memory ran out, perhaps)"),
        (Signal::SEGV, " (segmentation fault)"),
        (Signal::BUS, " (bus error)"),
        (Signal::ILL, " (illegal instruction)"),
        (Signal::XFSZ, " (it wrote a larger file than it may)"),
        (Signal::TERM, " (terminated)"),
    ];
    names
        .into_iter()
        .find(|(known, _)| known.as_raw() == signal)
        .map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_and_codes_are_told_apart() {
        let of = ExitStatus::from_raw;
        assert_eq!(in_words(of(3 << 8)), "ended with code 3");
        assert_eq!(
            in_words(of(11)),
            "was ended by signal 11 (segmentation fault)"
        );
        assert_eq!(in_words(of(10)), "was ended by signal 10");
        assert!(wrote_too_much(of(Signal::XFSZ.as_raw())) && !wrote_too_much(of(9)));
        assert!(was_killed(of(9)) && !was_killed(of(11)) && !was_killed(of(9 << 8)));
    }
}

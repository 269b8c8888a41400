//! What a worker may use, and how long it may take.

use retake_runner::{DeadlineTerms, Limits};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Jobs at once; 0 for as many as there are cores.
    pub slots: usize,
    /// Jobs of one owner that run at once, over all workers. Below the number of all slots, it keeps
    /// some free for the others.
    pub jobs_per_owner_max: u32,
    /// For recordings and corrections in the making; empty for the system's temporary folder.
    pub scratch_dir: String,
    /// A worker that is not heard of for so long loses its job to another.
    pub lease_ms: u64,
    pub heartbeat_ms: u64,
    /// Most often that progress becomes an event.
    pub progress_ms: u64,
    /// Tries at a job that may end by a fault of its own, or without a word.
    pub attempts_max: u32,
    /// A job that workers give back for troubles of their own fails after this.
    pub give_up_ms: u64,
    /// Steps of a chain, with those that an analyser recommends.
    pub chain_steps_max: usize,
    /// A job may take so long, …
    pub deadline_ms: u64,
    /// … and so much longer for each second of audio.
    pub deadline_per_audio_s_ms: u64,
    /// A job that failed for a passing reason waits so long, then twice that, …
    pub retry_ms: u64,
    /// … up to this.
    pub retry_ms_max: u64,
    /// Jobs under way at shutdown may finish within this; then they are given back.
    pub grace_ms: u64,
    /// How often to look for plugins that wait to be checked.
    pub plugin_poll_ms: u64,
    /// Things asked for of completed jobs that are made at once, beside the jobs.
    pub derivative_slots: usize,
    /// How often to look for those that wait to be made, should nobody have said so.
    pub derivative_poll_ms: u64,
    /// A plugin's check may take so long, …
    pub plugin_check_ms_max: u64,
    /// … and so much memory.
    pub plugin_check_memory_bytes_max: u64,
    /// Compiling a plugin may take so long.
    pub plugin_install_ms_max: u64,
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            slots: 0,
            jobs_per_owner_max: 4,
            scratch_dir: String::new(),
            lease_ms: 10_000,
            heartbeat_ms: 3_000,
            progress_ms: 300,
            attempts_max: 3,
            give_up_ms: 24 * 60 * 60 * 1_000,
            chain_steps_max: 16,
            deadline_ms: 120_000,
            deadline_per_audio_s_ms: 1_000,
            retry_ms: 2_000,
            retry_ms_max: 60_000,
            grace_ms: 5_000,
            plugin_poll_ms: 500,
            derivative_slots: 2,
            derivative_poll_ms: 500,
            plugin_check_ms_max: 600_000,
            plugin_check_memory_bytes_max: 3 << 30,
            plugin_install_ms_max: 120_000,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// What is wrong with the values, each as a sentence that begins with the key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut at_least = |key: &str, value: u64, min: u64| {
            if value < min {
                problems.push(format!("{key} is {value}; it must be at least {min}"));
            }
        };
        let limits = &self.limits;
        at_least("heartbeat_ms", self.heartbeat_ms, 1);
        // One heartbeat may be lost.
        at_least(
            "lease_ms",
            self.lease_ms,
            self.heartbeat_ms.saturating_mul(2),
        );
        at_least("jobs_per_owner_max", u64::from(self.jobs_per_owner_max), 1);
        at_least("progress_ms", self.progress_ms, 1);
        at_least("attempts_max", u64::from(self.attempts_max), 1);
        at_least("give_up_ms", self.give_up_ms, self.lease_ms);
        at_least("chain_steps_max", self.chain_steps_max as u64, 1);
        at_least("deadline_ms", self.deadline_ms, 1);
        at_least("plugin_poll_ms", self.plugin_poll_ms, 1);
        at_least("derivative_slots", self.derivative_slots as u64, 1);
        at_least("derivative_poll_ms", self.derivative_poll_ms, 1);
        at_least("plugin_check_ms_max", self.plugin_check_ms_max, 1_000);
        at_least(
            "plugin_check_memory_bytes_max",
            self.plugin_check_memory_bytes_max,
            512 << 20,
        );
        at_least("plugin_install_ms_max", self.plugin_install_ms_max, 1_000);
        at_least("retry_ms_max", self.retry_ms_max, self.retry_ms);
        at_least("limits.duration_ms_max", limits.duration_ms_max, 1);
        at_least(
            "limits.sample_rate_hz_min",
            u64::from(limits.sample_rate_hz_min),
            1_000,
        );
        let rate_min = u64::from(limits.sample_rate_hz_min);
        at_least(
            "limits.sample_rate_hz_max",
            u64::from(limits.sample_rate_hz_max),
            rate_min,
        );
        at_least("limits.channels_max", u64::from(limits.channels_max), 1);
        at_least("limits.memory_bytes_max", limits.memory_bytes_max, 64 << 20);
        at_least(
            "limits.scratch_bytes_max",
            limits.scratch_bytes_max,
            1 << 20,
        );
        at_least(
            "limits.correction_bytes_max",
            limits.correction_bytes_max,
            1 << 10,
        );
        problems
    }

    pub fn slots(&self) -> usize {
        match self.slots {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            slots => slots,
        }
    }
}

impl From<&Config> for DeadlineTerms {
    fn from(config: &Config) -> Self {
        Self {
            base_ms: config.deadline_ms,
            per_audio_s_ms: config.deadline_per_audio_s_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_without_problems() {
        assert_eq!(Config::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn values_that_cannot_work_are_named() {
        let config = Config {
            lease_ms: 3_000,
            attempts_max: 0,
            ..Config::default()
        };
        assert_eq!(
            config.problems(),
            [
                "lease_ms is 3000; it must be at least 6000",
                "attempts_max is 0; it must be at least 1"
            ]
        );
    }
}

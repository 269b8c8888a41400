//! The claims of `Catalogue` and `Submissions`.

use retake_chain::{
    InstalledPlugin,
    problem::{Problem, ProblemKind},
};
use retake_jobs::{
    clock::Clock,
    id::SubmissionId,
    lease::{Attempt, Blame, LeaseLost, LeaseTerms},
    plugin::{Origin, PluginVersion, vocabulary},
    seams::{Progress, Removal},
    submission::{PluginName, Submission, SubmissionStatus, Verdict},
};
use serde_json::{Value, json};

use super::Bench;
use crate::{
    claims,
    made::{self, TERMS},
};

claims! { Bench on memory sqlite; [
    the_catalogue_holds_every_version_the_newest_first
    a_built_in_plugin_keeps_the_time_when_it_first_came
    a_submission_is_published_with_what_was_found
    the_same_bytes_again_change_nothing
    a_version_with_other_bytes_is_refused_removed_or_not
    a_removed_version_stays_readable_and_its_bytes_may_come_again
    a_refused_submission_says_why_and_publishes_nothing
    submissions_are_claimed_oldest_first_each_by_one
    an_expired_check_is_claimed_again_and_the_old_attempt_settles_nothing
    a_heartbeat_keeps_the_check
    a_submission_whose_workers_vanish_rests_and_is_refused_in_the_end
    a_check_that_is_given_back_is_anybodys_at_once
    what_is_a_workers_fault_costs_a_check_no_attempt
    no_more_submissions_wait_than_may
    a_submission_that_ended_long_ago_is_forgotten
] }

const MANY: usize = 100;

fn plugin(id: &str, version: &str, digest: u8) -> InstalledPlugin {
    InstalledPlugin {
        manifest: made::manifest(id, version).into(),
        digest: format!("{digest:02x}").repeat(32),
        realtime_factor: None,
    }
}

fn names(versions: &[PluginVersion]) -> Vec<String> {
    let name = |version: &PluginVersion| {
        let manifest = &version.plugin.manifest;
        format!("{} {}", manifest.id, manifest.version)
    };
    versions.iter().map(name).collect()
}

fn checked(passed: bool) -> Value {
    json!({"passed": passed, "checks": [{"id": "manifest", "outcome": "passed"}]})
}

fn passed(plugin: &InstalledPlugin) -> Verdict {
    Verdict::Passed {
        plugin: plugin.clone(),
        check: checked(true),
    }
}

impl Bench {
    async fn submit(&self, digest: u8) -> Submission {
        let digest = format!("{digest:02x}").repeat(32);
        let mut submission = Submission::new(
            SubmissionId::new(self.clock.now()),
            digest,
            77,
            self.clock.now(),
        );
        submission.request_id = Some("r-1".to_owned());
        assert!(self.a.add_submission(&submission, MANY).await.unwrap());
        submission
    }

    async fn claim_check(&self) -> Option<(Attempt<Submission>, Submission)> {
        self.b.claim_errand("w1", TERMS).await.unwrap()
    }

    /// Submits the plugin and settles it with the verdict.
    async fn settled(&self, digest: u8, verdict: Verdict) -> Submission {
        let submission = self.submit(digest).await;
        let (attempt, claimed) = self.claim_check().await.unwrap();
        assert_eq!(claimed.id, submission.id);
        let settled = self.b.settle(attempt, verdict).await.unwrap();
        let settled = settled.unwrap();
        let found = self.a.submission(submission.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&settled));
        settled
    }

    async fn version(&self, version: &str) -> PluginVersion {
        let versions = self.a.plugins().await.unwrap();
        let found = versions
            .into_iter()
            .find(|found| found.plugin.manifest.version == version);
        found.unwrap()
    }
}

async fn the_catalogue_holds_every_version_the_newest_first(bench: Bench) {
    assert_eq!(bench.a.plugins().await.unwrap(), []);
    for (id, version, digest) in [
        ("b.gain", "1.10.0-rc.1", 1),
        ("b.gain", "1.9.0", 2),
        ("b.gain", "1.10.0", 3),
        ("a.gain", "0.1.0", 4),
    ] {
        let plugin = plugin(id, version, digest);
        bench.a.put_plugin(&plugin, 5).await.unwrap();
    }
    let versions = bench.b.plugins().await.unwrap();
    let expected = [
        "a.gain 0.1.0",
        "b.gain 1.10.0",
        "b.gain 1.9.0",
        "b.gain 1.10.0-rc.1",
    ];
    assert_eq!(names(&versions), expected);
    let first = PluginVersion {
        plugin: plugin("a.gain", "0.1.0", 4),
        size_bytes: 5,
        origin: Origin::BuiltIn,
        published_at: bench.clock.now(),
        removed_at: None,
    };
    assert_eq!(versions[0], first);
    assert_eq!(bench.a.check_report("a.gain", "0.1.0").await.unwrap(), None);
}

async fn a_built_in_plugin_keeps_the_time_when_it_first_came(bench: Bench) {
    let begun = bench.clock.now();
    let put = async |digest| {
        let plugin = plugin("a.gain", "0.1.0", digest);
        bench.a.put_plugin(&plugin, 5).await.unwrap();
        let [version] = bench.b.plugins().await.unwrap().try_into().unwrap();
        assert_eq!(version.plugin, plugin);
        version.published_at
    };
    assert_eq!(put(1).await, begun);
    bench.pass(60);
    assert_eq!(put(1).await, begun, "as at every start");
    // Its short name goes by it.
    assert_eq!(put(2).await, begun, "as after an upgrade");
}

async fn a_submission_is_published_with_what_was_found(bench: Bench) {
    let gain = InstalledPlugin {
        realtime_factor: Some(412.5),
        ..plugin("a.gain", "1.0.0", 1)
    };
    let waiting = bench.submit(1).await;
    let found = bench.b.submission(waiting.id).await.unwrap().unwrap();
    assert_eq!(found, waiting);
    assert_eq!(found.status, SubmissionStatus::Checking);
    bench.pass(5);

    let (attempt, _) = bench.claim_check().await.unwrap();
    let settled = bench.b.settle(attempt, passed(&gain)).await;
    let settled = settled.unwrap().unwrap();
    assert_eq!(settled.status, SubmissionStatus::Published);
    assert_eq!(settled.ended_at, Some(bench.clock.now()));
    assert_eq!(settled.check, Some(checked(true)));
    let name = PluginName {
        id: "a.gain".to_owned(),
        version: "1.0.0".to_owned(),
    };
    assert_eq!(settled.plugin, Some(name));
    assert_eq!((settled.error, settled.lease), (None, None));

    let published = PluginVersion {
        plugin: gain.clone(),
        size_bytes: 77,
        origin: Origin::Published,
        published_at: bench.clock.now(),
        removed_at: None,
    };
    assert_eq!(bench.a.plugins().await.unwrap(), [published]);
    let check = bench.a.check_report("a.gain", "1.0.0").await.unwrap();
    assert_eq!(check, Some(checked(true)));
    let again = bench.b.settle(attempt, passed(&gain)).await;
    assert_eq!(again.unwrap(), Err(LeaseLost), "it has ended");
}

async fn the_same_bytes_again_change_nothing(bench: Bench) {
    let gain = plugin("a.gain", "1.0.0", 1);
    bench.settled(1, passed(&gain)).await;
    let before = bench.a.plugins().await.unwrap();
    bench.pass(60);
    let again = bench.settled(1, passed(&gain)).await;
    assert_eq!(again.status, SubmissionStatus::Published);
    assert_eq!(bench.a.plugins().await.unwrap(), before);
}

async fn a_version_with_other_bytes_is_refused_removed_or_not(bench: Bench) {
    bench
        .settled(1, passed(&plugin("a.gain", "1.0.0", 1)))
        .await;
    for removed in [false, true] {
        if removed {
            bench.a.remove_plugin("a.gain", "1.0.0").await.unwrap();
        }
        let before = bench.a.plugins().await.unwrap();
        let other = bench
            .settled(2, passed(&plugin("a.gain", "1.0.0", 2)))
            .await;
        assert_eq!(other.status, SubmissionStatus::Refused);
        let error = other.error.unwrap();
        assert_eq!(error.kind(), Some(ProblemKind::PluginVersionExists));
        assert!(error.detail.contains(&"01".repeat(32)), "{error:?}");
        assert_eq!(error.detail.contains("removed"), removed);
        assert_eq!(bench.a.plugins().await.unwrap(), before);
    }
    // Beside it another version is welcome.
    let next = bench
        .settled(2, passed(&plugin("a.gain", "1.1.0", 2)))
        .await;
    assert_eq!(next.status, SubmissionStatus::Published);
}

async fn a_removed_version_stays_readable_and_its_bytes_may_come_again(bench: Bench) {
    let (old, new) = (plugin("a.gain", "1.0.0", 1), plugin("a.gain", "1.1.0", 2));
    bench
        .a
        .put_plugin(&plugin("a.hum", "1.0.0", 3), 5)
        .await
        .unwrap();
    bench.settled(1, passed(&old)).await;
    bench.settled(2, passed(&new)).await;
    bench.pass(60);

    let remove = async |id, version| bench.b.remove_plugin(id, version).await.unwrap();
    assert_eq!(remove("a.gain", "1.1.0").await, Removal::Removed);
    assert_eq!(remove("a.gain", "1.1.0").await, Removal::Gone);
    assert_eq!(remove("a.gain", "9.9.9").await, Removal::Gone);
    assert_eq!(remove("a.hum", "1.0.0").await, Removal::BuiltIn);

    let removed = bench.version("1.1.0").await;
    assert_eq!(removed.removed_at, Some(bench.clock.now()));
    assert_eq!(removed.plugin, new);
    let check = bench.a.check_report("a.gain", "1.1.0").await.unwrap();
    assert_eq!(check, Some(checked(true)));
    let left = |versions: &[PluginVersion]| vocabulary(versions, None, Vec::new(), 1).plugins;
    let all = bench.a.plugins().await.unwrap();
    assert_eq!(left(&all), [old, plugin("a.hum", "1.0.0", 3)]);

    bench.pass(60);
    let again = bench.settled(2, passed(&new)).await;
    assert_eq!(again.status, SubmissionStatus::Published);
    let back = bench.version("1.1.0").await;
    // It came when it first came.
    assert_eq!(
        (back.removed_at, back.published_at),
        (None, removed.published_at)
    );
}

async fn a_refused_submission_says_why_and_publishes_nothing(bench: Bench) {
    let problem = Problem::new(ProblemKind::PluginRefused, "it loops for ever");
    let name = PluginName {
        id: "a.gain".to_owned(),
        version: "1.0.0".to_owned(),
    };
    let verdict = Verdict::Refused {
        problem: problem.clone(),
        plugin: Some(name.clone()),
        check: Some(checked(false)),
    };
    let refused = bench.settled(1, verdict).await;
    assert_eq!(refused.status, SubmissionStatus::Refused);
    assert_eq!(refused.error, Some(problem));
    assert_eq!(refused.plugin, Some(name));
    assert_eq!(refused.check, Some(checked(false)));
    assert_eq!(bench.a.plugins().await.unwrap(), []);
}

async fn submissions_are_claimed_oldest_first_each_by_one(bench: Bench) {
    assert_eq!(bench.claim_check().await, None);
    let first = bench.submit(1).await;
    bench.pass(1);
    let second = bench.submit(2).await;
    let claimed: Vec<_> = [bench.claim_check().await, bench.claim_check().await]
        .into_iter()
        .map(|claimed| claimed.unwrap().1.id)
        .collect();
    assert_eq!(claimed, [first.id, second.id]);
    assert_eq!(bench.claim_check().await, None);
}

async fn an_expired_check_is_claimed_again_and_the_old_attempt_settles_nothing(bench: Bench) {
    bench.submit(1).await;
    let (old, _) = bench.claim_check().await.unwrap();
    bench.pass(11);
    let (new, submission) = bench.claim_check().await.unwrap();
    assert_eq!((old.attempt, new.attempt, submission.attempt), (1, 2, 2));
    let gain = plugin("a.gain", "1.0.0", 1);
    let late = bench.a.settle(old, passed(&gain)).await.unwrap();
    assert_eq!(late, Err(LeaseLost));
    let late = bench
        .a
        .extend(old, TERMS, &Progress::default(), false)
        .await
        .unwrap();
    assert_eq!(late, Err(LeaseLost));
    assert_eq!(bench.a.plugins().await.unwrap(), []);
    let settled = bench.a.settle(new, passed(&gain)).await.unwrap();
    assert_eq!(settled.unwrap().status, SubmissionStatus::Published);
}

async fn a_heartbeat_keeps_the_check(bench: Bench) {
    bench.submit(1).await;
    let (attempt, _) = bench.claim_check().await.unwrap();
    for _ in 0..3 {
        bench.pass(9);
        bench
            .a
            .extend(attempt, TERMS, &Progress::default(), false)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(bench.claim_check().await, None);
    }
    bench.pass(11);
    assert!(bench.claim_check().await.is_some());
}

async fn a_submission_whose_workers_vanish_rests_and_is_refused_in_the_end(bench: Bench) {
    let bad = bench.submit(1).await;
    let terms = LeaseTerms {
        attempts_max: 2,
        ..TERMS
    };
    let claim = async || -> Option<(Attempt<Submission>, Submission)> {
        bench.b.claim_errand("w", terms).await.unwrap()
    };
    let mut rests = Vec::new();
    for _ in 0..20 {
        // Beyond the lease, how long nobody gets it.
        let mut rest = 0;
        while claim().await.is_none() {
            bench.pass(1);
            rest += 1;
        }
        rests.push(rest);
        bench.pass(10);
    }
    let first = [0, 0, 1, 2, 4, 8, 16, 32, 60, 60];
    assert_eq!(rests[..10], first, "as jobs rest");
    let good = bench.submit(2).await;
    bench.pass(60);
    let (_, next): (_, Submission) = bench.b.claim_errand("w", terms).await.unwrap().unwrap();
    assert_eq!(next.id, good.id, "the queue goes on");
    let ended = bench.a.submission(bad.id).await.unwrap().unwrap();
    assert_eq!(ended.status, SubmissionStatus::Refused);
    let error = ended.error.unwrap();
    assert_eq!(error.kind(), Some(ProblemKind::TooManyAttempts));
    assert_eq!(ended.ended_at, Some(bench.clock.now()));
}

async fn a_check_that_is_given_back_is_anybodys_at_once(bench: Bench) {
    bench.submit(1).await;
    let (attempt, _) = bench.claim_check().await.unwrap();
    assert_eq!(bench.claim_check().await, None);
    let give_back = async |attempt| {
        let reason = made::problem();
        let released = bench
            .b
            .release_errand(attempt, TERMS, Blame::Worker, reason);
        released.await.unwrap()
    };
    let released = give_back(attempt).await.unwrap();
    assert_eq!(
        (released.status, released.lease),
        (SubmissionStatus::Checking, None)
    );
    assert_eq!(give_back(attempt).await, Err(LeaseLost));
    let (second, _) = bench.claim_check().await.unwrap();
    assert_eq!(second.attempt, 2);
    let late = bench
        .a
        .settle(attempt, passed(&plugin("a.gain", "1.0.0", 1)))
        .await;
    assert_eq!(late.unwrap(), Err(LeaseLost));
}

async fn what_is_a_workers_fault_costs_a_check_no_attempt(bench: Bench) {
    bench.submit(1).await;
    let release = async |blame| {
        let (attempt, _) = bench.claim_check().await.expect("it waits");
        let reason = made::problem();
        let released = bench.a.release_errand(attempt, TERMS, blame, reason);
        released.await.unwrap().unwrap()
    };
    for n in 1..=20 {
        let released = release(Blame::Worker).await;
        assert_eq!(released.status, SubmissionStatus::Checking);
        assert_eq!((released.excused.spared, released.excused.lost), (n, 0));
    }
    for _ in 1..TERMS.attempts_max {
        assert_eq!(release(Blame::Job).await.status, SubmissionStatus::Checking);
    }
    let refused = release(Blame::Job).await;
    assert_eq!(refused.status, SubmissionStatus::Refused);
    assert_eq!(refused.error, Some(made::problem()));
    assert_eq!(bench.claim_check().await, None);
    // But not for ever.
    bench.submit(2).await;
    bench.pass(60);
    assert_eq!(
        release(Blame::Worker).await.status,
        SubmissionStatus::Refused
    );
}

async fn no_more_submissions_wait_than_may(bench: Bench) {
    let add = async || {
        let digest = "00".repeat(32);
        let new = Submission::new(
            SubmissionId::new(bench.clock.now()),
            digest,
            1,
            bench.clock.now(),
        );
        let added = bench.a.add_submission(&new, 2).await.unwrap();
        let found = bench.b.submission(new.id).await.unwrap();
        assert_eq!(found.is_some(), added);
        added
    };
    assert!(add().await && add().await && !add().await);
    let (attempt, _) = bench.claim_check().await.unwrap();
    assert!(!add().await, "one that is being checked counts");
    let gain = plugin("a.gain", "1.0.0", 0);
    bench
        .a
        .settle(attempt, passed(&gain))
        .await
        .unwrap()
        .unwrap();
    assert!(add().await);
}

async fn a_submission_that_ended_long_ago_is_forgotten(bench: Bench) {
    let gain = plugin("a.gain", "1.0.0", 1);
    let old = bench.settled(1, passed(&gain)).await;
    bench.pass(31 * 24 * 3600);
    bench.submit(2).await;
    assert_eq!(bench.b.submission(old.id).await.unwrap(), None);
    assert_eq!(
        bench.b.plugins().await.unwrap().len(),
        1,
        "what it published stays"
    );
}

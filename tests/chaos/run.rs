//! One run: begin, strike, drain, judge.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use retake_tests::client::{Client, PATIENCE};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    house::House,
    ledger::Ledger,
    leftovers,
    listeners::{self, Place},
    load::Person,
    plan::{Strike, plan},
    random::Random,
    stories, verdict,
    work::{Store, Work},
};

const SESSIONS: usize = 3;
const LISTENERS: usize = 2;
const SECONDS: u64 = 25;
/// Faults that last at the same time.
const AT_ONCE_MAX: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(300);

pub async fn chaos(queue: &'static str, with_broker: bool) -> Result<()> {
    let seed = setting("RETAKE_TEST_CHAOS_SEED", std::process::id().into());
    let length = Duration::from_secs(setting("RETAKE_TEST_CHAOS_SECONDS", SECONDS));
    println!(
        "chaos on {queue}: RETAKE_TEST_CHAOS_SEED={seed} RETAKE_TEST_CHAOS_SECONDS={}",
        length.as_secs()
    );
    let ledger = Arc::new(Ledger::new());
    let started = Arc::clone(&ledger);
    let house =
        tokio::task::spawn_blocking(move || House::start(with_broker, length, &started)).await??;
    let house = Arc::new(house);
    let descriptors = leftovers::descriptors(&house);
    let store = Arc::new(Store::new(house.folder.path())?);
    let people = people(&house, &ledger, &store).await?;
    let (stop_work, stopping) = watch::channel(false);
    let (stop_listening, leaving) = watch::channel(false);
    let (mut handing_in, mut looking, mut listening) =
        (JoinSet::new(), JoinSet::new(), JoinSet::new());
    for person in &people {
        let n = person.session as u64 * 10;
        handing_in.spawn(
            person
                .clone()
                .hand_in(Random::stream(seed, n + 100), stopping.clone()),
        );
        looking.spawn(
            person
                .clone()
                .look(Random::stream(seed, n + 101), leaving.clone()),
        );
        for which in 0..LISTENERS {
            let session = person.session;
            listening.spawn(listeners::listen(
                person.client.clone(),
                Arc::clone(&house),
                Arc::clone(&ledger),
                Place { session, which },
                Random::stream(seed, n + 102 + which as u64),
                leaving.clone(),
            ));
        }
    }

    let strikes = plan(seed, length, house.means);
    let strikes = strike(&strikes, length, &house, &ledger).await?;
    let _ = stop_work.send(true);
    while handing_in.join_next().await.is_some() {}
    ledger.happened("the faults are over, and nothing more is handed in".to_owned());
    let mut random = Random::stream(seed, 2);
    drain(&people, &ledger).await;
    // What comes after everything else is the end that each listener waits for.
    for person in &people {
        person.hand_in_one(Work::Short, &mut random).await;
    }
    drain(&people, &ledger).await;
    let _ = stop_listening.send(true);
    while looking.join_next().await.is_some() {}
    while listening.join_next().await.is_some() {}

    stories::judge(&people, &ledger, &mut random).await?;
    verdict::nothing_is_lost_or_doubled(&people, &ledger, &mut random).await?;
    drop(people);
    leftovers::nothing_is_left_over(&house, &ledger, &descriptors).await?;
    let summary = verdict::summary(queue, seed, &strikes, &ledger);
    println!("{summary}");
    let complaints = verdict::told(&ledger, &house);
    ensure!(complaints.is_empty(), "{complaints}\n{summary}");
    Ok(())
}

async fn people(
    house: &Arc<House>,
    ledger: &Arc<Ledger>,
    store: &Arc<Store>,
) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    for session in 0..SESSIONS {
        let url = house.servers[0].url().clone();
        ledger.pages().add_session(LISTENERS);
        people.push(Person {
            session,
            client: Client::new(&url).await?,
            house: Arc::clone(house),
            ledger: Arc::clone(ledger),
            store: Arc::clone(store),
        });
    }
    Ok(people)
}

/// Each at its time, beside those that still last, but not too many at once: a slow machine is struck
/// more slowly. When the time is over only those follow whose kind was not seen yet. Returns those that
/// were struck, when the last one is over.
async fn strike(
    strikes: &[Strike],
    length: Duration,
    house: &Arc<House>,
    ledger: &Arc<Ledger>,
) -> Result<Vec<Strike>> {
    let (begun, mut struck) = (Instant::now(), Vec::<Strike>::new());
    let mut striking = JoinSet::new();
    for strike in strikes {
        let seen = |before: &Strike| before.fault.kind == strike.fault.kind;
        if begun.elapsed() > length && struck.iter().any(seen) {
            continue;
        }
        while begun.elapsed() < strike.at || striking.len() >= AT_ONCE_MAX {
            if let Ok(Some(over)) = tokio::time::timeout(LOOK_EVERY, striking.join_next()).await {
                over??;
            } else {
                tokio::time::sleep(LOOK_EVERY.min(strike.at.saturating_sub(begun.elapsed()))).await;
            }
            look_for_the_dead(house, ledger).await?;
        }
        let (fault, house, ledger) = (strike.fault, Arc::clone(house), Arc::clone(ledger));
        striking.spawn_blocking(move || house.strike(fault, &ledger));
        struck.push(*strike);
    }
    while let Some(over) = striking.join_next().await {
        over??;
    }
    look_for_the_dead(house, ledger).await?;
    Ok(struck)
}

async fn look_for_the_dead(house: &Arc<House>, ledger: &Arc<Ledger>) -> Result<()> {
    let (house, ledger) = (Arc::clone(house), Arc::clone(ledger));
    tokio::task::spawn_blocking(move || house.look_for_the_dead(&ledger)).await?
}

/// Until everything that was accepted has ended and was looked at, or patience has.
async fn drain(people: &[Person], ledger: &Ledger) {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let open: usize = people
            .iter()
            .map(|person| ledger.pages().open(person.session).len())
            .sum();
        if open == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for person in people {
        for (serial, upload) in ledger.pages().open(person.session) {
            let what = format!(
                "upload {serial} ({:?}) has not ended for everybody",
                upload.work
            );
            ledger.complain(upload.job(), what);
        }
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(default)
}

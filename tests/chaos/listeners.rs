//! Listeners as pages have them: connected to whichever server, cut off by faults or by their own
//! whim, and back with the id of the last event that they heard.

use std::{sync::Arc, time::Duration};

use retake_tests::{client::Client, listen::News};
use tokio::{sync::watch, time::timeout};

use crate::{
    house::House,
    ledger::{Heard, Ledger},
    random::Random,
};

/// A line on which nothing comes for so long, no comment either, is given up; comments come every 2 s.
const SILENCE: Duration = Duration::from_secs(7);
const ANSWER: Duration = Duration::from_secs(10);

pub struct Place {
    pub session: usize,
    pub which: usize,
}

/// Listens until it is told to stop.
pub async fn listen(
    client: Client,
    house: Arc<House>,
    ledger: Arc<Ledger>,
    place: Place,
    mut random: Random,
    mut stop: watch::Receiver<bool>,
) {
    let mut last = 0;
    while !*stop.borrow() {
        let client = client.at(&house.some_server(&mut random));
        let patience = random.ms(300, 9_000);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = listen_for(&client, &ledger, &place, &mut last, patience) => {}
        }
        ledger.pages().reconnects += 1;
        tokio::time::sleep(random.ms(20, 400)).await;
    }
}

/// On one connection, as long as it lasts or the patience with it.
async fn listen_for(
    client: &Client,
    ledger: &Ledger,
    place: &Place,
    last: &mut u64,
    patience: Duration,
) {
    let after = last.to_string();
    let Ok(Ok(mut listener)) = timeout(ANSWER, client.listen(Some(&after))).await else {
        return;
    };
    let _ = timeout(patience, async {
        while let Ok(Ok(news)) = timeout(SILENCE, listener.next()).await {
            match news.event.as_str() {
                "bye" => return,
                "reload" => {
                    ledger.complain(None, format!("{place} was told to reload after {after}"))
                }
                _ => take(ledger, place, last, &news),
            }
        }
    })
    .await;
}

fn take(ledger: &Ledger, place: &Place, last: &mut u64, news: &News) {
    let heard = Heard::of(ledger.now(), news);
    if heard.id <= *last {
        let what = format!("{place} heard {} {} after {last}", heard.event, heard.id);
        ledger.complain(Some(&heard.job), what);
    }
    *last = heard.id.max(*last);
    ledger.pages().hear(place.session, place.which, heard);
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "listener {} of session {}", self.which, self.session)
    }
}

impl Heard {
    pub fn of(at: Duration, news: &News) -> Self {
        let job = &news.json["job"];
        Self {
            at,
            id: news.id.parse().unwrap_or_default(),
            event: news.event.clone(),
            job: job["id"].as_str().unwrap_or_default().to_owned(),
            attempt: job["attempt"].as_u64().unwrap_or_default(),
        }
    }
}

impl House {
    pub fn some_server(&self, random: &mut Random) -> String {
        self.servers[random.below(self.servers.len())].url().clone()
    }
}

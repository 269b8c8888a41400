//! What ids are made of.

use std::sync::Arc;

use jiff::Timestamp;
use retake_jobs::clock::ManualClock;
use serde_json::Value;

use super::house::{House, Memory};

/// The first 48 bits of a UUIDv7: milliseconds since 1970.
fn made_at(id: &Value) -> Timestamp {
    let digits: String = id.as_str().unwrap().split('-').take(2).collect();
    Timestamp::from_millisecond(i64::from_str_radix(&digits, 16).unwrap()).unwrap()
}

/// That clock is never set, whatever happens to the machine's: see the store's tests of time.
#[tokio::test]
async fn ids_tell_the_time_of_the_stores_clock_and_not_the_machines() {
    let told: Timestamp = "2001-09-09T01:46:40.123Z".parse().unwrap();
    let memory = Memory {
        clock: Arc::new(ManualClock::new(told)),
        ..Memory::new()
    };
    let house = House::on(memory, |_| {}, |blobs| blobs).await;
    let accepted = house.upload(&house.session().await).await;
    assert_eq!(made_at(&accepted["id"]), told);
    assert_eq!(made_at(&accepted["job"]["id"]), told);
    let submitted = house.submit(b"\0asm and more").await;
    assert_eq!(made_at(&submitted["id"]), told);
}

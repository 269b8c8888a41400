//! The log's file, which is written over and over.

use super::*;
use crate::sqlite::write_ahead::KEPT_BYTES;

impl Bench {
    fn log_bytes(&self) -> u64 {
        let log = self.folder.path().join("retake.db-wal");
        std::fs::metadata(log).unwrap().len()
    }

    /// Small commits that come to about so many bytes of log.
    async fn write_mib(&self, mib: usize) {
        self.commit(4 * mib).await;
    }

    /// Each a quarter of a MiB.
    async fn commit(&self, times: usize) {
        for _ in 0..times {
            let write = |c: &Connection| {
                c.execute_batch(
                    "CREATE TABLE IF NOT EXISTS filling (bytes BLOB);
                     DELETE FROM filling;
                     INSERT INTO filling VALUES (randomblob(250000));",
                )?;
                Ok(())
            };
            self.store.database.write(write).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_log_lies_ahead_of_what_is_written_and_is_written_over() {
    let bench = bench();
    bench.write_mib(1).await;
    let begun = bench.log_bytes();
    assert!((1 << 20..KEPT_BYTES).contains(&begun), "{begun}");
    bench.write_mib(15).await;
    // By how much depends on how long it was at first; at 12 MiB it begins anew.
    let begun = bench.log_bytes();
    assert!((12 << 20..=KEPT_BYTES).contains(&begun), "{begun}");
    // It is brought in meanwhile, or it would grow far beyond: by 80 MiB.
    bench.write_mib(80).await;
    let most = KEPT_BYTES + (4 << 20);
    assert!(
        (begun..most).contains(&bench.log_bytes()),
        "{}",
        bench.log_bytes()
    );
    let file = std::fs::metadata(bench.folder.path().join("retake.db")).unwrap();
    assert!(file.len() > 250_000, "{}", file.len());
}

#[tokio::test]
async fn what_was_written_over_an_older_log_is_there_after_a_kill() {
    let bench = bench();
    bench.write_mib(20).await;
    let (recording, _) = bench.accepted(1_000).await;
    // As the files lie there at this moment, without an orderly end.
    let copy = tempfile::tempdir().unwrap();
    for name in ["retake.db", "retake.db-wal"] {
        std::fs::copy(bench.folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let path = copy.path().join("retake.db");
    let store = SqliteStore::open(&path, bench.clock.clone()).unwrap();
    let found = store.recording(bench.owner, recording.id).await.unwrap();
    assert_eq!(found.unwrap().recording.id, recording.id);
}

/// Zeros are written while nobody else may write.
#[tokio::test]
async fn two_who_lengthen_and_write_the_same_log_lose_nothing() {
    let bench = bench();
    let path = bench.folder.path().join("retake.db");
    let other = SqliteStore::open(&path, bench.clock.clone()).unwrap();
    let create = |c: &Connection| Ok(c.execute_batch("CREATE TABLE both (n, bytes BLOB)")?);
    bench.store.database.write(create).await.unwrap();
    let writing = async |store: &SqliteStore| {
        for n in 0..150 {
            let insert = move |c: &Connection| {
                c.execute("INSERT INTO both VALUES (?1, randomblob(30000))", [n])?;
                Ok(())
            };
            store.database.write(insert).await.unwrap();
        }
    };
    tokio::join!(writing(&bench.store), writing(&other));
    assert_eq!(bench.count("SELECT count(*) FROM both").await, 300);
    let whole = |c: &Connection| Ok(c.pragma_query_one::<String>(None, "integrity_check")?);
    assert_eq!(other.database.read(whole).await.unwrap(), "ok");
}

/// A log that a reader kept from beginning anew is cut when everybody has gone quiet.
#[tokio::test]
async fn a_log_that_grew_beyond_its_length_is_cut_to_nothing_and_grows_again() {
    let bench = bench();
    let path = bench.folder.path().join("retake.db");
    let reader = Connection::open(path).unwrap();
    bench.write_mib(1).await;
    let reading = reader.unchecked_transaction().unwrap();
    let count = "SELECT count(*) FROM filling";
    let _: i64 = reading.query_row(count, [], |row| row.get(0)).unwrap();
    bench.write_mib(24).await;
    assert!(bench.log_bytes() > KEPT_BYTES);
    drop(reading);
    until(async || bench.log_bytes() == 0).await;
    bench.commit(1).await;
    assert!(
        (1 << 20..KEPT_BYTES).contains(&bench.log_bytes()),
        "ahead again"
    );
}

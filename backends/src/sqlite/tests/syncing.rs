//! What is answered before the disk has it, and what is not.

use std::sync::{
    atomic::AtomicUsize,
    mpsc::{Receiver, Sender, channel},
};

use retake_jobs::seams::{Events, Wake};

use super::*;
use crate::sqlite::{connection::open_reader, syncer::Sync};

/// A disk whose syncs end when the test says so, and how.
struct Disk {
    syncs: Arc<AtomicUsize>,
    outcomes: Sender<io::Result<()>>,
}

fn disk() -> (Disk, Sync) {
    let (outcomes, waiting): (_, Receiver<io::Result<()>>) = channel();
    let syncs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&syncs);
    let sync = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        // A disk whose test is over does not hold up the end.
        waiting.recv().unwrap_or(Ok(()))
    };
    (Disk { syncs, outcomes }, Box::new(sync))
}

impl Disk {
    fn ends(&self, outcome: io::Result<()>) {
        self.outcomes.send(outcome).unwrap();
    }

    async fn has_begun(&self, count: usize) {
        while self.syncs.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

struct Written {
    folder: tempfile::TempDir,
    news: Arc<News>,
    writer: Arc<Writer>,
}

impl Written {
    fn on(sync: Sync) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("retake.db");
        let mut connection = open_writer(&path, None).unwrap();
        // Events of no job.
        connection
            .execute_batch("PRAGMA foreign_keys = OFF")
            .unwrap();
        let news = Arc::new(News::default());
        news.begin(&connection).unwrap();
        let tidy = Tidy::new(&path, SqliteOptions::default().reserve_bytes);
        let log = WriteAheadLog::of(&path, &mut connection).unwrap();
        let writer = Writer::start(Arc::clone(&news), tidy, log, sync, connection);
        Self {
            folder,
            news,
            writer: Arc::new(writer.unwrap()),
        }
    }

    async fn write(&self, durability: Durability, owner: &str) -> Result<(), StoreError> {
        let (owner, add) = (owner.to_owned(), "INSERT INTO owners VALUES (?1, 0)");
        let write = self
            .writer
            .write(durability, move |c| Ok(c.execute(add, [owner])?));
        write.await?;
        Ok(())
    }

    fn reader(&self) -> Connection {
        open_reader(&self.folder.path().join("retake.db")).unwrap()
    }

    fn owners(&self) -> i64 {
        let count = "SELECT count(*) FROM owners";
        self.reader()
            .query_row(count, [], |row| row.get(0))
            .unwrap()
    }
}

#[tokio::test]
async fn what_must_survive_the_machine_is_answered_after_the_sync_and_the_rest_before() {
    let (disk, sync) = disk();
    let written = Arc::new(Written::on(sync));
    let asking = Arc::clone(&written);
    let safe = tokio::spawn(async move { asking.write(Durability::Machine, "safe").await });
    disk.has_begun(1).await;
    // The disk is busy, and the writer is not.
    written.write(Durability::Process, "light").await.unwrap();
    assert_eq!(written.owners(), 2);
    assert!(!safe.is_finished());
    disk.ends(Ok(()));
    safe.await.unwrap().unwrap();
    assert_eq!(
        disk.syncs.load(Ordering::SeqCst),
        1,
        "nobody asked for another"
    );
}

#[tokio::test]
async fn one_sync_is_for_all_that_was_committed_while_the_one_before_ran() {
    let (disk, sync) = disk();
    let written = Arc::new(Written::on(sync));
    let ask = |number: usize| {
        let written = Arc::clone(&written);
        tokio::spawn(async move {
            written
                .write(Durability::Machine, &number.to_string())
                .await
        })
    };
    let mut asked = vec![ask(0)];
    disk.has_begun(1).await;
    for number in 1..10 {
        asked.push(ask(number));
        while written.owners() <= number as i64 {
            tokio::task::yield_now().await;
        }
    }
    disk.ends(Ok(()));
    disk.has_begun(2).await;
    disk.ends(Ok(()));
    for answer in asked {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn after_a_sync_that_failed_nothing_is_promised_until_the_log_is_in_the_file() {
    let (disk, sync) = disk();
    let written = Written::on(sync);
    disk.ends(Err(io::Error::other("the disk is gone")));
    let lost = written.write(Durability::Machine, "lost").await;
    assert!(matches!(lost, Err(StoreError::Broken(_))), "{lost:?}");
    assert_eq!(written.owners(), 1, "it is there for whoever looks");

    // A sync would succeed now. It would prove nothing, and somebody still reads the log.
    disk.ends(Ok(()));
    let reader = written.reader();
    reader.execute_batch("BEGIN; SELECT * FROM owners").unwrap();
    let refused = written.write(Durability::Machine, "refused").await;
    assert!(matches!(refused, Err(StoreError::Broken(_))), "{refused:?}");
    assert_eq!(written.owners(), 1);
    written.write(Durability::Process, "light").await.unwrap();
    drop(reader);

    written.write(Durability::Machine, "kept").await.unwrap();
    let copy = written.folder.path().join("copy.db");
    std::fs::copy(written.folder.path().join("retake.db"), &copy).unwrap();
    let copied = Connection::open(copy).unwrap();
    let names: String = copied
        .query_row("SELECT group_concat(id, ' ') FROM owners", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(
        names, "light lost",
        "what the log held stands in the file itself"
    );
}

#[tokio::test]
async fn a_full_disk_that_cannot_sync_is_told_as_full() {
    let (disk, sync) = disk();
    let written = Written::on(sync);
    disk.ends(Err(io::ErrorKind::StorageFull.into()));
    let refused = written.write(Durability::Machine, "one").await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
}

#[tokio::test]
async fn nobody_is_told_of_an_event_that_the_disk_may_lose() {
    let (disk, sync) = disk();
    let written = Arc::new(Written::on(sync));
    let mut heard = written.news.events.subscribe();
    let owner = OwnerId::new();
    let asking = Arc::clone(&written);
    let happens = tokio::spawn(async move {
        let event = "INSERT INTO events (owner, job_id, kind, job) VALUES (?1, '', '', '')";
        let happens = move |c: &Connection| Ok(c.execute(event, [owner.to_string()])?);
        asking.writer.write(Durability::Machine, happens).await
    });
    disk.has_begun(1).await;
    written.write(Durability::Process, "light").await.unwrap();
    assert!(heard.try_recv().is_err());
    disk.ends(Ok(()));
    assert_eq!(heard.recv().await.unwrap(), Wake::Owner(owner));
    happens.await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_waits_for_the_disk_at_the_end_is_answered() {
    let (disk, sync) = disk();
    let written = Arc::new(Written::on(sync));
    let asking = Arc::clone(&written);
    let last = tokio::spawn(async move { asking.write(Durability::Machine, "last").await });
    disk.has_begun(1).await;
    let closing = Arc::clone(&written);
    let closed = tokio::spawn(async move { closing.writer.close().await });
    disk.ends(Ok(()));
    closed.await.unwrap();
    last.await.unwrap().unwrap();
}

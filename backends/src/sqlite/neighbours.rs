//! Words between the processes that have the same file open: jobs wait, an owner has news, the queue has
//! messages. What LISTEN and NOTIFY are to a database that is a server.
//!
//! Each process has a datagram socket in a folder beside the file. A word is a hint: it may be lost, since
//! everybody also looks at the file now and then, and it says nothing that is not in the file.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    os::{
        fd::AsRawFd,
        unix::{fs::DirBuilderExt, net::UnixDatagram},
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use retake_jobs::seams::Wake;

use super::reserve::beside;

/// Whoever came and could not say so is found after this.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Whoever has heard nothing for so long looks whether it can still be found.
const THERE_EVERY: Duration = Duration::from_secs(2);
const WORD_BYTES_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Somebody has come.
    Hello,
    /// Jobs wait that did not before.
    Jobs,
    /// Plugins wait to be checked.
    Checks,
    /// Something waits to be made of a correction.
    Derivatives,
    /// The embedded queue has messages.
    Messages,
    /// Events were written, and are safe.
    News(Wake),
    /// To oneself, at the end.
    Bye,
}

impl Word {
    fn text(self) -> String {
        match self {
            Self::Hello => "hello".to_owned(),
            Self::Jobs => "jobs".to_owned(),
            Self::Checks => "checks".to_owned(),
            Self::Derivatives => "derivatives".to_owned(),
            Self::Messages => "messages".to_owned(),
            Self::News(Wake::All) => "all".to_owned(),
            Self::News(Wake::Owner(owner)) => format!("owner {owner}"),
            Self::Bye => "bye".to_owned(),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(match std::str::from_utf8(bytes).ok()? {
            "hello" => Self::Hello,
            "jobs" => Self::Jobs,
            "checks" => Self::Checks,
            "derivatives" => Self::Derivatives,
            "messages" => Self::Messages,
            "all" => Self::News(Wake::All),
            "bye" => Self::Bye,
            other => Self::News(Wake::Owner(other.strip_prefix("owner ")?.parse().ok()?)),
        })
    }
}

/// Us among them. Dropping it leaves.
pub(super) struct Neighbours(Arc<Shared>);

struct Shared {
    path: PathBuf,
    place: Mutex<Arc<Place>>,
    mouth: UnixDatagram,
    known: Mutex<Known>,
    left: AtomicBool,
}

/// Where we can be told something, until somebody tidies the folder up.
struct Place {
    folder: File,
    own: String,
}

struct Known {
    names: Vec<String>,
    looked: Option<Instant>,
}

impl Place {
    fn take(path: &Path) -> io::Result<(Self, UnixDatagram)> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let folder = File::open(path)?;
        let own = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
        let ears = UnixDatagram::bind(address(&folder, &own))?;
        ears.set_read_timeout(Some(THERE_EVERY))?;
        Ok((Self { folder, own }, ears))
    }
}

impl Neighbours {
    /// `hear` is called for each word, on a thread of its own.
    pub fn join(database: &Path, hear: impl Fn(Word) + Send + 'static) -> io::Result<Self> {
        let path = beside(database, "-neighbours");
        let (place, ears) = Place::take(&path)?;
        let mouth = UnixDatagram::unbound()?;
        // Whoever is behind with hearing has enough to look for.
        mouth.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            path,
            place: Mutex::new(Arc::new(place)),
            mouth,
            known: Mutex::new(Known {
                names: Vec::new(),
                looked: None,
            }),
            left: AtomicBool::new(false),
        });
        let hearing = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("sqlite-neighbours".to_owned())
            .spawn(move || hearing.listen(ears, &hear))?;
        let neighbours = Self(shared);
        neighbours.tell(Word::Hello);
        Ok(neighbours)
    }

    /// Never waits.
    pub fn tell(&self, word: Word) {
        self.0.tell(word);
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        self.0.left.store(true, Ordering::Release);
        let place = self.0.place();
        let own = address(&place.folder, &place.own);
        let _ = self.0.mouth.send_to(Word::Bye.text().as_bytes(), &own);
        let _ = fs::remove_file(own);
    }
}

impl Shared {
    fn listen(&self, mut ears: UnixDatagram, hear: &impl Fn(Word)) {
        let mut bytes = [0; WORD_BYTES_MAX];
        while !self.left.load(Ordering::Acquire) {
            match ears
                .recv(&mut bytes)
                .map(|read| Word::parse(&bytes[..read]))
            {
                Ok(Some(Word::Bye)) => return,
                Ok(Some(Word::Hello)) => self.known().looked = None,
                Ok(Some(word)) => hear(word),
                // What does not parse is another release's.
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nothing was said for a while.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if let Some(others) = self.come_again() {
                        ears = others;
                        // Whatever was said meanwhile.
                        for missed in [Word::Jobs, Word::Messages, Word::News(Wake::All)] {
                            hear(missed);
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "words of other processes are heard no more; they are found by looking");
                    return;
                }
            }
        }
    }

    /// Another place, with its ears, where somebody has removed ours.
    fn come_again(&self) -> Option<UnixDatagram> {
        let name = self.place().own.clone();
        if self.left.load(Ordering::Acquire) || self.path.join(&name).exists() {
            return None;
        }
        // What cannot be done now is tried again.
        let (place, ears) = Place::take(&self.path).ok()?;
        tracing::warn!(
            folder = %self.path.display(),
            "somebody removed the socket over which other processes tell of news; it is made again"
        );
        *self.place.lock().expect("no panic while held") = Arc::new(place);
        self.known().looked = None;
        self.tell(Word::Hello);
        Some(ears)
    }

    fn tell(&self, word: Word) {
        let (text, place) = (word.text(), self.place());
        let mut known = self.known();
        if known.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            // What cannot be listed now is listed the next time.
            known.names = others(&place).unwrap_or_default();
            known.looked = Some(Instant::now());
        }
        known.names.retain(|name| {
            let address = address(&place.folder, name);
            match self.mouth.send_to(text.as_bytes(), &address) {
                // It died, and its name with it.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    let _ = fs::remove_file(address);
                    false
                }
                Err(error) => error.kind() != ErrorKind::NotFound,
                Ok(_) => true,
            }
        });
    }

    fn place(&self) -> Arc<Place> {
        Arc::clone(&self.place.lock().expect("no panic while held"))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no panic while held")
    }
}

fn others(place: &Place) -> io::Result<Vec<String>> {
    let listed = fs::read_dir(address(&place.folder, "."))?;
    let names = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| *name != place.own).collect())
}

/// A socket's address has room for a hundred bytes, and a folder's path may be longer.
fn address(folder: &File, name: &str) -> PathBuf {
    format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::{Receiver, channel};

    use retake_jobs::id::OwnerId;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn join(database: &Path) -> (Neighbours, Receiver<Word>) {
        let (hear, heard) = channel();
        let hear = move |word| {
            let _ = hear.send(word);
        };
        (Neighbours::join(database, hear).unwrap(), heard)
    }

    fn names(database: &Path) -> usize {
        fs::read_dir(beside(database, "-neighbours"))
            .unwrap()
            .count()
    }

    #[test]
    fn a_word_reaches_everybody_else_also_those_who_came_later() {
        let folder = tempfile::tempdir().unwrap();
        // Longer than a socket's address may be.
        let database = folder.path().join("long".repeat(40));
        fs::create_dir(&database).unwrap();
        let database = database.join("retake.db");
        let (first, first_heard) = join(&database);
        first.tell(Word::Jobs);
        let (second, second_heard) = join(&database);
        let (_third, third_heard) = join(&database);
        // Its hello may still be on its way, and then the list is looked at again a little later.
        let news = Word::News(Wake::Owner(OwnerId::new()));
        let begun = Instant::now();
        let mut got = [false; 2];
        while got != [true; 2] {
            assert!(begun.elapsed() < SOON);
            first.tell(news);
            for (heard, got) in [&second_heard, &third_heard].into_iter().zip(&mut got) {
                *got |= heard.recv_timeout(Duration::from_millis(10)) == Ok(news);
            }
        }
        assert!(first_heard.try_recv().is_err(), "nobody hears themselves");
        second.tell(Word::News(Wake::All));
        assert_eq!(first_heard.recv_timeout(SOON), Ok(Word::News(Wake::All)));
    }

    #[test]
    fn whoever_left_or_died_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("retake.db");
        let (staying, heard) = join(&database);
        let (leaving, _) = join(&database);
        let dead = beside(&database, "-neighbours").join("1-dead");
        drop(UnixDatagram::bind(&dead).unwrap());
        assert_eq!(names(&database), 3);
        drop(leaving);
        assert_eq!(names(&database), 2);
        let (coming, _heard) = join(&database);
        assert!(!dead.exists(), "whoever comes greets them all");
        coming.tell(Word::Messages);
        assert_eq!(heard.recv_timeout(SOON), Ok(Word::Messages));
        drop(staying);
        assert_eq!(names(&database), 1);
    }

    #[test]
    fn where_somebody_removes_the_sockets_they_are_made_again_and_all_hear_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("retake.db");
        let (first, first_heard) = join(&database);
        let (second, second_heard) = join(&database);
        let place = beside(&database, "-neighbours");
        let hears = |heard: &Receiver<Word>, speaker: &Neighbours| {
            let (begun, owner) = (Instant::now(), OwnerId::new());
            let news = Word::News(Wake::Owner(owner));
            loop {
                assert!(begun.elapsed() < SOON);
                speaker.tell(news);
                while let Ok(word) = heard.recv_timeout(Duration::from_millis(50)) {
                    if word == news {
                        return;
                    }
                }
            }
        };
        // The whole folder, and then one of the sockets in it.
        fs::remove_dir_all(&place).unwrap();
        hears(&first_heard, &second);
        hears(&second_heard, &first);
        fs::remove_file(place.join(&first.0.place().own)).unwrap();
        hears(&first_heard, &second);
        hears(&second_heard, &first);
        assert_eq!(names(&database), 2);
        drop(first);
        assert_eq!(names(&database), 1);
    }

    #[test]
    fn whoever_comes_again_looks_for_what_was_said_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("retake.db");
        let (_us, heard) = join(&database);
        fs::remove_dir_all(beside(&database, "-neighbours")).unwrap();
        for missed in [Word::Jobs, Word::Messages, Word::News(Wake::All)] {
            assert_eq!(heard.recv_timeout(SOON), Ok(missed));
        }
    }

    #[test]
    fn what_strangers_say_is_not_heard() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("retake.db");
        let (us, heard) = join(&database);
        let own = beside(&database, "-neighbours").join(&us.0.place().own);
        let stranger = UnixDatagram::unbound().unwrap();
        for words in [&b""[..], b"owner", b"owner x", &[0xff; 500], b"jobs"] {
            stranger.send_to(words, &own).unwrap();
        }
        assert_eq!(
            heard.recv_timeout(SOON),
            Ok(Word::Jobs),
            "the only one that is a word"
        );
    }
}

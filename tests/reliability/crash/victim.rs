//! A process that may be killed from another thread.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whoever is not done by then hangs.
const HANGS: Duration = Duration::from_mins(2);

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none where it was killed.
    pub code: Option<i32>,
    /// What it printed on stderr.
    pub err: String,
}

/// A process under test.
pub struct Victim {
    child: Mutex<Option<Child>>,
    dead: AtomicBool,
}

impl Victim {
    /// One that is not born yet, so that others can be told of it.
    pub fn unborn() -> Self {
        Self {
            child: Mutex::new(None),
            dead: AtomicBool::new(false),
        }
    }

    /// Starts it.
    pub fn start(&self, command: &mut Command) {
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        *self.child.lock().unwrap() = Some(child);
    }

    /// Ends it, as a power cut does.
    pub fn kill(&self) {
        if let Some(child) = self.child.lock().unwrap().as_mut() {
            let _ = child.kill();
        }
        self.dead.store(true, Ordering::SeqCst);
    }

    /// Whether [`Victim::kill`] has ended it.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Waits for its end; whoever hangs, or lives longer than `at_most`, is killed.
    pub fn wait(&self, at_most: Option<Duration>) -> Ended {
        let begun = Instant::now();
        let pipe = self
            .child
            .lock()
            .unwrap()
            .as_mut()
            .and_then(|child| child.stderr.take());
        let reader = std::thread::spawn(move || {
            let mut err = String::new();
            if let Some(mut pipe) = pipe {
                let _ = pipe.read_to_string(&mut err);
            }
            err
        });
        let status = loop {
            let ended = self.child.lock().unwrap().as_mut().unwrap().try_wait().unwrap();
            if let Some(status) = ended {
                break status;
            }
            assert!(begun.elapsed() < HANGS, "a process hangs");
            if at_most.is_some_and(|most| begun.elapsed() >= most) {
                self.kill();
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let code = if status.signal().is_some() { None } else { status.code() };
        Ended {
            code,
            err: reader.join().unwrap(),
        }
    }
}

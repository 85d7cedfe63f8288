//! The points at which relocations are struck, and what came of each.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::course::{Course, Grounds, Strike};
use super::proxy::When;
use super::shim::How;
use super::victim::Ended;
use crate::reliability::judge::{self, Seen};
use crate::rollback::differences;

/// Relocations at once: a relocation is work for one core, and its simulator for a part of another.
const AT_ONCE: usize = 3;

/// What a process does when it is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    Relocates,
    Resumes,
    RollsBack,
    WaitsForApproval,
    Approves,
}

/// A point.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub deed: Deed,
    pub strike: Strike,
}

/// What came of a point.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How far the journal was when the process ended.
    pub state: String,
    /// Whether the process was ended there; else it was done before, or went on.
    pub struck: bool,
    /// Whether the process told that the journal cannot be written.
    pub told: bool,
    /// Writes that were sent again after a success.
    pub repeated: usize,
    /// What is wrong: nothing of it may be.
    pub problems: Vec<String>,
}

impl Deed {
    /// Brings a course to where the deed begins, and does it.
    fn begin(self, grounds: &Grounds, course: &Course, strike: Strike) -> Ended {
        match self {
            Deed::Relocates => course.begin(&["--yes"], strike),
            Deed::Resumes => {
                course.begin(&["--yes"], Strike::Request(grounds.middle(), When::Unanswered));
                course.last("resume", &["--yes"], strike)
            }
            Deed::RollsBack => {
                course.begin(&["--yes", "--until", "move"], Strike::Nowhere);
                course.last("rollback", &[], strike)
            }
            Deed::WaitsForApproval => course.begin(&[], strike),
            Deed::Approves => {
                course.begin(&[], Strike::Nowhere);
                course.last("approve", &["clean_up"], strike)
            }
        }
    }
}

/// Strikes a course at a point, lets it go on, and compares it with an undisturbed one.
pub fn attempt(grounds: &Grounds, point: Point, calm: &Seen) -> Outcome {
    let course = grounds.course();
    let before = course.server.estate();
    let ended = point.deed.begin(grounds, &course, point.strike);
    let mut problems = course.unintended();
    let state = course.state();
    let told = ended.err.contains("state-unwritable");
    match (point.strike, ended.code) {
        (Strike::Disk(_, How::NoRoom | How::NoRoomOnce | How::Fails | How::FailsOnce), Some(1)) => {
            problems.extend(untold(&course, &ended.err));
        }
        (_, None | Some(0 | 3)) => {}
        (_, code) => problems.push(format!("it ended with {code:?}: {}", ended.err)),
    }
    match point.deed {
        Deed::Relocates | Deed::Resumes => problems.extend(course.go_on()),
        Deed::RollsBack => {
            let again = course.last("rollback", &[], Strike::Nowhere);
            if again.code != Some(0) {
                problems.push(format!("rollback ended with {:?}: {}", again.code, again.err));
            }
            problems.extend(differences(&before, &course.server.estate()));
        }
        Deed::WaitsForApproval | Deed::Approves => problems.extend(approve_and_go_on(&course)),
    }
    let seen = course.seen();
    if point.deed == Deed::RollsBack {
        problems.extend(
            seen.repeated
                .iter()
                .map(|write| format!("sent again after success: {write}")),
        );
    } else {
        problems.extend(judge::compare(calm, &seen));
    }
    Outcome {
        state,
        struck: ended.code.is_none(),
        told,
        repeated: seen.repeated.len(),
        problems,
    }
}

/// What an error of the disk does not say that it should.
fn untold(course: &Course, err: &str) -> Vec<String> {
    let reasons = [
        "disk is full",
        "No space left",
        "disk I/O error",
        "Input/output error",
        "unable to open",
    ];
    let says = |what: &str| err.contains(what);
    // Long lines are folded where they are printed.
    let folded = err.replace(['\n', ' ', '│'], "");
    let mut problems = Vec::new();
    if !says("state-unwritable") || !reasons.iter().any(|reason| folded.contains(&reason.replace(' ', ""))) {
        problems.push(format!("the disk is not told of: {err}"));
    }
    if !folded.contains(&course.directory()) {
        problems.push(format!("the file is not named: {err}"));
    }
    problems
}

/// Approves where somebody is asked, and goes on, until it is done.
fn approve_and_go_on(course: &Course) -> Vec<String> {
    // Two gates ask, and a kill may have come before an answer was kept.
    for _ in 0..6 {
        let resumed = course.last("resume", &[], Strike::Nowhere);
        match resumed.code {
            Some(0) => return Vec::new(),
            Some(3) => {
                course.last("approve", &[], Strike::Nowhere);
            }
            code => return vec![format!("resume ended with {code:?}: {}", resumed.err)],
        }
    }
    vec!["it still waits for approval".to_owned()]
}

/// How many acts on the disk, and how many requests, a deed has that nothing disturbs.
pub fn extent(grounds: &Grounds, deed: Deed) -> (Vec<String>, usize) {
    let course = grounds.course();
    let ended = deed.begin(grounds, &course, Strike::Nowhere);
    assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.err);
    (course.acts(), course.proxy.requests())
}

/// An undisturbed relocation.
pub fn undisturbed(grounds: &Grounds) -> Seen {
    let course = grounds.course();
    let ended = course.begin(&["--yes"], Strike::Nowhere);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(course.unintended(), Vec::<String>::new());
    let seen = course.seen();
    assert_eq!(seen.repeated, Vec::<String>::new());
    seen
}

/// Tries points, several at a time; their outcomes, in their order.
pub fn try_all(grounds: &Grounds, points: &[Point], calm: &Seen) -> Vec<Outcome> {
    let left = Mutex::new((0..points.len()).collect::<VecDeque<_>>());
    let done: Vec<Mutex<Option<Outcome>>> = points.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(points.len()) {
            scope.spawn(|| {
                while let Some(index) = { left.lock().unwrap().pop_front() } {
                    let outcome = attempt(grounds, points[index], calm);
                    for problem in &outcome.problems {
                        eprintln!("{:?}: PROBLEM {problem}", points[index]);
                    }
                    *done[index].lock().unwrap() = Some(outcome);
                }
            });
        }
    });
    done.into_iter()
        .map(|slot| slot.into_inner().unwrap().unwrap())
        .collect()
}

//! Every fault at every kind of request of a relocation, and the page that shows how each ends.

// It is built upon signals, /proc and LD_PRELOAD.
#[cfg(target_os = "linux")]
mod crash;
mod faults;
mod judge;
mod kinds;
mod lab;
mod page;
mod regressions;

use std::sync::Mutex;

use faults::{FAULTS, Fault};
use kinds::{KINDS, Kind};
use lab::{Lab, Outcome};
use page::{Matrix, Words};

/// Relocations at once: most of a disturbed one's time is waiting.
const AT_ONCE: usize = 10;

/// What the page counts.
#[derive(Debug, Default)]
pub struct Totals {
    pub cells: usize,
    pub ok: usize,
    pub resumed: usize,
    pub otherwise: usize,
    pub hangs: usize,
    pub repeated: usize,
    pub again_unread: usize,
    pub again_unknown: usize,
    pub visitors: usize,
}

impl Totals {
    fn count(&mut self, outcome: &Outcome) {
        self.cells += 1;
        match outcome.word.as_str() {
            _ if !outcome.problems.is_empty() => self.otherwise += 1,
            "ok" => self.ok += 1,
            _ => self.resumed += 1,
        }
        self.hangs += usize::from(outcome.word == "hangs");
        self.repeated += outcome.seen.repeated.len();
        self.again_unread += outcome.seen.again_unread;
        self.again_unknown += outcome.seen.again_unknown;
    }
}

/// A cell to try.
#[derive(Debug, Clone, Copy)]
struct Cell {
    kind: &'static Kind,
    fault: &'static Fault,
    once: bool,
}

/// Tries cells, several at a time; their outcomes, in their order.
fn try_all(lab: &Lab, cells: &[Cell]) -> Vec<Outcome> {
    let calm = lab.undisturbed();
    let left = Mutex::new((0..cells.len()).collect::<std::collections::VecDeque<_>>());
    let done: Vec<Mutex<Option<Outcome>>> = cells.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(cells.len()) {
            let work = || {
                while let Some(index) = { left.lock().unwrap().pop_front() } {
                    let Cell { kind, fault, once } = cells[index];
                    let outcome = lab.disturbed(kind, fault, once, &calm);
                    let times = if once { "once" } else { "always" };
                    eprintln!("{} · {} · {times}: {}", kind.name, fault.name, outcome.word);
                    for problem in &outcome.problems {
                        eprintln!("    PROBLEM {problem}");
                    }
                    *done[index].lock().unwrap() = Some(outcome);
                }
            };
            // Scripts that call scripts need more than the usual stack.
            std::thread::Builder::new()
                .stack_size(8 << 20)
                .spawn_scoped(scope, work)
                .unwrap();
        }
    });
    done.into_iter()
        .map(|slot| slot.into_inner().unwrap().unwrap())
        .collect()
}

#[test]
#[ignore = "it takes minutes; it writes docs/reliability.md"]
fn the_whole_matrix() {
    let mut cells = Vec::new();
    for kind in KINDS {
        for fault in FAULTS.iter().filter(|fault| fault.fits(kind)) {
            cells.extend([true, false].map(|once| Cell { kind, fault, once }));
        }
    }
    if let Ok(only) = std::env::var("FERRY_MATRIX_ONLY") {
        cells.retain(|cell| format!("{} · {}", cell.kind.name, cell.fault.name).contains(&only));
    }
    let lab = Lab::new();
    let outcomes = try_all(&lab, &cells);
    let (mut matrix, mut totals, mut problems) = (Matrix::new(), Totals::default(), Vec::new());
    for (cell, outcome) in cells.iter().zip(&outcomes) {
        totals.count(outcome);
        let words = matrix
            .entry((cell.kind.name.to_owned(), cell.fault.name.to_owned()))
            .or_insert_with(|| Words {
                once: String::new(),
                always: String::new(),
            });
        let word = if cell.once { &mut words.once } else { &mut words.always };
        word.clone_from(&outcome.word);
        problems.extend(outcome.problems.iter().map(|problem| format!("{cell:?}: {problem}")));
    }
    totals.visitors = lab.visitors();
    if std::env::var("FERRY_MATRIX_ONLY").is_err() {
        page::write(&page::render(&matrix, &totals));
    }
    assert!(
        problems.is_empty(),
        "{} problem(s)\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert_eq!(totals.visitors, 0);
}

#[test]
fn a_sample_of_the_matrix_ends_as_the_page_says() {
    let shown = page::parse(&std::fs::read_to_string(page::file()).unwrap());
    let mut cells: Vec<Cell> = Vec::new();
    for turn in 0..KINDS.len().max(FAULTS.len()) {
        let fault = &FAULTS[turn % FAULTS.len()];
        let fitting = (0..KINDS.len()).map(|step| &KINDS[(turn + step) % KINDS.len()]);
        let kind = fitting.into_iter().find(|kind| fault.fits(kind)).unwrap();
        cells.push(Cell {
            kind,
            fault,
            once: true,
        });
    }
    let lab = Lab::new();
    let outcomes = try_all(&lab, &cells);
    for (cell, outcome) in cells.iter().zip(&outcomes) {
        assert!(outcome.problems.is_empty(), "{cell:?}: {:?}", outcome.problems);
        let words = shown.get(&(cell.kind.name.to_owned(), cell.fault.name.to_owned()));
        let told = words.map(|words| words.once.as_str());
        assert_eq!(
            told,
            Some(outcome.word.as_str()),
            "docs/reliability.md says otherwise of {cell:?}"
        );
    }
    assert_eq!(lab.visitors(), 0);
}

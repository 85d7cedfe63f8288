//! The part of `docs/reliability.md` that tells of crashes.

use std::fmt::Write as _;

use super::points::Outcome;
use crate::reliability::page::{CRASHES, file};

const STATES: [&str; 6] = ["beginning", "prepare", "move", "verify", "clean_up", "end"];

/// A row: what was struck, and what came of it.
pub struct Figure {
    name: String,
    points: usize,
    killed: usize,
    told: usize,
    states: [usize; 6],
    otherwise: usize,
    repeated: usize,
}

impl Figure {
    pub fn of(name: &str, outcomes: &[Outcome]) -> Self {
        let count = |is: &dyn Fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
        Self {
            name: name.to_owned(),
            points: outcomes.len(),
            killed: count(&|outcome| outcome.struck),
            told: count(&|outcome| outcome.told),
            states: STATES.map(|state| count(&|outcome| outcome.state == state)),
            otherwise: count(&|outcome| !outcome.problems.is_empty()),
            repeated: outcomes.iter().map(|outcome| outcome.repeated).sum(),
        }
    }
}

pub fn render(figures: &[Figure], (courses, kills): (usize, usize), seed: u64, every: usize) -> String {
    let mut page = format!("{CRASHES}{}", include_str!("page.md"));
    let _ = write!(
        page,
        "\n| struck at | points | killed | told | {} | ended otherwise | writes repeated |\n|---|{}\n",
        STATES.join(" | "),
        "--:|".repeat(3 + STATES.len() + 2)
    );
    for figure in figures {
        let states: Vec<String> = figure.states.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} |",
            figure.name,
            figure.points,
            figure.killed,
            figure.told,
            states.join(" | "),
            figure.otherwise,
            figure.repeated
        );
    }
    let sum = |of: fn(&Figure) -> usize| figures.iter().map(of).sum::<usize>();
    let _ = write!(
        page,
        "\nTogether {} points: {} ended otherwise, {} writes were sent again. Besides, {courses} relocations were killed again \
         and again until they were done, {kills} times in all. What was random came of the seed {seed}.\n",
        sum(|figure| figure.points),
        sum(|figure| figure.otherwise),
        sum(|figure| figure.repeated),
    );
    if every > 1 {
        let _ = writeln!(
            page,
            "\nOf all points one in {every} was tried for this page (`FERRY_CRASH_EVERY={every}`)."
        );
    }
    page
}

/// Puts this part behind the rest of the page.
pub fn write(text: &str) {
    let page = std::fs::read_to_string(file()).unwrap();
    let rest = page.split(CRASHES).next().unwrap_or_default();
    std::fs::write(file(), format!("{rest}{text}")).unwrap();
}

//! A conversation with the binary, taken down for a snapshot.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Ferry, Ran, Simulator, estate_file};

/// What was typed and answered so far, in a directory of its own.
pub struct Talk {
    ferry: Ferry,
    text: String,
    hidden: Vec<(String, &'static str)>,
    wrong: Vec<String>,
}

/// What errors begin with, by their kind.
pub const MARKS: [char; 3] = ['×', '⚠', '☞'];

impl Talk {
    pub fn new() -> Self {
        let ferry = Ferry::new();
        let directory = ferry.directory().display().to_string();
        Self {
            ferry,
            text: String::new(),
            hidden: vec![(directory, "DIR")],
            wrong: Vec::new(),
        }
    }

    pub fn directory(&self) -> &Path {
        self.ferry.directory()
    }

    /// A file of the directory, with folders where its name has any.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.directory().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Shows a word in place of a text that differs from run to run.
    pub fn hide(&mut self, text: &str, word: &'static str) {
        self.hidden.push((text.to_owned(), word));
    }

    /// A simulator, whose address is hidden.
    pub fn simulator(&mut self, simulator: Simulator) -> Simulator {
        self.hide(&simulator.url, "http://127.0.0.1:PORT");
        simulator
    }

    /// Types a command and takes down how it fails: with this code, naming what it left untouched and what is next.
    pub fn fails(&mut self, code: i32, error: &str, args: &[&str]) -> Ran {
        let ran = self.says(code, args);
        let first = ran.err.lines().find(|line| line.trim_start().starts_with(MARKS));
        if !first.is_some_and(|line| {
            line.trim_start_matches([' ', '×', '⚠', '☞'])
                .starts_with(&format!("{error}: "))
        }) {
            self.wrong(args, &format!("it did not fail as {error}"));
        }
        for answer in ["  untouched  ", "  next  "] {
            if !ran.err.contains(answer) {
                self.wrong(args, &format!("{error} has no {}", answer.trim()));
            }
        }
        ran
    }

    /// The same, where nothing may have been begun: no cloud was asked, no journal was made.
    pub fn refused(&mut self, error: &str, args: &[&str]) {
        self.fails(2, error, args);
        if self.directory().join("state").exists() {
            self.wrong(args, "it left a journal behind");
        }
    }

    /// Types a command, takes down what it says on stderr and how it ends.
    pub fn says(&mut self, code: i32, args: &[&str]) -> Ran {
        let mut command = self.ferry.command(args);
        command
            .env("COLUMNS", "80")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ran = Ran::of(&command.output().unwrap());
        self.take(code, args, &ran);
        ran
    }

    /// Takes down what a command said that has ended.
    pub fn take(&mut self, code: i32, args: &[&str], ran: &Ran) {
        let typed: Vec<String> = args.iter().map(|word| quoted(word)).collect();
        // Progress before an error is not what is told here, and is not the same in every run.
        let from = ran.err.lines().position(|line| line.trim_start().starts_with(MARKS));
        let told: Vec<&str> = ran.err.lines().skip(from.unwrap_or_default()).collect();
        let typed = typed.join(" ");
        self.text
            .push_str(&format!("$ ferry {typed}\n? {}\n{}\n\n", ran.code, told.join("\n")));
        if let Some(line) = ran.out.lines().find_map(|line| line.strip_prefix("journal  ")) {
            self.hide(line.split_whitespace().next().unwrap(), "RUN");
        }
        if ran.code != code {
            let how = format!(
                "it ended with {}, and should with {code}\n{}{}",
                ran.code, ran.out, ran.err
            );
            self.wrong(args, &how);
        }
    }

    /// An estate of `tests/estates` with something changed, served; its address is hidden.
    pub fn altered(&mut self, estate: &str, options: &[&str], alter: impl FnOnce(&mut Value)) -> Simulator {
        let text = std::fs::read_to_string(estate_file(estate)).unwrap();
        let mut document: Value = serde_json::from_str(&text).unwrap();
        alter(&mut document);
        self.file(&format!("{estate}.json"), &document.to_string());
        let simulator = Simulator::with(&self.directory().join(format!("{estate}.json")), options);
        self.simulator(simulator)
    }

    fn wrong(&mut self, args: &[&str], why: &str) {
        self.wrong.push(format!("{args:?}: {why}"));
    }

    /// Does something that is not part of the conversation.
    #[track_caller]
    pub fn quietly(&self, code: i32, args: &[&str]) -> Ran {
        self.ferry.run(args).code(code)
    }

    /// A command to start and to watch.
    pub fn command(&self, args: &[&str]) -> std::process::Command {
        self.ferry.command(args)
    }

    /// What was said, without what differs from run to run.
    #[track_caller]
    pub fn taken_down(mut self) -> String {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        self.hidden.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        for (text, word) in &self.hidden {
            self.text = self.text.replace(text.as_str(), word);
        }
        let differing = [
            (r"\brequest [0-9a-f-]{36}\b", "request GUID"),
            (r"\bcorrelation [0-9a-f-]{36}\b", "correlation GUID"),
            (r"\bprocess \d+\b", "process PID"),
            (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\b", "TIME"),
        ];
        for (pattern, word) in differing {
            self.text = regex::Regex::new(pattern)
                .unwrap()
                .replace_all(&self.text, word)
                .into_owned();
        }
        let lines: Vec<&str> = self.text.lines().map(str::trim_end).collect();
        lines.join("\n")
    }
}

/// A word as it would be typed.
fn quoted(word: &str) -> String {
    if word.chars().any(|letter| " '\"|(){};#".contains(letter)) {
        format!("'{}'", word.replace('\'', "'\\''"))
    } else {
        word.to_owned()
    }
}

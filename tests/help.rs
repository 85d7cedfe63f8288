//! The help of every command, in one snapshot: whatever changes in it shows in review.

use std::process::Stdio;

use crate::support::{Ferry, Ran};

#[test]
fn the_help_of_every_command_is_this() {
    let ferry = Ferry::new();
    let mut commands = vec![Vec::new()];
    commands.extend(
        ferry::cli::command()
            .get_subcommands()
            .map(|command| vec![command.get_name().to_owned()]),
    );
    let mut text = String::new();
    for command in commands {
        let args: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let mut process = ferry.command(&args);
        process
            .env("COLUMNS", "100")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ran = Ran::of(&process.output().unwrap()).code(0);
        assert_eq!(ran.err, "");
        let long = ran.out.lines().find(|line| line.chars().count() > 100);
        assert_eq!(long, None, "{args:?} prints a line of more than 100 columns");
        text.push_str(&format!("$ ferry {}\n{}\n", args.join(" "), ran.out));
    }
    insta::assert_snapshot!(text);
}

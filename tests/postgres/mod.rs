//! Roles that are copied for real, on a real PostgreSQL server: `tests/postgres/run` starts one and runs these, one after the
//! other, since they share it.

mod server;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use self::server::{NEW, OLD, PASSWORD, Server, renamed, sorted};
use crate::support::{Ferry, Ran, Simulator, demo, estate_file};

/// A relocation of the identity of `one-vm` with a connection as `user`.
fn relocation(verb: &str, simulator: &Simulator, connection: &str, more: &[&str]) -> Vec<String> {
    let (identity, to) = demo("one-vm");
    let connection = format!("postgresql_roles.connections={connection}");
    let cloud = ["--cloud", &simulator.url];
    let mut args = vec![verb, "relocate", &identity, &to, &connection];
    args.extend(cloud);
    args.extend(more);
    args.into_iter().map(str::to_owned).collect()
}

fn run(ferry: &Ferry, args: &[String]) -> Ran {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    ferry.run_with(&args, &[("PGPASSWORD", PASSWORD)])
}

fn start() -> (Ferry, Simulator, Server) {
    (Ferry::new(), Simulator::start("one-vm"), Server::anew())
}

/// The changes of the last run that went to the database.
fn changes(ferry: &Ferry) -> Vec<Value> {
    let shown = ferry.run(&["show", "last", "--json"]).json();
    let all = shown["changes"].as_array().unwrap().iter();
    all.filter(|change| change["method"] == "SQL").cloned().collect()
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn after_a_relocation_the_new_role_has_exactly_what_the_old_one_had_and_nothing_names_that_any_more() {
    let (ferry, simulator, server) = start();
    let before = server.dump();
    run(&ferry, &relocation("run", &simulator, &server.operator(), &["--yes"])).code(0);
    let after = server.dump();
    assert!(!after.contains(OLD), "the old role is still named");
    assert_eq!(sorted(&after), sorted(&renamed(&before)));
    // The label is the new principal's.
    let principal = server.ask(
        "postgres",
        "SELECT objectid FROM pgaadauth.pgaadauth_list_principals(false) WHERE rolname = 'id-one-westeurope'",
    );
    let identities = simulator.documents();
    let new = identities.iter().find(|document| document["name"] == NEW).unwrap();
    assert_eq!(principal, new["properties"]["principalId"].as_str().unwrap());
    // Its neighbour, whose name begins alike, is as it was.
    assert_eq!(
        server.ask(
            "postgres",
            "SELECT count(*) FROM pg_roles WHERE rolname = 'id-one-neighbour'"
        ),
        "1"
    );
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn a_rollback_leaves_the_server_as_it_was_byte_for_byte() {
    let (ferry, simulator, server) = start();
    let before = server.dump();
    run(
        &ferry,
        &relocation("run", &simulator, &server.operator(), &["--yes", "--until", "verify"]),
    )
    .code(3);
    assert_ne!(server.dump(), before);
    run(&ferry, &["rollback", "last"].map(str::to_owned)).code(0);
    assert_eq!(server.dump(), before);
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn a_rollback_brings_a_dropped_role_back_with_all_that_it_owned_and_could_do() {
    let (ferry, simulator, server) = start();
    let before = server.dump();
    run(&ferry, &relocation("run", &simulator, &server.operator(), &[])).code(3);
    run(&ferry, &["approve", "last", "clean_up"].map(str::to_owned)).code(0);
    // It stops at the next gate: the old role is gone, the old identity is not.
    run(&ferry, &["resume", "last"].map(str::to_owned)).code(3);
    assert!(!server.dump().contains(OLD));
    run(&ferry, &["rollback", "last"].map(str::to_owned)).code(0);
    // What was granted anew stands behind what others hold, and says the same.
    assert_eq!(sorted(&server.dump()), sorted(&before));
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn a_plan_shows_every_statement_and_sends_none() {
    let (ferry, simulator, server) = start();
    let before = server.dump();
    let plan = run(&ferry, &relocation("plan", &simulator, &server.operator(), &["--json"]))
        .code(0)
        .json();
    assert_eq!(server.dump(), before);
    let sql: Vec<&Value> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["method"] == "SQL")
        .collect();
    let text = |change: &Value| change["body"]["statements"].to_string();
    assert!(
        sql.iter()
            .any(|change| text(change).contains("pgaadauth_create_principal_with_oid")
                && text(change).contains("(known after move)"))
    );
    let shop = sql
        .iter()
        .find(|change| change["target"].as_str().unwrap().ends_with("/Shop%20%221%22"))
        .unwrap();
    assert!(
        text(shop)
            .contains(r#"GRANT INSERT ON TABLE \"Weird, \"\"Schema\"\"\".\"Täble 'x'\" TO \"id-one-westeurope\""#),
        "{}",
        text(shop)
    );
    for wanted in ["REASSIGN OWNED BY", "DROP OWNED BY", "DROP ROLE"] {
        assert!(sql.iter().any(|change| text(change).contains(wanted)), "{wanted}");
    }
    assert!(
        !server.log().contains("known-after-move"),
        "a placeholder reached the server"
    );
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn a_run_that_is_killed_at_any_change_of_the_database_goes_on_and_does_nothing_twice() {
    for kill_at in 1.. {
        let (ferry, simulator, server) = start();
        let before = server.dump();
        let args = relocation("run", &simulator, &server.operator(), &["--yes", "--json"]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut process = ferry
            .command(&args)
            .env("PGPASSWORD", PASSWORD)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let begun = lines
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .filter(|event| event["event"] == "change" && event["method"] == "SQL" && event["status"] == "started")
            .nth(kill_at - 1);
        let killed = begun.is_some();
        if killed {
            process.kill().unwrap();
        }
        process.wait().unwrap();
        if killed {
            run(&ferry, &["resume", "last", "--yes"].map(str::to_owned)).code(0);
        }
        assert_eq!(
            sorted(&server.dump()),
            sorted(&renamed(&before)),
            "killed at change {kill_at}"
        );
        let log = server.log();
        for once in ["pgaadauth_create_principal_with_oid", "REASSIGN OWNED BY", "DROP ROLE"] {
            let count = server::committed(&log, once);
            assert!(
                count <= 1,
                "{once} took effect {count} times, killed at change {kill_at}"
            );
        }
        assert!(
            changes(&ferry)
                .iter()
                .filter(|change| change["status"] == "done")
                .count()
                >= 6
        );
        if !killed {
            assert!(kill_at > 6, "only {kill_at} changes were tried");
            return;
        }
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn an_operator_who_may_not_grant_is_told_so_and_the_database_is_left_as_it_was() {
    let (ferry, simulator, server) = start();
    let ran = run(
        &ferry,
        &relocation("run", &simulator, &server.connection("feeble"), &["--yes"]),
    )
    .code(1);
    assert!(ran.err.contains("SQLSTATE 42501"), "{}", ran.err);
    assert!(ran.err.contains("postgres://127.0.0.1"), "{}", ran.err);
    assert!(ran.err.contains("take effect all together"), "{}", ran.err);
    // What one transaction was to do did not half happen.
    let held = server.ask(
        "Shop \"1\"",
        "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee LIKE 'id-one-w%'",
    );
    assert_eq!(held, "0");
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn a_password_is_in_no_journal_and_no_output_and_is_refused_as_a_parameter() {
    let (ferry, simulator, server) = start();
    let args = relocation("run", &simulator, &server.operator(), &["--yes", "--json"]);
    let ran = run(&ferry, &args).code(0);
    assert!(!ran.out.contains(PASSWORD) && !ran.err.contains(PASSWORD));
    for entry in walk(ferry.directory()) {
        let bytes = std::fs::read(&entry).unwrap();
        let found = bytes
            .windows(PASSWORD.len())
            .any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "{} has the password", entry.display());
    }
    for given in [
        format!("{} password={PASSWORD}", server.operator()),
        format!("postgresql://operator:{PASSWORD}@127.0.0.1/postgres"),
    ] {
        let ran = run(&ferry, &relocation("run", &simulator, &given, &["--yes"])).code(2);
        assert!(
            ran.err.contains("PGPASSWORD") && !ran.err.contains(PASSWORD),
            "{}",
            ran.err
        );
    }
    // Signing in without it fails with the server's words, and what was not seen keeps the old identity.
    let untouched = Simulator::start("one-vm");
    let wrong = relocation("plan", &untouched, &server.operator(), &["--json"]);
    let wrong: Vec<&str> = wrong.iter().map(String::as_str).collect();
    let plan = Ferry::new()
        .run_with(&wrong, &[("PGPASSWORD", "Wrong-Horse-8")])
        .code(0)
        .json();
    let unseen = plan["unseen"].to_string();
    assert!(
        unseen.contains("28P01") && !unseen.contains("Wrong-Horse-8"),
        "{unseen}"
    );
}

#[test]
#[ignore = "needs PostgreSQL: tests/postgres/run"]
fn a_connection_stands_for_the_server_that_azure_shows_under_its_host() {
    let (ferry, _, server) = start();
    let mut estate: Value = serde_json::from_str(&std::fs::read_to_string(estate_file("one-vm")).unwrap()).unwrap();
    let group = estate["demo"]["relocate"]["identity"]
        .as_str()
        .unwrap()
        .split("/providers/")
        .next()
        .unwrap()
        .to_owned();
    let id = format!("{group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/pg-one");
    estate["arm"]["resources"].as_array_mut().unwrap().push(json!({
        "id": id, "name": "pg-one", "type": "Microsoft.DBforPostgreSQL/flexibleServers", "location": "eastus",
        "properties": {"fullyQualifiedDomainName": "127.0.0.1"}
    }));
    let file = ferry.directory().join("estate.json");
    std::fs::write(&file, estate.to_string()).unwrap();
    let simulator = Simulator::with(&file, &["--lag", "0.2"]);
    let plan = run(&ferry, &relocation("plan", &simulator, &server.operator(), &["--json"]))
        .code(0)
        .json();
    let grants = plan["map"]["grants"].as_array().unwrap().iter();
    let scopes: Vec<&Value> = grants
        .filter(|grant| grant["file"] == "postgresql_roles")
        .map(|grant| &grant["scope"])
        .collect();
    assert!(
        scopes.len() >= 2 && scopes.iter().all(|scope| **scope == id),
        "{scopes:?}"
    );
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}

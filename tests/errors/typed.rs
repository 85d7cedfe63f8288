//! What is typed wrongly is refused with exit code 2, before a cloud is asked and before there is a journal.

use ferry::store::{SqliteStore, Store as _};

use super::talk::Talk;

#[test]
fn what_is_typed_wrongly_is_refused_before_anything_is_begun() {
    let mut talk = Talk::new();
    talk.refused("unknown-runbook", &["run", "relocat", "--sim"]);
    talk.refused("unknown-runbook", &["plan", "./none.rhai", "--sim"]);
    talk.refused("missing-parameter", &["run", "relocate", "identity=id-orders"]);
    talk.refused("not-a-parameter", &["run", "relocate", "--sim", "westeurope"]);
    talk.refused("unknown-parameter", &["run", "relocate", "--sim", "identiy=id-orders"]);
    talk.refused("unknown-parameter", &["run", "relocate", "--sim", "key_vault.depth=3"]);
    talk.refused(
        "duplicate-parameter",
        &["run", "relocate", "--sim", "to=westeurope", "to=northeurope"],
    );
    talk.refused("malformed-parameter", &["run", "relocate", "--sim", "to=west-europe"]);
    talk.refused(
        "malformed-parameter",
        &["run", "relocate", "--sim", "identity=/subscriptions/1/resourceGroup/rg"],
    );
    talk.refused("malformed-parameter", &["run", "relocate", "--sim", "bindings=both"]);
    talk.refused("malformed-parameter", &["run", "relocate", "--sim", "quiet=soon"]);
    talk.refused("malformed-parameter", &["run", "relocate", "--sim", "keep_old=perhaps"]);

    talk.refused(
        "unknown-cloud",
        &["run", "relocate", "--cloud", "azur", "identity=x", "to=westeurope"],
    );
    talk.refused("unknown-cloud", &["eval", "--cloud", "ftp://azure", "1"]);
    talk.refused(
        "no-such-directory",
        &["run", "relocate", "--sim", "--scripts", "none-such"],
    );
    talk.refused("state-unknown", &["runs", "--state", "s3://bucket/state"]);
    for url in [
        "http://acc.blob.core.windows.net/ferry",
        "https://acc.blob.example/ferry",
        "https://acc.blob.core.windows.net/ferry?sv=2023-11-03&sig=hush",
        "http://127.0.0.1:10000/ferry",
    ] {
        talk.refused("state-unknown", &["runs", "--state", url]);
    }
    talk.refused("nothing-of-this-name", &["doc", "role_asignment::ensure"]);

    talk.refused("unknown-run", &["show", "nothing"]);
    talk.refused("unknown-run", &["resume", "last"]);
    talk.refused("unknown-run", &["approve", "7k3q", "clean_up"]);
    talk.refused("plan-of-a-run", &["resume", "7k3q", "--plan"]);

    talk.says(2, &["sail"]);
    talk.says(2, &["run"]);
    talk.says(2, &["run", "relocate", "--colour"]);
    talk.says(2, &["run", "relocate", "--auth", "password"]);
    talk.says(2, &["run", "relocate", "--until", "lunch"]);
    talk.says(2, &["run", "relocate", "--sim", "--cloud", "public"]);
    talk.says(2, &["run", "relocate", "--concurrency", "0"]);
    talk.says(2, &["sim", "--estate", "x.json", "--lag", "soon"]);
    assert!(!talk.directory().join("state").exists());
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn an_estate_that_is_none_names_the_file_and_the_document() {
    let mut talk = Talk::new();
    talk.refused("estate-unreadable", &["run", "relocate", "--sim=none.json"]);
    talk.refused("estate-unreadable", &["sim", "--estate", "none.json"]);
    talk.file("text.json", "{ \"tenantId\": ");
    talk.refused("estate-malformed", &["sim", "--estate", "text.json"]);
    talk.refused("estate-malformed", &["plan", "relocate", "--sim=text.json"]);
    talk.file(
        "odd.json",
        r#"{"tenantId": "0a0a0a0a-0001-4001-8001-0a0a0a0a0001", "arm": {"resources": [
            {"id": "/subscriptions/0a0a0a0a-0002-4002-8002-0a0a0a0a0002", "type": "Microsoft.Resources/subscriptions"}, {"id": "nonsense"}]},
            "demo": {"relocate": {"identity": "id-orders", "to": "westeurope"}}}"#,
    );
    talk.refused("estate-malformed", &["sim", "--estate", "odd.json"]);
    talk.refused("estate-malformed", &["run", "relocate", "--sim=odd.json", "--yes"]);
    talk.file(
        "faults.json",
        r#"[{"match": {"method": "PUT"}, "do": {"explode": true}}]"#,
    );
    talk.file(
        "estate.json",
        r#"{"tenantId": "0a0a0a0a-0001-4001-8001-0a0a0a0a0001", "arm": {"resources": []}}"#,
    );
    talk.refused(
        "faults-malformed",
        &["sim", "--estate", "estate.json", "--faults", "faults.json"],
    );
    talk.refused(
        "faults-malformed",
        &["sim", "--estate", "estate.json", "--faults", "none.json"],
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    talk.hide(&port, "PORT");
    talk.refused(
        "simulator-not-started",
        &["sim", "--estate", "estate.json", "--port", &port],
    );
    insta::assert_snapshot!(talk.taken_down());
}

#[test]
fn the_beginning_of_several_runs_is_no_name_of_one() {
    let mut talk = Talk::new();
    let store = SqliteStore::new(talk.directory().join("state"));
    let mut runs: Vec<String> = Vec::new();
    // The first letters of ids are few, so two of some forty runs share theirs.
    let letter = loop {
        let run = store
            .create("inventory", &format!("{}", runs.len()), &format!("{}", runs.len()))
            .unwrap();
        let run = run.run().to_owned();
        let first = run[..1].to_owned();
        let shared = runs.iter().find(|other| other.starts_with(&first)).cloned();
        talk.hide(&run, "RUN");
        runs.push(run);
        if shared.is_some() {
            break first;
        }
        assert!(runs.len() < 100);
    };
    talk.hide(&format!("show {letter}\n"), "show R\n");
    talk.hide(&format!("\"{letter}\""), "\"R\"");
    talk.fails(2, "ambiguous-run", &["show", &letter]);
    insta::assert_snapshot!(talk.taken_down());
}

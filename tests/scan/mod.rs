//! Files of the operator's machine: what names the old identity is told, a patch turns it, and nothing else of a file is kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use ferry::store::{SqliteStore, Store as _};
use serde_json::Value;

use crate::support::{Ferry, Ran, Simulator, demo, estate_file};

const CLIENT: &str = "b22d0004-0004-4004-8004-b22d00000004";
const PRINCIPAL: &str = "b22d0003-0003-4003-8003-b22d00000003";
const ID: &str = "/resourceGroups/rg-orders/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders\"";
/// Begins every secret in the files.
const CANARY: &str = "canary-";
/// Begins the value in base64 that has the client id in it, and a secret.
const ENCODED: &str = "U2VydmVyPXRjc";

/// A repository with the files of `tests/scan/infra` below a directory of it.
struct Tree {
    ferry: Ferry,
    root: PathBuf,
}

impl Tree {
    fn new() -> Self {
        let ferry = Ferry::new();
        let repository = ferry.directory().join("work");
        let root = repository.join("infra");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scan/infra"), &root);
        // What a repository cannot be trusted to keep as it is.
        let windows = format!("\u{feff}client = {CLIENT}\r\npassword = canary-windows-3d1c\r\nlast = {CLIENT}");
        std::fs::write(root.join("app/app settings.ini"), windows).unwrap();
        std::fs::write(root.join("app/app.bin"), format!("\0{CLIENT} canary-binary-77aa")).unwrap();
        std::fs::create_dir_all(root.join("node_modules/x")).unwrap();
        std::fs::write(root.join("node_modules/x/a.js"), format!("'{CLIENT}'")).unwrap();
        git(&repository, &["init", "--quiet"], true);
        Self { ferry, root }
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Takes a patch as an operator does: with git, in the directory that was looked through.
    fn take(&self, patch: &str) {
        let file = self.ferry.directory().join("taken.patch");
        std::fs::write(&file, patch).unwrap();
        let file = file.to_str().unwrap();
        git(&self.root, &["apply", "--check", file], true);
        git(&self.root, &["apply", "--whitespace=nowarn", file], true);
        git(&self.root, &["apply", "--check", file], false);
    }
}

fn git(directory: &Path, args: &[&str], fine: bool) {
    let ran = Command::new("git").args(args).current_dir(directory).output().unwrap();
    assert_eq!(
        ran.status.success(),
        fine,
        "git {args:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// The patch that ends what a command printed.
fn patch_in(ran: &Ran) -> String {
    let start = ran.out.find("\n--- a/").expect("there is a patch") + 1;
    ran.out[start..].to_owned()
}

fn relocate(tree: &Tree, verb: &str, url: &str, more: &[&str]) -> Ran {
    let (identity, to) = demo("two-regions");
    let args = [
        &[verb, "relocate", &identity, &to, "scan=work/infra", "--cloud", url],
        more,
    ]
    .concat();
    tree.ferry.run(&args)
}

/// Nothing that ferry keeps has a secret of a file in it.
fn silent(tree: &Tree) {
    let store = SqliteStore::new(tree.ferry.directory().join("state"));
    let mut entries = 0;
    for run in store.runs().unwrap() {
        for entry in store.read(&run.run).unwrap() {
            entries += 1;
            assert!(
                ![CANARY, ENCODED]
                    .iter()
                    .any(|secret| entry.body.to_string().contains(secret)),
                "entry {} of {}",
                entry.seq,
                run.run
            );
        }
    }
    assert!(entries > 10);
    let mut open = vec![tree.ferry.directory().join("state")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(CANARY) && !text.contains(ENCODED), "{}", path.display());
        }
    }
}

#[test]
fn a_plan_ends_with_a_patch_that_git_takes() {
    let tree = Tree::new();
    let simulator = Simulator::start("two-regions");
    let ran = relocate(&tree, "plan", &simulator.url, &[]).code(0);
    assert_eq!(simulator.writes(), Vec::<Value>::new());
    assert!(
        ran.out.contains("places of ids that only Azure can give"),
        "{}",
        ran.out
    );
    let patch = patch_in(&ran);
    assert!(!patch.contains("(known after move)"), "{patch}");
    let before = tree.text("terraform/main.tf");
    tree.take(&patch);
    let expected = before
        .replacen("\"id-orders\"", "\"id-orders-westeurope\"", 1)
        .replace("\"northeurope\"", "\"westeurope\"");
    assert_eq!(tree.text("terraform/main.tf"), expected);
    let bicep = tree.text("bicep/main.bicep");
    assert_eq!(bicep.matches("'id-orders-westeurope'").count(), 2, "{bicep}");
    let arm = tree.text("arm/azuredeploy.json");
    assert!(
        arm.contains("\"name\": \"id-orders-westeurope\",\n      \"location\": \"westeurope\""),
        "{arm}"
    );
    assert!(arm.contains("\"app\": \"id-orders\""), "a tag is no reference: {arm}");
    assert!(
        tree.text(".github/workflows/deploy.yml")
            .contains("--identities id-orders-westeurope\n")
    );
    assert!(
        tree.text("azure-pipelines.yml")
            .contains("--name id-orders-westeurope ")
    );
    assert!(
        tree.text("helm/values.yaml")
            .contains("registry.example.com/id-orders:1.4")
    );
    // What the patch took is not found again; what waits for the move still is.
    let shown = relocate(&tree, "plan", &simulator.url, &["--json"]).code(0).json();
    assert_eq!(shown["patch"], "");
    let places = shown["scan"].as_array().unwrap();
    let waiting: Vec<&Value> = places
        .iter()
        .filter(|place| place["to"] == "(known after move)")
        .collect();
    assert!(waiting.len() >= 6, "{places:#?}");
    assert!(waiting.iter().all(|place| place["kind"] == "word"), "{waiting:#?}");
    assert!(shown["map"].get("scan").is_none());
    assert!(!shown["scan"].to_string().contains(CANARY));
}

#[test]
fn after_the_move_the_patch_has_the_real_ids_and_verification_says_what_is_left() {
    let tree = Tree::new();
    let simulator = Simulator::start("two-regions");
    let paused = relocate(&tree, "run", &simulator.url, &[]).code(3);
    assert!(
        paused.err.contains("place(s) in files still named id-orders"),
        "{}",
        paused.err
    );
    silent(&tree);
    tree.ferry.run(&["report", "last", "--patch", "real.patch"]).code(0);
    let patch = std::fs::read_to_string(tree.ferry.directory().join("real.patch")).unwrap();
    let moved = simulator.documents();
    let new = moved
        .iter()
        .find(|document| document["name"] == "id-orders-westeurope")
        .unwrap();
    let client = new["properties"]["clientId"].as_str().unwrap();
    assert!(
        patch.contains(&format!("+    azure.workload.identity/client-id: {client}\n")),
        "{patch}"
    );
    let windows = tree.text("app/app settings.ini");
    tree.take(&patch);
    assert_eq!(tree.text("app/app settings.ini"), windows.replace(CLIENT, client));
    for path in [
        "terraform/main.tf",
        "arm/azuredeploy.json",
        "k8s/service-account.yaml",
        "helm/values.yaml",
        ".github/workflows/deploy.yml",
        ".env",
        "app/appsettings.json",
    ] {
        let text = tree.text(path).to_lowercase();
        assert!(
            !text.contains(CLIENT) && !text.contains(PRINCIPAL) && !text.contains(&ID.to_lowercase()),
            "{text}"
        );
    }
    assert!(
        tree.text("terraform/terraform.tfstate").contains(CLIENT),
        "a state is told, not turned"
    );
    let again = tree.ferry.run(&["report", "last", "--patch", "-"]).code(0);
    assert_eq!(again.out, "");
    assert!(again.err.contains("by hand "), "{}", again.err);

    // Files hold up nothing.
    let done = tree.ferry.run(&["resume", "last", "--yes"]).code(0);
    assert!(done.out.contains("relocate is done"), "{}", done.out);
    silent(&tree);
    let shown = tree.ferry.run(&["show", "last", "--json"]).code(0).json();
    let findings = shown["findings"].as_array().unwrap();
    let of = |code: &str| -> Vec<&Value> { findings.iter().filter(|found| found["code"] == code).collect() };
    let named = of("named-in-files");
    assert!(
        named.iter().any(|found| found["severity"] == "warning"
            && found["target"].as_str().unwrap().ends_with("terraform/main.tf")
            && found["message"].as_str().unwrap().contains("first in line 3")),
        "{named:#?}"
    );
    assert!(
        named
            .iter()
            .any(|found| found["message"].as_str().unwrap().contains("terraform import")
                || found["message"].as_str().unwrap().contains("terraform state rm"))
    );
    assert_eq!(
        of("not-scanned").len(),
        2,
        "a binary file and a directory of a tool: {findings:#?}"
    );
}

#[test]
fn a_whole_relocation_with_files_is_no_failure_and_says_where_the_patch_is() {
    let tree = Tree::new();
    let simulator = Simulator::start("two-regions");
    let ran = relocate(&tree, "run", &simulator.url, &["--yes"]).code(0);
    assert!(
        ran.out.contains("in files still named id-orders: ferry report"),
        "{}",
        ran.out
    );
    tree.ferry.run(&["report", "last", "--patch", "-"]).code(0);
    silent(&tree);
}

#[test]
fn an_inventory_tells_the_places_and_knows_of_no_patch() {
    let tree = Tree::new();
    let estate = estate_file("two-regions");
    let estate = format!("--sim={}", estate.display());
    let ran = tree
        .ferry
        .run(&[
            "run",
            "inventory",
            "identity=id-orders",
            "scan=work/infra/k8s",
            "scan=work/infra/.env",
            &estate,
        ])
        .code(0);
    assert!(ran.out.contains("files that name id-orders"), "{}", ran.out);
    assert!(ran.out.contains("service-account.yaml"), "{}", ran.out);
    assert!(!ran.out.contains("--- a/") && !ran.out.contains(CANARY), "{}", ran.out);
    let refused = tree.ferry.run(&["report", "last", "--patch", "-"]).code(2);
    assert!(refused.err.contains("no-scan"), "{}", refused.err);
}

#[test]
fn a_map_is_verified_with_files_and_what_they_name_is_no_difference() {
    let tree = Tree::new();
    let simulator = Simulator::start("two-regions");
    let cloud = ["--cloud", &simulator.url];
    let inventory = [&["run", "inventory", "identity=id-orders", "--json"][..], &cloud].concat();
    let map = tree.ferry.run(&inventory).code(0);
    std::fs::write(tree.ferry.directory().join("map.json"), map.out).unwrap();
    let verify = [&["run", "verify", "map=@map.json", "scan=work/infra/k8s"][..], &cloud].concat();
    let ran = tree.ferry.run(&verify).code(0);
    assert!(ran.err.contains("warning named-in-files"), "{}", ran.err);
}

#[test]
fn a_path_that_is_not_there_is_refused_before_anything_is_asked() {
    let tree = Tree::new();
    let ran = relocate(&tree, "run", "http://127.0.0.1:1", &["scan=work/none"]).code(2);
    assert!(ran.err.contains("no such file or directory"), "{}", ran.err);
}

#[test]
fn a_run_goes_on_elsewhere_and_a_path_that_has_gone_is_a_finding() {
    let tree = Tree::new();
    let simulator = Simulator::start("two-regions");
    relocate(
        &tree,
        "run",
        &simulator.url,
        &["scan=work/infra/k8s", "--until", "move"],
    )
    .code(3);
    let elsewhere = tempfile::tempdir().unwrap();
    let state = tree.ferry.directory().join("state");
    let mut command = tree.ferry.command(&["resume", "last", "--yes", "--until", "verify"]);
    command.current_dir(elsewhere.path()).env("FERRY_STATE", &state);
    std::fs::rename(&tree.root, tree.root.with_file_name("moved")).unwrap();
    let ran = Ran::of(
        &command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .output()
            .unwrap(),
    )
    .code(3);
    assert!(ran.err.contains("path-gone"), "{}", ran.err);
}

#[test]
fn a_script_reads_no_file_that_no_parameter_names() {
    let tree = Tree::new();
    let estate = estate_file("one-vm");
    let estate = format!("--sim={}", estate.display());
    let script = "//! Looks where it may, and then where it may not.\nconst PARAMS = #{ below: #{ type: \"path\", help: \"where\" }, other: #{ type: \"string\", help: \"where else\" } };\nfn main(params) { files::scan([params.below + \"/k8s\"], #{ id: \"/x\", name: \"n\" }, ()); files::scan([params.other], #{ id: \"/x\", name: \"n\" }, ()) }\n";
    std::fs::write(tree.ferry.directory().join("look.rhai"), script).unwrap();
    let outside = tree.ferry.directory().join("work");
    let inside = tree.root.join("../infra/app");
    for other in [outside, inside, PathBuf::from("/etc")] {
        let other = format!("other={}", other.display());
        let ran = tree
            .ferry
            .run(&["run", "./look.rhai", "below=work/infra", &other, &estate])
            .code(1);
        assert!(ran.err.contains("path-not-named"), "{}", ran.err);
    }
    let ran = tree
        .ferry
        .run(&[
            "eval",
            "files::scan([\"/etc\"], #{ id: \"/x\", name: \"n\" }, ())",
            &estate,
        ])
        .code(1);
    assert!(ran.err.contains("path-not-named"), "{}", ran.err);
}

/// Blanks, quotes, letters of other alphabets, ends of lines: with the library, since only the patch is of interest.
#[cfg(unix)]
#[test]
fn git_and_patch_take_what_is_named_strangely() {
    use ferry::scan::{Identity, Names, look};
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    for root in [&one, &two] {
        std::fs::create_dir_all(root.join("sp ace")).unwrap();
        for (name, text) in [
            ("we\"ird ä.txt", format!("x {CLIENT}\r\ny\r\n")),
            ("sp ace/ü.txt", format!("x {CLIENT}")),
            ("tab\tname", format!("{CLIENT}\n")),
            ("back\\slash", format!("\n\n{CLIENT}\n")),
        ] {
            std::fs::write(root.join(name), text).unwrap();
        }
    }
    let identity = |client: &str| Identity {
        client_id: client.to_owned(),
        ..Identity::default()
    };
    let names = Names {
        old: identity(CLIENT),
        new: Some(identity("new")),
    };
    let found = look(std::slice::from_ref(&one), &names, &|| true);
    let patch = directory.path().join("a.patch");
    std::fs::write(&patch, found.patch().text).unwrap();
    git(&one, &["apply", "--whitespace=nowarn", patch.to_str().unwrap()], true);
    let expected: Vec<(PathBuf, String)> = found.turned().map(|(path, text)| (path.to_owned(), text)).collect();
    assert_eq!(expected.len(), 4);
    for (path, text) in &expected {
        assert_eq!(&std::fs::read_to_string(path).unwrap(), text, "{}", path.display());
    }
    // Not every machine has it.
    let Ok(ran) = Command::new("patch")
        .args(["-p1", "-i"])
        .arg(&patch)
        .current_dir(&two)
        .output()
    else {
        return;
    };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    for (path, text) in expected {
        let path = two.join(path.strip_prefix(&one).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "{}", path.display());
    }
}

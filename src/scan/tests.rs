//! What is found in files of each kind, and that the patch turns just that.

use std::path::Path;

use proptest::prelude::*;

use super::look::file;
use super::mark::Kind;
use super::{Edit, Identity, Names, applied, look, unified};

const OLD: &str = "/subscriptions/b22d0002-0002-4002-8002-b22d00000002/resourceGroups/rg-orders/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders";
const NEW: &str = "/subscriptions/b22d0002-0002-4002-8002-b22d00000002/resourceGroups/rg-orders/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders-westeurope";
const CLIENT: &str = "b22d0004-0004-4004-8004-b22d00000004";
const PRINCIPAL: &str = "b22d0003-0003-4003-8003-b22d00000003";
const NEW_CLIENT: &str = "c33e0004-0004-4004-8004-c33e00000004";

fn names() -> Names {
    Names {
        old: Identity {
            id: OLD.to_owned(),
            name: "id-orders".to_owned(),
            location: "northeurope".to_owned(),
            client_id: CLIENT.to_owned(),
            principal_id: PRINCIPAL.to_owned(),
        },
        new: Some(Identity {
            id: NEW.to_owned(),
            name: "id-orders-westeurope".to_owned(),
            location: "westeurope".to_owned(),
            client_id: NEW_CLIENT.to_owned(),
            principal_id: String::new(),
        }),
    }
}

/// Kind, word and text of everything found in a file of this name.
fn found_by(name: &str, text: &str, names: &Names) -> Vec<(Kind, &'static str, String)> {
    let Some(found) = file(Path::new(name), text.to_owned(), true, names) else {
        return Vec::new();
    };
    let marks = found.marks.iter();
    marks
        .map(|mark| (mark.kind, mark.word.as_str(), text[mark.range.clone()].to_owned()))
        .collect()
}

fn found(name: &str, text: &str) -> Vec<(Kind, &'static str, String)> {
    found_by(name, text, &names())
}

/// What a file becomes by its patch.
fn turned(name: &str, text: &str) -> String {
    turned_by(name, text, &names())
}

fn turned_by(name: &str, text: &str, names: &Names) -> String {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(name), text).unwrap();
    let found = look(&[directory.path().to_owned()], names, &|| true);
    let made = found.turned().map(|(_, text)| text).next();
    made.unwrap_or_else(|| text.to_owned())
}

#[test]
fn ids_are_found_as_whole_words_in_any_spelling() {
    let lower = OLD.to_lowercase();
    for (text, turned_to) in [
        (format!("a = {OLD}\n"), format!("a = {NEW}\n")),
        (format!("a: \"{lower}\""), format!("a: \"{NEW}\"")),
        (
            format!("https://management.azure.com{OLD}/x"),
            format!("https://management.azure.com{NEW}/x"),
        ),
        (format!("${{base}}{}", &OLD[1..]), format!("${{base}}{}", &NEW[1..])),
        (
            format!("?id={}&x", OLD.replace('/', "%2f")),
            format!("?id={}&x", NEW.replace('/', "%2F")),
        ),
        (
            format!("User Id={};", CLIENT.to_uppercase()),
            format!("User Id={NEW_CLIENT};"),
        ),
    ] {
        assert_eq!(turned("x.txt", &text), turned_to);
    }
    for text in [
        format!("{OLD}2"),
        format!("{OLD}-b"),
        format!("a{CLIENT}"),
        format!("{CLIENT}-0"),
    ] {
        assert_eq!(found("x.txt", &text), [], "{text}");
    }
}

#[test]
fn what_only_azure_can_give_is_told_and_not_turned() {
    let text = format!("principal = \"{PRINCIPAL}\"\n");
    assert_eq!(
        found("x.tf", &text),
        [(Kind::Word, "principalId", PRINCIPAL.to_owned())]
    );
    assert_eq!(turned("x.tf", &text), text);
}

#[test]
fn terraform_that_declares_the_identity_gets_its_new_name_and_region() {
    let text = "resource \"azurerm_user_assigned_identity\" \"orders\" {\n  name                = \"id-orders\"\n  location            = \"North Europe\"\n  resource_group_name = \"rg-orders\"\n  tags = { name = \"id-orders\" }\n}\n";
    let made = turned("main.tf", text);
    let expected = text
        .replacen("\"id-orders\"", "\"id-orders-westeurope\"", 1)
        .replace("North Europe", "westeurope");
    assert_eq!(made, expected, "the tag is told, not turned");
    let kinds: Vec<Kind> = found("main.tf", text).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, [Kind::Declaration, Kind::Declaration, Kind::Doubt]);
    let again: Vec<Kind> = found("main.tf", &made).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(again, [Kind::Doubt]);
}

#[test]
fn an_identity_of_the_same_name_elsewhere_is_left_alone() {
    for (name, text) in [
        (
            "a.tf",
            "data \"azurerm_user_assigned_identity\" \"x\" {\n  name = \"id-orders\"\n  resource_group_name = \"rg-other\"\n}\n",
        ),
        (
            "a.bicep",
            "resource x 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {\n  name: 'id-orders'\n  scope: resourceGroup('rg-other')\n}\n",
        ),
        (
            "a.json",
            "{\"a\": \"[resourceId('rg-other', 'Microsoft.ManagedIdentity/userAssignedIdentities', 'id-orders')]\"}",
        ),
        ("a.sh", "az identity show --name id-orders --resource-group rg-other\n"),
        (
            "a.txt",
            "/subscriptions/${s}/resourceGroups/rg-other/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders\n",
        ),
    ] {
        assert_eq!(found(name, text), [], "{name}");
    }
}

#[test]
fn references_by_name_are_turned_where_their_type_is_clear() {
    for (name, text) in [
        (
            "a.tf",
            "data \"azurerm_user_assigned_identity\" \"x\" {\n  name = \"id-orders\"\n  resource_group_name = var.group\n}\n",
        ),
        (
            "b.tf",
            "resource \"azapi_resource\" \"x\" {\n  type = \"Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31\"\n  name = \"id-orders\"\n  parent_id = \"/subscriptions/s/resourceGroups/rg-orders\"\n}\n",
        ),
        (
            "c.tf.json",
            "{\"resource\": {\"azurerm_user_assigned_identity\": {\"x\": {\"name\": \"id-orders\"}}}}",
        ),
        (
            "d.tf",
            "module \"x\" {\n  source = \"Azure/avm-res-managedidentity-userassignedidentity/azurerm\"\n  name = \"id-orders\"\n}\n",
        ),
        (
            "a.bicep",
            "resource x 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = if (y) {\n  name: 'id-orders'\n}\n",
        ),
        (
            "b.bicep",
            "module x 'br/public:avm/res/managed-identity/user-assigned-identity:0.4.0' = {\n  name: 'x'\n  params: {\n    name: 'id-orders'\n  }\n}\n",
        ),
        (
            "c.bicep",
            "var id = resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id-orders')\n",
        ),
        (
            "d.bicep",
            "var id = '${group.id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-orders'\n",
        ),
        (
            "e.bicep",
            "resource x 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {\n  name: 'id-orders/github'\n}\n",
        ),
        (
            "a.json",
            "{\"type\": \"Microsoft.ManagedIdentity/userAssignedIdentities\", \"apiVersion\": \"x\", \"name\": \"id-orders\"}",
        ),
        (
            "b.json",
            "{\"k\": \"[resourceId('rg-orders', 'Microsoft.ManagedIdentity/userAssignedIdentities/', 'id-orders')]\"}",
        ),
        (
            "a.yaml",
            "apiVersion: managedidentity.azure.com/v1api20230131\nkind: UserAssignedIdentity\nspec:\n  azureName: id-orders\n",
        ),
        (
            "b.yml",
            "- run: az vm identity assign -g rg-orders -n vm --identities \"id-orders\"\n",
        ),
        (
            "c.yml",
            "- run: |\n    az identity show \\\n      --name id-orders \\\n      -g \"$GROUP\"\n",
        ),
        (
            "d.yml",
            "- run: az identity federated-credential create --name x --identity-name=id-orders -g rg-orders\n",
        ),
        (
            "a.ps1",
            "$id = Get-AzUserAssignedIdentity -Name id-orders -ResourceGroupName $group\n",
        ),
    ] {
        let made = turned(name, text);
        assert_eq!(made, text.replace("id-orders", "id-orders-westeurope"), "{name}");
        let left: Vec<_> = found(name, &made)
            .into_iter()
            .filter(|(kind, ..)| *kind != Kind::Doubt)
            .collect();
        assert_eq!(left, [], "{name}: a second look finds nothing");
    }
}

#[test]
fn a_command_that_makes_the_identity_gets_name_and_region() {
    let text = "az identity create -g rg-orders -n id-orders -l northeurope\n";
    assert_eq!(
        turned("a.sh", text),
        "az identity create -g rg-orders -n id-orders-westeurope -l westeurope\n"
    );
    let text = "New-AzUserAssignedIdentity -Name 'id-orders' -Location \"North Europe\"\n";
    assert_eq!(
        turned("a.ps1", text),
        "New-AzUserAssignedIdentity -Name 'id-orders-westeurope' -Location \"westeurope\"\n"
    );
}

#[test]
fn a_name_that_may_mean_something_else_is_looked_at_or_left() {
    for (name, text, doubts) in [
        ("values.yaml", "identityName: id-orders\n", 1),
        ("a.tfvars", "name = \"id-orders\"\n", 1),
        ("README.md", "The identity id-orders reads the vault.\n", 1),
        ("README.md", "The table id-orders has four columns.\n", 0),
        ("a.yaml", "image: registry/id-orders:1.2\n", 0),
        ("a.yaml", "host: id-orders.example.com\n", 0),
        ("a.txt", "id-orders-api and my-id-orders\n", 0),
        (
            "a.tf",
            "resource \"azurerm_user_assigned_identity\" \"x\" {\n  name = \"id-${var.app}\"\n}\n",
            1,
        ),
        (
            "a.tf",
            "resource \"azurerm_user_assigned_identity\" \"x\" {\n  name = \"uami-${var.app}\"\n}\n",
            0,
        ),
        (
            "a.tf",
            "resource \"azurerm_user_assigned_identity\" \"x\" {\n  name = var.name\n}\n",
            0,
        ),
    ] {
        let kinds: Vec<Kind> = found(name, text).into_iter().map(|(kind, ..)| kind).collect();
        assert_eq!(kinds, vec![Kind::Doubt; doubts], "{name}: {text}");
        assert_eq!(turned(name, text), text);
    }
}

#[test]
fn states_and_encoded_values_are_told_and_never_shown() {
    use base64::Engine as _;
    let text = format!("{{\"id\": \"{OLD}\", \"secret\": \"hunter2\"}}");
    assert_eq!(found("terraform.tfstate", &text), [(Kind::State, "id", OLD.to_owned())]);
    assert_eq!(turned("terraform.tfstate.backup", &text), text);
    let value = base64::engine::general_purpose::STANDARD.encode(format!("password=hunter2;clientId={CLIENT}"));
    let secret = format!("kind: Secret\ndata:\n  settings: {value}\n");
    assert_eq!(found("secret.yaml", &secret), [(Kind::Look, "clientId", String::new())]);
    let wrapped = format!("data:\n  a: |\n    {}\n    {}\n", &value[..40], &value[40..]);
    assert_eq!(
        found("wrapped.yaml", &format!("x: >\n{}\n{}\n", &value[..52], &value[52..])).len(),
        1
    );
    assert_eq!(found("wrapped.yaml", &wrapped).len(), 1);
    let name = base64::engine::general_purpose::STANDARD.encode("id-orders");
    assert_eq!(
        found("secret.yaml", &format!("  id: {name}\n")),
        [(Kind::Doubt, "name", String::new())]
    );
}

#[test]
fn a_new_resource_group_goes_where_the_old_one_stands() {
    let mut names = names();
    let new = names.new.as_mut().unwrap();
    (new.id, new.name) = (OLD.replace("rg-orders", "rg-we"), "id-orders".to_owned());
    let text = "data \"azurerm_user_assigned_identity\" \"x\" {\n  name = \"id-orders\"\n  resource_group_name = \"rg-orders\"\n}\n";
    assert_eq!(turned_by("a.tf", text, &names), text.replace("rg-orders", "rg-we"));
    let text = "az identity show -n id-orders -g rg-orders\naz vm start -g rg-orders -n vm\n";
    assert_eq!(
        turned_by("a.sh", text, &names),
        "az identity show -n id-orders -g rg-we\naz vm start -g rg-orders -n vm\n"
    );
    let text = "x: id-orders\n";
    assert_eq!(found_by("a.yaml", text, &names), [], "the name stays");
}

#[test]
fn without_a_new_identity_places_are_told() {
    let names = Names { new: None, ..names() };
    let text = "az identity show --name id-orders\n";
    assert_eq!(
        found_by("a.sh", text, &names),
        [(Kind::Reference, "name", "id-orders".to_owned())]
    );
    assert_eq!(turned_by("a.sh", text, &names), text);
}

#[test]
fn what_is_left_out_is_said_and_links_lead_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let write = |path: &str, bytes: &[u8]| {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("root/.env", format!("AZURE_CLIENT_ID={CLIENT}\n").as_bytes());
    write("root/.gitignore", b".env\n");
    write("root/.git/config", CLIENT.as_bytes());
    write("root/target/CACHEDIR.TAG", b"");
    write("root/target/a.json", CLIENT.as_bytes());
    write("root/app.bin", format!("\0{CLIENT}").as_bytes());
    write(
        "root/latin.txt",
        format!("caf\u{e9} {CLIENT}")
            .chars()
            .map(|c| c as u8)
            .collect::<Vec<_>>()
            .as_slice(),
    );
    write("outside/secret.txt", CLIENT.as_bytes());
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(directory.path().join("outside"), root.join("link")).unwrap();
        std::os::unix::fs::symlink(root.join(".env"), root.join("inside")).unwrap();
    }
    let gone = directory.path().join("gone");
    let seen = look(&[root.clone(), gone.clone(), root.join(".env")], &names(), &|| true);
    let places: Vec<(String, Kind)> = seen
        .places()
        .iter()
        .map(|place| {
            (
                place.file.strip_prefix(&root).unwrap().display().to_string(),
                place.kind,
            )
        })
        .collect();
    assert_eq!(
        places,
        [(".env".to_owned(), Kind::Word), ("latin.txt".to_owned(), Kind::Look)]
    );
    let left: Vec<String> = seen
        .left_out
        .iter()
        .map(|left| left.path.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    let expected: &[&str] = if cfg!(unix) {
        &[".git", "app.bin", "link", "target"]
    } else {
        &[".git", "app.bin", "target"]
    };
    assert_eq!(left, expected);
    assert_eq!(seen.gone, [gone]);
    assert_eq!(seen.read, 3);
    let patch = seen.patch();
    assert_eq!((patch.turned, patch.files, patch.by_hand), (1, 1, 1));
    assert!(
        patch.text.starts_with("--- a/.env\n+++ b/.env\n@@ -1 +1 @@\n"),
        "{}",
        patch.text
    );
}

/// Takes a patch of one file, strictly: every line that it shows must stand where it says.
fn taken(text: &str, patch: &str) -> String {
    if patch.is_empty() {
        return text.to_owned();
    }
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut made, mut at) = (String::new(), 0);
    let mut lines = patch.split_inclusive('\n').skip(2).peekable();
    while let Some(line) = lines.next() {
        let mut whole = line.to_owned();
        if lines.peek() == Some(&"\\ No newline at end of file\n") {
            lines.next();
            assert_eq!(whole.pop(), Some('\n'));
        }
        let (sign, rest) = whole.split_at(1);
        match sign {
            "@" => {
                let start: usize = rest[3..].split([',', ' ']).next().unwrap().parse().unwrap();
                made.push_str(&old[at..start - 1].concat());
                at = start - 1;
            }
            "+" => made.push_str(rest),
            "-" | " " => {
                assert_eq!(old[at], rest, "line {}", at + 1);
                at += 1;
                if sign == " " {
                    made.push_str(rest);
                }
            }
            other => panic!("{other:?} begins no line of a patch"),
        }
    }
    made.push_str(&old[at..].concat());
    made
}

/// Texts in which the old identity's names stand among everything that may stand around them.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9 ä\"'/=:{}$,.;#\\\\-]{0,12}",
        3 => prop::sample::select(vec!["\n", "\r\n", "\n\n", "\r", "\t"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![OLD, CLIENT, PRINCIPAL, "id-orders", "rg-orders", "northeurope"]).prop_map(str::to_owned),
        1 => Just(OLD.to_uppercase()),
        1 => prop::sample::select(vec![
            "resource \"azurerm_user_assigned_identity\" \"x\" {\n",
            "  name = \"id-orders\"\n",
            "  location = \"northeurope\"\n",
            "resource x 'Microsoft.ManagedIdentity/userAssignedIdentities@1' = {\n",
            "  name: 'id-orders'\n",
            "\"type\": \"Microsoft.ManagedIdentity/userAssignedIdentities\", ",
            "az identity create --name id-orders -l northeurope ",
            "resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id-orders')",
            "userAssignedIdentities/id-orders",
            "kind: UserAssignedIdentity\n",
            "azureName: id-orders\n",
        ])
        .prop_map(str::to_owned),
    ];
    ("\u{feff}?", prop::collection::vec(piece, 0..24)).prop_map(|(mark, pieces)| format!("{mark}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(crate::types::tries(300))]

    #[test]
    fn the_patch_gives_the_text_with_everything_turned_and_a_second_look_finds_nothing_to_turn(
        text in texts(),
        name in prop::sample::select(vec!["a.tf", "a.bicep", "a.json", "a.yaml", "a.sh", ".env"]),
    ) {
        let mut names = names();
        names.new.as_mut().unwrap().principal_id = "c33e0003-0003-4003-8003-c33e00000003".to_owned();
        if let Some(found) = file(Path::new(name), text.clone(), true, &names) {
            let edits: Vec<Edit> = found
                .marks
                .iter()
                .filter(|mark| mark.kind.is_patched())
                .map(|mark| match &mark.to {
                    super::To::Text(to) => Edit { range: mark.range.clone(), to: to.clone() },
                    other => panic!("everything is known: {other:?}"),
                })
                .collect();
            let expected = applied(&text, &edits);
            prop_assert_eq!(&taken(&text, &unified(name, &text, &edits)), &expected);
            let again = file(Path::new(name), expected.clone(), true, &names);
            let left: Vec<_> = again.into_iter().flat_map(|file| file.marks).filter(|mark| mark.kind.is_patched()).collect();
            prop_assert!(left.is_empty(), "{:?} in {:?}", left, expected);
        }
    }

    #[test]
    fn any_places_of_any_text_are_turned(text in "[a-c\\r\\n]{0,80}", at in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut starts: Vec<usize> = at.iter().map(|at| at.index(text.len() + 1)).collect();
        starts.sort_unstable();
        starts.dedup();
        let edit = |start: usize| {
            let end = (start + 1).min(text.len());
            let whole = text[start..end].find('\n').is_none();
            Edit { range: start..if whole { end } else { start }, to: "xy".to_owned() }
        };
        // At the very end of a text that ends with a line there is no line to turn.
        let edits: Vec<Edit> = starts.into_iter().filter(|start| *start < text.len()).map(edit).collect();
        prop_assert_eq!(taken(&text, &unified("a", &text, &edits)), applied(&text, &edits));
    }
}

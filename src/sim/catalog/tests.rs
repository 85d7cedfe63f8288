use std::path::{Path, PathBuf};

use super::*;

#[test]
fn every_file_of_the_catalog_can_be_read() {
    let read = load::read().unwrap();
    assert!(read.values().map(|namespace| namespace.types.len()).sum::<usize>() > 500);
    for kind in read.values().flat_map(|namespace| namespace.types.values()) {
        let full = kind.full();
        assert!(
            !kind.versions.is_empty() || kind.is_open(),
            "{full} has no api-versions"
        );
        assert!(kind.versions.iter().all(|version| well_formed(version)), "{full}");
        let pointers = kind.uses.iter().map(|named| &named.at).chain(kind.computed.keys());
        for pointer in pointers.chain(&kind.secrets) {
            assert!(pointer.starts_with('/') && !pointer.ends_with('/'), "{full}: {pointer}");
        }
        for named in kind.uses.iter().filter(|named| named.held) {
            assert!(kind.identity.is_some(), "{full} holds {} without an identity", named.at);
        }
    }
}

#[test]
fn versions_are_told_from_other_texts() {
    assert!(well_formed("2024-11-30"));
    assert!(well_formed("2025-05-31-preview"));
    for text in ["", "latest", "2024-11", "2024-11-30-", "2024-11-30preview", "20241130"] {
        assert!(!well_formed(text), "{text}");
    }
}

/// The facts that the project shares, where they lie beside the checkout.
fn shared(file: &str) -> Option<String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = std::env::var_os("FERRY_SHARED").map_or(beside, PathBuf::from);
    std::fs::read_to_string(root.join(file)).ok()
}

/// The cells of the tables of a section.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| type") && !line.starts_with("| Type"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

/// The full types that the first cell of the main table names: `Microsoft.A/b, c (…)`, `Microsoft.A/{b,c}`, `…/d`.
fn named(cell: &str, before: &str) -> Vec<String> {
    let cell = cell.split(" (").next().unwrap_or_default();
    let Some((namespace, _)) = cell
        .strip_prefix('…')
        .map_or_else(|| cell.split_once('/'), |_| before.split_once('/'))
    else {
        return Vec::new();
    };
    if !namespace.contains('.') || namespace.contains(' ') {
        return Vec::new();
    }
    let parent = before.rsplit_once('/').map_or(before, |(parent, _)| parent);
    let mut found: Vec<String> = Vec::new();
    let (head, choices) = match cell.split_once('{') {
        Some((head, rest)) => (head, rest.split('}').next().unwrap_or_default().split(',').collect()),
        None => ("", cell.split(", ").collect::<Vec<_>>()),
    };
    for choice in choices.into_iter().map(|choice| format!("{head}{}", choice.trim())) {
        let full = match choice.strip_prefix('…') {
            // Below what the row before names, or beside it.
            Some(rest) if kind(&format!("{before}{rest}")).is_some() => format!("{before}{rest}"),
            Some(rest) => format!("{parent}{rest}"),
            None if choice.contains('.') => choice,
            None => {
                let beside = |first: &str| {
                    first
                        .rsplit_once('/')
                        .map_or(first.to_owned(), |(parent, _)| parent.to_owned())
                };
                let near = found.iter().flat_map(|first| [beside(first), first.clone()]);
                let near = near
                    .map(|parent| format!("{parent}/{choice}"))
                    .find(|near| kind(near).is_some());
                near.unwrap_or_else(|| format!("{namespace}/{choice}"))
            }
        };
        found.push(full);
    }
    found
}

/// Rows of the main table that name no resource type of ARM: what runs inside one, is told of elsewhere, or is a set.
const NO_TYPE: [&str; 8] = [
    "VMSS Flexible",
    "…/AKS workloads",
    "Logic Apps Standard",
    "Microsoft.RecoveryServices (Site Recovery)",
    "Microsoft.Migrate, DataReplication/replicationVaults",
    "Microsoft.ManagedServices, Lighthouse",
    "Partner (Nginx, PaloAlto, NewRelic, Qumulo, Dynatrace, …)",
    "Microsoft.ManagedIdentity/… itself",
];

/// Rows of the main table that name documents of a type, or a type by a short name.
const SHORT: [(&str, &[&str]); 3] = [
    (
        "…/config/web, appsettings, connectionstrings, slotConfigNames",
        &["Microsoft.Web/sites/config"],
    ),
    ("…/config/authsettingsV2", &["Microsoft.Web/sites/config"]),
    (
        "Microsoft.Network/privateLinkServices, loadBalancers, NSGs",
        &[
            "Microsoft.Network/privateLinkServices",
            "Microsoft.Network/loadBalancers",
            "Microsoft.Network/networkSecurityGroups",
        ],
    ),
];

#[test]
fn every_type_that_can_have_an_identity_has_an_entry() {
    let Some(text) = shared("azure/resource-bindings.md") else {
        eprintln!("nothing to read: azure/resource-bindings.md is not beside the checkout");
        return;
    };
    let section = |from: &str, to: &str| text.split(from).nth(1).unwrap().split(to).next().unwrap();
    let (mut missing, mut types, mut before) = (Vec::new(), 0, String::new());
    for row in rows(section("## 4. Main table", "## 5.")) {
        if NO_TYPE.contains(&row[0]) {
            continue;
        }
        let short = SHORT.iter().find(|(cell, _)| *cell == row[0]);
        let named = short.map_or_else(
            || named(row[0], &before),
            |(_, types)| types.iter().map(|full| (*full).to_owned()).collect(),
        );
        assert!(!named.is_empty(), "not understood: {}", row[0]);
        for full in &named {
            types += 1;
            if kind(full).is_none() {
                missing.push(full.clone());
            }
        }
        before = named[0].clone();
    }
    assert!(types > 140, "{types}");
    let mut known = 0;
    for row in rows(section("## Appendix A", "## Appendix B")) {
        let [full, version, combined, patch] = row[..] else {
            continue;
        };
        let Some(kind) = kind(full) else {
            missing.push(full.to_owned());
            continue;
        };
        known += 1;
        let identity = kind
            .identity
            .as_ref()
            .unwrap_or_else(|| panic!("{full} has no identity block"));
        assert!(
            kind.versions.iter().any(|own| own == version) || kind.is_open(),
            "{full} lacks {version}"
        );
        match combined {
            "`,`" => assert_eq!(identity.combined, "SystemAssigned,UserAssigned", "{full}"),
            "`, `" => assert_eq!(identity.combined, "SystemAssigned, UserAssigned", "{full}"),
            "-" => assert_eq!(identity.combined, "", "{full}"),
            _ => {}
        }
        match patch.as_bytes()[0] {
            b'Y' => assert!(matches!(identity.patch, Patch::Merge | Patch::Replace), "{full}"),
            b'N' => assert!(matches!(identity.patch, Patch::None | Patch::Tags), "{full}"),
            _ => {}
        }
    }
    assert!(known > 200, "{known}");
    assert!(missing.is_empty(), "no entry for {missing:#?}");
}

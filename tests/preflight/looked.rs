//! A small tenant with something in it, and what a plan of a relocation says about that.

use serde_json::{Value, json};

use crate::support::{Ferry, Ran, Simulator, demo, estate_file};

pub const SUBSCRIPTION: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002";
pub const GROUP: &str = "/subscriptions/a11c0002-0002-4002-8002-a11c00000002/resourceGroups/rg-one";
pub const OPERATOR: &str = "0be7a001-0001-4001-8001-0be7a0000001";
/// The identity that is relocated, and its principal.
pub const PRINCIPAL: &str = "a11c0003-0003-4003-8003-a11c00000003";
pub const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
pub const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
pub const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

pub fn identity() -> String {
    format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one")
}

pub fn machine() -> String {
    format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-one")
}

/// The estate `one-vm`, before anything runs on it.
pub struct Tenant(pub Value);

impl Tenant {
    pub fn new() -> Self {
        let text = std::fs::read_to_string(estate_file("one-vm")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// With one more document.
    pub fn and(mut self, document: Value) -> Self {
        self.0["arm"]["resources"].as_array_mut().unwrap().push(document);
        self
    }

    /// With a document of this estate changed.
    pub fn changed(mut self, id: &str, change: impl FnOnce(&mut Value)) -> Self {
        let all = self.0["arm"]["resources"].as_array_mut().unwrap();
        let found = all.iter_mut().find(|document| document["id"] == id);
        change(found.unwrap());
        self
    }

    /// With an operator who owns nothing yet.
    pub fn with_operator(mut self) -> Self {
        self.0["operator"] = json!(OPERATOR);
        self.0["graph"]["users"] =
            json!([{"id": OPERATOR, "displayName": "Op", "userPrincipalName": "op@example.com"}]);
        self
    }

    /// With a role of the operator's at a scope.
    pub fn may(self, role: &str, scope: &str) -> Self {
        self.may_if(role, scope, None)
    }

    /// With a role of the operator's at a scope, under a condition.
    pub fn may_if(self, role: &str, scope: &str, condition: Option<&str>) -> Self {
        let number = self.0["arm"]["resources"].as_array().unwrap().len();
        let name = format!("0be7a002-0002-4002-8002-{number:012}");
        let mut properties = json!({
            "roleDefinitionId": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": OPERATOR, "principalType": "User", "scope": scope,
        });
        if let Some(condition) = condition {
            properties["condition"] = json!(condition);
            properties["conditionVersion"] = json!("2.0");
        }
        self.and(json!({
            "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"),
            "name": name, "type": "Microsoft.Authorization/roleAssignments", "properties": properties,
        }))
    }

    /// With a custom role of the operator's at the subscription.
    pub fn may_do(self, actions: &[&str], not_actions: &[&str]) -> Self {
        const ROLE: &str = "0be7a003-0003-4003-8003-0be7a0000003";
        self.and(json!({
            "id": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"),
            "name": ROLE, "type": "Microsoft.Authorization/roleDefinitions",
            "properties": { "roleName": "Just this", "type": "CustomRole", "assignableScopes": [SUBSCRIPTION],
                "permissions": [{ "actions": actions, "notActions": not_actions, "dataActions": [], "notDataActions": [] }] },
        }))
        .may(ROLE, SUBSCRIPTION)
    }

    /// A simulator of this tenant, with nothing that comes late.
    pub fn start(&self, ferry: &Ferry) -> Simulator {
        let file = ferry.directory().join("estate.json");
        std::fs::write(&file, self.0.to_string()).unwrap();
        Simulator::with(&file, &["--lag", "off"])
    }

    /// What a plan of the relocation finds.
    #[track_caller]
    pub fn look(&self) -> Looked {
        self.look_at(&[])
    }

    /// What a plan of the relocation finds, with further parameters; the last of one name counts.
    #[track_caller]
    pub fn look_at(&self, more: &[&str]) -> Looked {
        let ferry = Ferry::new();
        let simulator = self.start(&ferry);
        let looked = look(&ferry, &simulator, more);
        assert!(simulator.writes().is_empty(), "{:?}", simulator.writes());
        looked
    }
}

/// What a plan of the relocation finds on a simulator.
#[track_caller]
pub fn look(ferry: &Ferry, simulator: &Simulator, more: &[&str]) -> Looked {
    let (identity, to) = demo("one-vm");
    let mut args = vec!["plan", "relocate", "--cloud", &simulator.url, "--json", &identity];
    if !more.iter().any(|one| one.starts_with("to=")) {
        args.push(&to);
    }
    args.extend(more);
    let plan = ferry.run(&args).code(0).json();
    Looked(plan["findings"].as_array().unwrap().clone())
}

/// Carries out the relocation.
pub fn relocate(ferry: &Ferry, simulator: &Simulator) -> Ran {
    let (identity, to) = demo("one-vm");
    ferry.run(&["run", "relocate", "--cloud", &simulator.url, "--yes", &identity, &to])
}

/// The findings of a plan.
pub struct Looked(Vec<Value>);

impl Looked {
    fn of(&self, code: &str) -> Vec<&Value> {
        self.0.iter().filter(|finding| finding["code"] == code).collect()
    }

    /// There is a finding of this kind, about this target, that says all of this.
    #[track_caller]
    pub fn tells(&self, severity: &str, code: &str, target: &str, words: &[&str]) -> &Self {
        let fits = |finding: &&Value| {
            let text = finding["message"].as_str().unwrap();
            finding["severity"] == severity
                && finding["target"].as_str().unwrap().eq_ignore_ascii_case(target)
                && words.iter().all(|word| text.contains(word))
        };
        let found = self.of(code);
        assert!(
            found.iter().any(fits),
            "no {severity} {code} at {target} with {words:?} in {:#?}",
            self.0
        );
        self
    }

    /// Nothing of these kinds is told.
    #[track_caller]
    pub fn is_silent_about(&self, codes: &[&str]) -> &Self {
        for code in codes {
            assert!(self.of(code).is_empty(), "{:#?}", self.of(code));
        }
        self
    }

    /// No finding of this kind says this.
    #[track_caller]
    pub fn does_not_say(&self, code: &str, word: &str) -> &Self {
        let says = |finding: &&&Value| finding["message"].as_str().unwrap().contains(word);
        assert!(
            !self.of(code).iter().any(|finding| says(&finding)),
            "{:#?}",
            self.of(code)
        );
        self
    }

    /// Nothing that would stop anything is told.
    #[track_caller]
    pub fn is_clear(&self) -> &Self {
        let errors: Vec<_> = self.0.iter().filter(|finding| finding["severity"] == "error").collect();
        assert!(errors.is_empty(), "{errors:#?}");
        self
    }
}

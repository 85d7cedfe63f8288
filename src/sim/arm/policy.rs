//! Azure Policy as far as it stands in the way: assignments whose definition denies a write.

use serde_json::{Map, Value, json};

use super::fail::fail;
use super::route::{Result, Turn};
use crate::sim::rights::{Tree, assignment_scope, last};
use crate::sim::store::key_of;
use crate::sim::world::World;
use crate::sim::{Answer, regions};
use crate::types::ResourceId;

/// A definition that an assignment brings, with the values of its parameters.
struct Rule {
    definition: Value,
    values: Map<String, Value>,
}

/// A denial: which assignment, by which definition.
struct Denial {
    assignment: Value,
    definition: Value,
    evaluated: Vec<Value>,
}

/// Built-in definitions that people meet when they move things; others come with the estate.
fn built_in(guid: &str) -> Option<Value> {
    let group = "Microsoft.Resources/subscriptions/resourceGroups";
    let places = "[parameters('listOfAllowedLocations')]";
    let (name, rule) = match guid {
        "e56962a6-4747-49cd-b67b-bf8b01975c4c" => (
            "Allowed locations",
            json!({"allOf": [{"field": "location", "notIn": places}, {"field": "location", "notEquals": "global"},
                {"field": "type", "notEquals": group}]}),
        ),
        "e765b5de-1225-4ba3-bd56-1ac6695af988" => (
            "Allowed locations for resource groups",
            json!({"allOf": [{"field": "type", "equals": group}, {"field": "location", "notIn": places}]}),
        ),
        "871b6d14-10aa-478d-b590-94f262ecfa99" => (
            "Require a tag on resources",
            json!({"allOf": [{"field": "[concat('tags[', parameters('tagName'), ']')]", "exists": "false"},
                {"field": "type", "notEquals": group}]}),
        ),
        _ => return None,
    };
    Some(json!({
        "id": format!("/providers/Microsoft.Authorization/policyDefinitions/{guid}"),
        "name": guid,
        "properties": {"displayName": name, "policyRule": {"if": rule, "then": {"effect": "deny"}}},
    }))
}

fn definition(world: &World, id: &str) -> Option<Value> {
    world
        .store
        .get(&key_of(id))
        .cloned()
        .or_else(|| built_in(&last(id).to_ascii_lowercase()))
}

fn values(assigned: &Value, declared: &Value) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, parameter) in declared.as_object().into_iter().flatten() {
        if let Some(value) = parameter.get("defaultValue") {
            values.insert(name.to_ascii_lowercase(), value.clone());
        }
    }
    for (name, parameter) in assigned.as_object().into_iter().flatten() {
        if let Some(value) = parameter.get("value") {
            values.insert(name.to_ascii_lowercase(), value.clone());
        }
    }
    values
}

/// The rules of an assignment: one, or those of a set.
fn rules(world: &World, assignment: &Value) -> Vec<Rule> {
    let properties = &assignment["properties"];
    let id = properties["policyDefinitionId"].as_str().unwrap_or_default();
    let Some(found) = definition(world, id) else {
        return Vec::new();
    };
    let own = values(&properties["parameters"], &found["properties"]["parameters"]);
    let Some(members) = found["properties"]["policyDefinitions"].as_array() else {
        return vec![Rule {
            definition: found,
            values: own,
        }];
    };
    let member = |member: &Value| {
        let definition = definition(world, member["policyDefinitionId"].as_str()?)?;
        let mut values = values(&member["parameters"], &definition["properties"]["parameters"]);
        for value in values.values_mut() {
            *value = resolve(value, &own);
        }
        Some(Rule { definition, values })
    };
    members.iter().filter_map(member).collect()
}

/// The value that `[parameters('name')]` stands for; other values as they are.
fn resolve(value: &Value, values: &Map<String, Value>) -> Value {
    let name = value
        .as_str()
        .and_then(|text| text.strip_prefix("[parameters('"))
        .and_then(|text| text.strip_suffix("')]"));
    match name {
        Some(name) => values.get(&name.to_ascii_lowercase()).cloned().unwrap_or(Value::Null),
        None => value.clone(),
    }
}

/// A field's name, where it is `[concat('tags[', parameters('x'), ']')]` with the tag put in.
fn field_name(text: &str, values: &Map<String, Value>) -> String {
    let Some(inner) = text.strip_prefix("[concat(").and_then(|text| text.strip_suffix(")]")) else {
        return text.to_owned();
    };
    inner
        .split(',')
        .map(|part| {
            let part = part.trim();
            let value = resolve(&json!(format!("[{part}]")), values);
            match value.as_str() {
                Some(text) if !text.starts_with('[') => text.to_owned(),
                _ => part.trim_matches('\'').to_owned(),
            }
        })
        .collect()
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let found = crate::types::json::get_ignore_case(value.as_object()?, name);
    found.map(|(_, value)| value)
}

/// What a field of a rule names in a document.
fn field(name: &str, id: &ResourceId, document: &Value) -> Value {
    let lower = name.to_ascii_lowercase();
    let tag = lower
        .strip_prefix("tags[")
        .and_then(|tag| tag.strip_suffix(']'))
        .or_else(|| lower.strip_prefix("tags."));
    if let Some(tag) = tag {
        return member(&document["tags"], tag.trim_matches('\''))
            .cloned()
            .unwrap_or(Value::Null);
    }
    match lower.as_str() {
        "type" if id.is_type("Microsoft.Resources/resourceGroups") => {
            json!("Microsoft.Resources/subscriptions/resourceGroups")
        }
        "type" => json!(id.resource_type()),
        "name" | "fullname" => json!(id.name()),
        "id" => json!(id.as_str()),
        "location" => document["location"]
            .as_str()
            .map_or(Value::Null, |place| json!(regions::normal(place))),
        _ => {
            let own = format!("{}/", id.resource_type().to_ascii_lowercase());
            let (alias, path) = match lower.strip_prefix(&own) {
                Some(_) => (true, &name[own.len()..]),
                None => (false, name),
            };
            let mut at = if alias {
                document.get("properties")
            } else {
                Some(document)
            };
            for segment in path.split('.') {
                at = at.and_then(|value| member(value, segment));
            }
            let other = if alias {
                document.pointer(&format!("/{}", path.replace('.', "/")))
            } else {
                None
            };
            at.or(other).cloned().unwrap_or(Value::Null)
        }
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => {
            one.eq_ignore_ascii_case(other)
                || regions::find(one).is_some_and(|place| place.name == regions::normal(other))
        }
        (Value::Bool(flag), Value::String(text)) | (Value::String(text), Value::Bool(flag)) => {
            text.eq_ignore_ascii_case(&flag.to_string())
        }
        _ => one == other,
    }
}

fn like(value: &Value, pattern: &Value) -> bool {
    let (Some(value), Some(pattern)) = (value.as_str(), pattern.as_str()) else {
        return false;
    };
    let (value, pattern) = (value.to_ascii_lowercase(), pattern.to_ascii_lowercase());
    match pattern.split_once('*') {
        Some((start, end)) => {
            value.len() >= start.len() + end.len() && value.starts_with(start) && value.ends_with(end)
        }
        None => value == pattern,
    }
}

fn truth(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// Whether a condition holds; one that is not understood does not.
fn holds(rule: &Value, values: &Map<String, Value>, id: &ResourceId, document: &Value) -> bool {
    let all = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().all(|rule| holds(rule, values, id, document)))
    };
    let any = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|rule| holds(rule, values, id, document)))
    };
    if let Some(list) = member(rule, "allOf") {
        return all(list);
    }
    if let Some(list) = member(rule, "anyOf") {
        return any(list);
    }
    if let Some(inner) = member(rule, "not") {
        return !holds(inner, values, id, document);
    }
    let Some(name) = member(rule, "field").and_then(Value::as_str) else {
        return false;
    };
    let own = field(&field_name(name, values), id, document);
    let among = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|item| same(&own, item)))
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_ascii_lowercase();
    let condition = rule
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !name.eq_ignore_ascii_case("field"));
    let Some((word, wanted)) = condition else { return false };
    let wanted = resolve(wanted, values);
    match word.to_ascii_lowercase().as_str() {
        "equals" => same(&own, &wanted),
        "notequals" => !same(&own, &wanted),
        "in" => among(&wanted),
        "notin" => !among(&wanted),
        "like" => like(&own, &wanted),
        "notlike" => !like(&own, &wanted),
        "contains" => text(&own).contains(&text(&wanted)),
        "notcontains" => !text(&own).contains(&text(&wanted)),
        "containskey" => member(&own, &text(&wanted)).is_some(),
        "notcontainskey" => member(&own, &text(&wanted)).is_none(),
        "exists" => truth(&wanted) != own.is_null(),
        _ => false,
    }
}

/// Whether an assignment is enforced at an id: in scope, not excluded, not exempted.
fn applies(world: &World, tree: &Tree, assignment: &Value, key: &str) -> bool {
    let properties = &assignment["properties"];
    let enforced = !properties["enforcementMode"]
        .as_str()
        .is_some_and(|mode| mode.eq_ignore_ascii_case("DoNotEnforce"));
    let excluded = properties["notScopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let own = key_of(assignment["id"].as_str().unwrap_or_default());
    let exempted = world
        .store
        .of_type("microsoft.authorization/policyexemptions")
        .any(|(_, exemption)| {
            let named = exemption
                .pointer("/properties/policyAssignmentId")
                .and_then(Value::as_str)
                .map(key_of);
            named.as_ref() == Some(&own) && tree.is_within(key, &assignment_scope(exemption))
        });
    enforced
        && !exempted
        && tree.is_within(key, &assignment_scope(assignment))
        && !excluded.map(key_of).any(|scope| tree.is_within(key, &scope))
}

fn denials(turn: &mut Turn<'_>, id: &ResourceId, document: &Value) -> Vec<Denial> {
    let tree = turn.world.tree();
    let world = &*turn.world;
    let mut found = Vec::new();
    for (_, assignment) in world.store.of_type("microsoft.authorization/policyassignments") {
        if !applies(world, &tree, assignment, id.key()) {
            continue;
        }
        for rule in rules(world, assignment) {
            let policy = &rule.definition["properties"]["policyRule"];
            let effect = resolve(&policy["then"]["effect"], &rule.values);
            let denies = effect
                .as_str()
                .is_some_and(|effect| effect.eq_ignore_ascii_case("deny"));
            if denies && holds(&policy["if"], &rule.values, id, document) {
                found.push(Denial {
                    assignment: assignment.clone(),
                    evaluated: evaluated(&policy["if"], &rule.values, id, document),
                    definition: rule.definition,
                });
            }
        }
    }
    found
}

/// What the conditions on fields found: why it is denied.
fn evaluated(rule: &Value, values: &Map<String, Value>, id: &ResourceId, document: &Value) -> Vec<Value> {
    for group in ["allOf", "anyOf"] {
        if let Some(rules) = member(rule, group).and_then(Value::as_array) {
            return rules
                .iter()
                .flat_map(|rule| evaluated(rule, values, id, document))
                .collect();
        }
    }
    if let Some(inner) = member(rule, "not") {
        return evaluated(inner, values, id, document);
    }
    let name = member(rule, "field").and_then(Value::as_str);
    let condition = rule
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !name.eq_ignore_ascii_case("field"));
    let (Some(name), Some((operator, wanted))) = (name, condition) else {
        return Vec::new();
    };
    let name = field_name(name, values);
    let mut letters = operator.chars();
    let operator: String = letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect();
    let result = if holds(rule, values, id, document) {
        "True"
    } else {
        "False"
    };
    vec![json!({
        "result": result,
        "expressionKind": "Field",
        "expression": name,
        "path": name,
        "expressionValue": field(&name, id, document),
        "targetValue": resolve(wanted, values),
        "operator": operator,
    })]
}

fn named(document: &Value, word: &str) -> Value {
    let id = document["id"].as_str().unwrap_or_default();
    let shown = document
        .pointer("/properties/displayName")
        .cloned()
        .unwrap_or_else(|| json!(last(id)));
    json!({ word: {"name": shown, "id": id} })
}

/// Fails where a policy denies what is about to be stored.
///
/// # Errors
/// 403 `RequestDisallowedByPolicy`.
pub fn guard(turn: &mut Turn<'_>, id: &ResourceId, document: &Value) -> Result<()> {
    if !turn.world.behaviour.policies {
        return Ok(());
    }
    let found = denials(turn, id, document);
    if found.is_empty() {
        return Ok(());
    }
    let identifiers: Vec<Value> = found
        .iter()
        .map(|denial| {
            let mut pair = named(&denial.assignment, "policyAssignment");
            crate::types::json::merge(&mut pair, &named(&denial.definition, "policyDefinition"));
            pair
        })
        .collect();
    let name = id.name();
    let mut answer = fail(
        403,
        "RequestDisallowedByPolicy",
        format!(
            "Resource '{name}' was disallowed by policy. Policy identifiers: '{}'.",
            json!(identifiers)
        ),
    );
    if let Some(body) = &mut answer.body {
        body["error"]["target"] = json!(name);
        body["error"]["additionalInfo"] = found.iter().map(violation).collect();
    }
    Err(answer)
}

fn violation(denial: &Denial) -> Value {
    let (assignment, definition) = (&denial.assignment, &denial.definition);
    let id = |document: &Value| document["id"].as_str().unwrap_or_default().to_owned();
    let shown = |document: &Value| document.pointer("/properties/displayName").cloned().unwrap_or_default();
    json!({"type": "PolicyViolation", "info": {
        "policyDefinitionDisplayName": shown(definition),
        "policyDefinitionId": id(definition),
        "policyDefinitionName": last(&id(definition)),
        "policyDefinitionEffect": "deny",
        "policyAssignmentId": id(assignment),
        "policyAssignmentName": last(&id(assignment)),
        "policyAssignmentDisplayName": shown(assignment),
        "policyAssignmentScope": assignment_scope(assignment),
        "evaluationDetails": {"evaluatedExpressions": denial.evaluated},
    }})
}

/// `POST {subscription or group}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions` (2020-07-01 and later): what
/// policies would say of a resource that is not there yet.
pub fn check(turn: &mut Turn<'_>, scope: &ResourceId) -> Result {
    super::versions::given(turn.ask)?;
    turn.need(
        "Microsoft.PolicyInsights/checkPolicyRestrictions/action",
        scope.as_str(),
    )?;
    let content = turn
        .body()?
        .pointer("/resourceDetails/resourceContent")
        .cloned()
        .unwrap_or_default();
    let kind = content["type"].as_str().unwrap_or_default().to_owned();
    let name = content["name"].as_str().unwrap_or("name").to_owned();
    let inner = turn
        .body()?
        .pointer("/resourceDetails/scope")
        .and_then(Value::as_str)
        .unwrap_or(scope.as_str())
        .to_owned();
    let mut path = format!("{inner}/providers/{}", kind.split('/').next().unwrap_or_default());
    for (word, name) in kind
        .split('/')
        .skip(1)
        .zip(name.split('/').chain(std::iter::repeat("name")))
    {
        path = format!("{path}/{word}/{name}");
    }
    let id = ResourceId::parse(&path).map_err(|error| super::fail::bad_content(&error.to_string()))?;
    let rows: Vec<Value> = denials(turn, &id, &content)
        .iter()
        .map(|denial| {
            json!({
                "policyInfo": {
                    "policyDefinitionId": denial.definition["id"],
                    "policyAssignmentId": denial.assignment["id"],
                },
                "evaluationResult": "NonCompliant",
                "effectDetails": {"policyEffect": "Deny"},
            })
        })
        .collect();
    Ok(Answer::json(
        200,
        json!({"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": rows}}),
    ))
}

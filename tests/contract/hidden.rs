//! The operator may not read it, or it vanishes while it is looked at. Silence is what must not be: a read that is refused
//! changes nothing, or stops the file, or is told with a name by which the operator finds the place.

use std::collections::{BTreeMap, BTreeSet};

use ferry::types::ResourceId;
use serde_json::{Value, json};

use super::cloud::Cloud;
use super::finds::{Estate, Find, finds, id, in_each, items};

#[test]
fn what_may_not_be_read_is_said() {
    let wanted = one_of_each(|find, path| Some(exactly(path)).filter(|_| !find.items.is_empty()));
    in_each(|estate| put_to(estate, &wanted, refused));
}

#[test]
fn what_vanishes_while_it_is_looked_at_takes_nothing_else_with_it() {
    let wanted = one_of_each(|find, path| {
        let gone = vanishing(&finds().estates[find.estate].1, path)?;
        Some(format!("^{}(/|\\?|$)", regex::escape(&gone)))
    });
    in_each(|estate| put_to(estate, &wanted, vanished));
}

/// A read to be tried: of which find, and what it looks like.
struct Trial {
    method: String,
    path: String,
    pattern: String,
}

/// A trial with whether it leads to a find, and how long its path is.
type Weighed = (bool, usize, Trial);

/// Of the reads of every file one of each shape: one that leads to what is found, where there is such a one.
fn one_of_each(pattern: impl Fn(&Find, &str) -> Option<String>) -> BTreeMap<usize, Vec<Trial>> {
    let mut shapes: BTreeMap<(String, String), Vec<Weighed>> = BTreeMap::new();
    for (index, find) in finds().all.iter().enumerate() {
        let mut seen = BTreeSet::new();
        for (method, path) in &find.requests {
            let path = path.split('?').next().unwrap_or_default();
            let Some(pattern) = pattern(find, path) else { continue };
            if !seen.insert((method, pattern.clone())) {
                continue;
            }
            let key = (
                format!("{}/{}", find.kind, find.file),
                format!("{method} {}", shape(path)),
            );
            let near = find
                .items
                .iter()
                .any(|item| places(item).iter().any(|place| touches(place, path)));
            let (method, path) = (method.clone(), path.to_owned());
            let trial = Trial { method, path, pattern };
            shapes.entry(key).or_default().push((!near, index, trial));
        }
    }
    let mut wanted: BTreeMap<usize, Vec<Trial>> = BTreeMap::new();
    for trials in shapes.into_values() {
        // The smallest estate in which something is found there.
        let size = |index: usize| finds().all[index].requests.len();
        let first = trials.into_iter().min_by_key(|(far, index, _)| (*far, size(*index)));
        let (far, index, trial) = first.unwrap();
        let chosen = wanted.entry(index).or_default();
        // Of the many places where a file looks and finds nothing, a few stand for all.
        if !far || chosen.len() < 6 {
            chosen.push(trial);
        }
    }
    wanted
}

fn exactly(path: &str) -> String {
    format!("^{}(\\?|$)", regex::escape(path))
}

/// A path with a star for every name in it, and for the type of a resource in a group: what stands below it counts.
fn shape(path: &str) -> String {
    let mut words: Vec<String> = path.to_lowercase().split('/').map(str::to_owned).collect();
    let group = words.iter().position(|word| word == "resourcegroups");
    let provider = words.iter().rposition(|word| word == "providers");
    for at in 0..words.len() {
        let after = at > 0 && ["subscriptions", "resourcegroups"].contains(&words[at - 1].as_str());
        let is_name = words[at].len() == 36 || words[at].contains('.') && !words[at].starts_with("microsoft.");
        let below = provider
            .filter(|provider| at > *provider)
            .map_or(0, |provider| at - provider);
        let is_type = group.is_some() && (below == 1 || below == 2);
        if after || is_name || is_type || (below > 2 && below % 2 == 1) {
            "*".clone_into(&mut words[at]);
        }
    }
    words.join("/")
}

/// The resource that a path leads into, where that may vanish and the rest stays: not the identity, nor what it lies in,
/// nor any group of resources or subscriptions.
fn vanishing(estate: &Value, path: &str) -> Option<String> {
    let own = estate["demo"]["relocate"]["identity"].as_str()?.to_lowercase();
    if let Some(rest) = path.strip_prefix("/v1.0/") {
        let mut words = rest.split('/');
        let (set, entity) = (words.next()?, words.next()?);
        let entities = estate["graph"][set].as_array()?;
        let is_own = |known: &Value| known["alternativeNames"].to_string().to_lowercase().contains(&own);
        let known = entities
            .iter()
            .any(|known| known["id"].as_str() == Some(entity) && !is_own(known));
        return known.then(|| format!("/v1.0/{set}/{entity}"));
    }
    let owner = path.rsplit_once('/').map(|(owner, _)| owner).unwrap_or_default();
    let inside = ResourceId::parse(path).or_else(|_| ResourceId::parse(owner)).ok();
    let top = inside?.top_level();
    let known = estate["arm"]["resources"].as_array()?.iter();
    let stands = known
        .filter_map(|document| document["id"].as_str())
        .any(|found| found.eq_ignore_ascii_case(top.as_str()));
    let alone = !["Microsoft.Authorization", "Microsoft.Resources", "Microsoft.Management"].contains(&top.namespace());
    (stands && top.key() != own && alone).then(|| top.as_str().to_owned())
}

/// Puts what was chosen of an estate to the test.
fn put_to(
    estate: &Estate<'_>,
    wanted: &BTreeMap<usize, Vec<Trial>>,
    judge: impl Fn(&Cloud, &Find, &Trial) -> Result<(), String>,
) -> Vec<String> {
    let cloud = estate.serve(estate.documents.clone());
    let mut broken = Vec::new();
    for (index, trials) in wanted {
        let find = &finds().all[*index];
        if finds().estates[find.estate].0 != estate.name {
            continue;
        }
        for trial in trials {
            if let Err(why) = judge(&cloud, find, trial) {
                broken.push(format!(
                    "{}: {}/{}: {} {}: {why}",
                    estate.name, find.kind, find.file, trial.method, trial.path
                ));
            }
        }
    }
    broken
}

/// Reads that are refused without a word, since somebody else asks the same and says so: file, end of the path, who.
const TOLD_ELSEWHERE: [(&str, &str, &str); 3] = [
    ("administrative_units", "/memberOf", "permissions/group_membership"),
    (
        "devops_organisations",
        "/federatedIdentityCredentials",
        "the trust of the identity",
    ),
    (
        "kubernetes_workloads",
        "/federatedIdentityCredentials",
        "the trust of the identity",
    ),
];

/// Nothing is missing that is not named.
fn refused(cloud: &Cloud, find: &Find, trial: &Trial) -> Result<(), String> {
    let known = |(file, end, _): &(&str, &str, &str)| *file == find.file && trial.path.ends_with(end);
    if TOLD_ELSEWHERE.iter().any(known) {
        return Ok(());
    }
    cloud.fail(&trial.method, &trial.pattern, &refusal(&trial.path));
    let look = cloud.look();
    let Ok(answer) = look.call(find.script(), find.function(), &[&cloud.old]) else {
        // The whole file counts as unseen.
        return Ok(());
    };
    let mut told = look.told();
    for item in answer.as_array().into_iter().flatten() {
        told.extend(item["unseen"].as_str().map(str::to_owned));
        // What cannot be read may be left to a person as a whole.
        if item["by_hand"].is_string() {
            told.extend(item["resource"].as_str().or(item["scope"].as_str()).map(str::to_owned));
        }
    }
    for lost in missing(&find.items, &items(answer.clone())) {
        if !told.iter().any(|told| names(told, lost, &trial.path)) {
            return Err(format!(
                "{} is not found, and nothing says why; told was {told:?}",
                lost["what"]
            ));
        }
    }
    Ok(())
}

/// What is elsewhere is found, and nothing is left to look at.
fn vanished(cloud: &Cloud, find: &Find, trial: &Trial) -> Result<(), String> {
    // Its cluster still answers in the simulator, and what the answer holds is not kept beside an error: all of it is unseen.
    if find.file == "kusto_commands" {
        return Ok(());
    }
    let answer = json!({ "status": 404, "code": "ResourceNotFound", "message": "The resource was not found." });
    cloud.fail(&trial.method, &trial.pattern, &answer);
    let answer = cloud.look().call(find.script(), find.function(), &[&cloud.old])?;
    for item in answer.as_array().into_iter().flatten() {
        if let Some(unseen) = item["unseen"].as_str() {
            return Err(format!("{unseen} is unseen ({}), and it is gone", item["why"]));
        }
    }
    let gone = trial
        .pattern
        .trim_start_matches('^')
        .trim_end_matches("(/|\\?|$)")
        .replace('\\', "")
        .to_lowercase();
    let gone = gone.trim_start_matches("/v1.0/").to_owned();
    for lost in missing(&find.items, &items(answer)) {
        // What was found because the resource names it has lost its only sign.
        let name = gone.rsplit('/').next().unwrap_or_default();
        let named = lost["what"]
            .as_str()
            .is_some_and(|what| what.to_lowercase().contains(name));
        if !named && !places(lost).iter().any(|place| place.contains(&gone)) {
            return Err(format!("{} is not found, and it is elsewhere", lost["what"]));
        }
    }
    Ok(())
}

/// How the service refuses a read.
fn refusal(path: &str) -> Value {
    let (code, message) = if path.starts_with("/v1.0") || path.starts_with("/beta") {
        (
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    } else if path.starts_with("/dataplane/") {
        ("Forbidden", "The caller is not authorized to perform this action.")
    } else {
        (
            "AuthorizationFailed",
            "The client does not have authorization to perform the action over the scope.",
        )
    };
    json!({ "status": 403, "code": code, "message": message })
}

/// What was found before and is not now, or has fewer places now.
fn missing<'a>(before: &'a [Value], now: &[Value]) -> Vec<&'a Value> {
    let places = |item: &Value| item["at"].as_array().map_or(1, Vec::len);
    let stays = |item: &&Value| {
        let mut same = now.iter().filter(|found| id(found) == id(item));
        same.any(|found| places(found) >= places(item))
    };
    before.iter().filter(|item| !stays(item)).collect()
}

/// Where an item is, in lower case.
fn places(item: &Value) -> Vec<String> {
    let of = |name: &str| item[name].as_str().map(str::to_lowercase);
    ["id", "resource", "scope"].into_iter().filter_map(of).collect()
}

/// Whether one of two places lies in the other.
fn touches(place: &str, path: &str) -> bool {
    let path = path.to_lowercase();
    let path = path.trim_start_matches("/v1.0/").trim_start_matches("/dataplane/");
    place.len() > 1 && (path.contains(place) || place.contains(path))
}

/// Whether what was told names the place of an item, or what was refused.
fn names(told: &str, lost: &Value, path: &str) -> bool {
    let told = told.to_lowercase();
    let last = |place: &String| {
        let id = ResourceId::parse(place).map_or_else(|_| place.clone(), |id| id.top_level().as_str().to_lowercase());
        id.rsplit('/').next().unwrap_or_default().to_owned()
    };
    touches(&told, path)
        || places(lost)
            .iter()
            .any(|place| touches(&told, place) || told.contains(&last(place)))
}

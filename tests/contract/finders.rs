//! What every binding finder keeps.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cloud::{Cloud, respelled};
use super::documents::{differing, document, renamed, unattached, unlike};
use super::everywhere;
use super::sources::{alike, expect, unsent};

const KIND: &str = "bindings";

#[test]
fn every_finder_turns_its_places_and_nothing_else_and_turns_them_back() {
    everywhere(KIND, found, keeps);
}

fn by_hand(binding: &Value) -> bool {
    binding["by_hand"].is_string()
}

/// The bindings of the old identity: each id once, the same at every look, whatever the spelling of the identity.
fn found(cloud: &Cloud, file: &str) -> Result<Vec<Value>, String> {
    let find = |identity: &Value| -> Result<Vec<Value>, String> {
        let value = cloud.call((KIND, file), "find", &[identity])?;
        let Value::Array(bindings) = value else {
            return Err(format!("find gave {value}, and a list of bindings is wanted"));
        };
        Ok(bindings)
    };
    let bindings = find(&cloud.old)?;
    if bindings.is_empty() {
        // Where a file finds something it is looked at closely; where it finds nothing, once is enough.
        return Ok(bindings);
    }
    for binding in &bindings {
        for name in ["id", "resource", "what", "effect"] {
            expect(binding[name].is_string(), || {
                format!("a binding has no {name}: {binding}")
            })?;
        }
        expect(!binding["at"].is_null(), || {
            format!("a binding claims no place: {binding}")
        })?;
    }
    let ids = ids(&bindings);
    expect(ids.len() == bindings.len(), || {
        format!("two bindings have one id: {ids:?}")
    })?;
    expect(find(&cloud.old)? == bindings, || {
        "a second look finds something else".into()
    })?;
    for spelled in respelled(&cloud.old) {
        let other = self::ids(&find(&spelled)?);
        expect(other == ids, || {
            format!("for {} it finds {other:?}, and not {ids:?}", spelled["id"])
        })?;
    }
    Ok(bindings)
}

fn ids(bindings: &[Value]) -> BTreeSet<String> {
    bindings
        .iter()
        .map(|binding| binding["id"].as_str().unwrap_or_default().to_lowercase())
        .collect()
}

/// Puts one binding through everything that a run may do to it.
fn keeps(cloud: &Cloud, file: &str, binding: &Value) -> Result<(), String> {
    // A property may name only what is attached: as in a run, the block comes first, and goes back last.
    let block = match binding["kind"].as_str() {
        Some("block") => None,
        _ => cloud.block_of(binding["resource"].as_str().unwrap()),
    };
    let beside = block.is_some();
    let bound = Bound {
        cloud,
        file,
        binding,
        beside,
    };
    if by_hand(binding) {
        return bound.is_left_to_a_person();
    }
    let early = bound.ask("check", &cloud.old, &cloud.target)?;
    expect(early == json!(false), || {
        format!("check says {early} before anything was turned")
    })?;
    let [upper, lower] = respelled(&cloud.old);
    for (spelled, old) in [("capitals", &upper), ("resourcegroups", &lower)] {
        let early = bound.ask("check", old, &cloud.target)?;
        expect(early == json!(false), || {
            format!("check says {early} of the old identity in {spelled}")
        })?;
    }
    let all = [json!("overlap"), json!("swap")];
    let modes = binding["modes"].as_array().map_or(&all[..1], Vec::as_slice);
    let blocks = (KIND, "identity_blocks");
    if let Some(block) = &block {
        cloud.call(blocks, "attach", &[block, &cloud.old, &cloud.target])?;
    }
    let has_swap = cloud.has((KIND, file), "swap");
    let swaps = |mode: &Value| *mode == json!("swap") && has_swap;
    unsent(cloud, "planning", || {
        bound.planned(if swaps(&modes[0]) { "swap" } else { "attach" })
    })?;
    for mode in modes {
        let kept = if swaps(mode) { bound.swaps() } else { bound.overlaps() };
        kept.map_err(|why| format!("{mode}: {why}"))?;
    }
    if let Some(block) = &block {
        cloud.call(blocks, "detach", &[block, &cloud.target, &cloud.old])?;
    }
    Ok(())
}

/// A binding and what it is found in.
struct Bound<'a> {
    cloud: &'a Cloud,
    file: &'a str,
    binding: &'a Value,
    /// Whether the new identity was attached before, since a property may name only what is.
    beside: bool,
}

impl Bound<'_> {
    fn ask(&self, function: &str, old: &Value, target: &Value) -> Result<Value, String> {
        self.cloud
            .call((KIND, self.file), function, &[self.binding, old, target])
    }

    /// Attached beside the old one, or turned; back again; and all the way, and back.
    fn overlaps(&self) -> Result<(), String> {
        let (old, target) = (&self.cloud.old, &self.cloud.target);
        let before = self.cloud.estate();
        self.ask("attach", old, target)?;
        let attached = self.cloud.estate();
        self.changed_alone(&before, &attached)?;
        self.is_in_place("attach")?;
        // Without the new one in the block, and the old one's names in the new one's places, it is what it was.
        let undone = plain(&renamed(&unattached(self.own(&attached), target), target, old), old);
        same(
            "attach changed more than its places",
            &plain(&self.bare(&before), old),
            &undone,
        )?;
        self.siblings(&before, &attached)?;
        self.ask("attach", old, target)?;
        alike("attached twice is not attached once", &attached, &self.cloud.estate())?;

        self.back(&before)?;

        self.ask("attach", old, target)?;
        // The old one leaves a block when nothing in the document names it any more.
        self.company(old, target)?;
        self.ask("detach", old, target)?;
        let turned = self.cloud.estate();
        self.is_whole(&before, &turned)?;
        unsent(self.cloud, "detaching twice", || self.ask("detach", old, target))?;
        self.ask("attach", target, old)?;
        self.company(target, old)?;
        self.back(&before)
    }

    /// Turns what else names an identity in the document of a block.
    fn company(&self, old: &Value, target: &Value) -> Result<(), String> {
        if self.binding["kind"] != json!("block") {
            return Ok(());
        }
        for reference in self.cloud.references_in(self.binding["resource"].as_str().unwrap()) {
            self.cloud
                .call((KIND, "references"), "attach", &[&reference, old, target])?;
        }
        Ok(())
    }

    /// Both changes in one request, and back.
    fn swaps(&self) -> Result<(), String> {
        let (old, target) = (&self.cloud.old, &self.cloud.target);
        let before = self.cloud.estate();
        let mark = self.cloud.writes();
        self.ask("swap", old, target)?;
        let writes = self.cloud.writes_since(mark);
        expect(writes.len() == 1, || {
            format!("swap is one request, and sent {writes:?}")
        })?;
        let swapped = self.cloud.estate();
        self.changed_alone(&before, &swapped)?;
        self.is_whole(&before, &swapped)?;
        unsent(self.cloud, "swapping twice", || self.ask("swap", old, target))?;

        self.ask("swap", target, old)?;
        self.is_as_it_was(&before)
    }

    /// The way back, as a rollback goes it: the same functions, old and new exchanged.
    fn back(&self, before: &Value) -> Result<(), String> {
        let (old, target) = (&self.cloud.old, &self.cloud.target);
        self.ask("attach", target, old)?;
        self.ask("detach", target, old)?;
        self.is_as_it_was(before)
    }

    fn is_as_it_was(&self, before: &Value) -> Result<(), String> {
        let (old, now) = (&self.cloud.old, self.cloud.estate());
        let foreign = self.foreign(before, &now);
        expect(foreign.is_empty(), || {
            format!("documents of others changed: {foreign:?}")
        })?;
        same(
            "there and back is not what it was",
            &plain(self.own(before), old),
            &plain(self.own(&now), old),
        )
    }

    /// The new one is where the old one was, and the old one nowhere in it.
    fn is_whole(&self, before: &Value, after: &Value) -> Result<(), String> {
        let (old, target) = (&self.cloud.old, &self.cloud.target);
        self.is_in_place("turn")?;
        let undone = plain(&renamed(&self.bare(after), target, old), old);
        same(
            "the new identity does not stand exactly where the old one stood",
            &plain(&self.bare(before), old),
            &undone,
        )?;
        for place in self.places(after) {
            expect(renamed(place, old, target) == *place, || {
                format!("the old identity is still named: {place}")
            })?;
        }
        self.siblings(before, after)
    }

    fn is_in_place(&self, after: &str) -> Result<(), String> {
        let (old, target) = (&self.cloud.old, &self.cloud.target);
        let seen = self.ask("check", old, target)?;
        expect(seen == json!(true), || format!("check says {seen} after {after}"))?;
        let [upper, _] = respelled(target);
        let seen = self.ask("check", old, &upper)?;
        expect(seen == json!(true), || {
            format!("check says {seen} of the new identity in capitals after {after}")
        })?;
        if self.cloud.has((KIND, self.file), "settle") {
            let settled = self.ask("settle", old, target)?;
            expect(settled == json!(true) || settled["wait"].is_string(), || {
                format!("settle says {settled}")
            })?;
        }
        Ok(())
    }

    /// The one document of the binding changed, and no other.
    fn changed_alone(&self, before: &Value, after: &Value) -> Result<(), String> {
        expect(self.own(before) != self.own(after), || "nothing changed".into())?;
        let foreign = self.foreign(before, after);
        expect(foreign.is_empty(), || {
            format!("documents of others changed: {foreign:?}")
        })
    }

    /// The documents that differ, but for the binding's own.
    fn foreign(&self, before: &Value, after: &Value) -> Vec<String> {
        let own = self.own(before)["id"].as_str().unwrap_or_default().to_lowercase();
        let address = self.binding["id"].as_str().unwrap_or_default();
        let mut changed = differing(before, after);
        // A row of a list in a data plane is in no other document than the list.
        changed
            .retain(|id| *id != own && *id != address && address.rsplit_once('/').is_none_or(|(list, _)| *id != list));
        changed
    }

    /// Other identities of the block stay, each with its ids, and so does the resource's own.
    fn siblings(&self, before: &Value, after: &Value) -> Result<(), String> {
        let Some(block) = self.block(before) else { return Ok(()) };
        let now = self.block(after).ok_or("the identity block is gone")?;
        for (id, value) in block
            .iter()
            .filter(|(id, _)| !id.eq_ignore_ascii_case(self.cloud.old["id"].as_str().unwrap()))
        {
            let same = now.get(id) == Some(value);
            expect(same, || {
                format!("the sibling {id} was {value} and is {:?}", now.get(id))
            })?;
        }
        let own = |estate: &Value| {
            self.own(estate)["identity"]["type"]
                .as_str()
                .unwrap_or_default()
                .contains("SystemAssigned")
        };
        expect(own(before) == own(after), || {
            "the resource's own identity came or went".into()
        })
    }

    /// The binding's document.
    fn own<'e>(&self, estate: &'e Value) -> &'e Value {
        let id = |name: &str| self.binding[name].as_str().unwrap();
        document(estate, id("id"))
            .or_else(|| document(estate, id("resource")))
            .unwrap_or(&Value::Null)
    }

    /// The binding's document, without the identity that was attached only so that the document may name it.
    fn bare(&self, estate: &Value) -> Value {
        let own = self.own(estate);
        if self.beside {
            unattached(own, &self.cloud.target)
        } else {
            own.clone()
        }
    }

    /// What stands at the claimed pointers.
    fn places<'e>(&self, estate: &'e Value) -> Vec<&'e Value> {
        let claimed = match &self.binding["at"] {
            Value::Array(pointers) => pointers.iter().collect(),
            pointer => vec![pointer],
        };
        let own = self.own(estate);
        claimed
            .into_iter()
            .filter_map(|pointer| own.pointer(pointer.as_str()?))
            .collect()
    }

    fn block<'e>(&self, estate: &'e Value) -> Option<&'e serde_json::Map<String, Value>> {
        self.own(estate)
            .pointer("/identity/userAssignedIdentities")?
            .as_object()
    }

    /// Plans it for an identity that is planned itself.
    fn planned(&self, function: &str) -> Result<(), String> {
        let cloud = self.cloud;
        let plan =
            |function: &str| cloud.plan((KIND, self.file), function, &[self.binding, &cloud.old, &cloud.planned]);
        let before = cloud.changes_planned();
        plan(function)?;
        expect(cloud.changes_planned() > before, || {
            format!("a plan lists no change for {function}")
        })?;
        let seen = plan("check")?;
        expect(seen == json!(true), || format!("check says {seen} of what was planned"))
    }

    /// What no request can change is handed over, in words, and nothing is sent.
    fn is_left_to_a_person(&self) -> Result<(), String> {
        let (old, target) = (&self.cloud.old, &self.cloud.target);
        let ask = |function: &str| self.ask(function, old, target);
        unsent(self.cloud, "what is left to a person", || {
            ask("attach")?;
            let seen = ask("check")?;
            expect(seen["unknown"].is_string(), || {
                format!("check says {seen} of what it cannot change")
            })
        })?;
        let open = self.cloud.handed_over();
        let task = self.binding["task"].as_str().unwrap_or_default();
        let named = open
            .iter()
            .any(|(name, text)| name == task && text.contains(target["id"].as_str().unwrap()));
        expect(named, || {
            format!("no hand-over \"{task}\" names the new identity: {open:?}")
        })
    }
}

/// A document with one spelling of the identity's ids, and without values that no read shows: whether these are kept is
/// told by the tests of the finders that send them.
fn plain(document: &Value, identity: &Value) -> Value {
    let mut document = renamed(document, identity, identity);
    let secrets = document
        .pointer_mut("/properties/configuration/secrets")
        .and_then(Value::as_array_mut);
    for secret in secrets.into_iter().flatten().filter_map(Value::as_object_mut) {
        secret.remove("value");
    }
    document
}

/// Two documents are equal, value by value.
fn same(what: &str, before: &Value, after: &Value) -> Result<(), String> {
    let mut places = Vec::new();
    unlike(before, after, "", &mut places);
    expect(places.is_empty(), || format!("{what}:{}", places.concat()))
}

//! `run::left_out`: which items `--leave-out` names.

use serde_json::Value;

use super::call::Call;
use crate::error::Error;
use crate::run::item::Item;
use crate::run::path::{item_key, printed};

/// The kinds of items, in the words of their steps.
const KINDS: [&str; 2] = ["grants", "bindings"];

pub(super) fn positions(call: &Call<'_>) -> Result<Vec<Value>, Error> {
    let kind = call.text("kind")?;
    let Some(other) = KINDS
        .iter()
        .find(|other| **other != kind)
        .filter(|_| KINDS.contains(&kind.as_str()))
    else {
        return Err(call.wrong("kind", "\"grants\" or \"bindings\""));
    };
    let own = named(&kind, &call.array("items")?);
    let others = named(other, &call.array("others")?);
    let mut positions = Vec::new();
    for given in call.session.leave_out() {
        for position in meant(&given, &own, &others)? {
            if !positions.contains(&Value::from(position)) {
                positions.push(Value::from(position));
            }
        }
    }
    Ok(positions)
}

/// An item and its printed place.
struct Named {
    place: String,
    item: Item,
}

fn named(kind: &str, items: &[Value]) -> Vec<Named> {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    items
        .iter()
        .map(|item| {
            let (file, id) = (text(item, "file"), text(item, "id"));
            let place = printed(&[kind.to_owned(), file, item_key(&id)]);
            let (resource, scope) = (text(item, "resource"), text(item, "scope"));
            let step = format!("move/{place}");
            // A scope is shared by many; what lies at a resource belongs together.
            let aliases = [id.as_str(), &resource, if id.is_empty() { &scope } else { "" }];
            Named {
                item: Item::of_step(&step, aliases),
                place,
            }
        })
        .collect()
}

/// The positions among `own` that a name means: whole names first, then a part that only one item has.
fn meant(given: &str, own: &[Named], others: &[Named]) -> Result<Vec<usize>, Error> {
    let among = |all: &[Named], test: &dyn Fn(&Item) -> bool| -> Vec<usize> {
        all.iter()
            .enumerate()
            .filter(|(_, named)| test(&named.item))
            .map(|(at, _)| at)
            .collect()
    };
    let whole = |item: &Item| item.is_named(given) || item.lies_at(given);
    let (mine, theirs) = (among(own, &whole), among(others, &whole));
    if !mine.is_empty() || !theirs.is_empty() {
        return Ok(mine);
    }
    let part = |item: &Item| item.is_hinted(given);
    let (mine, theirs) = (among(own, &part), among(others, &part));
    match mine.len() + theirs.len() {
        1 => Ok(mine),
        0 => Err(Error::failed(
            "unknown-item",
            format!("--leave-out \"{given}\" names no grant and no binding of the map"),
        )
        .untouched("everything: nothing was written")
        .next("ferry plan RUNBOOK …      shows each item's step; its last two segments name it")),
        _ => {
            let places = mine
                .iter()
                .map(|at| &own[*at].place)
                .chain(theirs.iter().map(|at| &others[*at].place));
            let mut error = Error::failed(
                "ambiguous-item",
                format!("--leave-out \"{given}\" is a part of several names"),
            )
            .untouched("everything: nothing was written")
            .next("name one of them whole:");
            for place in places.take(12) {
                error = error.next(format!("--leave-out '{place}'"));
            }
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_part_that_only_one_item_has_names_it_and_a_resource_names_all_that_is_in_it() {
        let grants = named(
            "grants",
            &[json!({"file": "role_assignments", "id": "/s/rg/kv-orders/ra/1", "scope": "/s/rg/kv-orders"})],
        );
        let bindings = named(
            "bindings",
            &[
                json!({"file": "identity_blocks", "id": "/s/rg/app-orders", "resource": "/s/rg/app-orders"}),
                json!({"file": "app_settings", "id": "/s/rg/app-orders/config", "resource": "/s/rg/app-orders/config"}),
                json!({"file": "identity_blocks", "id": "/s/rg/vm-orders", "resource": "/s/rg/vm-orders"}),
            ],
        );
        let of = |given: &str| meant(given, &bindings, &grants);
        assert_eq!(of("vm-orders").unwrap(), [2]);
        assert_eq!(of("/S/rg/app-orders").unwrap(), [0, 1]);
        assert_eq!(
            of("move/bindings/app_settings/~1s~1rg~1app-orders~1config").unwrap(),
            [1]
        );
        assert_eq!(of("kv-orders").unwrap(), Vec::<usize>::new());
        assert_eq!(meant("kv-orders", &grants, &bindings).unwrap(), [0]);
        assert_eq!(of("orders").unwrap_err().code, "ambiguous-item");
        assert_eq!(of("lunch").unwrap_err().code, "unknown-item");
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::super::world::World;
use super::*;

fn load(estate: Value) -> Result<World, super::super::EstateError> {
    World::load(estate, Duration::ZERO, OffsetDateTime::UNIX_EPOCH)
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z$@.]{1,8}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    prop::collection::vec(("[a-z]{1,8}", tree), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
}

proptest! {
    #[test]
    fn an_estate_comes_back_value_by_value(documents in prop::collection::vec(document(), 0..6), more in document()) {
        let documents: Vec<Value> = documents
            .into_iter()
            .enumerate()
            .map(|(n, mut document)| {
                document["id"] = json!(format!("{RG}/providers/Contoso.Odd/things/t{n}"));
                if let Some(map) = document.as_object_mut() {
                    map.shift_remove("type");
                }
                document
            })
            .collect();
        let estate = json!({"tenantId": "t", "more": more, "arm": {"note": 1, "resources": documents, "after": [1]}, "demo": {"a": null}});
        let back = load(estate.clone()).unwrap().estate();
        prop_assert_eq!(back.to_string(), estate.to_string());
    }
}

/// A document of an estate, with pieces of it replaced by anything.
fn spoilt(mut estate: Value, edits: Vec<(prop::sample::Index, Value)>) -> Value {
    fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
        found.push(at.clone());
        match value {
            Value::Object(map) => map
                .iter()
                .for_each(|(key, value)| pointers(value, format!("{at}/{}", crate::types::json::escape(key)), found)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, value)| pointers(value, format!("{at}/{index}"), found)),
            _ => {}
        }
    }
    for (index, value) in edits {
        let mut places = Vec::new();
        pointers(&estate, String::new(), &mut places);
        if let Some(place) = estate.pointer_mut(index.get(&places).as_str()) {
            *place = value;
        }
    }
    estate
}

proptest! {
    #![proptest_config(crate::types::tries(100))]

    #[test]
    fn any_estate_is_loaded_or_refused(edits in prop::collection::vec((any::<prop::sample::Index>(), crate::types::any_json()), 1..4)) {
        let _ = load(spoilt(shop(), edits)).map(|world| world.estate());
    }

    #[test]
    fn any_json_is_an_estate_or_none(estate in crate::types::any_json()) {
        let _ = load(estate).map(|world| world.estate());
    }

    #[test]
    fn any_faults_are_read_or_refused(
        given in crate::types::any_json(),
        path in "\\PC{0,30}|[(){}\\[\\]+*?|^$.a-z]{0,30}",
        name in prop::sample::select(vec!["times", "match", "do", "status", "reset", "delayMs", "stale", "links", "redirect", "body", "retryAfterDate", "token"]),
    ) {
        use super::super::faults;
        let _ = faults::read(given.clone());
        let _ = faults::read(json!([{"match": {"path": path}, "do": {"status": 503}}]));
        let _ = faults::read(json!({"match": {}, "do": {name: given.clone()}, name: given}));
    }
}

#[tokio::test]
async fn only_what_was_written_changes_in_the_stored_estate() {
    let before = shop();
    let sim = Sim::new(before.clone()).await;
    sim.get(&identity("id-shop")).await;
    assert_eq!(sim.get("/_sim/estate").await.body.to_string(), before.to_string());
    sim.patch(&identity("id-shop"), json!({"tags": {"a": "b"}})).await;
    sim.put(&identity("id-new"), json!({"location": "eastus"})).await;
    let after = sim.server.estate();
    let (old, new) = (
        before["arm"]["resources"].as_array().unwrap(),
        after["arm"]["resources"].as_array().unwrap(),
    );
    assert_eq!(new.len(), old.len() + 1);
    for (old, new) in old.iter().zip(new) {
        let mut expected = old.clone();
        if old["name"] == "id-shop" {
            expected["tags"] = json!({"a": "b"});
        }
        assert_eq!(&expected, new);
    }
    let made = new.last().unwrap();
    assert_eq!(made["id"], json!(format!("{RG}/{MSI}/id-new")));
    assert!(made.get("tags").is_none() && made["properties"].get("isolationScope").is_none());
}

#[test]
fn a_malformed_estate_is_refused_with_the_place_and_the_reason() {
    let wrong = |resources: Value| {
        load(json!({"tenantId": "t", "arm": {"resources": resources}}))
            .unwrap_err()
            .to_string()
    };
    assert!(wrong(json!([{"name": "x"}])).starts_with("/arm/resources/0: a document must have an \"id\""));
    assert!(
        wrong(json!([{"id": "/subscriptions/s"}, {"id": "/subscriptions/S"}]))
            .contains("/arm/resources/1 (/subscriptions/S): another document")
    );
    assert!(wrong(json!([{"id": "nonsense"}])).contains("nonsense"));
    assert!(wrong(json!([1])).contains("must be a JSON object"));
    assert!(load(json!({})).unwrap_err().to_string().contains("/tenantId"));
}

//! The regions of the public cloud, from `data/regions.toml`.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

/// A region.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its short name: `westeurope`.
    pub name: String,
    /// Its display name: `West Europe`.
    pub display: String,
    /// Its paired region; empty where it has none.
    pub pair: String,
    /// Its geography.
    pub geography: String,
    /// Its group of geographies.
    pub group: String,
    /// Degrees, as a text.
    pub longitude: String,
    /// Degrees, as a text.
    pub latitude: String,
    /// Where it lies.
    pub physical: String,
    /// How many availability zones it has.
    pub zones: u8,
    /// Whether federated credentials can be made on its identities.
    #[serde(default = "yes")]
    pub federated: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct File {
    region: Vec<Place>,
}

static ALL: LazyLock<Vec<Place>> = LazyLock::new(|| {
    // Compiled in, and read by a test: it parses.
    toml::from_str::<File>(include_str!("data/regions.toml"))
        .map(|file| file.region)
        .unwrap_or_default()
});

/// Every region.
pub fn all() -> &'static [Place] {
    &ALL
}

/// A location as Azure compares it: lower case, without blanks.
pub fn normal(location: &str) -> String {
    location
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase()
}

/// The region of this name, short or displayed.
pub fn find(location: &str) -> Option<&'static Place> {
    let name = normal(location);
    ALL.iter().find(|place| place.name == name)
}

/// A row of `GET /subscriptions/{subscription}/locations`.
pub fn row(place: &Place, subscription: &str) -> Value {
    let id = |name: &str| format!("/subscriptions/{subscription}/locations/{name}");
    let pairs: Vec<Value> = find(&place.pair)
        .map(|pair| json!({"name": pair.name, "id": id(&pair.name)}))
        .into_iter()
        .collect();
    let mut row = json!({
        "id": id(&place.name),
        "name": place.name,
        "type": "Region",
        "displayName": place.display,
        "regionalDisplayName": format!("({}) {}", place.group, place.display),
        "metadata": {
            "regionType": "Physical",
            "regionCategory": if place.zones > 0 { "Recommended" } else { "Other" },
            "geography": place.geography,
            "geographyGroup": place.group,
            "longitude": place.longitude,
            "latitude": place.latitude,
            "physicalLocation": place.physical,
            "pairedRegion": pairs,
        },
    });
    if place.zones > 0 {
        let zones: Vec<Value> = (1..=place.zones)
            .map(|zone| json!({"logicalZone": zone.to_string(), "physicalZone": format!("{}-az{zone}", place.name)}))
            .collect();
        row["availabilityZoneMappings"] = Value::Array(zones);
    }
    row
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_pair_of_a_region_is_a_region() {
        assert!(super::all().len() > 50);
        for place in super::all() {
            assert!(
                place.pair.is_empty() || super::find(&place.pair).is_some(),
                "{}",
                place.name
            );
        }
        assert_eq!(super::find("West Europe").unwrap().name, "westeurope");
    }
}

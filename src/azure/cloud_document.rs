//! The answer of `/metadata/endpoints`, in all its forms, read into a [`Cloud`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use super::cloud::{Cloud, is_loopback, parse_endpoint};

/// Reads a metadata document that `base` has given: one object (2022-09-01), an array of them (2019-05-01,
/// 2020-06-01), or the old form (2015-01-01), which names no Microsoft Graph.
///
/// # Errors
/// A sentence that says what the document lacks.
pub(crate) fn read(base: &Url, document: &Value) -> Result<Cloud, String> {
    let object = choose(base, document)?;
    let loopback = is_loopback(base);
    let authentication = object.get("authentication").and_then(Value::as_object);
    let audiences: Vec<&str> = authentication
        .and_then(|map| map.get("audiences"))
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let arm_audience = match audiences.iter().find(|text| text.contains("//management.azure.com")) {
        Some(azure) => *azure,
        None => *audiences.first().ok_or("it has no authentication.audiences")?,
    };

    // What stands in a document served on this machine never leads away from it.
    let endpoint = |text: &str| -> Result<Option<Url>, String> {
        let url = parse_endpoint(text).map_err(|error| error.to_string())?;
        Ok((!loopback || is_loopback(&url)).then_some(url))
    };
    let login = match authentication
        .and_then(|map| map.get("loginEndpoint"))
        .and_then(Value::as_str)
    {
        Some(text) => endpoint(text)?.unwrap_or_else(|| base.clone()),
        None if loopback => base.clone(),
        None => return Err("it has no authentication.loginEndpoint".to_owned()),
    };
    let graph_id = object.get("microsoftGraphResourceId").and_then(Value::as_str);
    let (graph, graph_audience) = match graph_id {
        Some(text) => (endpoint(text)?.unwrap_or_else(|| base.clone()), text.to_owned()),
        None if loopback => (base.clone(), base.to_string()),
        None => {
            let known = [Cloud::public(), Cloud::us_government(), Cloud::china()];
            let twin = known
                .into_iter()
                .find(|cloud| cloud.login.host_str() == login.host_str());
            let twin = twin.ok_or("it has no microsoftGraphResourceId")?;
            (twin.graph, twin.graph_audience)
        }
    };
    let gateway = match object.get("ferryDataPlaneGateway").and_then(Value::as_str) {
        Some(text) => {
            let absolute = if text.starts_with('/') {
                format!("{}{text}", base.as_str().trim_end_matches('/'))
            } else {
                text.to_owned()
            };
            let outside = || format!("its ferryDataPlaneGateway {text} is not on this machine");
            Some(endpoint(&absolute)?.ok_or_else(outside)?)
        }
        None => None,
    };
    Ok(Cloud {
        name: object
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("Custom")
            .to_owned(),
        resource_manager: base.clone(),
        graph,
        login,
        arm_audience: arm_audience.to_owned(),
        graph_audience: graph_audience.trim_end_matches('/').to_owned(),
        suffixes: object
            .get("suffixes")
            .and_then(Value::as_object)
            .map(texts)
            .unwrap_or_default(),
        services: services(object),
        data_plane_gateway: gateway,
        loopback,
        trust: super::trust::Trust::default(),
    })
}

/// The one cloud of the document that is served at `base`.
fn choose<'a>(base: &Url, document: &'a Value) -> Result<&'a Map<String, Value>, String> {
    match document {
        Value::Object(object) => Ok(object),
        Value::Array(clouds) => {
            let clouds: Vec<&Map<String, Value>> = clouds.iter().filter_map(Value::as_object).collect();
            let here = clouds.iter().find(|cloud| {
                let url = cloud
                    .get("resourceManager")
                    .and_then(Value::as_str)
                    .and_then(|text| Url::parse(text).ok());
                url.is_some_and(|url| url.host() == base.host())
            });
            match (here, clouds.as_slice()) {
                (Some(cloud), _) => Ok(cloud),
                (None, [only]) => Ok(only),
                (None, []) => Err("it lists no cloud".to_owned()),
                (None, several) => Err(format!("it lists {} clouds, none of them at {base}", several.len())),
            }
        }
        _ => Err("it is neither an object nor a list of clouds".to_owned()),
    }
}

fn texts(map: &Map<String, Value>) -> BTreeMap<String, String> {
    map.iter()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str().filter(|text| !text.is_empty())?.to_owned())))
        .collect()
}

/// The services that the document names by a URL of their own. ARM, Graph and log-in have endpoints of their own.
fn services(object: &Map<String, Value>) -> BTreeMap<String, String> {
    const ELSEWHERE: [&str; 6] = [
        "resourceManager",
        "microsoftGraphResourceId",
        "graph",
        "graphAudience",
        "portal",
        "ferryDataPlaneGateway",
    ];
    let mut all = texts(object);
    all.retain(|key, value| value.starts_with("https://") && !ELSEWHERE.contains(&key.as_str()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn newest() -> Value {
        json!({
            "name": "Contoso",
            "authentication": {"loginEndpoint": "https://login.contoso.example",
                               "audiences": ["https://arm.contoso.example/", "https://other.example/"]},
            "resourceManager": "https://arm.contoso.example/",
            "microsoftGraphResourceId": "https://graph.contoso.example/",
            "logAnalyticsResourceId": "https://logs.contoso.example",
            "suffixes": {"keyVaultDns": "vault.contoso.example", "storage": "", "mhsmDns": null}
        })
    }

    #[test]
    fn the_newest_form_is_one_object() {
        let cloud = read(&url("https://arm.contoso.example"), &newest()).unwrap();
        assert_eq!(cloud.name, "Contoso");
        assert_eq!(cloud.arm_audience, "https://arm.contoso.example/");
        assert_eq!(cloud.graph.as_str(), "https://graph.contoso.example/");
        assert_eq!(cloud.suffixes.len(), 1);
        assert!(cloud.ties("kv.vault.contoso.example", "https://vault.contoso.example"));
        assert!(cloud.ties("logs.contoso.example", "https://logs.contoso.example"));
        assert!(!cloud.loopback && cloud.data_plane_gateway.is_none());
    }

    #[test]
    fn of_a_list_the_cloud_that_was_asked_is_taken() {
        let mut other = newest();
        other["name"] = json!("Other");
        other["resourceManager"] = json!("https://arm.other.example/");
        let both = json!([other, newest()]);
        assert_eq!(
            read(&url("https://arm.contoso.example"), &both).unwrap().name,
            "Contoso"
        );
        assert_eq!(
            read(&url("https://proxy.example"), &json!([newest()])).unwrap().name,
            "Contoso"
        );
        assert!(
            read(&url("https://proxy.example"), &both)
                .unwrap_err()
                .contains("2 clouds")
        );
    }

    #[test]
    fn the_old_form_takes_its_graph_from_where_one_logs_in() {
        let old = json!({
            "galleryEndpoint": "https://gallery.example", "graphEndpoint": "https://graph.windows.net/",
            "portalEndpoint": "https://portal.example",
            "authentication": {"loginEndpoint": "https://login.microsoftonline.com/", "audiences": ["https://arm.stack"]}
        });
        let cloud = read(&url("https://management.stack.example"), &old).unwrap();
        assert_eq!(cloud.graph_audience, "https://graph.microsoft.com");
        assert_eq!(cloud.arm_audience, "https://arm.stack");
    }

    #[test]
    fn a_document_on_this_machine_leads_nowhere_else() {
        let cloud = read(&url("http://127.0.0.1:8080"), &newest()).unwrap();
        assert_eq!(cloud.graph.as_str(), "http://127.0.0.1:8080/");
        assert_eq!(cloud.login.as_str(), "http://127.0.0.1:8080/");
        let mut away = newest();
        away["ferryDataPlaneGateway"] = json!("https://gateway.example/");
        assert!(
            read(&url("http://127.0.0.1:8080"), &away)
                .unwrap_err()
                .contains("not on this machine")
        );
        away["ferryDataPlaneGateway"] = json!("http://127.0.0.1:8080/dataplane");
        let cloud = read(&url("http://127.0.0.1:8080"), &away).unwrap();
        assert_eq!(
            cloud.data_plane_gateway.unwrap().as_str(),
            "http://127.0.0.1:8080/dataplane"
        );
    }

    #[test]
    fn plain_http_in_the_metadata_of_a_distant_cloud_is_refused() {
        let mut bad = newest();
        bad["microsoftGraphResourceId"] = json!("http://graph.contoso.example/");
        assert!(
            read(&url("https://arm.contoso.example"), &bad)
                .unwrap_err()
                .contains("plain http")
        );
    }

    proptest::proptest! {
        #![proptest_config(crate::types::tries(300))]
        #[test]
        fn any_metadata_is_read_or_refused_and_leads_away_from_no_loopback(
            pointer in proptest::sample::select(vec![
                "/authentication", "/authentication/audiences", "/authentication/loginEndpoint", "/microsoftGraphResourceId",
                "/suffixes", "/resourceManager", "/portal", "/name", "/ferryDataPlaneGateway", "",
            ]),
            value in crate::types::any_json(),
            text in "[ -~]{0,30}|https?://[a-z0-9.:@/-]{0,30}",
            here in proptest::bool::ANY,
        ) {
            let base = url(if here { "http://127.0.0.1:8080" } else { "https://arm.contoso.example" });
            for value in [value, json!(text), json!([text])] {
                let mut document = newest();
                match document.pointer_mut(pointer) {
                    Some(place) => *place = value,
                    None => document["ferryDataPlaneGateway"] = value,
                }
                if let Ok(cloud) = read(&base, &document) {
                    let away = [&cloud.login, &cloud.graph, &cloud.resource_manager].into_iter().chain(&cloud.data_plane_gateway).any(|url| !is_loopback(url));
                    proptest::prop_assert!(!(here && away), "{document}");
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let base = url("https://arm.contoso.example");
        assert!(read(&base, &json!({})).unwrap_err().contains("audiences"));
        assert!(read(&base, &json!([])).unwrap_err().contains("no cloud"));
        assert!(read(&base, &json!("hello")).is_err());
    }
}

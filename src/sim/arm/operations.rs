//! Slow operations: the URLs where their end is told. When one ends, and with what, stands in the URL itself, so that a
//! simulator started again still knows.

use http::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::paging::encode;
use super::route::{Result, Turn};
use super::{fail, resource, show, versions};
use crate::sim::catalog::Slow;
use crate::sim::{Answer, regions};
use crate::types::ResourceId;

fn url(turn: &Turn<'_>, id: &ResourceId, version: &str, word: &str, method: &Method) -> String {
    let location = turn
        .world
        .store
        .get(id.key())
        .and_then(|document| document["location"].as_str())
        .map(regions::normal);
    let ready = (turn.ask.now + turn.world.slow).unix_timestamp_nanos() / 1_000_000;
    let start = turn.ask.now.unix_timestamp_nanos() / 1_000_000;
    let end = format!("t={ready}&s={start}&m={method}&i={}", encode(id.as_str()));
    let operation = uuid::Uuid::new_v4();
    // Of groups it is Resource Manager itself that tells.
    if id.is_type("Microsoft.Resources/resourceGroups") {
        let subscription = id.subscription().unwrap_or_default();
        let base = &turn.ask.base;
        return format!("{base}/subscriptions/{subscription}/operationresults/{operation}?api-version={version}&{end}");
    }
    let place = location.as_deref().unwrap_or("eastus").to_owned();
    let scope = id
        .subscription()
        .map(|subscription| format!("/subscriptions/{subscription}"))
        .unwrap_or_default();
    format!(
        "{}{scope}/providers/{}/locations/{place}/{word}/{operation}?api-version={version}&{end}",
        turn.ask.base,
        id.namespace(),
    )
}

/// Adds the operation's URL to an answer.
pub fn announce(
    turn: &Turn<'_>,
    answer: Answer,
    id: &ResourceId,
    version: &str,
    slow: Slow,
    method: &Method,
) -> Answer {
    let answer = match slow {
        Slow::AzureAsync => answer
            .with(
                "azure-asyncoperation",
                url(turn, id, version, "operationStatuses", method),
            )
            .with("azure-asyncnotification", "Enabled"),
        Slow::Location => answer.with("location", url(turn, id, version, "operationResults", method)),
        Slow::None | Slow::ProvisioningState => answer,
    };
    answer.with("retry-after", "1")
}

/// 202 without a body, with the operation's URLs.
pub fn accepted(turn: &Turn<'_>, id: &ResourceId, version: &str, slow: Slow, method: &Method) -> Answer {
    let answer = announce(turn, Answer::empty(202), id, version, slow, method);
    if slow == Slow::AzureAsync {
        return answer.with("location", url(turn, id, version, "operationResults", method));
    }
    answer
}

/// Answers where the path is that of an operation.
pub fn poll(turn: &mut Turn<'_>) -> Result<Option<Answer>> {
    let lower = turn.ask.path.to_ascii_lowercase();
    let status = lower.contains("/operationstatuses/");
    if !(status || lower.contains("/operationresults/")) || turn.ask.method != Method::GET {
        return Ok(None);
    }
    let number = |name: &str| turn.ask.parameter(name).and_then(|text| text.parse::<i128>().ok());
    let (Some(ready), Some(start)) = (number("t"), number("s")) else {
        return Ok(None);
    };
    let version = versions::given(turn.ask)?;
    let at = |ms: i128| OffsetDateTime::from_unix_timestamp_nanos(ms * 1_000_000).unwrap_or(turn.ask.now);
    let id = turn.ask.parameter("i").and_then(|id| ResourceId::parse(id).ok());
    let endless = id.as_ref().is_some_and(|id| turn.world.endless.contains(id.key()));
    let done = at(ready) <= turn.ask.now && !endless;
    if lower.contains("/microsoft.management/") {
        let verb = if lower.contains("/operationresults/delete/") {
            "delete"
        } else {
            "create"
        };
        return Ok(id.map(|id| super::management_groups::result(turn, &id, verb, done)));
    }
    if status {
        let mut body = json!({
            "id": turn.ask.path,
            "name": turn.ask.path.rsplit('/').next().unwrap_or_default(),
            "status": if done { "Succeeded" } else { "InProgress" },
            "startTime": show::time(at(start)),
        });
        if done {
            body["endTime"] = json!(show::time(at(ready)));
            body["percentComplete"] = json!(100);
        }
        let answer = Answer::json(200, body);
        return Ok(Some(if done { answer } else { answer.with("retry-after", "1") }));
    }
    if !done {
        let query: Vec<String> = turn
            .ask
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        let here = format!("{}{}?{}", turn.ask.base, turn.ask.path, query.join("&"));
        return Ok(Some(Answer::empty(202).with("location", here).with("retry-after", "1")));
    }
    let method = turn.ask.parameter("m").unwrap_or("GET").to_owned();
    if method == "DELETE" {
        return Ok(Some(Answer::empty(
            if id.is_some_and(|id| id.is_type("Microsoft.Resources/resourceGroups")) {
                200
            } else {
                204
            },
        )));
    }
    let Some(id) = id else {
        return Ok(Some(Answer::empty(200)));
    };
    let stored = turn.world.read(id.key()).cloned();
    let Some(document) = stored.or_else(|| super::implied::document(turn.world, &id)) else {
        return Err(fail::resource_missing(&id));
    };
    Ok(Some(Answer::json(
        200,
        show::resource(turn.world, id.key(), &document, &version, turn.ask.now),
    )))
}

/// 200 with a body, or 202 and nothing: what an action gives.
pub fn action_done(body: Option<Value>) -> Answer {
    body.map_or_else(|| Answer::empty(200), |body| Answer::json(200, body))
}

/// Deletes a resource group and tells where the end is told.
pub fn delete_group(turn: &mut Turn<'_>, id: &ResourceId, version: &str) -> Answer {
    resource::remove_tree(turn, id);
    accepted(turn, id, version, Slow::Location, &Method::DELETE)
}

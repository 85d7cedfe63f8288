//! Lists that come in pages, and Resource Graph, whose pages come by token.

use std::collections::HashSet;

use futures::stream::{self, Stream};
use serde_json::{Value, json};

use super::client::Client;
use super::endpoint;
use super::error::Error;
use super::request::{Plane, Request, Response};

/// Where a list stands.
struct Cursor {
    client: Client,
    next: Option<Request>,
    /// Where every page so far was asked for.
    seen: HashSet<String>,
    /// The api-version that the list was first asked at.
    version: Option<String>,
}

/// The pages of a list. A page may be empty and still lead to another.
pub(crate) fn pages(client: Client, request: Request) -> impl Stream<Item = Result<Vec<Value>, Error>> + Send + use<> {
    let version = request.query_value("api-version").map(str::to_owned);
    let start = Cursor {
        client,
        next: Some(request),
        seen: HashSet::new(),
        version,
    };
    stream::try_unfold(start, |mut cursor| async move {
        let Some(request) = cursor.next.take() else {
            return Ok(None);
        };
        // The first page counts too: a link may lead back to it.
        cursor.seen.insert(address(&cursor.client, &request)?);
        let mut answer = cursor.client.send(&request).await?;
        let link = ["nextLink", "@odata.nextLink", "odata.nextLink"]
            .into_iter()
            .find_map(|name| answer.body.get(name)?.as_str())
            .filter(|link| !link.is_empty())
            .map(str::to_owned);
        let rows = match &mut answer.body {
            Value::Object(page) => match page.get_mut("value").map(Value::take) {
                Some(Value::Array(rows)) => rows,
                _ => {
                    return Err(unusable(
                        &request,
                        &answer,
                        "a list has an array \"value\", and it has none",
                    ));
                }
            },
            Value::Array(rows) => std::mem::take(rows),
            _ => return Err(unusable(&request, &answer, "a list was expected")),
        };
        if let Some(link) = link {
            let mut next = match endpoint::follow(cursor.client.cloud(), &request, &link) {
                Ok(next) => next,
                // It is the answer that is wrong, not what was asked for.
                Err(Error::Refused { what, why }) => {
                    return Err(unusable(&request, &answer, &format!("{what} is not followed: {why}")));
                }
                Err(error) => return Err(error),
            };
            // A link brings its own api-version; where a provider forgot it, ours is the one that it answered to.
            let brings = link.to_ascii_lowercase().contains("api-version=");
            if let Some(version) = cursor
                .version
                .as_ref()
                .filter(|_| !brings && request.plane == Plane::Arm)
            {
                next = next.query("api-version", version);
            }
            if cursor.seen.contains(&address(&cursor.client, &next)?) {
                return Err(unusable(&request, &answer, "its nextLink leads in a circle"));
            }
            cursor.next = Some(next);
        }
        Ok(Some((rows, cursor)))
    })
}

/// The URL that a request goes to.
fn address(client: &Client, request: &Request) -> Result<String, Error> {
    Ok(endpoint::destination(client.cloud(), request)?.url.into())
}

/// The rows of a Resource Graph query, of the whole tenant.
pub(crate) async fn resource_graph(client: &Client, query: &str) -> Result<Vec<Value>, Error> {
    let mut rows = Vec::new();
    let mut token: Option<String> = None;
    let mut seen = HashSet::new();
    let mut before = 0..0;
    loop {
        let mut options = json!({
            "resultFormat": "objectArray", "$top": 1000, "authorizationScopeFilter": "AtScopeAboveAndBelow"
        });
        if let Some(token) = &token {
            options["$skipToken"] = json!(token);
        }
        let request = Request::post(Plane::Arm, "/providers/Microsoft.ResourceGraph/resources")
            .api_version("2022-10-01")
            .body(json!({"query": query, "options": options}))
            .idempotent(true);
        let mut answer = client.send(&request).await?;
        match answer.body.get_mut("data").map(Value::take) {
            Some(Value::Array(data)) => {
                // A token that leads back to the page that it came with would otherwise tell every row twice.
                if !data.is_empty() && rows.get(before.clone()) == Some(data.as_slice()) {
                    return Err(unusable(&request, &answer, "its $skipToken leads in a circle"));
                }
                before = rows.len()..rows.len() + data.len();
                rows.extend(data);
            }
            _ => return Err(unusable(&request, &answer, "it has no array \"data\"")),
        }
        if answer
            .header("x-ms-tenant-subscription-limit-hit")
            .is_some_and(|hit| hit.eq_ignore_ascii_case("true"))
        {
            return Err(unusable(
                &request,
                &answer,
                "it covers only the first 10,000 subscriptions of the tenant",
            ));
        }
        token = answer
            .body
            .get("$skipToken")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned);
        match &token {
            Some(token) if !seen.insert(token.clone()) => {
                return Err(unusable(&request, &answer, "its $skipToken leads in a circle"));
            }
            Some(_) => {}
            None => {
                let truncated = match answer.body.get("resultTruncated") {
                    Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
                    Some(other) => other == &Value::Bool(true),
                    None => false,
                };
                let why = "the result is cut off after a page and cannot go on: let the query give \"id\"";
                return if truncated && !is_limited(query) {
                    Err(unusable(&request, &answer, why))
                } else {
                    Ok(rows)
                };
            }
        }
    }
}

/// Whether a query asks for a part of its rows itself.
fn is_limited(query: &str) -> bool {
    query.split('|').skip(1).any(|part| {
        let first = part.split_whitespace().next().unwrap_or_default();
        ["limit", "take", "top", "sample"]
            .iter()
            .any(|word| first.eq_ignore_ascii_case(word))
    })
}

fn unusable(request: &Request, answer: &Response, why: &str) -> Error {
    Error::Body {
        method: request.method.to_string(),
        target: request.path.split('?').next().unwrap_or_default().to_owned(),
        status: answer.status,
        why: why.to_owned(),
        request_id: answer.request_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::testing::{Answer, Server};

    #[tokio::test]
    async fn empty_pages_do_not_end_a_list() {
        let server = Server::start(vec![
            Answer::json(
                200,
                json!({"value": [1], "nextLink": "{base}/items?api-version=1&$skiptoken=a%2Fb+c"}),
            ),
            Answer::json(200, json!({"value": [], "nextLink": "{base}/items?$skiptoken=3"})),
            Answer::json(200, json!({"value": [2, 3], "nextLink": null})),
        ])
        .await;
        let rows = server
            .client()
            .list(&Request::get(Plane::Arm, "/items?api-version=1"))
            .await
            .unwrap();
        assert_eq!(rows, [1, 2, 3]);
        assert_eq!(
            server.targets(),
            [
                "/items?api-version=1",
                "/items?api-version=1&$skiptoken=a%2Fb+c",
                "/items?$skiptoken=3&api-version=1"
            ]
        );
    }

    #[tokio::test]
    async fn a_next_link_to_another_host_is_refused_and_gets_no_token() {
        let foreign = Server::start(vec![Answer::json(200, json!({"value": []}))]).await;
        let link = format!("{}/items", foreign.url());
        let server = Server::start(vec![Answer::json(200, json!({"value": [1], "nextLink": link}))]).await;
        let error = server
            .client()
            .list(&Request::get(Plane::Arm, "/items"))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "unreadable-answer", "{error:?}");
        assert!(error.to_string().contains("a token does not go there"), "{error}");
        assert!(foreign.targets().is_empty());
    }

    #[tokio::test]
    async fn links_that_lead_in_a_circle_end_in_an_error() {
        let server = Server::start(vec![Answer::json(
            200,
            json!({"value": [1], "nextLink": "{base}/items?p=2"}),
        )])
        .await;
        let error = server
            .client()
            .list(&Request::get(Plane::Arm, "/items"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("circle"), "{error}");
        assert_eq!(server.targets().len(), 2);
    }

    #[tokio::test]
    async fn a_link_back_to_the_first_page_is_a_circle_and_no_row_is_told_twice() {
        let server = Server::start(vec![
            Answer::json(200, json!({"value": [1], "nextLink": "{base}/items?api-version=1"})),
            Answer::json(200, json!({"value": [1]})),
        ])
        .await;
        let request = Request::get(Plane::Arm, "/items").api_version("1");
        let error = server.client().list(&request).await.unwrap_err();
        assert!(error.to_string().contains("circle"), "{error}");
        assert_eq!(server.targets().len(), 1);
    }

    #[tokio::test]
    async fn graph_pages_repeat_the_consistency_level() {
        let server = Server::start(vec![
            Answer::json(
                200,
                json!({"value": [1], "@odata.nextLink": "{base}/v1.0/groups?$skiptoken=2"}),
            ),
            Answer::json(200, json!({"value": [2]})),
        ])
        .await;
        let request = Request::get(Plane::Graph, "/v1.0/groups").header("ConsistencyLevel", "eventual");
        assert_eq!(server.client().list(&request).await.unwrap(), [1, 2]);
        assert!(
            server
                .seen()
                .iter()
                .all(|seen| seen.header("consistencylevel") == "eventual")
        );
    }

    #[tokio::test]
    async fn something_that_is_no_list_is_told_from_an_empty_one() {
        for body in [json!({"items": []}), json!({"value": {}}), json!("x")] {
            let server = Server::start(vec![Answer::json(200, body)]).await;
            assert!(server.client().list(&Request::get(Plane::Arm, "/items")).await.is_err());
        }
    }

    #[tokio::test]
    async fn resource_graph_is_asked_page_by_page_for_the_whole_tenant() {
        let server = Server::start(vec![
            Answer::json(
                200,
                json!({"data": [{"id": 1}], "resultTruncated": "false", "$skipToken": "s"}),
            ),
            Answer::reset(),
            Answer::json(200, json!({"data": [{"id": 2}], "resultTruncated": "false"})),
        ])
        .await;
        let rows = server.client().resource_graph("resources | project id").await.unwrap();
        assert_eq!(rows, [json!({"id": 1}), json!({"id": 2})]);
        let bodies: Vec<Value> = server.seen().iter().map(crate::azure::testing::Seen::json).collect();
        assert_eq!(bodies[0]["options"]["authorizationScopeFilter"], "AtScopeAboveAndBelow");
        assert_eq!(bodies[0].get("subscriptions"), None);
        assert_eq!(bodies[0]["options"].get("$skipToken"), None);
        assert_eq!(bodies[2]["options"]["$skipToken"], "s");
    }

    #[tokio::test]
    async fn a_page_of_resource_graph_that_comes_twice_is_no_second_page() {
        let page = |more: Value| Answer::json(200, json!({"data": [{"id": 1}], "$skipToken": more}));
        let server = Server::start(vec![page(json!("s")), page(json!(null))]).await;
        let error = server.client().resource_graph("resources").await.unwrap_err();
        assert!(error.to_string().contains("circle"), "{error}");
    }

    #[tokio::test]
    async fn a_result_that_resource_graph_cut_off_is_no_result() {
        let cut = || Answer::json(200, json!({"data": [{"n": 1}], "resultTruncated": "true"}));
        let server = Server::start(vec![cut()]).await;
        let client = server.client();
        assert!(client.resource_graph("resources | project name").await.is_err());
        assert_eq!(client.resource_graph("resources | take 1").await.unwrap().len(), 1);
    }
}

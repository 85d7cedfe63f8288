//! Links of an answer that lead in a circle, or away.

use serde_json::{Value, json};

use super::Links;
use crate::sim::resource_graph::own_token;
use crate::sim::{Answer, Ask};

/// The headers that name the URL of an operation.
const HEADERS: [&str; 3] = ["location", "azure-asyncoperation", "operation-location"];

/// Turns the links of an answer. A list that ends here gets one.
pub fn turn(answer: &mut Answer, ask: &Ask, target: &str, links: &Links) {
    let host = match links {
        Links::Repeat => ask.base.as_str(),
        Links::Elsewhere(host) => {
            for (name, value) in &mut answer.headers {
                if HEADERS.contains(&name.as_str())
                    && let Some(path) = value.strip_prefix(&ask.base)
                {
                    *value = format!("{host}{path}");
                }
            }
            host.as_str()
        }
    };
    let Some(Value::Object(page)) = &mut answer.body else {
        return;
    };
    let path = target.trim_start_matches('/').to_ascii_lowercase();
    let graph = path.starts_with("v1.0/") || path.starts_with("beta/");
    if page.get("value").is_some_and(Value::is_array) && ask.method == http::Method::GET {
        let name = if graph { "@odata.nextLink" } else { "nextLink" };
        page.insert(name.to_owned(), json!(format!("{host}{target}")));
    } else if page.get("data").is_some_and(Value::is_array) && *links == Links::Repeat {
        // Resource Graph names its next page by a token.
        if let Some(own) = ask.body.as_ref().and_then(own_token) {
            page.insert("$skipToken".to_owned(), json!(own));
        }
    }
}

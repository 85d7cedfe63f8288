//! Reading a path of Azure Resource Manager: what is asked for, and where.

use percent_encoding::percent_decode_str;

use crate::types::ResourceId;

/// What a path names.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    /// A thing with an id.
    Thing(ResourceId),
    /// The things of a full type right below a scope or a parent: the prefix without slash at its end, and the type.
    Collection { parent: String, kind: String },
    /// `subscriptions`, `tenants`, or what hangs on a subscription or group: the segments behind it.
    Word { scope: Option<ResourceId>, word: String },
    /// `{scope}/providers` or `{scope}/providers/{namespace}`.
    Providers {
        subscription: Option<String>,
        namespace: Option<String>,
    },
    /// `POST {thing}/{action}`.
    Action {
        on: Option<ResourceId>,
        namespace: String,
        action: String,
    },
    /// Nothing that ARM has.
    Nothing,
}

/// The segments of a path, decoded before it is cut: SDKs encode the slashes of a scope. Empty ones are dropped, so that a
/// doubled slash does no harm.
pub fn segments(path: &str) -> Vec<String> {
    let path = percent_decode_str(path).decode_utf8_lossy();
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is(segment: Option<&String>, word: &str) -> bool {
    segment.is_some_and(|segment| segment.eq_ignore_ascii_case(word))
}

fn join(segments: &[String]) -> String {
    segments
        .iter()
        .fold(String::new(), |text, segment| format!("{text}/{segment}"))
}

/// Reads a path; `post` tells actions from collections.
pub fn read(path: &str, post: bool) -> Named {
    let all = segments(path);
    let mut at = 0;
    if is(all.first(), "subscriptions") {
        if all.len() == 1 {
            return Named::Word {
                scope: None,
                word: "subscriptions".to_owned(),
            };
        }
        at = 2;
        if is(all.get(2), "resourceGroups") {
            if all.len() == 3 {
                return word(&all[..2], "resourcegroups");
            }
            at = 4;
        }
    }
    if at == all.len() {
        return ResourceId::parse(&join(&all)).map_or(Named::Nothing, Named::Thing);
    }
    if !is(all.get(at), "providers") {
        if all.len() == at + 1 {
            if post && at > 0 {
                return action(&all[..at], "Microsoft.Resources", &all[at]);
            }
            return word(&all[..at], &all[at]);
        }
        // `operationresults/{id}` of a subscription, `tagNames/{name}`, `locations/{name}` and the like.
        return word(&all[..at], &all[at..].join("/"));
    }
    loop {
        if all.len() == at + 1 {
            let subscription = (at > 0).then(|| all[1].clone());
            return Named::Providers {
                subscription,
                namespace: None,
            };
        }
        if all.len() == at + 2 {
            let subscription = (at > 0).then(|| all[1].clone());
            return Named::Providers {
                subscription,
                namespace: Some(all[at + 1].clone()),
            };
        }
        let end = (at + 1..all.len())
            .find(|&i| all[i].eq_ignore_ascii_case("providers") && (i - at) % 2 == 0 && i >= at + 4)
            .unwrap_or(all.len());
        if end < all.len() {
            at = end;
            continue;
        }
        let rest = &all[at + 2..];
        if rest.len().is_multiple_of(2) {
            return ResourceId::parse(&join(&all)).map_or(Named::Nothing, Named::Thing);
        }
        let namespace = &all[at + 1];
        if post {
            let on = if rest.len() == 1 {
                &all[..at]
            } else {
                &all[..all.len() - 1]
            };
            return action(on, namespace, &all[all.len() - 1]);
        }
        let types: Vec<&str> = rest.iter().step_by(2).map(String::as_str).collect();
        let parent = if rest.len() == 1 {
            &all[..at]
        } else {
            &all[..all.len() - 1]
        };
        return Named::Collection {
            parent: join(parent),
            kind: format!("{namespace}/{}", types.join("/")),
        };
    }
}

fn word(scope: &[String], word: &str) -> Named {
    Named::Word {
        scope: ResourceId::parse(&join(scope)).ok(),
        word: word.to_ascii_lowercase(),
    }
}

fn action(on: &[String], namespace: &str, action: &str) -> Named {
    Named::Action {
        on: ResourceId::parse(&join(on)).ok(),
        namespace: namespace.to_owned(),
        action: action.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_form_are_told_apart() {
        let rg = "/subscriptions/s/resourceGroups/rg";
        let site = format!("{rg}/providers/Microsoft.Web/sites/app");
        assert!(matches!(read(&site, false), Named::Thing(_)));
        assert!(matches!(read(&format!("/{site}/"), false), Named::Thing(_)));
        let encoded = format!(
            "{}/providers/Microsoft.Authorization/locks/keep",
            site.replace('/', "%2F")
        );
        assert!(
            matches!(read(&encoded, false), Named::Thing(id) if id.extended().is_some_and(|own| own.as_str() == site))
        );
        assert_eq!(
            read(&format!("{site}/slots"), false),
            Named::Collection {
                parent: site.clone(),
                kind: "Microsoft.Web/sites/slots".into()
            }
        );
        assert_eq!(
            read(&format!("{rg}/providers/Microsoft.Web/sites"), false),
            Named::Collection {
                parent: rg.into(),
                kind: "Microsoft.Web/sites".into()
            }
        );
        assert!(matches!(read(&format!("{site}/config/appsettings/list"), true),
            Named::Action { on: Some(_), action, .. } if action == "list"));
        assert!(
            matches!(read(&format!("{site}/providers/Microsoft.Authorization/locks"), false),
            Named::Collection { parent, .. } if parent == site)
        );
        assert!(matches!(read("/subscriptions", false), Named::Word { scope: None, .. }));
        assert!(
            matches!(read(&format!("{rg}/resources"), false), Named::Word { scope: Some(_), word } if word == "resources")
        );
        assert!(
            matches!(read("/subscriptions/s/providers/Microsoft.Web/register", true),
            Named::Action { action, .. } if action == "register")
        );
        assert!(matches!(
            read("/subscriptions/s/providers", false),
            Named::Providers {
                subscription: Some(_),
                namespace: None
            }
        ));
        assert!(matches!(
            read("/providers/Microsoft.Management/managementGroups/mg/descendants", false),
            Named::Collection { .. }
        ));
        assert!(matches!(read("/providers/Microsoft.ResourceGraph/resources", true),
            Named::Action { on: None, action, .. } if action == "resources"));
    }
}

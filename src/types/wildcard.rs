//! Patterns of actions, as role definitions and conditions write them: `*` stands for any text.

/// Whether a pattern with `*` matches an action, both in lower case.
pub fn wildcard_matches(pattern: &str, action: &str) -> bool {
    let mut rest = action;
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(tail) = rest.strip_prefix(first) else {
        return false;
    };
    rest = tail;
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
    }
    match last {
        Some(part) => rest.ends_with(part),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::wildcard_matches;

    #[test]
    fn wildcards_of_actions_match_across_segments() {
        assert!(wildcard_matches("*", "microsoft.web/sites/read"));
        assert!(wildcard_matches("*/read", "microsoft.web/sites/config/read"));
        assert!(wildcard_matches(
            "microsoft.authorization/*/write",
            "microsoft.authorization/roleassignments/write"
        ));
        assert!(wildcard_matches(
            "microsoft.managedidentity/userassignedidentities/*/assign/action",
            "microsoft.managedidentity/userassignedidentities/x/assign/action"
        ));
        assert!(!wildcard_matches("*/read", "microsoft.web/sites/write"));
        assert!(!wildcard_matches(
            "microsoft.web/sites/read",
            "microsoft.web/sites/readx"
        ));
    }
}

//! How people name an item: a grant, a binding, or a change of a plan, on the command line.

use crate::types::json::unescape;

/// An item as it can be named: the segments of its step's path, and what else it is known by (ids, its target).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    segments: Vec<String>,
    aliases: Vec<String>,
}

impl Item {
    /// An item of a printed step path, with the other names that it has.
    pub fn of_step<'a>(step: &str, aliases: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            segments: segments(step),
            aliases: aliases
                .into_iter()
                .filter(|alias| !alias.is_empty())
                .map(str::to_lowercase)
                .collect(),
        }
    }

    /// Whether `given` names it whole: one of its other names, its path, or some whole segments of that in their order.
    pub fn is_named(&self, given: &str) -> bool {
        let lower = given.trim().trim_end_matches('/').to_lowercase();
        if lower.is_empty() {
            return false;
        }
        if self.aliases.contains(&lower) {
            return true;
        }
        // An id as it is, not escaped: one segment.
        let wanted = if lower.starts_with('/') {
            vec![lower]
        } else {
            segments(&lower)
        };
        self.segments.windows(wanted.len()).any(|some| some == wanted)
    }

    /// Whether it lies at the resource `given`, or below it: its settings, its slots, its children.
    pub fn lies_at(&self, given: &str) -> bool {
        let below = format!("{}/", given.trim().trim_end_matches('/').to_lowercase());
        let is_below = |alias: &String| {
            let rest = alias.strip_prefix(&below);
            // What is scoped to a resource, or lies in a group, is no part of it.
            rest.is_some_and(|rest| !format!("/{rest}").contains("/providers/"))
        };
        below.starts_with('/') && below.len() > 1 && self.aliases.iter().any(is_below)
    }

    /// Whether `given` is a part of one of its names: as good as a name where nothing else has it.
    pub fn is_hinted(&self, given: &str) -> bool {
        let lower = given.trim().to_lowercase();
        !lower.is_empty()
            && self
                .segments
                .iter()
                .chain(&self.aliases)
                .any(|name| name.contains(&lower))
    }

    /// Whether both are about the same: one's path is found in the other's.
    pub fn is_about(&self, other: &Item) -> bool {
        let (short, long) = if self.segments.len() <= other.segments.len() {
            (self, other)
        } else {
            (other, self)
        };
        !short.segments.is_empty()
            && long
                .segments
                .windows(short.segments.len())
                .any(|some| some == short.segments)
    }
}

/// The segments of a printed path, as they were before printing, in lower case.
fn segments(step: &str) -> Vec<String> {
    step.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| unescape(segment).to_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str = "move/bindings/identity_blocks/~1subscriptions~1s~1resourcegroups~1rg~1providers~1microsoft.web~1sites~1app-orders";

    #[test]
    fn an_item_is_named_by_its_path_a_part_of_it_its_id_or_its_target() {
        let target = "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Web/sites/app-orders";
        let item = Item::of_step(STEP, [target]);
        let file =
            "identity_blocks/~1subscriptions~1s~1resourceGroups~1rg~1providers~1Microsoft.Web~1sites~1app-orders";
        for given in [
            STEP,
            file,
            target,
            &target.to_uppercase(),
            "move/bindings",
            "identity_blocks",
        ] {
            assert!(item.is_named(given), "{given}");
        }
        for given in ["", "/", "app-orders", "bindings/move", "app", "/subscriptions/s"] {
            assert!(!item.is_named(given), "{given}");
        }
        let site = target.trim_end_matches("/app-orders");
        assert!(item.lies_at("/subscriptions/s/resourceGroups/RG/providers/Microsoft.Web/sites") && item.lies_at(site));
        assert!(!item.lies_at("/") && !item.lies_at("/subscriptions/s/resourceGroups/rg") && !item.lies_at("sites"));
        assert!(item.is_hinted("app-orders") && !item.is_hinted("app-other") && !item.is_hinted(" "));
    }

    #[test]
    fn what_is_given_and_what_is_revoked_is_one_item() {
        let map = Item::of_step("grants/role_assignments/~1x", []);
        let other = Item::of_step("grants/role_assignments/~1y", []);
        let step = Item::of_step("clean_up/grants/role_assignments/~1x", []);
        assert!(map.is_about(&step) && step.is_about(&map));
        assert!(!other.is_about(&step));
    }
}

//! What a plan costs and where it is risky, as text.

use super::text::{amount, blank, line};
use crate::run::Costs;
use crate::run::costs::effect;

/// How many numbers of changes are listed.
const SHOWN: usize = 12;

/// The section of a plan about its costs; nothing where it has none.
pub(super) fn section(text: &mut String, costs: &Costs) {
    if costs.is_empty() {
        return;
    }
    let gap = blank(text);
    line(text, &format!("{gap}costs and risks"));
    for (word, changes) in &costs.effects {
        let meaning = effect(word);
        line(text, &format!("  {word:<10}  {meaning}: {}", numbered(changes)));
    }
    if !costs.replaces_holder.is_empty() {
        let changes = numbered(&costs.replaces_holder);
        line(
            text,
            &format!("  {:<10}  the only holder is replaced, at once: {changes}", "holder"),
        );
    }
    if !costs.not_undone.is_empty() {
        let changes = numbered(&costs.not_undone);
        line(
            text,
            &format!("  {:<10}  rollback cannot take back: {changes}", "one way"),
        );
    }
    if let Some(change) = costs.no_return {
        line(
            text,
            &format!("  {:<10}  from change {change} on there is no way back", "no return"),
        );
    }
    for quota in &costs.quota {
        line(
            text,
            &format!(
                "  {:<10}  {} at {}: {} of {} are left while both identities live ({} stand, {} are added)",
                "quota", quota.of, quota.scope, quota.left, quota.limit, quota.standing, quota.added
            ),
        );
    }
}

/// Changes by their numbers: `2 changes (3, 7)`.
fn numbered(changes: &[u64]) -> String {
    let mut numbers: Vec<String> = changes.iter().take(SHOWN).map(u64::to_string).collect();
    if changes.len() > SHOWN {
        numbers.push("…".to_owned());
    }
    format!("{} ({})", amount(changes.len(), "change"), numbers.join(", "))
}

//! The budgets of single resource providers, beside those of Resource Manager itself.

use serde_json::json;
use time::OffsetDateTime;

use super::{Throttle, Verb};
use crate::sim::Answer;
use crate::sim::arm::fail::fail;

/// What a budget is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Per {
    Tenant,
    Subscription,
    Resource,
}

/// Which requests a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// GET of one thing.
    Get,
    /// GET of a list.
    List,
    /// Either.
    Read,
    /// PUT, PATCH, POST.
    Write,
    Delete,
    /// Either.
    Change,
}

impl What {
    fn counts(self, verb: Verb, list: bool) -> bool {
        match self {
            Self::Get => verb == Verb::Read && !list,
            Self::List => verb == Verb::Read && list,
            Self::Read => verb == Verb::Read,
            Self::Write => verb == Verb::Write,
            Self::Delete => verb == Verb::Delete,
            Self::Change => verb != Verb::Read,
        }
    }
}

/// One budget: a full bucket, and how much comes back a second.
struct Budget {
    /// What the path holds behind `/providers/`, in lower case.
    of: &'static str,
    what: What,
    per: Per,
    size: f64,
    refill: f64,
    /// Its name, where answers tell what is left of it.
    named: Option<&'static str>,
}

const fn budget(of: &'static str, what: What, per: Per, size: f64, refill: f64) -> Budget {
    Budget {
        of,
        what,
        per,
        size,
        refill,
        named: None,
    }
}

const fn named(of: &'static str, what: What, name: &'static str, size: f64, seconds: f64) -> Budget {
    Budget {
        of,
        what,
        per: Per::Subscription,
        size,
        refill: size / seconds,
        named: Some(name),
    }
}

const MSI: &str = "microsoft.managedidentity/userassignedidentities";
const VM: &str = "microsoft.compute/virtualmachines";
const SCALE_SET: &str = "microsoft.compute/virtualmachinescalesets";
const STORAGE: &str = "microsoft.storage/";
const NETWORK: &str = "microsoft.network/";

/// Every budget. Those of identities are published by the second: a bucket holds what ten of them refill, so that short
/// bursts pass. That of role assignments is not published.
const BUDGETS: &[Budget] = &[
    budget(MSI, What::Write, Per::Tenant, 100.0, 10.0),
    budget(MSI, What::Write, Per::Subscription, 20.0, 2.0),
    budget(MSI, What::Write, Per::Resource, 3.0, 0.25),
    budget(MSI, What::Get, Per::Tenant, 300.0, 30.0),
    budget(MSI, What::Get, Per::Subscription, 100.0, 10.0),
    budget(MSI, What::Get, Per::Resource, 5.0, 0.5),
    budget(MSI, What::List, Per::Tenant, 150.0, 15.0),
    budget(MSI, What::List, Per::Subscription, 50.0, 5.0),
    budget(MSI, What::List, Per::Resource, 3.0, 0.25),
    budget(MSI, What::Delete, Per::Tenant, 100.0, 10.0),
    budget(MSI, What::Delete, Per::Subscription, 20.0, 2.0),
    budget(MSI, What::Delete, Per::Resource, 3.0, 0.25),
    budget(NETWORK, What::Read, Per::Subscription, 10_000.0, 10_000.0 / 300.0),
    budget(NETWORK, What::Change, Per::Subscription, 1000.0, 1000.0 / 300.0),
    budget(STORAGE, What::Get, Per::Subscription, 800.0, 800.0 / 300.0),
    budget(STORAGE, What::List, Per::Subscription, 100.0, 100.0 / 300.0),
    budget(STORAGE, What::Change, Per::Subscription, 10.0, 10.0),
    budget(ROLES, What::Change, Per::Subscription, 120.0, 6.0),
    named(VM, What::Get, "LowCostGet3Min", 4000.0, 180.0),
    named(VM, What::Get, "LowCostGet30Min", 32_000.0, 1800.0),
    named(VM, What::List, "HighCostGet3Min", 160.0, 180.0),
    named(VM, What::List, "HighCostGet30Min", 800.0, 1800.0),
    named(VM, What::Write, "PutVM3Min", 240.0, 180.0),
    named(VM, What::Write, "PutVM30Min", 1200.0, 1800.0),
    named(VM, What::Delete, "DeleteVM3Min", 80.0, 180.0),
    named(VM, What::Delete, "DeleteVM30Min", 400.0, 1800.0),
    named(SCALE_SET, What::Get, "LowCostGet3Min", 4000.0, 180.0),
    named(SCALE_SET, What::Get, "LowCostGet30Min", 32_000.0, 1800.0),
    named(SCALE_SET, What::List, "HighCostGetVMScaleSet3Min", 180.0, 180.0),
    named(SCALE_SET, What::List, "HighCostGetVMScaleSet30Min", 900.0, 1800.0),
    named(SCALE_SET, What::Write, "CreateVMScaleSet3Min", 60.0, 180.0),
    named(SCALE_SET, What::Write, "CreateVMScaleSet30Min", 300.0, 1800.0),
    named(SCALE_SET, What::Delete, "DeleteVMScaleSet3Min", 60.0, 180.0),
    named(SCALE_SET, What::Delete, "DeleteVMScaleSet30Min", 300.0, 1800.0),
];

const ROLES: &str = "microsoft.authorization/roleassignments";

/// Counts a request at its provider: the headers that tell what is left.
///
/// # Errors
/// The provider's 429.
pub(super) fn count(
    throttle: &mut Throttle,
    verb: Verb,
    path: &str,
    now: OffsetDateTime,
) -> Result<Vec<(String, String)>, Answer> {
    let lower = path.trim_end_matches('/').to_ascii_lowercase();
    let Some((scope, rest)) = lower.rsplit_once("/providers/") else {
        return Ok(Vec::new());
    };
    // Behind the namespace come types and names in pairs: a list lacks the last name.
    let list = !rest.matches('/').count().is_multiple_of(2);
    let subscription = scope.split('/').nth(2).unwrap_or_default();
    let mut left = Vec::new();
    for budget in BUDGETS {
        let own = rest.strip_prefix(budget.of);
        let own = own.filter(|behind| budget.of.ends_with('/') || behind.is_empty() || behind.starts_with('/'));
        if own.is_none() || !budget.what.counts(verb, list) {
            continue;
        }
        let key = match budget.per {
            Per::Tenant => "tenant",
            Per::Subscription => subscription,
            Per::Resource => &lower,
        };
        let name = budget.named.unwrap_or_default();
        let bucket = format!("{}/{:?}/{:?}/{name}/{key}", budget.of, budget.what, budget.per);
        let now_left = throttle.take(bucket, budget.size, budget.refill, 1.0, now);
        if now_left < 0.0 && throttle.real {
            let wait = (-now_left / budget.refill).ceil().max(1.0);
            return Err(refused(budget, wait));
        }
        if let Some(name) = budget.named {
            left.push(format!("Microsoft.Compute/{name};{}", now_left.max(0.0).floor()));
        }
    }
    if left.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![("x-ms-ratelimit-remaining-resource".to_owned(), left.join(","))])
}

fn refused(budget: &Budget, wait: f64) -> Answer {
    let answer = match (budget.of, budget.named) {
        // It answers without a word.
        (ROLES, _) => Answer::empty(429),
        (_, Some(name)) => {
            let mut answer = fail(
                429,
                "OperationNotAllowed",
                "The server rejected the request because too many requests have been received for this subscription.",
            );
            if let Some(body) = &mut answer.body {
                body["error"]["details"] = json!([{"code": "TooManyRequests", "target": name,
                    "message": format!("Too many requests of the policy {name}: retry after {wait} seconds.")}]);
            }
            answer
        }
        _ => fail(
            429,
            "TooManyRequests",
            "The request is being throttled as the limit has been reached for operation type. For more information, see \
             https://aka.ms/srpthrottlinglimits",
        ),
    };
    answer.with("retry-after", format!("{wait}"))
}

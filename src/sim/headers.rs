//! The headers that every answer of a service has.

use time::OffsetDateTime;
use time::macros::format_description;

use super::Ask;

fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The headers of an answer of Azure Resource Manager. Unless the client sent a correlation id, one GUID is all its ids.
pub fn arm(ask: &Ask, request_id: &str, tenant: &str) -> Vec<(String, String)> {
    let stamp = ask
        .now
        .format(format_description!("[year][month][day]T[hour][minute][second]Z"))
        .unwrap_or_default();
    let correlation = ask
        .header("x-ms-correlation-request-id")
        .unwrap_or(request_id)
        .to_owned();
    let mut headers = texts(&[
        ("cache-control", "no-cache"),
        ("pragma", "no-cache"),
        ("expires", "-1"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-cache", "CONFIG_NOCACHE"),
        ("x-ms-request-id", request_id),
        ("x-ms-correlation-request-id", &correlation),
        ("x-ms-routing-request-id", &format!("WESTEUROPE:{stamp}:{request_id}")),
        (
            "x-ms-operation-identifier",
            &format!(
                "tenantId={tenant},objectId={}/westeurope/{request_id}",
                ask.caller.principal
            ),
        ),
    ]);
    let back = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    headers.push((
        "x-msedge-ref".into(),
        format!("Ref A: {back} Ref B: AMS231020512051 Ref C: {}", second(ask.now)),
    ));
    let wanted = ask
        .header("x-ms-return-client-request-id")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if let (true, Some(id)) = (wanted, ask.header("x-ms-client-request-id")) {
        headers.push(("x-ms-client-request-id".into(), id.to_owned()));
    }
    headers
}

fn second(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
        .unwrap_or_default()
}

/// The `date` header of a moment.
pub fn date(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .format(format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        ))
        .unwrap_or_default()
}

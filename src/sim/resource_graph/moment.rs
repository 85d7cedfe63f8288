//! Points in time and spans as the query language reads and prints them, in ticks of 100 nanoseconds.

use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, Month, OffsetDateTime, Time};

/// Reads ISO 8601 in its usual forms: a date, a date and a time with or without seconds, fraction and offset.
pub fn parse_datetime(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim().trim_matches(['"', '\'']);
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(to_ticks(at.to_offset(time::UtcOffset::UTC)));
    }
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], text.get(at + 1..)?),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let year: i32 = parts.next().filter(|part| part.len() == 4)?.parse().ok()?;
    let month: u8 = parts.next().map_or(Some(1), |part| part.parse().ok())?;
    let day: u8 = parts.next().map_or(Some(1), |part| part.parse().ok())?;
    if parts.next().is_some() || (date.len() == 4 && !date.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let rest = rest.trim_end_matches(['Z', 'z']).trim();
    let time = if rest.is_empty() { Time::MIDNIGHT } else { clock(rest)? };
    Some(to_ticks(date.with_time(time).assume_utc()))
}

fn clock(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next().map_or(Some(0), |part| part.parse().ok())?;
    let (second, nano) = match parts.next() {
        None => (0, 0),
        Some(part) => {
            let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
            (whole.parse().ok()?, fraction_nanos(fraction)?)
        }
    };
    if parts.next().is_some() {
        return None;
    }
    Time::from_hms_nano(hour, minute, second, nano).ok()
}

fn fraction_nanos(digits: &str) -> Option<u32> {
    if digits.is_empty() {
        return Some(0);
    }
    if digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}").parse().ok()
}

fn to_ticks(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(at.nanosecond() / 100 * 100).unwrap_or(at)
}

/// Prints a point in time as the service does: UTC with seven digits of fraction.
pub fn print_datetime(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.nanosecond() / 100
    )
}

/// Reads `1d`, `2.5h`, `30m`, `10s`, `100ms`, `5microsecond`, `3tick`, `1.02:03:04.5`, `02:03:04`, `02:03` and a bare
/// number of days, with a minus sign or without.
pub fn parse_timespan(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return parse_timespan(rest)
            .filter(|_| !rest.starts_with('-'))
            .map(|span| -span);
    }
    if text.contains(':') {
        let (days, rest) = match text.split_once('.') {
            Some((days, rest)) if !days.contains(':') => (days.parse::<i64>().ok()?, rest),
            _ => (0, text),
        };
        let time = clock(rest)?.duration_since(Time::MIDNIGHT);
        return Duration::days(days.checked_abs().filter(|d| *d < 10_000_000)?).checked_add(time);
    }
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let ticks: f64 = match unit {
        "" | "d" | "day" | "days" => 864e9,
        "h" | "hr" | "hrs" | "hour" | "hours" => 36e9,
        "m" | "min" | "minute" | "minutes" => 6e8,
        "s" | "sec" | "second" | "seconds" => 1e7,
        "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1e4,
        "micro" | "micros" | "microsecond" | "microseconds" => 10.0,
        "tick" | "ticks" => 1.0,
        _ => return None,
    };
    let ticks = super::value::whole_of(number.parse::<f64>().ok()? * ticks)?;
    from_ticks(ticks)
}

/// A span of so many ticks of 100 nanoseconds.
pub fn from_ticks(ticks: i64) -> Option<Duration> {
    let seconds = ticks / 10_000_000;
    let nanos = i32::try_from(ticks % 10_000_000 * 100).ok()?;
    Some(Duration::new(seconds, nanos))
}

/// The span in ticks of 100 nanoseconds.
pub fn ticks(span: Duration) -> i64 {
    i64::try_from(span.whole_nanoseconds() / 100).unwrap_or(i64::MAX)
}

/// Prints a span as the service does: `[-][d.]hh:mm:ss[.fffffff]`.
pub fn print_timespan(span: Duration) -> String {
    let sign = if span.is_negative() { "-" } else { "" };
    let ticks = ticks(span).unsigned_abs();
    let (seconds, fraction) = (ticks / 10_000_000, ticks % 10_000_000);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let days = if days > 0 { format!("{days}.") } else { String::new() };
    let fraction = if fraction > 0 {
        format!(".{fraction:07}")
    } else {
        String::new()
    };
    format!(
        "{sign}{days}{:02}:{:02}:{:02}{fraction}",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

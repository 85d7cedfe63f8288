//! Points in time.

use time::{Date, Duration, OffsetDateTime, Time};

use super::super::moment::{from_ticks, print_timespan, ticks};
use super::super::value::{Kind, Value};
use super::{Body, Function, Gives, arg, f};

const AT: Gives = Gives::Always(Kind::Datetime);
const LONG: Gives = Gives::Always(Kind::Long);
const DAY: Duration = Duration::DAY;

const BIN: Body = |v, _| bin(&v[0], &v[1]);

/// `ago`, `datetime_diff`, `bin` and their kin.
pub const TABLE: &[Function] = &[
    f("now", 0, 1, AT, |v, context| match v.first() {
        Some(Value::Timespan(span)) => context.now.checked_add(*span).map_or(Value::Null, Value::Datetime),
        _ => Value::Datetime(context.now),
    }),
    f("ago", 1, 1, AT, |v, context| match &v[0] {
        Value::Timespan(span) => context.now.checked_sub(*span).map_or(Value::Null, Value::Datetime),
        _ => Value::Null,
    }),
    f("bin", 2, 2, Gives::Of(0, 9), BIN),
    f("floor", 2, 2, Gives::Of(0, 9), BIN),
    f("startofday", 1, 2, AT, |v, _| {
        start(v, |at, offset| at.date().checked_add(Duration::days(offset)))
    }),
    f("endofday", 1, 2, AT, |v, _| {
        before(start(v, |at, offset| {
            at.date().checked_add(Duration::days(offset.checked_add(1)?))
        }))
    }),
    f("startofweek", 1, 2, AT, |v, _| {
        start(v, |at, offset| {
            let back = i64::from(at.weekday().number_days_from_sunday());
            at.date()
                .checked_add(Duration::days(offset.checked_mul(7)?.checked_sub(back)?))
        })
    }),
    f("startofmonth", 1, 2, AT, |v, _| start(v, month)),
    f("endofmonth", 1, 2, AT, |v, _| {
        before(start(v, |at, offset| month(at, offset.checked_add(1)?)))
    }),
    f("startofyear", 1, 2, AT, |v, _| {
        start(v, |at, offset| {
            let year = i64::from(at.year()).checked_add(offset)?;
            Date::from_ordinal_date(i32::try_from(year).ok()?, 1).ok()
        })
    }),
    f("datetime_diff", 3, 3, LONG, |v, _| {
        let (Some(left), Some(right)) = (v[1].datetime(), v[2].datetime()) else {
            return Value::Null;
        };
        difference(&v[0].to_text(), left, right).map_or(Value::Null, Value::Long)
    }),
    f("datetime_add", 3, 3, AT, |v, _| {
        let (Some(amount), Some(at)) = (v[1].whole(), v[2].datetime()) else {
            return Value::Null;
        };
        add(&v[0].to_text(), amount, at).map_or(Value::Null, Value::Datetime)
    }),
    f("datetime_part", 2, 2, LONG, |v, _| {
        v[1].datetime()
            .and_then(|at| part(&v[0].to_text(), at))
            .map_or(Value::Null, Value::Long)
    }),
    f("dayofweek", 1, 1, Gives::Always(Kind::Timespan), |v, _| {
        v[0].datetime().map_or(Value::Null, |at| {
            Value::Timespan(DAY * i32::from(at.weekday().number_days_from_sunday()))
        })
    }),
    f("format_datetime", 2, 2, Gives::Always(Kind::Str), |v, _| {
        v[0].datetime()
            .map_or(Value::Null, |at| Value::text(format(at, &v[1].to_text())))
    }),
    f("format_timespan", 2, 2, Gives::Always(Kind::Str), |v, _| match &v[0] {
        Value::Timespan(span) => Value::text(format_span(*span, &v[1].to_text())),
        _ => Value::Null,
    }),
    f("make_datetime", 3, 6, AT, |v, _| {
        let text = |at: usize| arg(v, at).whole().unwrap_or(0);
        let date = i32::try_from(text(0)).ok().and_then(|year| {
            let month = u8::try_from(text(1))
                .ok()
                .and_then(|month| time::Month::try_from(month).ok())?;
            Date::from_calendar_date(year, month, u8::try_from(text(2)).ok()?).ok()
        });
        let small = |at: usize| u8::try_from(text(at)).ok();
        let clock = (|| Time::from_hms(small(3)?, small(4)?, small(5)?).ok())();
        match (date, clock) {
            (Some(date), Some(clock)) => Value::Datetime(date.with_time(clock).assume_utc()),
            _ => Value::Null,
        }
    }),
    f("unixtime_seconds_todatetime", 1, 1, AT, |v, _| {
        v[0].whole()
            .and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok())
            .map_or(Value::Null, Value::Datetime)
    }),
];

fn start<'d>(v: &[Value<'_>], day: impl Fn(OffsetDateTime, i64) -> Option<Date>) -> Value<'d> {
    let offset = v.get(1).and_then(Value::whole).unwrap_or(0);
    let sane = offset.unsigned_abs() < 4_000_000;
    let day = v[0].datetime().filter(|_| sane).and_then(|at| day(at, offset));
    day.map_or(Value::Null, |day| Value::Datetime(day.midnight().assume_utc()))
}

/// The last tick before a point in time.
fn before<'d>(value: Value<'_>) -> Value<'d> {
    let at = value
        .datetime()
        .and_then(|at| at.checked_sub(Duration::nanoseconds(100)));
    at.map_or(Value::Null, Value::Datetime)
}

fn month(at: OffsetDateTime, offset: i64) -> Option<Date> {
    let months = (i64::from(at.year()) * 12 + i64::from(u8::from(at.month())) - 1).checked_add(offset)?;
    let month = u8::try_from(months.rem_euclid(12) + 1).ok()?;
    Date::from_calendar_date(
        i32::try_from(months.div_euclid(12)).ok()?,
        time::Month::try_from(month).ok()?,
        1,
    )
    .ok()
}

fn bin<'d>(value: &Value<'d>, size: &Value<'d>) -> Value<'d> {
    match (value, size) {
        (Value::Long(number), Value::Long(size)) if *size != 0 => number
            .checked_rem_euclid(*size)
            .and_then(|rest| number.checked_sub(rest))
            .map_or(Value::Null, Value::Long),
        (Value::Timespan(span), Value::Timespan(size)) if !size.is_zero() => {
            let (span, size) = (ticks(*span), ticks(*size));
            let rest = span.checked_rem_euclid(size).and_then(|rest| span.checked_sub(rest));
            rest.and_then(from_ticks).map_or(Value::Null, Value::Timespan)
        }
        (_, Value::Timespan(size)) if !size.is_zero() => {
            let Some(at) = value.datetime() else { return Value::Null };
            // Bins begin at the language's year one.
            let since = at.unix_timestamp_nanos() / 100 + 621_355_968_000_000_000;
            let Some(rest) = since.checked_rem_euclid(i128::from(ticks(*size))) else {
                return Value::Null;
            };
            let rest = i64::try_from(rest).ok().and_then(from_ticks);
            rest.and_then(|rest| at.checked_sub(rest))
                .map_or(Value::Null, Value::Datetime)
        }
        _ => match (value.number(), size.number()) {
            (Some(number), Some(size)) if size != 0.0 => Value::Real((number / size).floor() * size),
            _ => Value::Null,
        },
    }
}

/// How many borders of the unit lie between the two.
fn difference(unit: &str, left: OffsetDateTime, right: OffsetDateTime) -> Option<i64> {
    let months = |at: OffsetDateTime| i64::from(at.year()) * 12 + i64::from(u8::from(at.month()));
    let by = |size: i128| {
        i64::try_from(left.unix_timestamp_nanos().div_euclid(size) - right.unix_timestamp_nanos().div_euclid(size)).ok()
    };
    match unit.to_ascii_lowercase().as_str() {
        "year" => Some(i64::from(left.year() - right.year())),
        "quarter" => Some((months(left) - 1).div_euclid(3) - (months(right) - 1).div_euclid(3)),
        "month" => Some(months(left) - months(right)),
        "week" => {
            // The first day of the epoch was a Thursday, weeks begin on Sunday.
            let week = |at: OffsetDateTime| (at.unix_timestamp().div_euclid(86_400) + 4).div_euclid(7);
            Some(week(left) - week(right))
        }
        "day" => by(86_400_000_000_000),
        "hour" => by(3_600_000_000_000),
        "minute" => by(60_000_000_000),
        "second" => by(1_000_000_000),
        "millisecond" => by(1_000_000),
        "microsecond" => by(1_000),
        _ => None,
    }
}

fn add(unit: &str, amount: i64, at: OffsetDateTime) -> Option<OffsetDateTime> {
    let seconds = |size: i64| {
        amount
            .checked_mul(size)
            .and_then(|seconds| at.checked_add(Duration::seconds(seconds)))
    };
    let months = |count: i64| {
        let first = month(at, count)?;
        let last = first.month().length(first.year());
        Some(at.replace_date(first.replace_day(at.day().min(last)).ok()?))
    };
    match unit.to_ascii_lowercase().as_str() {
        "year" => months(amount.checked_mul(12)?),
        "quarter" => months(amount.checked_mul(3)?),
        "month" => months(amount),
        "week" => seconds(604_800),
        "day" => seconds(86_400),
        "hour" => seconds(3_600),
        "minute" => seconds(60),
        "second" => seconds(1),
        "millisecond" => at.checked_add(Duration::milliseconds(amount)),
        _ => None,
    }
}

fn part(unit: &str, at: OffsetDateTime) -> Option<i64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "year" => i64::from(at.year()),
        "quarter" => i64::from((u8::from(at.month()) - 1) / 3 + 1),
        "month" => i64::from(u8::from(at.month())),
        "week_of_year" => i64::from(at.iso_week()),
        "day" => i64::from(at.day()),
        "dayofyear" => i64::from(at.ordinal()),
        "hour" => i64::from(at.hour()),
        "minute" => i64::from(at.minute()),
        "second" => i64::from(at.second()),
        "millisecond" => i64::from(at.millisecond()),
        "microsecond" => i64::from(at.microsecond()),
        _ => return None,
    })
}

/// Letters stand for parts, other characters for themselves.
fn format(at: OffsetDateTime, pattern: &str) -> String {
    let half = (at.hour() + 11) % 12 + 1;
    runs(pattern, |letter, width| {
        Some(match letter {
            'y' if width <= 2 => format!("{:02}", at.year() % 100),
            'y' => format!("{:04}", at.year()),
            'M' => format!("{:0width$}", u8::from(at.month())),
            'd' => format!("{:0width$}", at.day()),
            'H' => format!("{:0width$}", at.hour()),
            'h' => format!("{half:0width$}"),
            'm' => format!("{:0width$}", at.minute()),
            's' => format!("{:0width$}", at.second()),
            'f' | 'F' => format!("{:09}", at.nanosecond()).chars().take(width).collect(),
            't' => if at.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            _ => return None,
        })
    })
}

fn format_span(span: Duration, pattern: &str) -> String {
    if pattern.is_empty() {
        return print_timespan(span);
    }
    let seconds = span.whole_seconds().unsigned_abs();
    runs(pattern, |letter, width| {
        Some(match letter {
            'd' => format!("{:0width$}", seconds / 86_400),
            'H' | 'h' => format!("{:0width$}", seconds / 3_600 % 24),
            'm' => format!("{:0width$}", seconds / 60 % 60),
            's' => format!("{:0width$}", seconds % 60),
            'f' | 'F' => format!("{:09}", span.subsec_nanoseconds().unsigned_abs())
                .chars()
                .take(width)
                .collect(),
            _ => return None,
        })
    })
}

/// Replaces runs of one letter.
fn runs(pattern: &str, replace: impl Fn(char, usize) -> Option<String>) -> String {
    let mut made = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let mut width = 1;
        while c.is_ascii_alphabetic() && width < 9 && chars.peek() == Some(&c) {
            chars.next();
            width += 1;
        }
        match replace(c, width) {
            Some(text) => made.push_str(&text),
            None => made.extend(std::iter::repeat_n(c, width)),
        }
    }
    made
}

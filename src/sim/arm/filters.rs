//! The `$filter` of authorization lists: comparisons and calls joined by `and`.

use super::fail::fail;
use super::route::{Result, Turn};

/// One clause of a filter, names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// `name eq 'value'`
    Equal(String, String),
    /// `name()` or `name('value')`
    Call(String, String),
}

/// Reads a filter; none where it is something else.
pub fn read(text: &str) -> Option<Vec<Clause>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '/' || c == '_'))?;
        let name = rest[..end].to_ascii_lowercase();
        if name.is_empty() {
            return None;
        }
        rest = rest[end..].trim_start();
        let clause = if let Some(inner) = rest.strip_prefix('(') {
            let (value, behind) = value(inner.trim_start())?;
            rest = behind.trim_start().strip_prefix(')')?;
            Clause::Call(name, value)
        } else {
            let (word, behind) = rest.split_once(char::is_whitespace)?;
            let (value, behind) = value(behind.trim_start()).filter(|_| word.eq_ignore_ascii_case("eq"))?;
            rest = behind;
            Clause::Equal(name, value)
        };
        found.push(clause);
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let (word, behind) = rest.split_once(char::is_whitespace)?;
        if !word.eq_ignore_ascii_case("and") || behind.trim().is_empty() {
            return None;
        }
        rest = behind.trim_start();
    }
    Some(found)
}

/// A value in quotes or without, and what stands behind it.
fn value(text: &str) -> Option<(String, &str)> {
    if let Some(inner) = text.strip_prefix('\'') {
        let mut found = String::new();
        let mut rest = inner;
        loop {
            let at = rest.find('\'')?;
            found.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.strip_prefix('\'') {
                Some(more) => {
                    found.push('\'');
                    rest = more;
                }
                None => return Some((found, rest)),
            }
        }
    }
    let end = text.find(|c: char| c == ')' || c.is_whitespace()).unwrap_or(text.len());
    Some((text[..end].to_owned(), &text[end..]))
}

/// The filter of a request, all of whose clauses `known` accepts.
///
/// # Errors
/// 400 `UnsupportedQuery`.
pub fn of(turn: &Turn<'_>, known: impl Fn(&Clause) -> bool) -> Result<Vec<Clause>> {
    let text = turn.ask.parameter("$filter").unwrap_or_default();
    read(text).filter(|clauses| clauses.iter().all(known)).ok_or_else(|| {
        fail(
            400,
            "UnsupportedQuery",
            format!("The filter '{text}' is not supported."),
        )
    })
}

/// Whether the filter has this call without a value: `atScope()`.
pub fn calls(clauses: &[Clause], name: &str) -> bool {
    clauses
        .iter()
        .any(|clause| matches!(clause, Clause::Call(own, _) if own == name))
}

/// The value of the call or comparison of this name, in lower case.
pub fn value_of(clauses: &[Clause], name: &str) -> Option<String> {
    clauses.iter().find_map(|clause| match clause {
        Clause::Equal(own, value) | Clause::Call(own, value) if own == name => Some(value.to_ascii_lowercase()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_read_one_by_one() {
        assert_eq!(read(""), Some(Vec::new()));
        let found = read("atScope() and roleName eq 'It''s a Role' AND assignedTo('A')").unwrap();
        assert_eq!(
            found,
            [
                Clause::Call("atscope".into(), String::new()),
                Clause::Equal("rolename".into(), "It's a Role".into()),
                Clause::Call("assignedto".into(), "A".into()),
            ]
        );
        assert_eq!(
            read("principalId eq abc").unwrap(),
            [Clause::Equal("principalid".into(), "abc".into())]
        );
        for wrong in [
            "atScope",
            "a ne 'b'",
            "a eq 'b",
            "a eq 'b' or c eq 'd'",
            "a eq 'b' and",
            "eq 'x'",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

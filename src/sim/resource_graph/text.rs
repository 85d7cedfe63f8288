//! How texts are searched: whole terms, parts, prefixes, with case and without.

/// Lower case, without a copy of work for plain ASCII.
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.to_lowercase()
    }
}

/// Whether the texts are equal but for case.
pub fn equal_ignore_case(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else {
        left.to_lowercase() == right.to_lowercase()
    }
}

/// Whether `term` stands in `text` as whole terms: no letter or digit goes on at an end of it that is a
/// letter or digit itself. Both must be of one case already where case does not count.
pub fn has_term(text: &str, term: &str) -> bool {
    bounded(text, term, true, true)
}

/// Whether a term in `text` begins with `term`.
pub fn has_prefix(text: &str, term: &str) -> bool {
    bounded(text, term, true, false)
}

/// Whether a term in `text` ends with `term`.
pub fn has_suffix(text: &str, term: &str) -> bool {
    bounded(text, term, false, true)
}

fn bounded(text: &str, term: &str, at_start: bool, at_end: bool) -> bool {
    if term.is_empty() {
        return true;
    }
    let (first, last) = (term.chars().next(), term.chars().next_back());
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(term)) {
        let (start, end) = (from + found, from + found + term.len());
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        let joined_before = at_start && word(before) && word(first);
        let joined_after = at_end && word(after) && word(last);
        if !joined_before && !joined_after {
            return true;
        }
        from = start + text[start..].chars().next().map_or(1, char::len_utf8);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_found_whole_and_not_within_a_longer_word() {
        assert!(has_term("systemassigned, userassigned", "userassigned"));
        assert!(!has_term("userassigned", "user"));
        assert!(has_term("/subscriptions/a/id-shop\"", "id-shop"));
        assert!(!has_term("/x/id-shop2", "id-shop"));
        assert!(has_term("/x/id-shop-2", "id-shop"));
        assert!(has_term("äb ab", "ab"));
        assert!(has_prefix("northeurope", "north") && !has_prefix("northeurope", "europe"));
        assert!(has_suffix("northeurope", "europe") && has_term("x", ""));
    }
}

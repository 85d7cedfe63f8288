//! A Graph path cut into its segments, with keys in parentheses taken apart.

use percent_encoding::percent_decode_str;

use super::refusal::Refusal;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// A set, an id, a navigation property, an action, a cast: as it was sent, decoded.
    Name(String),
    /// An alternate key of the set before it: `servicePrincipals(appId='…')`.
    Alternate { property: String, value: String },
}

/// A path below the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// `v1.0` or `beta`.
    pub(super) version: &'static str,
    pub(super) segments: Vec<Segment>,
}

impl Path {
    /// Reads `/v1.0/groups('…')/members/$ref`, percent-encoded.
    pub(super) fn parse(path: &str) -> Result<Self, Refusal> {
        let mut raw = path.split('/').filter(|segment| !segment.is_empty());
        let version = match raw.next() {
            Some(version) if version.eq_ignore_ascii_case("v1.0") => "v1.0",
            Some(version) if version.eq_ignore_ascii_case("beta") => "beta",
            other => {
                return Err(Refusal::gateway(format!(
                    "Invalid version: {}.",
                    other.unwrap_or_default()
                )));
            }
        };
        let mut segments = Vec::new();
        for text in raw {
            let text = percent_decode_str(text).decode_utf8_lossy();
            // `graph` is the alias of the namespace that the SDKs write in casts and bound functions.
            match text.strip_prefix("graph.") {
                Some(rest) => push(&mut segments, &format!("microsoft.graph.{rest}"))?,
                None => push(&mut segments, &text)?,
            }
        }
        Ok(Self { version, segments })
    }
}

fn push(segments: &mut Vec<Segment>, text: &str) -> Result<(), Refusal> {
    let Some((name, key)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        segments.push(Segment::Name(text.to_owned()));
        return Ok(());
    };
    segments.push(Segment::Name(name.to_owned()));
    let (property, value) = match key.split_once('=') {
        Some((property, value)) if !key.starts_with('\'') => (Some(property.trim()), value.trim()),
        _ => (None, key.trim()),
    };
    let value = value
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''))
        .unwrap_or(value)
        .replace("''", "'");
    match property {
        _ if value.is_empty() => return Err(Refusal::no_segment(text)),
        Some(property) if !property.eq_ignore_ascii_case("id") => segments.push(Segment::Alternate {
            property: property.to_owned(),
            value,
        }),
        _ => segments.push(Segment::Name(value)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Segment {
        Segment::Name(text.to_owned())
    }

    #[test]
    fn a_key_may_stand_in_parentheses_or_in_a_segment_of_its_own() {
        let path = Path::parse("/v1.0//groups('a%27%27b')/members/$ref").unwrap();
        assert_eq!(
            path.segments,
            [name("groups"), name("a'b"), name("members"), name("$ref")]
        );
        let path = Path::parse("/beta/servicePrincipals(appId=%27x%27)").unwrap();
        assert_eq!(path.version, "beta");
        assert_eq!(
            path.segments[1],
            Segment::Alternate {
                property: "appId".to_owned(),
                value: "x".to_owned()
            }
        );
    }

    #[test]
    fn the_alias_of_the_namespace_stands_for_it() {
        let path = Path::parse("/v1.0/groups/a/members/graph.user").unwrap();
        assert_eq!(path.segments[3], name("microsoft.graph.user"));
    }

    #[test]
    fn an_unknown_version_is_refused() {
        assert_eq!(Path::parse("/v2.0/groups").unwrap_err().status, 400);
    }
}

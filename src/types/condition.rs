//! Conditions of role assignments (Azure ABAC), as far as they bound what the control plane allows: who may grant which
//! role to whom.
//!
//! `ActionMatches{'…'}`, `SubOperationMatches{'…'}`, `Exists @Request[…]`, comparisons of attributes with values or
//! sets of them by `…Equals`, `…NotEquals`, `…EqualsIgnoreCase`, `…NotEqualsIgnoreCase`, `…Like`, `…NotLike`, `…StartsWith`,
//! `…NotStartsWith` of `String`, `Guid` and `Bool`, with `ForAnyOfAnyValues:` and its three like; `AND`, `OR`, `NOT` and
//! their signs. A condition with anything else in it is kept and shown as it is, and gives no rights.

use std::collections::HashMap;

use super::wildcard_matches;

/// What a request says of itself, by attribute: `microsoft.authorization/roleassignments:principalid`, in lower case.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// `@Request[…]`.
    pub request: HashMap<String, String>,
    /// `@Resource[…]`.
    pub resource: HashMap<String, String>,
}

/// A condition that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of them.
    And(Vec<Condition>),
    /// One of them.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// The action is one of a pattern.
    Action(String),
    /// A part of an operation on data: the control plane has none.
    SubOperation,
    /// The attribute is there.
    Exists(Operand),
    /// A comparison.
    Compare {
        /// Its left side.
        left: Operand,
        /// How the sets of both sides meet.
        each: Each,
        /// The operator.
        operator: Operator,
        /// Its right side.
        right: Operand,
    },
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// `@Request[…]`: the source and the name, in lower case.
    Attribute(String, String),
    /// Values.
    Values(Vec<String>),
}

/// How the values of both sides meet: of the left one, of the right one, whether all of them must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Each {
    all_left: bool,
    all_right: bool,
}

/// An operator on two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    verb: Verb,
    negated: bool,
    ignore_case: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Equals,
    Like,
    StartsWith,
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        let (verb, mut ignore_case) = ["String", "Guid", "Bool"]
            .iter()
            .find_map(|kind| Some((name.strip_prefix(kind)?, *kind != "String")))?;
        let verb = match verb.strip_suffix("IgnoreCase") {
            Some(verb) => {
                ignore_case = true;
                verb
            }
            None => verb,
        };
        let (negated, verb) = match verb.strip_prefix("Not") {
            Some(verb) => (true, verb),
            None => (false, verb),
        };
        let verb = match verb {
            "Equals" => Verb::Equals,
            "Like" => Verb::Like,
            "StartsWith" => Verb::StartsWith,
            _ => return None,
        };
        Some(Self {
            verb,
            negated,
            ignore_case,
        })
    }

    fn holds(self, left: &str, right: &str) -> bool {
        let (mut left, mut right) = (left.to_owned(), right.to_owned());
        if self.ignore_case {
            left = left.to_ascii_lowercase();
            right = right.to_ascii_lowercase();
        }
        let found = match self.verb {
            Verb::Equals => left == right,
            Verb::Like => wildcard_matches(&right, &left),
            Verb::StartsWith => left.starts_with(&right),
        };
        found != self.negated
    }
}

impl Condition {
    /// Reads the text of a condition; none where it says more than is understood here.
    pub fn read(text: &str) -> Option<Self> {
        let mut reader = Reader {
            words: words(text)?,
            at: 0,
            depth: 0,
        };
        let found = reader.or()?;
        (reader.at == reader.words.len()).then_some(found)
    }

    /// Whether it holds for an action, given in lower case.
    pub fn holds(&self, action: &str, of: &Attributes) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(action, of)),
            Self::Or(any) => any.iter().any(|one| one.holds(action, of)),
            Self::Not(one) => !one.holds(action, of),
            Self::Action(pattern) => wildcard_matches(pattern, action),
            Self::SubOperation => false,
            Self::Exists(operand) => operand.values(of).is_some(),
            Self::Compare {
                left,
                each,
                operator,
                right,
            } => match (left.values(of), right.values(of)) {
                (Some(left), Some(right)) => {
                    let one = |value: &String| {
                        let mut pairs = right.iter().map(|other| operator.holds(value, other));
                        if each.all_right {
                            pairs.all(|fits| fits)
                        } else {
                            pairs.any(|fits| fits)
                        }
                    };
                    if each.all_left {
                        left.iter().all(one)
                    } else {
                        left.iter().any(one)
                    }
                }
                _ => false,
            },
        }
    }
}

impl Operand {
    fn values(&self, of: &Attributes) -> Option<Vec<String>> {
        match self {
            Self::Values(values) => Some(values.clone()),
            Self::Attribute(source, name) => {
                let all = match source.as_str() {
                    "request" => &of.request,
                    "resource" => &of.resource,
                    _ => return None,
                };
                all.get(name).map(|value| vec![value.clone()])
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Sign(char),
    Name(String),
    Text(String),
    Attribute(String, String),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '(' | ')' | '{' | '}' | ',' | '!' => {
                found.push(Word::Sign(first));
                1
            }
            '&' | '|' if rest[1..].starts_with(first) => {
                found.push(Word::Name(if first == '&' { "and" } else { "or" }.to_owned()));
                2
            }
            '\'' => {
                let end = rest[1..].find('\'')?;
                found.push(Word::Text(rest[1..=end].to_owned()));
                end + 2
            }
            '@' => {
                let (source, name) = rest[1..].split_once('[')?;
                let (name, _) = name.split_once(']')?;
                found.push(Word::Attribute(
                    source.trim().to_ascii_lowercase(),
                    name.trim().to_ascii_lowercase(),
                ));
                source.len() + name.len() + 3
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || "(){},!'@".contains(c);
                let end = rest.find(ends).unwrap_or(rest.len());
                if end == 0 {
                    return None;
                }
                found.push(Word::Name(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[taken..].trim_start();
    }
    Some(found)
}

/// How deep a condition may nest.
const DEEPEST: usize = 64;

struct Reader {
    words: Vec<Word>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn sign(&mut self, sign: char) -> bool {
        let found = self.words.get(self.at) == Some(&Word::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.words.get(self.at), Some(Word::Name(name)) if name.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Option<Condition> {
        let mut any = vec![self.and()?];
        while self.keyword("or") {
            any.push(self.and()?);
        }
        if any.len() == 1 {
            any.pop()
        } else {
            Some(Condition::Or(any))
        }
    }

    fn and(&mut self) -> Option<Condition> {
        let mut all = vec![self.one()?];
        while self.keyword("and") {
            all.push(self.one()?);
        }
        if all.len() == 1 {
            all.pop()
        } else {
            Some(Condition::And(all))
        }
    }

    fn one(&mut self) -> Option<Condition> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let found = if self.sign('!') || self.keyword("not") {
            self.one().map(|inner| Condition::Not(Box::new(inner)))
        } else if self.sign('(') {
            self.or().filter(|_| self.sign(')'))
        } else {
            self.term()
        };
        self.depth -= 1;
        found
    }

    fn term(&mut self) -> Option<Condition> {
        if self.keyword("actionmatches") {
            let pattern = self.braced()?;
            return Some(Condition::Action(pattern.first()?.to_ascii_lowercase()));
        }
        if self.keyword("suboperationmatches") {
            self.braced()?;
            return Some(Condition::SubOperation);
        }
        if self.keyword("exists") {
            return self.operand().map(Condition::Exists);
        }
        let left = self.operand()?;
        let Some(Word::Name(name)) = self.words.get(self.at).cloned() else {
            return None;
        };
        self.at += 1;
        let (each, operator) = match name.split_once(':') {
            None => (
                Each {
                    all_left: false,
                    all_right: false,
                },
                name.as_str(),
            ),
            Some((each, operator)) => {
                let each = match each {
                    "ForAnyOfAnyValues" => (false, false),
                    "ForAllOfAnyValues" => (true, false),
                    "ForAnyOfAllValues" => (false, true),
                    "ForAllOfAllValues" => (true, true),
                    _ => return None,
                };
                (
                    Each {
                        all_left: each.0,
                        all_right: each.1,
                    },
                    operator,
                )
            }
        };
        let operator = Operator::named(operator)?;
        let right = self.operand()?;
        Some(Condition::Compare {
            left,
            each,
            operator,
            right,
        })
    }

    fn operand(&mut self) -> Option<Operand> {
        match self.words.get(self.at).cloned()? {
            Word::Attribute(source, name) => {
                self.at += 1;
                Some(Operand::Attribute(source, name))
            }
            Word::Sign('{') => self.braced().map(Operand::Values),
            Word::Text(text) | Word::Name(text) => {
                self.at += 1;
                Some(Operand::Values(vec![text]))
            }
            Word::Sign(_) => None,
        }
    }

    fn braced(&mut self) -> Option<Vec<String>> {
        if !self.sign('{') {
            return None;
        }
        let mut values = Vec::new();
        loop {
            match self.words.get(self.at).cloned()? {
                Word::Text(text) | Word::Name(text) => values.push(text),
                _ => return None,
            }
            self.at += 1;
            if self.sign('}') {
                return Some(values);
            }
            if !self.sign(',') {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: &str = "microsoft.authorization/roleassignments/write";

    fn granting(role: &str, kind: &str) -> Attributes {
        let of = |name: &str| format!("microsoft.authorization/roleassignments:{name}");
        let mut attributes = Attributes::default();
        attributes.request.insert(of("roledefinitionid"), role.to_owned());
        attributes.request.insert(of("principaltype"), kind.to_owned());
        attributes
    }

    #[test]
    fn the_conditions_that_the_portal_makes_are_read() {
        let text = "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR \
                    (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {AAA, bbb} \
                    AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))";
        let condition = Condition::read(text).unwrap();
        assert!(condition.holds(WRITE, &granting("aaa", "serviceprincipal")));
        assert!(!condition.holds(WRITE, &granting("ccc", "ServicePrincipal")));
        assert!(!condition.holds(WRITE, &granting("bbb", "User")));
        assert!(condition.holds("microsoft.authorization/roleassignments/read", &Attributes::default()));
        assert!(!condition.holds(WRITE, &Attributes::default()));
    }

    #[test]
    fn a_set_may_be_left_out_value_by_value() {
        let text = "NOT (ActionMatches{'*/write'}) || @Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] \
                    ForAnyOfAllValues:GuidNotEquals {aaa, bbb}";
        let condition = Condition::read(text).unwrap();
        assert!(condition.holds(WRITE, &granting("ccc", "User")));
        assert!(!condition.holds(WRITE, &granting("AAA", "User")));
    }

    #[test]
    fn what_is_not_understood_is_no_condition() {
        for text in [
            "",
            "(",
            "ActionMatches{}",
            "@Request[x] NumericEquals 3",
            "@Request[x",
            "a StringEquals 'b' c",
            &"(".repeat(4000),
        ] {
            assert_eq!(Condition::read(text), None, "{text}");
        }
    }
}

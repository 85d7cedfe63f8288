//! From words to an expression: `or` binds weakest, then `and`, `not`, comparisons.

use super::lex::{Token, Word, lex};
use super::{Expr, Function, Literal, Op, Path};
use crate::sim::graph::refusal::Refusal;

/// How deep parentheses, `not` and lambdas may nest.
const DEEPEST: usize = 50;

/// Reads a filter.
pub(in crate::sim::graph) fn parse(text: &str) -> Result<Expr, Refusal> {
    let tokens = lex(text).map_err(Refusal::invalid_filter)?;
    let mut parser = Parser {
        text,
        tokens,
        next: 0,
        depth: 0,
    };
    let found = parser.or().and_then(|expr| match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.syntax()),
    });
    found.map_err(Refusal::invalid_filter)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Word> {
        self.tokens.get(self.next).map(|token| &token.word)
    }

    fn take(&mut self) -> Option<Word> {
        let word = self.peek().cloned();
        self.next += 1;
        word
    }

    fn syntax(&self) -> String {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |token| token.at);
        format!("Syntax error at position {at} in '{}'.", self.text)
    }

    fn expect(&mut self, word: &Word) -> Result<(), String> {
        if self.peek() == Some(word) {
            self.next += 1;
            return Ok(());
        }
        Err(match word {
            Word::Close => format!(
                "')' or operator expected at position {} in '{}'.",
                self.here(),
                self.text
            ),
            Word::Open => format!("'(' expected at position {} in '{}'.", self.here(), self.text),
            _ => self.syntax(),
        })
    }

    fn here(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |token| token.at)
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Word::Bare(word)) if word.eq_ignore_ascii_case(keyword));
        if found {
            self.next += 1;
        }
        found
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.not()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("The recursion limit of the filter expression has been exceeded.".to_owned());
        }
        let found = if self.keyword("not") {
            self.not().map(|inner| Expr::Not(Box::new(inner)))
        } else {
            self.condition()
        };
        self.depth -= 1;
        found
    }

    fn condition(&mut self) -> Result<Expr, String> {
        match self.peek() {
            Some(Word::Open) => {
                self.next += 1;
                let inner = self.or()?;
                self.expect(&Word::Close)?;
                Ok(inner)
            }
            Some(Word::Bare(_)) => {
                let Some(Word::Bare(name)) = self.take() else {
                    return Err(self.syntax());
                };
                if self.peek() == Some(&Word::Open) {
                    return self.call(&name);
                }
                let path = self.path(&name)?;
                self.comparison(path)
            }
            _ => Err(self.syntax()),
        }
    }

    fn path(&self, name: &str) -> Result<Path, String> {
        let path: Path = name.split('/').map(str::to_owned).collect();
        let proper = |segment: &String| segment.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '$'));
        if path.iter().all(proper) {
            Ok(path)
        } else {
            Err(self.syntax())
        }
    }

    fn comparison(&mut self, path: Path) -> Result<Expr, String> {
        let word = match self.peek() {
            Some(Word::Bare(word)) => word.to_lowercase(),
            _ => return Ok(Expr::Holds(path)),
        };
        let op = match word.as_str() {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "ge" => Op::Ge,
            "gt" => Op::Gt,
            "le" => Op::Le,
            "lt" => Op::Lt,
            "in" => {
                self.next += 1;
                self.expect(&Word::Open)?;
                let mut items = vec![self.literal()?];
                while self.peek() == Some(&Word::Comma) {
                    self.next += 1;
                    items.push(self.literal()?);
                }
                self.expect(&Word::Close)?;
                return Ok(Expr::In(path, items));
            }
            _ => return Ok(Expr::Holds(path)),
        };
        self.next += 1;
        Ok(Expr::Compare(path, op, self.literal()?))
    }

    fn call(&mut self, name: &str) -> Result<Expr, String> {
        self.expect(&Word::Open)?;
        if let Some((path, lambda)) = name.rsplit_once('/') {
            let path = self.path(path)?;
            return match lambda.to_lowercase().as_str() {
                "any" if self.peek() == Some(&Word::Close) => {
                    self.next += 1;
                    Ok(Expr::Any(path, None))
                }
                "any" => {
                    let (variable, inner) = self.lambda()?;
                    Ok(Expr::Any(path, Some((variable, Box::new(inner)))))
                }
                "all" => {
                    let (variable, inner) = self.lambda()?;
                    Ok(Expr::All(path, variable, Box::new(inner)))
                }
                _ => Err(unknown(name)),
            };
        }
        let function = match name.to_lowercase().as_str() {
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            "contains" => Function::Contains,
            _ => return Err(unknown(name)),
        };
        let Some(Word::Bare(property)) = self.take() else {
            self.next -= 1;
            return Err(self.syntax());
        };
        let path = self.path(&property)?;
        self.expect(&Word::Comma)?;
        let Some(Word::Text(part)) = self.take() else {
            self.next -= 1;
            return Err(self.syntax());
        };
        self.expect(&Word::Close)?;
        // `startswith(…) eq true` is the same in more words.
        if self.keyword("eq") {
            return match self.literal()? {
                Literal::Bool(true) => Ok(Expr::Call(function, path, part)),
                Literal::Bool(false) => Ok(Expr::Not(Box::new(Expr::Call(function, path, part)))),
                _ => Err(self.syntax()),
            };
        }
        Ok(Expr::Call(function, path, part))
    }

    fn lambda(&mut self) -> Result<(String, Expr), String> {
        let Some(Word::Bare(variable)) = self.take() else {
            self.next -= 1;
            return Err(self.syntax());
        };
        self.expect(&Word::Colon)?;
        let inner = self.or()?;
        self.expect(&Word::Close)?;
        Ok((variable, inner))
    }

    fn literal(&mut self) -> Result<Literal, String> {
        let literal = match self.peek() {
            Some(Word::Text(text)) => Literal::Text(text.clone()),
            Some(Word::Bare(word)) => match word.to_lowercase().as_str() {
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "null" => Literal::Null,
                _ => match word.parse::<f64>() {
                    Ok(number) if number.is_finite() => Literal::Number(number),
                    _ if is_date_or_guid(word) => Literal::Bare(word.clone()),
                    _ => return Err(self.syntax()),
                },
            },
            _ => return Err(self.syntax()),
        };
        self.next += 1;
        Ok(literal)
    }
}

fn is_date_or_guid(word: &str) -> bool {
    uuid::Uuid::parse_str(word).is_ok() || super::eval::date(word).is_some()
}

fn unknown(name: &str) -> String {
    format!(
        "An unknown function with name '{name}' was found. This may also be a function import or a key lookup on a navigation property, which is not allowed."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_stronger_than_or() {
        let Expr::Or(left, _) = parse("a eq 1 and b eq 'x' or not (c eq null)").unwrap() else {
            panic!("an or was expected");
        };
        assert!(matches!(*left, Expr::And(..)));
    }

    #[test]
    fn lambdas_dates_lists_and_quotes_are_read() {
        assert_eq!(
            parse("servicePrincipalNames/any(c:c eq 'o''x')").unwrap(),
            Expr::Any(
                vec!["servicePrincipalNames".to_owned()],
                Some((
                    "c".to_owned(),
                    Box::new(Expr::Compare(
                        vec!["c".to_owned()],
                        Op::Eq,
                        Literal::Text("o'x".to_owned())
                    ))
                ))
            )
        );
        for good in [
            "createdDateTime ge 2026-01-02T03:04:05Z",
            "createdDateTime ge 2026-01-02",
            "id in ('a', 'b')",
            "principalId eq 33333333-3333-4333-8333-333333333333",
            "signInEventTypes/any(t: t eq 'managedIdentity') and accountEnabled",
            "startswith(displayName,'a') eq true",
            "groupTypes/any()",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_wrong_filter_is_refused_with_the_place() {
        assert_eq!(
            parse("displayName eq").unwrap_err().message,
            "Invalid filter clause: Syntax error at position 14 in 'displayName eq'."
        );
        for bad in [
            "",
            "eq 'x'",
            "displayName 'x'",
            "displayName eq 'x",
            "displayName eq x",
            "f(displayName,'x')",
            "(a eq 1",
            "a eq 1)",
            "a in ()",
            "a/any(c c eq 1)",
            "startswith(a,b)",
            "not",
            "a eq 1 and",
        ] {
            assert_eq!(parse(bad).unwrap_err().status, 400, "{bad}");
        }
        assert!(parse(&"(".repeat(10_000)).is_err());
    }
}

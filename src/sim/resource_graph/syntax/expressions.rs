//! Expressions: operators by how strongly they bind.

use super::SyntaxError;
use super::literal;
use super::parser::Parser;
use super::token::Word;
use super::tree::{Among, Binary, Expr, Literal, Named};

/// Most operators in a row: the tree leans to the left, one level each.
const LONGEST_CHAIN: usize = 400;

/// Most members in a path.
const LONGEST_PATH: usize = 64;

/// How strongly `in`, `between` and their kin bind.
const AMONG_POWER: u8 = 4;

impl Parser {
    pub(super) fn expr(&mut self) -> Result<Expr, SyntaxError> {
        self.nested(|parser| parser.binary(0))
    }

    /// An expression with or without `name =` before it.
    pub(super) fn named(&mut self) -> Result<Named, SyntaxError> {
        let name = match (self.word(), self.next_word()) {
            (Word::Name(_), Word::Sign("=")) => Some(self.name()?),
            (Word::Sign("["), Word::Str(_)) => {
                let before = self.mark();
                let name = self.name()?;
                if self.is_sign("=") {
                    Some(name)
                } else {
                    self.back_to(before);
                    None
                }
            }
            _ => None,
        };
        if name.is_some() {
            self.expect("=")?;
        }
        Ok(Named {
            name,
            expr: self.expr()?,
        })
    }

    fn binary(&mut self, least: u8) -> Result<Expr, SyntaxError> {
        let mut left = self.unary()?;
        for _ in 0..LONGEST_CHAIN {
            if let Some(kind) = self.among() {
                if AMONG_POWER <= least {
                    return Ok(left);
                }
                self.advance();
                self.expect("(")?;
                let items = if self.is_sign(")") {
                    Vec::new()
                } else {
                    self.list(Self::expr)?
                };
                self.expect(")")?;
                left = Expr::Among(Box::new(left), kind, items);
                continue;
            }
            if self.is_name("between") || self.is_name("!between") {
                if AMONG_POWER <= least {
                    return Ok(left);
                }
                let negated = self.is_name("!between");
                self.advance();
                self.expect("(")?;
                let low = self.expr()?;
                self.expect("..")?;
                let high = self.expr()?;
                self.expect(")")?;
                left = Expr::Between(Box::new(left), negated, Box::new((low, high)));
                continue;
            }
            let Some(operator) = self.operator_sign() else {
                return Ok(left);
            };
            if operator.power() <= least {
                return Ok(left);
            }
            self.advance();
            if operator == Binary::MatchesRegex {
                self.expect_name("regex")?;
            }
            let right = self.nested(|parser| parser.binary(operator.power()))?;
            left = Expr::Binary(Box::new(left), operator, Box::new(right));
        }
        self.fail(None)
    }

    fn among(&self) -> Option<Among> {
        let Word::Name(name) = self.word() else { return None };
        Among::ALL.iter().find(|(text, _)| text == name).map(|(_, kind)| *kind)
    }

    fn operator_sign(&self) -> Option<Binary> {
        match self.word() {
            Word::Sign("<>") => Some(Binary::NotEqual),
            Word::Sign(sign) => Binary::ALL.iter().copied().find(|operator| operator.text() == *sign),
            Word::Name(name) if name == "matches" => Some(Binary::MatchesRegex),
            Word::Name(name) => Binary::ALL.iter().copied().find(|operator| {
                operator.text() == name
                    // The older spelling of the negated ones with case.
                    || (name.starts_with("not") && operator.text().strip_prefix('!') == name.strip_prefix("not"))
            }),
            _ => None,
        }
    }

    fn unary(&mut self) -> Result<Expr, SyntaxError> {
        if self.eat("-") {
            return self.nested(|parser| Ok(Expr::Negate(Box::new(parser.unary()?))));
        }
        if self.eat("+") {
            return self.nested(Self::unary);
        }
        let mut expr = self.primary()?;
        for _ in 0..LONGEST_PATH {
            if self.eat(".") {
                expr = Expr::Member(Box::new(expr), self.name()?);
            } else if self.eat("[") {
                let index = self.expr()?;
                self.expect("]")?;
                expr = Expr::Index(Box::new(expr), Box::new(index));
            } else {
                return Ok(expr);
            }
        }
        self.fail(None)
    }

    fn primary(&mut self) -> Result<Expr, SyntaxError> {
        let expr = match self.word().clone() {
            Word::Str(mut text) => {
                // Adjacent literals are one.
                while let Word::Str(more) = self.next_word() {
                    text.push_str(more);
                    self.advance();
                }
                Expr::Literal(Literal::Str(text))
            }
            Word::Long(number) => Expr::Literal(Literal::Long(number)),
            Word::Real(number) => Expr::Literal(Literal::Real(number)),
            Word::Timespan(span) => Expr::Literal(Literal::Timespan(span)),
            Word::Typed(kind, raw) => match literal::read(kind, &raw) {
                Some(found) => Expr::Literal(found),
                None => return self.fail(None),
            },
            Word::Sign("(") => {
                self.advance();
                let inner = self.expr()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Word::Sign("*") => Expr::Star,
            Word::Name(name) if self.next_word() == &Word::Sign("(") => {
                self.name()?;
                self.advance();
                let arguments = if self.is_sign(")") {
                    Vec::new()
                } else {
                    self.list(Self::expr)?
                };
                self.expect(")")?;
                return Ok(Expr::Call(name, arguments));
            }
            Word::Name(name) if name == "true" || name == "false" => Expr::Literal(Literal::Bool(name == "true")),
            Word::Name(name) if name == "$left" || name == "$right" => Expr::Name(name),
            Word::Name(name) if name == "where" => {
                // The one reserved word: the service stops behind it.
                self.advance();
                return self.fail(None);
            }
            Word::Name(_) | Word::Sign("[") => return Ok(Expr::Name(self.name()?)),
            _ => return self.fail(None),
        };
        self.advance();
        Ok(expr)
    }
}

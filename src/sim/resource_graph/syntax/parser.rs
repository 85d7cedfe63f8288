//! The cursor over the tokens, and the frame of a query: definitions, sources, pipes.

use super::SyntaxError;
use super::lexer::tokens;
use super::token::{Token, Word};
use super::tree::{Definition, Pipeline, Query, Source, Union};

/// How deep brackets, pipelines and chains may nest: far more than people write, less than a stack holds.
const DEEPEST: usize = 64;

/// Reads a query.
///
/// # Errors
/// Where the text is none: the first token that does not fit.
pub fn parse(query: &str) -> Result<Query, SyntaxError> {
    let mut parser = Parser {
        tokens: tokens(query)?,
        at: 0,
        depth: 0,
    };
    let mut lets = Vec::new();
    while parser.is_name("let") {
        lets.push(parser.definition()?);
    }
    let pipeline = parser.pipeline()?;
    parser.eat(";");
    if parser.word() != &Word::End {
        return parser.fail(None);
    }
    Ok(Query { lets, pipeline })
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    pub(super) fn token(&self) -> &Token {
        // There is at least the end token, and `advance` never goes past it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn word(&self) -> &Word {
        &self.token().word
    }

    pub(super) fn next_word(&self) -> &Word {
        self.tokens.get(self.at + 1).map_or(&Word::End, |token| &token.word)
    }

    pub(super) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Where the cursor stands.
    pub(super) fn mark(&self) -> usize {
        self.at
    }

    /// Goes back to a mark.
    pub(super) fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    pub(super) fn fail<T>(&self, expected: Option<&str>) -> Result<T, SyntaxError> {
        let token = self.token();
        Err(SyntaxError {
            line: token.line,
            column: token.column,
            token: token.text.clone(),
            expected: expected.map(str::to_owned),
            unsupported: false,
        })
    }

    pub(super) fn unsupported<T>(&self) -> Result<T, SyntaxError> {
        self.fail(None).map_err(|error| SyntaxError {
            unsupported: true,
            ..error
        })
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.word(), Word::Sign(found) if *found == sign)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self.word(), Word::Name(found) if found == name)
    }

    /// Takes a sign, if it is the next.
    pub(super) fn eat(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.advance();
        }
        found
    }

    /// Takes a keyword, if it is the next.
    pub(super) fn eat_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), SyntaxError> {
        if self.eat(sign) { Ok(()) } else { self.fail(Some(sign)) }
    }

    pub(super) fn expect_name(&mut self, name: &str) -> Result<(), SyntaxError> {
        if self.eat_name(name) {
            Ok(())
        } else {
            self.fail(Some(name))
        }
    }

    /// A name, plain or as `['name']`.
    pub(super) fn name(&mut self) -> Result<String, SyntaxError> {
        match self.word().clone() {
            Word::Name(name) if !name.starts_with(['!', '$']) && !name.ends_with('~') => {
                self.advance();
                Ok(name)
            }
            Word::Sign("[") => {
                let Word::Str(name) = self.next_word().clone() else {
                    return self.fail(None);
                };
                self.advance();
                self.advance();
                self.expect("]")?;
                Ok(name)
            }
            _ => self.fail(None),
        }
    }

    /// One or more, with commas between them.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Reads something that may hold its like.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= DEEPEST {
            return self.fail(None);
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn definition(&mut self) -> Result<(String, Definition), SyntaxError> {
        self.advance();
        let name = self.name()?;
        self.expect("=")?;
        let tabular = matches!((self.word(), self.next_word()), (Word::Name(_), Word::Sign("|")));
        let value = if tabular {
            Definition::Tabular(self.pipeline()?)
        } else {
            Definition::Scalar(self.expr()?)
        };
        self.expect(";")?;
        Ok((name, value))
    }

    pub(super) fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        self.nested(|parser| {
            let mut operators = Vec::new();
            let source = match parser.word().clone() {
                Word::Sign("(") => {
                    parser.advance();
                    let inner = parser.pipeline()?;
                    parser.expect(")")?;
                    Source::Nested(Box::new(inner))
                }
                Word::Name(name) if name == "union" => {
                    parser.advance();
                    Source::Union(parser.union()?)
                }
                Word::Name(_) if parser.at_operator() => {
                    operators.push(parser.operator()?);
                    Source::Default
                }
                _ => Source::Table(parser.name()?),
            };
            while parser.eat("|") {
                operators.push(parser.operator()?);
            }
            Ok(Pipeline { source, operators })
        })
    }

    /// What follows the word `union`.
    pub(super) fn union(&mut self) -> Result<Union, SyntaxError> {
        let (mut inner, mut with_source) = (false, None);
        loop {
            if self.eat_name("kind") {
                self.expect("=")?;
                inner = self.is_name("inner");
                if !inner && !self.is_name("outer") {
                    return self.fail(None);
                }
                self.advance();
            } else if self.is_name("withsource") || self.is_name("with_source") {
                self.advance();
                self.expect("=")?;
                with_source = Some(self.name()?);
            } else if self.eat_name("isfuzzy") {
                self.expect("=")?;
                self.name()?;
            } else {
                break;
            }
        }
        let legs = self.list(|parser| {
            if parser.eat("(") {
                let leg = parser.pipeline()?;
                parser.expect(")")?;
                Ok(leg)
            } else {
                let source = Source::Table(parser.name()?);
                Ok(Pipeline {
                    source,
                    operators: Vec::new(),
                })
            }
        })?;
        Ok(Union {
            inner,
            with_source,
            legs,
        })
    }
}

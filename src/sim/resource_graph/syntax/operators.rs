//! The steps of a pipeline.

use super::super::value::Kind;
use super::SyntaxError;
use super::parser::Parser;
use super::token::Word;
use super::tree::{Expr, JoinKind, Key, Operator, Piece};

/// Operators that are read.
const KNOWN: [&str; 23] = [
    "where",
    "filter",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "extend",
    "summarize",
    "order",
    "sort",
    "top",
    "take",
    "limit",
    "sample",
    "distinct",
    "count",
    "join",
    "union",
    "mv-expand",
    "mvexpand",
    "mv-apply",
    "parse",
    "parse-where",
];

/// Operators of the language that the service, or this part of it, does not take.
const REFUSED: [&str; 28] = [
    "as",
    "consume",
    "datatable",
    "evaluate",
    "externaldata",
    "facet",
    "find",
    "fork",
    "getschema",
    "invoke",
    "make-series",
    "parse-kv",
    "partition",
    "print",
    "project-reorder",
    "project-smart",
    "range",
    "reduce",
    "render",
    "sample-distinct",
    "scan",
    "search",
    "serialize",
    "top-hitters",
    "top-nested",
    "graph-match",
    "macro-expand",
    "lookup",
];

impl Parser {
    /// Whether an operator stands here, so that no table is named.
    pub(super) fn at_operator(&self) -> bool {
        let Word::Name(name) = self.word() else { return false };
        let called = matches!(self.next_word(), Word::Sign("|" | ";") | Word::End) && name != "count";
        !called && (KNOWN.contains(&name.as_str()) || REFUSED.contains(&name.as_str()))
    }

    pub(super) fn operator(&mut self) -> Result<Operator, SyntaxError> {
        let Word::Name(name) = self.word().clone() else {
            return self.fail(None);
        };
        if REFUSED.contains(&name.as_str()) {
            return self.unsupported();
        }
        if !KNOWN.contains(&name.as_str()) {
            return self.fail(None);
        }
        self.advance();
        Ok(match name.as_str() {
            "where" | "filter" => Operator::Where(self.expr()?),
            "project" => Operator::Project(self.list(Self::named)?),
            "project-away" => Operator::ProjectAway(self.list(Self::pattern)?),
            "project-keep" => Operator::ProjectKeep(self.list(Self::pattern)?),
            "project-rename" => Operator::ProjectRename(self.list(|parser| {
                let new = parser.name()?;
                parser.expect("=")?;
                Ok((new, parser.name()?))
            })?),
            "extend" => Operator::Extend(self.list(Self::named)?),
            "summarize" => self.summarize()?,
            "order" | "sort" => {
                self.expect_name("by")?;
                Operator::Sort(self.list(Self::key)?)
            }
            "top" => {
                let count = self.expr()?;
                self.expect_name("by")?;
                Operator::Top(count, self.list(Self::key)?)
            }
            "take" | "limit" => Operator::Take(self.expr()?),
            "sample" => Operator::Sample(self.expr()?),
            "distinct" => Operator::Distinct(self.list(Self::named)?),
            "count" => Operator::Count,
            "join" => self.join()?,
            "union" => Operator::Union(self.union()?),
            "parse" | "parse-where" => self.parse_operator(name == "parse-where")?,
            "mv-apply" => self.mv_apply()?,
            _ => self.mv_expand()?,
        })
    }

    /// A column name in which `*` stands for anything.
    fn pattern(&mut self) -> Result<String, SyntaxError> {
        let mut pattern = String::new();
        loop {
            if self.eat("*") {
                pattern.push('*');
            } else if pattern.is_empty() || (pattern.ends_with('*') && matches!(self.word(), Word::Name(_))) {
                pattern.push_str(&self.name()?);
            } else {
                return Ok(pattern);
            }
        }
    }

    fn summarize(&mut self) -> Result<Operator, SyntaxError> {
        let aggregates = if self.is_name("by") {
            Vec::new()
        } else {
            self.list(Self::named)?
        };
        let by = if self.eat_name("by") {
            self.list(Self::named)?
        } else {
            Vec::new()
        };
        Ok(Operator::Summarize { aggregates, by })
    }

    fn key(&mut self) -> Result<Key, SyntaxError> {
        let expr = self.expr()?;
        let ascending = self.eat_name("asc");
        if !ascending {
            self.eat_name("desc");
        }
        let mut nulls_first = ascending;
        if self.eat_name("nulls") {
            nulls_first = self.is_name("first");
            if !nulls_first && !self.is_name("last") {
                return self.fail(None);
            }
            self.advance();
        }
        Ok(Key {
            expr,
            ascending,
            nulls_first,
        })
    }

    fn join(&mut self) -> Result<Operator, SyntaxError> {
        let mut kind = JoinKind::InnerUnique;
        if self.eat_name("kind") {
            self.expect("=")?;
            let Word::Name(name) = self.word().clone() else {
                return self.fail(None);
            };
            match JoinKind::NAMES.iter().find(|(text, _)| *text == name) {
                Some((_, found)) => kind = *found,
                None => return self.fail(None),
            }
            self.advance();
        }
        while self.eat_name("hint") {
            self.expect(".")?;
            self.name()?;
            self.expect("=")?;
            self.name()?;
        }
        let right = if self.eat("(") {
            let right = self.pipeline()?;
            self.expect(")")?;
            right
        } else {
            let source = super::tree::Source::Table(self.name()?);
            super::tree::Pipeline {
                source,
                operators: Vec::new(),
            }
        };
        self.expect_name("on")?;
        let mut on = Vec::new();
        loop {
            self.condition(&mut on)?;
            if !self.eat(",") && !self.eat_name("and") {
                return Ok(Operator::Join { kind, right, on });
            }
        }
    }

    /// `column`, or `$left.a == $right.b` in either order.
    fn condition(&mut self, on: &mut Vec<(Expr, Expr)>) -> Result<(), SyntaxError> {
        let mut sides = [None, None];
        if !self.is_name("$left") && !self.is_name("$right") {
            let name = Expr::Name(self.name()?);
            on.push((name.clone(), name));
            return Ok(());
        }
        for turn in 0..2 {
            if turn == 1 {
                self.expect("==")?;
            }
            let side = usize::from(self.is_name("$right"));
            if (side == 0 && !self.is_name("$left")) || sides[side].is_some() {
                return self.fail(Some(if side == 0 { "$right" } else { "$left" }));
            }
            self.advance();
            self.expect(".")?;
            sides[side] = Some(Expr::Name(self.name()?));
        }
        if let [Some(left), Some(right)] = sides {
            on.push((left, right));
        }
        Ok(())
    }

    fn mv_expand(&mut self) -> Result<Operator, SyntaxError> {
        let (mut as_arrays, mut index) = (false, None);
        loop {
            if matches!(self.next_word(), Word::Sign("=")) && (self.is_name("bagexpansion") || self.is_name("kind")) {
                self.advance();
                self.advance();
                as_arrays = self.is_name("array");
                if !as_arrays && !self.is_name("bag") {
                    return self.fail(None);
                }
                self.advance();
            } else if matches!(self.next_word(), Word::Sign("=")) && self.is_name("with_itemindex") {
                self.advance();
                self.advance();
                index = Some(self.name()?);
            } else {
                break;
            }
        }
        let items = self.list(|parser| {
            let item = parser.named()?;
            let mut kind = None;
            if parser.eat_name("to") {
                parser.expect_name("typeof")?;
                parser.expect("(")?;
                kind = Some(parser.kind()?);
                parser.expect(")")?;
            }
            Ok((item, kind))
        })?;
        let limit = if self.eat_name("limit") {
            Some(self.expr()?)
        } else {
            None
        };
        Ok(Operator::MvExpand {
            items,
            as_arrays,
            index,
            limit,
        })
    }

    fn mv_apply(&mut self) -> Result<Operator, SyntaxError> {
        let expand = Box::new(self.mv_expand()?);
        self.expect_name("on")?;
        self.expect("(")?;
        let steps = self.nested(|parser| {
            let mut steps = vec![parser.operator()?];
            while parser.eat("|") {
                steps.push(parser.operator()?);
            }
            Ok(steps)
        })?;
        self.expect(")")?;
        Ok(Operator::MvApply { expand, steps })
    }

    fn kind(&mut self) -> Result<Kind, SyntaxError> {
        let Word::Name(name) = self.word().clone() else {
            return self.fail(None);
        };
        let Some(kind) = Kind::named(&name) else {
            return self.fail(None);
        };
        self.advance();
        Ok(kind)
    }

    fn parse_operator(&mut self, only_matches: bool) -> Result<Operator, SyntaxError> {
        if self.is_name("kind") && matches!(self.next_word(), Word::Sign("=")) {
            self.advance();
            self.advance();
            if !self.is_name("simple") && !self.is_name("relaxed") {
                return self.unsupported();
            }
            self.advance();
        }
        let text = self.expr()?;
        self.expect_name("with")?;
        let mut pattern = Vec::new();
        loop {
            match self.word().clone() {
                Word::Sign("*") => {
                    self.advance();
                    pattern.push(Piece::Any);
                }
                Word::Str(text) => {
                    self.advance();
                    pattern.push(Piece::Text(text));
                }
                Word::Name(_) | Word::Sign("[") => {
                    let name = self.name()?;
                    let kind = if self.eat(":") { self.kind()? } else { Kind::Str };
                    pattern.push(Piece::Column(name, kind));
                }
                _ if pattern.is_empty() => return self.fail(None),
                _ => {
                    return Ok(Operator::Parse {
                        text,
                        pattern,
                        only_matches,
                    });
                }
            }
        }
    }
}

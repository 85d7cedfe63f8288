//! The tree back to text, such that it reads as the same tree.

use std::fmt::{self, Display, Formatter};

use super::super::moment;
use super::tree::{
    Binary, Definition, Expr, JoinKind, Key, Literal, Named, Operator, Piece, Pipeline, Query, Source, Union,
};

/// A name as it stands in a query: in brackets where it is no plain word.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = self.0.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && self.0.chars().all(|c| c.is_alphanumeric() || c == '_')
            && !matches!(self.0, "true" | "false" | "where" | "h" | "H");
        if plain || matches!(self.0, "$left" | "$right") {
            f.write_str(self.0)
        } else {
            write!(f, "[{}]", Quoted(self.0))
        }
    }
}

/// A string literal.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("'")?;
        for c in self.0.chars() {
            match c {
                '\'' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("'")
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
    }
    Ok(())
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, definition) in &self.lets {
            match definition {
                Definition::Scalar(expr) => writeln!(f, "let {} = {expr};", Name(name))?,
                Definition::Tabular(pipeline) => writeln!(f, "let {} = {pipeline};", Name(name))?,
            }
        }
        write!(f, "{}", self.pipeline)
    }
}

impl Display for Pipeline {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Default => {}
            Source::Table(name) => write!(f, "{}", Name(name))?,
            Source::Nested(inner) => write!(f, "({inner})")?,
            Source::Union(union) => write!(f, "union {union}")?,
        }
        for (at, operator) in self.operators.iter().enumerate() {
            if at > 0 || self.source != Source::Default {
                f.write_str(" | ")?;
            }
            write!(f, "{operator}")?;
        }
        Ok(())
    }
}

impl Display for Union {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.inner {
            f.write_str("kind=inner ")?;
        }
        if let Some(name) = &self.with_source {
            write!(f, "withsource={} ", Name(name))?;
        }
        for (at, leg) in self.legs.iter().enumerate() {
            write!(f, "{}({leg})", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Operator::Where(expr) => write!(f, "where {expr}"),
            Operator::Project(items) => f.write_str("project ").and_then(|()| list(f, items)),
            Operator::ProjectAway(names) => f.write_str("project-away ").and_then(|()| patterns(f, names)),
            Operator::ProjectKeep(names) => f.write_str("project-keep ").and_then(|()| patterns(f, names)),
            Operator::ProjectRename(pairs) => {
                f.write_str("project-rename ")?;
                for (at, (new, old)) in pairs.iter().enumerate() {
                    write!(f, "{}{}={}", if at > 0 { ", " } else { "" }, Name(new), Name(old))?;
                }
                Ok(())
            }
            Operator::Extend(items) => f.write_str("extend ").and_then(|()| list(f, items)),
            Operator::Summarize { aggregates, by } => {
                f.write_str("summarize ")?;
                list(f, aggregates)?;
                if !by.is_empty() {
                    f.write_str(" by ")?;
                    list(f, by)?;
                }
                Ok(())
            }
            Operator::Sort(keys) => f.write_str("order by ").and_then(|()| list(f, keys)),
            Operator::Top(count, keys) => write!(f, "top {count} by ").and_then(|()| list(f, keys)),
            Operator::Take(count) => write!(f, "take {count}"),
            Operator::Sample(count) => write!(f, "sample {count}"),
            Operator::Distinct(items) => f.write_str("distinct ").and_then(|()| list(f, items)),
            Operator::Count => f.write_str("count"),
            Operator::Join { kind, right, on } => {
                let name = JoinKind::NAMES
                    .iter()
                    .find(|(_, found)| found == kind)
                    .map_or("inner", |(name, _)| name);
                write!(f, "join kind={name} ({right}) on ")?;
                for (at, (left, right)) in on.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    if left == right {
                        write!(f, "{left}")?;
                    } else {
                        write!(f, "$left.{left} == $right.{right}")?;
                    }
                }
                Ok(())
            }
            Operator::Union(union) => write!(f, "union {union}"),
            Operator::MvExpand {
                items,
                as_arrays,
                index,
                limit,
            } => {
                f.write_str("mv-expand ")?;
                if *as_arrays {
                    f.write_str("bagexpansion=array ")?;
                }
                if let Some(name) = index {
                    write!(f, "with_itemindex={} ", Name(name))?;
                }
                for (at, (item, kind)) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
                    if let Some(kind) = kind {
                        write!(f, " to typeof({})", kind.name())?;
                    }
                }
                limit.iter().try_for_each(|limit| write!(f, " limit {limit}"))
            }
            Operator::MvApply { expand, steps } => {
                let text = expand.to_string();
                write!(f, "mv-apply {} on (", text.strip_prefix("mv-expand ").unwrap_or(&text))?;
                for (at, step) in steps.iter().enumerate() {
                    write!(f, "{}{step}", if at > 0 { " | " } else { "" })?;
                }
                f.write_str(")")
            }
            Operator::Parse {
                text,
                pattern,
                only_matches,
            } => {
                write!(f, "parse{} {text} with", if *only_matches { "-where" } else { "" })?;
                for piece in pattern {
                    match piece {
                        Piece::Any => f.write_str(" *")?,
                        Piece::Text(text) => write!(f, " {}", Quoted(text))?,
                        Piece::Column(name, kind) => write!(f, " {}:{}", Name(name), kind.name())?,
                    }
                }
                Ok(())
            }
        }
    }
}

fn patterns(f: &mut Formatter<'_>, names: &[String]) -> fmt::Result {
    for (at, name) in names.iter().enumerate() {
        f.write_str(if at > 0 { ", " } else { "" })?;
        for (part, piece) in name.split('*').enumerate() {
            f.write_str(if part > 0 { "*" } else { "" })?;
            if !piece.is_empty() {
                write!(f, "{}", Name(piece))?;
            }
        }
    }
    Ok(())
}

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{}=", Name(name))?;
        }
        write!(f, "{}", self.expr)
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let order = if self.ascending { "asc" } else { "desc" };
        write!(
            f,
            "{} {order} nulls {}",
            self.expr,
            if self.nulls_first { "first" } else { "last" }
        )
    }
}

/// An operand, in brackets where another operator would take a part of it.
struct Operand<'a>(&'a Expr, u8);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let power = match self.0 {
            Expr::Binary(_, operator, _) => operator.power(),
            Expr::Among(..) | Expr::Between(..) => Binary::Has.power(),
            Expr::Negate(_) => 7,
            _ => u8::MAX,
        };
        if power < self.1 {
            write!(f, "({})", self.0)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Literal(literal) => write!(f, "{literal}"),
            Expr::Name(name) => write!(f, "{}", Name(name)),
            Expr::Member(base, key) => write!(f, "{}.{}", Operand(base, 8), Name(key)),
            Expr::Index(base, index) => write!(f, "{}[{index}]", Operand(base, 8)),
            Expr::Call(name, arguments) => {
                write!(f, "{name}(")?;
                list(f, arguments)?;
                f.write_str(")")
            }
            Expr::Negate(inner) => write!(f, "-{}", Operand(inner, 8)),
            Expr::Binary(left, operator, right) => {
                let (left, right) = (Operand(left, operator.power()), Operand(right, operator.power() + 1));
                write!(f, "{left} {} {right}", operator.text())
            }
            Expr::Among(item, kind, items) => {
                write!(f, "{} {} (", Operand(item, Binary::Has.power()), kind.text())?;
                list(f, items)?;
                f.write_str(")")
            }
            Expr::Between(item, negated, range) => {
                let word = if *negated { "!between" } else { "between" };
                write!(
                    f,
                    "{} {word} ({} .. {})",
                    Operand(item, Binary::Has.power()),
                    range.0,
                    range.1
                )
            }
            Expr::Star => f.write_str("*"),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null(kind) => write!(f, "{}(null)", kind.name()),
            Literal::Bool(yes) => write!(f, "{yes}"),
            Literal::Int(number) => write!(f, "int({number})"),
            Literal::Long(number) if *number < 0 => write!(f, "long({number})"),
            Literal::Long(number) => write!(f, "{number}"),
            Literal::Real(number) => write!(f, "real({number:?})"),
            Literal::Str(text) => write!(f, "{}", Quoted(text)),
            Literal::Datetime(at) => write!(f, "datetime({})", moment::print_datetime(*at)),
            Literal::Timespan(span) => write!(f, "time({})", moment::print_timespan(*span)),
            Literal::Dynamic(json) => write!(f, "dynamic({json})"),
        }
    }
}

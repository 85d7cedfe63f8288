//! From the tree to code over the columns of a frame: names and functions are found, types are checked.

use std::collections::HashMap;

use super::code::{Code, counts_case, is_search};
use super::failure::{Fault, meaning};
use super::functions::{self, Gives};
use super::row::Column;
use super::syntax::tree::{Among, Binary, Expr, Literal};
use super::text::lower;
use super::value::{Kind, Value};

/// Values named by `let`.
pub type Lets = HashMap<String, (Value<'static>, Kind)>;

/// What names mean at a place in a query.
pub struct Compiler<'c> {
    /// The columns.
    pub columns: &'c [Column],
    /// The named values.
    pub lets: &'c Lets,
    /// The operator, for messages.
    pub operator: &'static str,
}

impl Compiler<'_> {
    /// Makes an expression ready.
    ///
    /// # Errors
    /// When it names what is not there, or mixes types that do not mix.
    pub fn compile(&self, expr: &Expr) -> Result<(Code, Kind), Fault> {
        Ok(match expr {
            Expr::Literal(literal) => constant(literal),
            Expr::Name(name) => match self.columns.iter().find(|column| column.name == *name) {
                Some(column) => (Code::Column(column.place), column.kind),
                None => match self.lets.get(name) {
                    Some((value, kind)) => (Code::Constant(value.clone()), *kind),
                    None => return self.unresolved(name),
                },
            },
            Expr::Member(base, key) => {
                let base = self.bag(base)?;
                (Code::Member(Box::new(base), key.clone()), Kind::Dynamic)
            }
            Expr::Index(base, index) => {
                let base = self.bag(base)?;
                match index.as_ref() {
                    Expr::Literal(Literal::Str(key)) => (Code::Member(Box::new(base), key.clone()), Kind::Dynamic),
                    index => (
                        Code::Index(Box::new(base), Box::new(self.compile(index)?.0)),
                        Kind::Dynamic,
                    ),
                }
            }
            Expr::Call(name, arguments) => self.call(name, arguments)?,
            Expr::Negate(inner) => {
                let (code, kind) = self.compile(inner)?;
                if matches!(kind, Kind::Str | Kind::Bool | Kind::Datetime) {
                    return meaning(format!(
                        "'{}' operator: '-' cannot be applied to a value of type {}",
                        self.operator,
                        kind.name()
                    ));
                }
                (Code::Negate(Box::new(code)), kind)
            }
            Expr::Binary(left, operator, right) => self.binary(left, *operator, right)?,
            Expr::Among(item, kind, items) => {
                let (item, item_kind) = self.compile(item)?;
                let mut codes = Vec::with_capacity(items.len());
                for other in items {
                    let (code, other_kind) = self.compile(other)?;
                    if matches!(kind, Among::In | Among::NotIn) && other_kind != Kind::Dynamic {
                        self.comparable(item_kind, other_kind)?;
                    }
                    codes.push(code);
                }
                (Code::Among(Box::new(item), *kind, codes), Kind::Bool)
            }
            Expr::Between(item, negated, range) => {
                let (item, _) = self.compile(item)?;
                let (low, high) = (self.compile(&range.0)?.0, self.compile(&range.1)?.0);
                (
                    Code::Between(Box::new(item), *negated, Box::new((low, high))),
                    Kind::Bool,
                )
            }
            Expr::Star => return meaning(format!("'{}' operator: '*' is not a scalar expression", self.operator)),
        })
    }

    fn unresolved<T>(&self, name: &str) -> Result<T, Fault> {
        meaning(format!(
            "'{}' operator: Failed to resolve column or scalar expression named '{name}'",
            self.operator
        ))
    }

    /// An expression of which a member is asked.
    fn bag(&self, expr: &Expr) -> Result<Code, Fault> {
        let (code, kind) = self.compile(expr)?;
        if kind == Kind::Dynamic {
            return Ok(code);
        }
        meaning(format!(
            "'{}' operator: The path expression is not applicable to a value of type {}",
            self.operator,
            kind.name()
        ))
    }

    fn call(&self, name: &str, arguments: &[Expr]) -> Result<(Code, Kind), Fault> {
        match (name, arguments) {
            ("pack_all", []) => return Ok((self.pack_all(false), Kind::Dynamic)),
            ("pack_all", [Expr::Literal(Literal::Bool(sparse))]) => return Ok((self.pack_all(*sparse), Kind::Dynamic)),
            ("column_ifexists", [Expr::Literal(Literal::Str(column)), default]) => {
                let found = self.columns.iter().find(|other| other.name == *column);
                return found.map_or_else(
                    || self.compile(default),
                    |column| Ok((Code::Column(column.place), column.kind)),
                );
            }
            _ => {}
        }
        let Some(function) = functions::find(name) else {
            return Err(Fault::UnknownFunction(name.to_owned()));
        };
        if arguments.len() < function.least || arguments.len() > function.most {
            let expected = if function.least == function.most {
                format!("{} argument(s)", function.least)
            } else {
                format!("{} to {} arguments", function.least, function.most)
            };
            return meaning(format!("{name}(): function expects {expected}."));
        }
        let pairs = match name {
            "case" => arguments.len() % 2 == 1,
            "pack" | "bag_pack" | "pack_dictionary" => arguments.len().is_multiple_of(2),
            _ => true,
        };
        if !pairs {
            return meaning(format!("{name}(): function expects its arguments in pairs."));
        }
        let mut codes = Vec::with_capacity(arguments.len());
        let mut kinds = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let (code, kind) = self.compile(argument)?;
            codes.push(code);
            kinds.push(kind);
        }
        let kind = match function.gives {
            Gives::Always(kind) => kind,
            Gives::Of(first, step) => {
                let else_of_case = (name == "case").then(|| kinds.len() - 1);
                widest(
                    kinds
                        .iter()
                        .copied()
                        .skip(first)
                        .step_by(step)
                        .chain(else_of_case.map(|at| kinds[at])),
                )
            }
        };
        Ok((Code::Call(function.body, codes), kind))
    }

    fn pack_all(&self, sparse: bool) -> Code {
        let visible = self.columns.iter().filter(|column| !column.hidden);
        Code::PackAll(
            visible.map(|column| (column.name.clone(), column.place)).collect(),
            sparse,
        )
    }

    /// Chains lean to the left and may be long, so they are followed by a loop and not by calls.
    fn binary(&self, left: &Expr, operator: Binary, right: &Expr) -> Result<(Code, Kind), Fault> {
        let mut chain = vec![(operator, right)];
        let mut first = left;
        while let Expr::Binary(left, operator, right) = first {
            chain.push((*operator, right));
            first = left;
        }
        let mut made = self.compile(first)?;
        for (operator, right) in chain.into_iter().rev() {
            made = self.pair(made, operator, self.compile(right)?)?;
        }
        Ok(made)
    }

    fn pair(&self, left: (Code, Kind), operator: Binary, right: (Code, Kind)) -> Result<(Code, Kind), Fault> {
        let ((left, a), (right, b)) = (left, right);
        let kind = match operator {
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Modulo => {
                self.sum(a, operator, b)?
            }
            Binary::And | Binary::Or => {
                for kind in [a, b] {
                    if matches!(kind, Kind::Str | Kind::Datetime | Kind::Timespan) {
                        return meaning(format!(
                            "'{}' operator: The expression must be of type bool, not {}",
                            self.operator,
                            kind.name()
                        ));
                    }
                }
                Kind::Bool
            }
            Binary::Equal
            | Binary::NotEqual
            | Binary::Less
            | Binary::LessEqual
            | Binary::Greater
            | Binary::GreaterEqual => {
                self.comparable(a, b)?;
                Kind::Bool
            }
            _ => {
                for kind in [a, b] {
                    if !matches!(kind, Kind::Str | Kind::Dynamic) {
                        return meaning(format!(
                            "'{}' operator: Operator '{}' expects values of type string, not {}",
                            self.operator,
                            operator.text(),
                            kind.name()
                        ));
                    }
                }
                Kind::Bool
            }
        };
        let code = match right {
            Code::Constant(part) if is_search(operator) => {
                let part = part.to_text();
                let part = if counts_case(operator) {
                    part.into_owned()
                } else {
                    lower(&part)
                };
                Code::Search(Box::new(left), operator, part)
            }
            right => Code::Binary(Box::new(left), operator, Box::new(right)),
        };
        Ok((code, kind))
    }

    fn comparable(&self, a: Kind, b: Kind) -> Result<(), Fault> {
        let counts = |kind: Kind| kind.is_number() || kind == Kind::Bool;
        let fine = match (a, b) {
            (Kind::Dynamic, Kind::Dynamic) => false,
            (Kind::Dynamic, _) | (_, Kind::Dynamic) => true,
            (a, b) => a == b || (counts(a) && counts(b)),
        };
        if fine {
            return Ok(());
        }
        meaning(format!(
            "'{}' operator: Cannot compare values of types {} and {}. Try adding explicit casts",
            self.operator,
            a.name(),
            b.name()
        ))
    }

    fn sum(&self, a: Kind, operator: Binary, b: Kind) -> Result<Kind, Fault> {
        Ok(match (a, operator, b) {
            (Kind::Datetime, Binary::Subtract, Kind::Datetime | Kind::Dynamic) => Kind::Timespan,
            (Kind::Datetime, Binary::Add | Binary::Subtract, Kind::Timespan)
            | (Kind::Timespan, Binary::Add, Kind::Datetime) => Kind::Datetime,
            (Kind::Timespan, Binary::Divide, Kind::Timespan) => Kind::Real,
            (Kind::Timespan, Binary::Add | Binary::Subtract, Kind::Timespan) => a,
            (Kind::Timespan, Binary::Multiply | Binary::Divide, number)
            | (number, Binary::Multiply, Kind::Timespan)
                if number.is_number() =>
            {
                Kind::Timespan
            }
            (Kind::Dynamic, _, other) | (other, _, Kind::Dynamic) if other.is_number() || other == Kind::Dynamic => {
                Kind::Dynamic
            }
            (Kind::Real, _, other) | (other, _, Kind::Real) if other.is_number() => Kind::Real,
            (a, _, b) if a.is_number() && b.is_number() => Kind::Long,
            _ => {
                return meaning(format!(
                    "'{}' operator: '{}' cannot be applied to values of types {} and {}. Try adding explicit casts",
                    self.operator,
                    operator.text(),
                    a.name(),
                    b.name()
                ));
            }
        })
    }
}

/// The type that holds values of all these types.
pub fn widest(kinds: impl Iterator<Item = Kind>) -> Kind {
    kinds
        .reduce(|a, b| match (a, b) {
            (a, b) if a == b => a,
            (a, b) if a.is_number() && b.is_number() => {
                if a == Kind::Real || b == Kind::Real {
                    Kind::Real
                } else {
                    Kind::Long
                }
            }
            _ => Kind::Dynamic,
        })
        .unwrap_or(Kind::Dynamic)
}

fn constant(literal: &Literal) -> (Code, Kind) {
    let (value, kind) = match literal {
        Literal::Null(kind) => (Value::Null, *kind),
        Literal::Bool(yes) => (Value::Bool(*yes), Kind::Bool),
        Literal::Int(number) => (Value::Long(*number), Kind::Int),
        Literal::Long(number) => (Value::Long(*number), Kind::Long),
        Literal::Real(number) => (Value::Real(*number), Kind::Real),
        Literal::Str(text) => (Value::text(text.as_str()), Kind::Str),
        Literal::Datetime(at) => (Value::Datetime(*at), Kind::Datetime),
        Literal::Timespan(span) => (Value::Timespan(*span), Kind::Timespan),
        Literal::Dynamic(json) => (Value::owned(json.clone()), Kind::Dynamic),
    };
    (Code::Constant(value), kind)
}

/// The name that a column gets from its expression, if the expression has one to give.
pub fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.clone()),
        Expr::Member(base, key) => Some(format!("{}_{key}", name_of(base)?)),
        Expr::Index(base, index) => match index.as_ref() {
            Expr::Literal(Literal::Str(key)) => Some(format!("{}_{key}", name_of(base)?)),
            Expr::Literal(Literal::Long(at)) => Some(format!("{}_{at}", name_of(base)?)),
            _ => None,
        },
        Expr::Call(name, arguments) => {
            let converts = matches!(
                name.as_str(),
                "bin" | "floor" | "parse_json" | "startofday" | "startofmonth"
            ) || (name.starts_with("to") && !matches!(name.as_str(), "tolower" | "toupper"));
            arguments.first().filter(|_| converts).and_then(name_of)
        }
        _ => None,
    }
}

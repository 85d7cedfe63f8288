//! The tree of a query.

use serde_json::Value as Json;
use time::{Duration, OffsetDateTime};

use super::super::value::Kind;

/// A whole query: definitions, then the tabular expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// `let` statements in their order.
    pub lets: Vec<(String, Definition)>,
    /// What gives the answer.
    pub pipeline: Pipeline,
}

/// What a `let` statement names.
#[derive(Debug, Clone, PartialEq)]
pub enum Definition {
    /// A value.
    Scalar(Expr),
    /// Rows.
    Tabular(Pipeline),
}

/// A source of rows and what is done to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Where rows come from.
    pub source: Source,
    /// What is done to them, in order.
    pub operators: Vec<Operator>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// No table is named: `resources`.
    Default,
    /// A table, or rows named by a `let`.
    Table(String),
    /// A pipeline in brackets.
    Nested(Box<Pipeline>),
    /// `union` at the beginning.
    Union(Union),
}

/// `union`: rows of several pipelines.
#[derive(Debug, Clone, PartialEq)]
pub struct Union {
    /// Only columns that all legs have.
    pub inner: bool,
    /// The column that names the leg's table.
    pub with_source: Option<String>,
    /// The legs.
    pub legs: Vec<Pipeline>,
}

/// A step of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// `where`
    Where(Expr),
    /// `project`
    Project(Vec<Named>),
    /// `project-away`, names with `*` in them
    ProjectAway(Vec<String>),
    /// `project-keep`, names with `*` in them
    ProjectKeep(Vec<String>),
    /// `project-rename`, new name and old name
    ProjectRename(Vec<(String, String)>),
    /// `extend`
    Extend(Vec<Named>),
    /// `summarize … by …`
    Summarize {
        /// What is computed for each group.
        aggregates: Vec<Named>,
        /// What makes the groups.
        by: Vec<Named>,
    },
    /// `order by`
    Sort(Vec<Key>),
    /// `top … by`
    Top(Expr, Vec<Key>),
    /// `take`
    Take(Expr),
    /// `sample`
    Sample(Expr),
    /// `distinct`; none for `*`
    Distinct(Vec<Named>),
    /// `count`
    Count,
    /// `join`
    Join {
        /// Which rows are kept.
        kind: JoinKind,
        /// The right side.
        right: Pipeline,
        /// What must be equal, left and right.
        on: Vec<(Expr, Expr)>,
    },
    /// `union`
    Union(Union),
    /// `mv-expand`
    MvExpand {
        /// What is expanded, in step.
        items: Vec<(Named, Option<Kind>)>,
        /// Bags become `[key, value]` arrays instead of bags of one.
        as_arrays: bool,
        /// The column that counts the items.
        index: Option<String>,
        /// Most rows made of one.
        limit: Option<Expr>,
    },
    /// `mv-apply … on (…)`
    MvApply {
        /// What is expanded: an `mv-expand`.
        expand: Box<Operator>,
        /// What is done to the rows made of one.
        steps: Vec<Operator>,
    },
    /// `parse … with …`
    Parse {
        /// The text.
        text: Expr,
        /// What it is made of.
        pattern: Vec<Piece>,
        /// Rows that do not match are left out.
        only_matches: bool,
    },
}

/// A part of a `parse` pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// `*`: anything, not kept.
    Any,
    /// A text that must stand there.
    Text(String),
    /// A column for what stands there.
    Column(String, Kind),
}

/// An expression with the name of its column, if it was given one.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The name before `=`.
    pub name: Option<String>,
    /// The expression.
    pub expr: Expr,
}

/// A key of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// What is compared.
    pub expr: Expr,
    /// Small ones first.
    pub ascending: bool,
    /// Nulls before all others.
    pub nulls_first: bool,
}

/// The flavours of `join`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Inner, with one left row a key: the default.
    InnerUnique,
    /// All pairs.
    Inner,
    /// All left rows.
    LeftOuter,
    /// All right rows.
    RightOuter,
    /// All rows of both.
    FullOuter,
    /// Left rows with a partner.
    LeftSemi,
    /// Left rows without one.
    LeftAnti,
    /// Right rows with a partner.
    RightSemi,
    /// Right rows without one.
    RightAnti,
}

impl JoinKind {
    /// Every flavour under its names, the first of them printed.
    pub const NAMES: [(&str, JoinKind); 11] = [
        ("innerunique", JoinKind::InnerUnique),
        ("inner", JoinKind::Inner),
        ("leftouter", JoinKind::LeftOuter),
        ("rightouter", JoinKind::RightOuter),
        ("fullouter", JoinKind::FullOuter),
        ("leftsemi", JoinKind::LeftSemi),
        ("leftanti", JoinKind::LeftAnti),
        ("rightsemi", JoinKind::RightSemi),
        ("rightanti", JoinKind::RightAnti),
        ("anti", JoinKind::LeftAnti),
        ("leftantisemi", JoinKind::LeftAnti),
    ];
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A literal.
    Literal(Literal),
    /// A column or a name of a `let`.
    Name(String),
    /// `a.b`
    Member(Box<Expr>, String),
    /// `a[b]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, b)`
    Call(String, Vec<Expr>),
    /// `-a`
    Negate(Box<Expr>),
    /// `a + b`, `a has b`
    Binary(Box<Expr>, Binary, Box<Expr>),
    /// `a in (b, c)` and its kin
    Among(Box<Expr>, Among, Vec<Expr>),
    /// `a between (b .. c)`, negated where true
    Between(Box<Expr>, bool, Box<(Expr, Expr)>),
    /// `*`, where all columns are meant
    Star,
}

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A typed null.
    Null(Kind),
    /// `true`
    Bool(bool),
    /// `int(1)`
    Int(i64),
    /// `1`
    Long(i64),
    /// `1.5`
    Real(f64),
    /// `'a'`
    Str(String),
    /// `datetime(…)`
    Datetime(OffsetDateTime),
    /// `7d`
    Timespan(Duration),
    /// `dynamic(…)`
    Dynamic(Json),
}

macro_rules! binaries {
    ($($variant:ident $text:literal $power:literal),+ $(,)?) => {
        /// An operator between two expressions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is its sign")]
        pub enum Binary { $($variant),+ }

        impl Binary {
            /// All of them.
            pub const ALL: &[Binary] = &[$(Binary::$variant),+];
            /// The sign or word.
            pub fn text(self) -> &'static str {
                match self { $(Binary::$variant => $text),+ }
            }
            /// How strongly it binds.
            pub fn power(self) -> u8 {
                match self { $(Binary::$variant => $power),+ }
            }
        }
    };
}

binaries! {
    Or "or" 1, And "and" 2,
    Equal "==" 3, NotEqual "!=" 3, EqualFolded "=~" 3, NotEqualFolded "!~" 3,
    Less "<" 4, LessEqual "<=" 4, Greater ">" 4, GreaterEqual ">=" 4,
    Has "has" 4, NotHas "!has" 4, HasCs "has_cs" 4, NotHasCs "!has_cs" 4,
    HasPrefix "hasprefix" 4, NotHasPrefix "!hasprefix" 4, HasPrefixCs "hasprefix_cs" 4, NotHasPrefixCs "!hasprefix_cs" 4,
    HasSuffix "hassuffix" 4, NotHasSuffix "!hassuffix" 4, HasSuffixCs "hassuffix_cs" 4, NotHasSuffixCs "!hassuffix_cs" 4,
    Contains "contains" 4, NotContains "!contains" 4, ContainsCs "contains_cs" 4, NotContainsCs "!contains_cs" 4,
    StartsWith "startswith" 4, NotStartsWith "!startswith" 4, StartsWithCs "startswith_cs" 4, NotStartsWithCs "!startswith_cs" 4,
    EndsWith "endswith" 4, NotEndsWith "!endswith" 4, EndsWithCs "endswith_cs" 4, NotEndsWithCs "!endswith_cs" 4,
    MatchesRegex "matches regex" 4,
    Add "+" 5, Subtract "-" 5, Multiply "*" 6, Divide "/" 6, Modulo "%" 6,
}

/// An operator between an expression and a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// `in`
    In,
    /// `!in`
    NotIn,
    /// `in~`
    InFolded,
    /// `!in~`
    NotInFolded,
    /// `has_any`
    HasAny,
    /// `has_all`
    HasAll,
}

impl Among {
    /// Each with its word.
    pub const ALL: [(&str, Among); 6] = [
        ("in", Among::In),
        ("!in", Among::NotIn),
        ("in~", Among::InFolded),
        ("!in~", Among::NotInFolded),
        ("has_any", Among::HasAny),
        ("has_all", Among::HasAll),
    ];

    /// Its word.
    pub fn text(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("in", |(text, _)| text)
    }
}

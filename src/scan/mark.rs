//! Places in files, and what is to stand there.

use std::ops::Range;
use std::path::PathBuf;

use serde_json::{Value, json};

/// Which of an identity's names stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// The resource id.
    Id,
    /// The client id.
    ClientId,
    /// The principal id.
    PrincipalId,
    /// The name.
    Name,
    /// The region, in a block that declares the identity.
    Location,
    /// The resource group, beside the name.
    ResourceGroup,
}

impl Word {
    /// As outputs spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::ClientId => "clientId",
            Self::PrincipalId => "principalId",
            Self::Name => "name",
            Self::Location => "location",
            Self::ResourceGroup => "resourceGroup",
        }
    }
}

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An id, as a whole word.
    Word,
    /// A reference by name, where nothing else can be meant.
    Reference,
    /// A declaration of the identity itself: whoever applies it makes the old one again.
    Declaration,
    /// A state of Terraform, which is changed by its own commands.
    State,
    /// It is the old identity, and nothing that a patch can turn.
    Look,
    /// It may be the old identity.
    Doubt,
    /// It is another identity of the same name. Such a place is told nowhere.
    Another,
}

impl Kind {
    /// As outputs spell it. What is in doubt is looked at as well.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Reference => "reference",
            Self::Declaration => "declaration",
            Self::State => "state",
            Self::Look | Self::Doubt => "look",
            Self::Another => "another",
        }
    }

    /// Whether a patch turns it.
    pub fn is_patched(self) -> bool {
        matches!(self, Self::Word | Self::Reference | Self::Declaration)
    }
}

/// What is to stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// This.
    Text(String),
    /// What only Azure can give, once the new identity is made.
    Later,
    /// Nobody knows: there is no new identity, or a person has to see to it.
    Nobody,
}

/// A place in the text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where: bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) word: Word,
    pub(super) kind: Kind,
    pub(super) to: To,
    /// What a person should know of it; empty where nothing.
    pub(super) why: &'static str,
}

impl Mark {
    pub(super) fn new(range: Range<usize>, word: Word, kind: Kind, to: To) -> Self {
        Self {
            range,
            word,
            kind,
            to,
            why: "",
        }
    }

    /// A place that is none, so that nothing else is found there.
    pub(super) fn another(range: Range<usize>) -> Self {
        Self::new(range, Word::Name, Kind::Another, To::Nobody)
    }

    /// A place that a person has to look at.
    pub(super) fn look(range: Range<usize>, word: Word, kind: Kind, why: &'static str) -> Self {
        Self {
            range,
            word,
            kind,
            to: To::Nobody,
            why,
        }
    }
}

/// A place in a file, as it may be written down: no more of the file than the id or the name itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in letters, from 1.
    pub column: usize,
    /// Which name stands there.
    pub word: Word,
    /// The name as it is spelled there; empty where it is hidden in something else.
    pub from: String,
    /// What is to stand there.
    pub to: To,
    /// What the place is.
    pub kind: Kind,
    /// What a person should know of it; empty where nothing.
    pub why: &'static str,
}

impl Place {
    /// As it is written down; `later` stands for what only Azure can give.
    pub fn to_json(&self, later: &str) -> Value {
        let mut place = json!({
            "file": self.file.to_string_lossy(),
            "line": self.line,
            "column": self.column,
            "word": self.word.as_str(),
            "from": self.from,
            "to": match &self.to {
                To::Text(text) => Value::from(text.as_str()),
                To::Later => Value::from(later),
                To::Nobody => Value::Null,
            },
            "kind": self.kind.as_str(),
        });
        if self.kind == Kind::Doubt {
            place["doubtful"] = Value::Bool(true);
        }
        if !self.why.is_empty() {
            place["why"] = Value::from(self.why);
        }
        place
    }
}

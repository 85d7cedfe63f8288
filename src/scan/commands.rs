//! Commands of the Azure CLI and of Azure PowerShell that name an identity, wherever they stand.

use std::ops::Range;

use super::mark::{Kind, Mark, Word};
use super::names::Names;

const DECLARES: &str = "it makes the old identity: run again, it would make it anew";
const ELSEWHERE: &str = "an identity of this name, in another resource group";

/// Options of `az` that take identities by name, among other forms.
const OF_AZ: &[&str] = &[
    "--assign-identity",
    "--assign-kubelet-identity",
    "--identities",
    "--identity",
    "--identity-name",
    "--mi-user-assigned",
    "--user-assigned",
    "--user-assigned-identity",
];

/// A word of a command, without its quotes.
struct Piece<'a> {
    text: &'a str,
    range: Range<usize>,
}

/// Every place in a command that names the old identity.
pub(super) fn marks(text: &str, names: &Names) -> Vec<Mark> {
    let mut marks = Vec::new();
    for command in commands(text) {
        let line = &text[command.clone()];
        if crate::types::words::find_words(line, &names.old.name).is_empty() {
            continue;
        }
        let pieces = pieces(text, command);
        if let Some(at) = pieces.iter().position(|piece| is_az(piece.text)) {
            az(&pieces[at + 1..], names, &mut marks);
        } else if let Some(at) = pieces.iter().position(|piece| is_cmdlet(piece.text)) {
            cmdlet(&pieces[at..], names, &mut marks);
        }
    }
    marks
}

fn is_az(word: &str) -> bool {
    let plain = word.trim_start_matches(['$', '(', '`']);
    plain.eq_ignore_ascii_case("az") || plain.eq_ignore_ascii_case("az.cmd")
}

fn is_cmdlet(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.ends_with("-azuserassignedidentity") || word.contains("-azfederatedidentitycredential")
}

/// The lines of a text, those that go on in the next one together with it.
fn commands(text: &str) -> Vec<Range<usize>> {
    let mut commands = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        at += line.len();
        if !line.trim_end().ends_with(['\\', '`', '^']) {
            commands.push(start..at);
            start = at;
        }
    }
    if start < at {
        commands.push(start..at);
    }
    commands
}

/// The words of a command. What stands in quotes is one word.
fn pieces(text: &str, command: Range<usize>) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = command.start;
    while let Some(found) = text[rest..command.end].find(|letter: char| !letter.is_whitespace()) {
        let start = rest + found;
        let word = &text[start..command.end];
        let quote = word.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let (from, end, next) = if let Some(quote) = quote {
            let end = start + word[1..].find([quote, '\n']).map_or(word.len(), |end| end + 1);
            (start + 1, end, (end + 1).min(command.end))
        } else {
            let end = start + word.find(char::is_whitespace).unwrap_or(word.len());
            (start, end, end)
        };
        let piece = &text[from..end];
        if !matches!(piece, "\\" | "`" | "^") {
            pieces.push(Piece {
                text: piece,
                range: from..end,
            });
        }
        rest = next;
    }
    pieces
}

/// The words that an option is given, up to the next option. `--option=word` is one.
fn values<'a>(pieces: &[Piece<'a>], options: &[&str]) -> Vec<Piece<'a>> {
    let is_one = |name: &str| options.iter().any(|option| option.eq_ignore_ascii_case(name));
    let mut found = Vec::new();
    let mut taken = false;
    for piece in pieces {
        if let Some((name, value)) = piece.text.split_once('=').filter(|(name, _)| is_one(name)) {
            let start = piece.range.start + name.len() + 1;
            found.push(bare(value, start));
            taken = false;
        } else if piece.text.starts_with('-') {
            taken = is_one(piece.text);
        } else if taken {
            found.push(bare(piece.text, piece.range.start));
        }
    }
    found
}

/// A word without what shells and lists put around it.
fn bare(text: &str, start: usize) -> Piece<'_> {
    let around = ['"', '\'', ')', ';', ',', '`', ']'];
    let begin = text.len() - text.trim_start_matches(around).len();
    let inside = text.trim_matches(around);
    Piece {
        text: inside,
        range: start + begin..start + begin + inside.len(),
    }
}

fn az(pieces: &[Piece<'_>], names: &Names, marks: &mut Vec<Mark>) {
    let words: Vec<&str> = pieces
        .iter()
        .map(|piece| piece.text)
        .take_while(|word| !word.starts_with('-'))
        .collect();
    let is_identity = words.first() == Some(&"identity");
    let options: &[&str] = match words.get(1) {
        _ if !is_identity => OF_AZ,
        Some(&"federated-credential") => &["--identity-name"],
        _ => &["--name", "-n"],
    };
    let call = Call {
        named: values(pieces, options),
        group: values(pieces, &["--resource-group", "-g"]),
        location: values(pieces, &["--location", "-l"]),
        declares: is_identity && words.get(1) == Some(&"create"),
        // The group of any other command is that of the resource.
        of_identity: is_identity,
    };
    call.marks(names, marks);
}

fn cmdlet(pieces: &[Piece<'_>], names: &Names, marks: &mut Vec<Mark>) {
    let Some(first) = pieces.first() else { return };
    let credential = first.text.to_ascii_lowercase().contains("federated");
    let name = if credential { "-IdentityName" } else { "-Name" };
    let call = Call {
        named: values(pieces, &[name]),
        group: values(pieces, &["-ResourceGroupName"]),
        location: values(pieces, &["-Location"]),
        declares: !credential && first.text.to_ascii_lowercase().starts_with("new-"),
        of_identity: true,
    };
    call.marks(names, marks);
}

/// What of a command says which identity it is about.
struct Call<'a> {
    named: Vec<Piece<'a>>,
    group: Vec<Piece<'a>>,
    location: Vec<Piece<'a>>,
    declares: bool,
    of_identity: bool,
}

impl Call<'_> {
    fn marks(&self, names: &Names, marks: &mut Vec<Mark>) {
        let named: Vec<&Piece<'_>> = self
            .named
            .iter()
            .filter(|piece| piece.text.eq_ignore_ascii_case(&names.old.name))
            .collect();
        if named.is_empty() {
            return;
        }
        let group = self
            .group
            .first()
            .filter(|piece| !piece.text.contains(['$', '{', '%', '(']));
        let another = group.is_some_and(|piece| !names.is_group(piece.text));
        if another && self.of_identity {
            marks.extend(named.iter().map(|piece| Mark::another(piece.range.clone())));
            return;
        }
        if another {
            marks.extend(
                named
                    .iter()
                    .map(|piece| Mark::look(piece.range.clone(), Word::Name, Kind::Doubt, ELSEWHERE)),
            );
            return;
        }
        let kind = if self.declares {
            Kind::Declaration
        } else {
            Kind::Reference
        };
        let why = if self.declares { DECLARES } else { "" };
        let mut turn = |word: Word, range: &Range<usize>| {
            marks.push(Mark {
                why,
                ..Mark::new(range.clone(), word, kind, names.to(word))
            });
        };
        if names.new.is_none() || names.differs(Word::Name) {
            for piece in named {
                turn(Word::Name, &piece.range);
            }
        }
        if let Some(piece) = group.filter(|_| self.of_identity && names.differs(Word::ResourceGroup)) {
            turn(Word::ResourceGroup, &piece.range);
        }
        let location = self.location.first().filter(|piece| names.is_location(piece.text));
        if let Some(piece) = location.filter(|_| self.declares && names.differs(Word::Location)) {
            turn(Word::Location, &piece.range);
        }
    }
}

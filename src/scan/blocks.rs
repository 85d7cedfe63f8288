//! The blocks of a text in braces: Terraform, Bicep, JSON. Only as much of the languages as tells which value belongs to
//! which block; a text that is none of them gives blocks that nobody finds anything in.

use std::ops::Range;

/// A language in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Terraform's own.
    Hcl,
    /// Bicep.
    Bicep,
    /// JSON, with comments where there are some.
    Json,
}

/// A block: what stands between two braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Where its brace opens.
    pub(super) open: usize,
    /// Where its brace closes.
    pub(super) close: usize,
    /// The key that it is the value of.
    pub(super) key: Option<String>,
    /// The block around it.
    pub(super) parent: Option<usize>,
    /// What stands directly in it.
    pub(super) members: Vec<Member>,
}

/// A member of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// Its key.
    pub(super) key: String,
    /// Its value.
    pub(super) value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text: where it stands, without its quotes.
    Text(Range<usize>),
    /// Something else, to the end of its first line.
    Other(Range<usize>),
}

impl Block {
    /// The value of a member.
    pub(super) fn member(&self, key: &str) -> Option<&Value> {
        let found = self.members.iter().find(|member| member.key == key);
        found.map(|member| &member.value)
    }

    /// A member that is a text.
    pub(super) fn text<'a>(&self, text: &'a str, key: &str) -> Option<&'a str> {
        match self.member(key)? {
            Value::Text(range) => text.get(range.clone()),
            Value::Other(_) => None,
        }
    }
}

/// How deep texts stand in expressions in texts before it is nobody's language any more.
const DEEPEST: usize = 32;

/// The blocks of a text, in the order in which they open.
pub(super) fn blocks(text: &str, dialect: Dialect) -> Vec<Block> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        dialect,
        blocks: Vec::new(),
        open: Vec::new(),
        before: None,
        key: None,
    };
    reader.read();
    reader.blocks
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    dialect: Dialect,
    blocks: Vec<Block>,
    /// What is open: the bracket, and its block where it is a brace.
    open: Vec<(u8, Option<usize>)>,
    /// The word or text that was read last.
    before: Option<Range<usize>>,
    /// The key whose value comes next.
    key: Option<String>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut at = 0;
        while at < self.bytes.len() {
            if let Some(end) = self.comment(at).or_else(|| self.here_document(at)) {
                at = end;
                continue;
            }
            let byte = self.bytes[at];
            if self.is_quote(byte) {
                let (inside, end) = self.quoted(at, 0);
                self.before = Some(inside);
                self.key = None;
                at = end;
                continue;
            }
            if is_word(byte) {
                let end = (at..self.bytes.len())
                    .find(|at| !is_word(self.bytes[*at]))
                    .unwrap_or(self.bytes.len());
                self.before = Some(at..end);
                self.key = None;
                at = end;
                continue;
            }
            match byte {
                b'{' | b'[' | b'(' => self.enter(at, byte),
                b'}' | b']' | b')' => self.leave(at, byte),
                b'=' | b':' => self.assign(at),
                _ if byte.is_ascii_whitespace() => {}
                _ => self.before = None,
            }
            at += 1;
        }
    }

    fn enter(&mut self, at: usize, byte: u8) {
        let block = (byte == b'{').then(|| {
            self.blocks.push(Block {
                open: at,
                close: self.bytes.len(),
                key: self.key.take(),
                parent: self.open.iter().rev().find_map(|(_, block)| *block),
                members: Vec::new(),
            });
            self.blocks.len() - 1
        });
        self.open.push((byte, block));
        self.before = None;
        self.key = None;
    }

    fn leave(&mut self, at: usize, byte: u8) {
        let opened = match byte {
            b'}' => b'{',
            b']' => b'[',
            _ => b'(',
        };
        // A bracket that nothing opened belongs to something that is not understood here.
        if let Some((_, block)) = self.open.pop_if(|(open, _)| *open == opened)
            && let Some(block) = block
        {
            self.blocks[block].close = at;
        }
        self.before = None;
        self.key = None;
    }

    /// Takes a member in, at the sign between key and value.
    fn assign(&mut self, at: usize) {
        let Some(key) = self.before.take() else { return };
        let next = self.bytes.get(at + 1).copied().unwrap_or_default();
        let Some((b'{', Some(block))) = self.open.last().copied() else {
            return;
        };
        if matches!(next, b'=' | b'>' | b':') {
            return;
        }
        let key = self.text[key].to_owned();
        let start = self.next(at + 1, self.dialect == Dialect::Json);
        let value = match self.bytes.get(start) {
            Some(byte) if self.is_quote(*byte) => {
                let (inside, end) = self.quoted(start, 0);
                let after = self.next(end, false);
                let ends = self.comment(after).is_some()
                    || self
                        .bytes
                        .get(after)
                        .is_none_or(|byte| matches!(byte, b'\n' | b'\r' | b',' | b'}'));
                if ends { Value::Text(inside) } else { self.other(start) }
            }
            _ => self.other(start),
        };
        self.blocks[block].members.push(Member {
            key: key.clone(),
            value,
        });
        self.key = Some(key);
    }

    fn other(&self, start: usize) -> Value {
        let end = self.bytes[start..].iter().position(|byte| *byte == b'\n');
        Value::Other(start..end.map_or(self.bytes.len(), |end| start + end))
    }

    /// The next byte that is no blank, on this line or on any.
    fn next(&self, at: usize, any_line: bool) -> usize {
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t') || (any_line && byte.is_ascii_whitespace());
        (at..self.bytes.len())
            .find(|at| !is_blank(self.bytes[*at]))
            .unwrap_or(self.bytes.len())
    }

    fn is_quote(&self, byte: u8) -> bool {
        byte == if self.dialect == Dialect::Bicep { b'\'' } else { b'"' }
    }

    /// What a text holds, and where it ends.
    fn quoted(&self, at: usize, depth: usize) -> (Range<usize>, usize) {
        let quote = self.bytes[at];
        if self.dialect == Dialect::Bicep && self.bytes[at..].starts_with(b"'''") {
            let end = self.text[at + 3..]
                .find("'''")
                .map_or(self.bytes.len(), |end| at + 3 + end);
            return (at + 3..end, (end + 3).min(self.bytes.len()));
        }
        let mut end = at + 1;
        while let Some(byte) = self.bytes.get(end).copied() {
            match byte {
                _ if byte == quote => return (at + 1..end, end + 1),
                b'\\' => end += 2,
                b'\n' if self.dialect != Dialect::Json => break,
                b'$' | b'%' if self.dialect != Dialect::Json && self.bytes.get(end + 1) == Some(&b'{') => {
                    end = self.expression(end + 2, depth + 1);
                }
                _ => end += 1,
            }
        }
        let end = end.min(self.bytes.len());
        (at + 1..end, end)
    }

    /// Where an expression in a text ends, behind its brace.
    fn expression(&self, mut at: usize, depth: usize) -> usize {
        let mut braces = 1;
        while let Some(byte) = self.bytes.get(at).copied() {
            match byte {
                b'{' => braces += 1,
                b'}' => braces -= 1,
                b'\n' => return at,
                _ if self.is_quote(byte) && depth < DEEPEST => {
                    at = self.quoted(at, depth).1;
                    continue;
                }
                _ => {}
            }
            at += 1;
            if braces == 0 {
                break;
            }
        }
        at
    }

    /// Where a comment that begins here ends.
    fn comment(&self, at: usize) -> Option<usize> {
        let rest = &self.bytes[at.min(self.bytes.len())..];
        if rest.starts_with(b"/*") {
            return Some(
                self.text[at + 2..]
                    .find("*/")
                    .map_or(self.bytes.len(), |end| at + 2 + end + 2),
            );
        }
        let line = rest.starts_with(b"//") || (self.dialect != Dialect::Json && rest.starts_with(b"#"));
        line.then(|| {
            rest.iter()
                .position(|byte| *byte == b'\n')
                .map_or(self.bytes.len(), |end| at + end)
        })
    }

    /// Where a text of several lines ends that Terraform begins with `<<WORD`.
    fn here_document(&self, at: usize) -> Option<usize> {
        if self.dialect != Dialect::Hcl || !self.bytes[at..].starts_with(b"<<") {
            return None;
        }
        let rest = self.text.get(at + 2..)?;
        let (first, body) = rest.split_once('\n')?;
        let word = first.trim_start_matches('-').trim();
        if word.is_empty() || !word.bytes().all(is_word) {
            return None;
        }
        let mut end = at + 2 + first.len() + 1;
        for line in body.split_inclusive('\n') {
            end += line.len();
            if line.trim() == word {
                break;
            }
        }
        Some(end)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'.') || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_belongs_to_the_block_that_it_stands_in_directly() {
        let text = "resource \"a\" \"b\" {\n  name = \"x${lower(\"}\")}\" # name = \"no\"\n  tags = { name = \"t\" }\n  list = [{ name = \"l\" }]\n  location = var.where\n  doc = <<EOT\n  name = \"}\"\n  EOT\n  last = \"z\"\n}\n";
        let blocks = blocks(text, Dialect::Hcl);
        assert_eq!(blocks.len(), 3);
        assert_eq!(blocks[0].text(text, "name"), Some("x${lower(\"}\")}"));
        assert_eq!(blocks[0].text(text, "last"), Some("z"));
        assert_eq!(blocks[1].text(text, "name"), Some("t"));
        assert_eq!((blocks[1].key.as_deref(), blocks[1].parent), (Some("tags"), Some(0)));
        assert!(
            matches!(blocks[0].member("location"), Some(Value::Other(range)) if &text[range.clone()] == "var.where")
        );
        assert_eq!(blocks[0].close, text.len() - 2);
    }

    #[test]
    fn bicep_and_json_have_members_too() {
        let text = "resource x 'T@1' = if (a) {\n  name: 'o''\n  scope: resourceGroup('g')\n  tags: { a: 'b' }\n}\n";
        let bicep = blocks(text, Dialect::Bicep);
        assert_eq!(bicep[1].text(text, "a"), Some("b"));
        let text = "{ // c\n \"type\"\n :\n \"T\", \"name\": \"n\" }";
        let json = blocks(text, Dialect::Json);
        assert_eq!(json[0].text(text, "type"), Some("T"));
        assert_eq!(json[0].text(text, "name"), Some("n"));
    }

    proptest::proptest! {
        #![proptest_config(crate::types::tries(200))]

        #[test]
        fn any_text_has_blocks(text in "[a-z{}\\[\\]()\"'$%=:#/*\\\\<\\nä-]{0,60}") {
            for dialect in [Dialect::Hcl, Dialect::Bicep, Dialect::Json] {
                for block in blocks(&text, dialect) {
                    for member in block.members {
                        let (Value::Text(range) | Value::Other(range)) = member.value;
                        proptest::prop_assert!(text.get(range).is_some());
                    }
                }
            }
        }
    }
}

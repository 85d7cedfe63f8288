//! Blocks that declare the old identity, or look it up by its name.

use std::ops::Range;

use super::blocks::{Block, Dialect, Value, blocks};
use super::mark::{Kind, Mark, Word};
use super::names::Names;

const DECLARES: &str = "it declares the old identity: applied as it stands, it would make it again";
const ELSEWHERE: &str =
    "it declares the old identity, and its region is an expression: see that it gives the region of the new one";
const COMPUTED: &str = "an identity whose name is computed, perhaps to that of the old one";
const SAME: &str = "it names an identity like the old one, and does not say where";

/// A block about an identity, whatever its language calls the members.
struct Claim<'a> {
    name: Option<&'a Value>,
    location: Option<&'a Value>,
    /// The resource group as a text.
    group: Option<Range<usize>>,
    declares: bool,
}

/// Every place in a block about the old identity that says which one it is.
pub(super) fn marks(text: &str, names: &Names, dialect: Dialect) -> Vec<Mark> {
    let blocks = blocks(text, dialect);
    let claims: Vec<Claim<'_>> = match dialect {
        Dialect::Hcl => blocks.iter().filter_map(|block| terraform(text, block)).collect(),
        Dialect::Bicep => bicep(text, &blocks),
        Dialect::Json => blocks.iter().filter_map(|block| json(text, &blocks, block)).collect(),
    };
    claims.iter().flat_map(|claim| claim.marks(text, names)).collect()
}

/// Kubernetes objects of Azure Service Operator, which make an identity.
pub(super) fn yaml(text: &str, names: &Names) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut start = 0;
    for document in text.split_inclusive("\n---") {
        let mut at = start;
        let (mut is_identity, mut name, mut location) = (false, None, None);
        for line in document.split_inclusive('\n') {
            if let Some((key, value)) = line.split_once(':') {
                let inside = value.trim().trim_matches(['"', '\'']);
                let begin = at + key.len() + 1 + value.find(inside).unwrap_or_default();
                let range = Value::Text(begin..begin + inside.len());
                match key.trim() {
                    "kind" => is_identity |= inside == "UserAssignedIdentity",
                    "azureName" => name = Some(range),
                    "location" => location = Some(range),
                    _ => {}
                }
            }
            at += line.len();
        }
        if is_identity {
            let claim = Claim {
                name: name.as_ref(),
                location: location.as_ref(),
                group: None,
                declares: true,
            };
            marks.extend(claim.marks(text, names));
        }
        start += document.len();
    }
    marks
}

fn terraform<'a>(text: &str, block: &'a Block) -> Option<Claim<'a>> {
    let line = super::text::line_at(text, block.open).start;
    let header = text[line..block.open].replace('"', " ");
    let mut words = header.split_whitespace();
    let (what, kind) = (words.next()?, words.next()?);
    let is_identity = match what {
        "resource" | "data" if kind == "azurerm_user_assigned_identity" => true,
        "resource" | "data" => kind.starts_with("azapi_") && is_type(block.text(text, "type")?),
        // Modules of the registry that make an identity.
        "module" => is_module(block.text(text, "source")?),
        _ => false,
    };
    if !is_identity {
        return None;
    }
    let group = match (block.member("resource_group_name"), block.text(text, "parent_id")) {
        (Some(Value::Text(range)), _) => Some(range.clone()),
        (_, Some(parent)) => group_in(text, parent),
        _ => None,
    };
    Some(Claim {
        name: block.member("name"),
        location: block.member("location"),
        group,
        declares: what != "data",
    })
}

/// Where the resource group's name stands in a resource id that is part of `text`.
fn group_in(text: &str, id: &str) -> Option<Range<usize>> {
    let at = id.as_ptr() as usize - text.as_ptr() as usize;
    let from = id.to_ascii_lowercase().find("/resourcegroups/")? + "/resourcegroups/".len();
    let group = id[from..].split('/').next().unwrap_or_default();
    Some(at + from..at + from + group.len())
}

fn bicep<'a>(text: &str, blocks: &'a [Block]) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some((head, kind, rest)) = bicep_head(line) else {
            continue;
        };
        let resource = head == "resource" && is_type(kind);
        let module = head == "module" && is_module(kind);
        if !resource && !module {
            continue;
        }
        let Some(index) = blocks.iter().position(|block| block.open >= start) else {
            continue;
        };
        // What a module is given stands in a block of its own.
        let inner = |block: &&Block| block.parent == Some(index) && block.key.as_deref() == Some("params");
        let block = if resource {
            Some(&blocks[index])
        } else {
            blocks.iter().find(inner)
        };
        let Some(block) = block else { continue };
        let group = match blocks[index].member("scope") {
            Some(Value::Other(range)) => last_text(text, range),
            _ => None,
        };
        claims.push(Claim {
            name: block.member("name"),
            location: block.member("location"),
            group,
            declares: !rest.trim_start().starts_with("existing"),
        });
    }
    claims
}

/// The parts of a line that begins a resource or a module: `resource x 'TYPE' existing = {`.
fn bicep_head(line: &str) -> Option<(&str, &str, &str)> {
    let mut parts = line.splitn(3, '\'');
    let (head, kind, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let mut words = head.split_whitespace();
    let (what, _, none) = (words.next()?, words.next()?, words.next());
    (matches!(what, "resource" | "module") && none.is_none()).then_some((what, kind, rest))
}

/// The last text in `resourceGroup('SUBSCRIPTION', 'GROUP')`.
fn last_text(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let expression = text.get(range.clone())?;
    let arguments = expression.strip_prefix("resourceGroup(")?.split(')').next()?;
    let last = arguments.rsplit(',').next()?.trim();
    let inside = last.strip_prefix('\'')?.strip_suffix('\'')?;
    let at = inside.as_ptr() as usize - text.as_ptr() as usize;
    Some(at..at + inside.len())
}

fn json<'a>(text: &str, blocks: &[Block], block: &'a Block) -> Option<Claim<'a>> {
    let typed = block.text(text, "type").is_some_and(is_type);
    // Terraform in JSON: `{"resource": {"azurerm_user_assigned_identity": {"NAME": {…}}}}`.
    let kind = block.parent.map(|parent| &blocks[parent]);
    let is_terraform = kind.is_some_and(|kind| kind.key.as_deref() == Some("azurerm_user_assigned_identity"));
    if !typed && !is_terraform {
        return None;
    }
    let outer = kind
        .and_then(|kind| kind.parent)
        .and_then(|at| blocks[at].key.as_deref());
    let group = match block.member("resource_group_name") {
        Some(Value::Text(range)) if is_terraform => Some(range.clone()),
        _ => None,
    };
    Some(Claim {
        name: block.member("name"),
        location: block.member("location"),
        group,
        declares: outer != Some("data") && block.member("existing").is_none(),
    })
}

/// Whether this is the type of user-assigned identities, or of what lies on one; with a version or without.
fn is_type(text: &str) -> bool {
    const TYPE: &str = "microsoft.managedidentity/userassignedidentities";
    let text = text.to_ascii_lowercase();
    let rest = text.strip_prefix(TYPE);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '/']))
}

/// Whether a module is one of those that make identities.
fn is_module(source: &str) -> bool {
    let plain: String = source.to_ascii_lowercase().replace(['-', '_'], "");
    plain.contains("userassignedidentity")
}

impl Claim<'_> {
    fn marks(&self, text: &str, names: &Names) -> Vec<Mark> {
        let Some(Value::Text(at)) = self.name else {
            return Vec::new();
        };
        let name = &text[at.clone()];
        if !names.is_name(name) {
            let computed = may_be(name, &names.old.name);
            return computed
                .then(|| Mark::look(at.start..at.start, Word::Name, Kind::Doubt, COMPUTED))
                .into_iter()
                .collect();
        }
        let place = at.start..at.start + names.old.name.len();
        // A group by its name is another identity; one by an expression may be any.
        let group = self.group.clone().filter(|range| !text[range.clone()].contains("${"));
        if group
            .as_ref()
            .is_some_and(|range| !names.is_group(&text[range.clone()]))
        {
            return vec![Mark::another(place)];
        }
        let declares = self.declares && !name.contains('/');
        let kind = if declares { Kind::Declaration } else { Kind::Reference };
        let why = match self.location {
            _ if !declares => "",
            Some(Value::Other(_)) => ELSEWHERE,
            Some(Value::Text(range)) if text[range.clone()].contains("${") || text[range.clone()].starts_with('[') => {
                ELSEWHERE
            }
            _ => DECLARES,
        };
        let mut turned = vec![(Word::Name, place.clone())];
        if let Some(Value::Text(range)) = self.location.filter(|_| declares)
            && names.is_location(&text[range.clone()])
        {
            turned.push((Word::Location, range.clone()));
        }
        turned.extend(group.map(|range| (Word::ResourceGroup, range)));
        if names.new.is_some() {
            turned.retain(|(word, _)| names.differs(*word));
            if turned.is_empty() {
                return vec![Mark::look(place, Word::Name, Kind::Doubt, SAME)];
            }
        } else {
            turned.truncate(1);
        }
        let mark = |(word, range): (Word, Range<usize>)| Mark {
            why,
            ..Mark::new(range, word, kind, names.to(word))
        };
        turned.into_iter().map(mark).collect()
    }
}

/// Whether a text with expressions in it may come to `name`: what stands between them is there, in this order.
fn may_be(text: &str, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        parts.push(before);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    if parts.is_empty() {
        return false;
    }
    parts.push(rest);
    let parts: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    let letters: usize = parts.iter().map(String::len).sum();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return false;
    };
    if letters < 2 || name.len() < letters || !name.starts_with(first) || !name.ends_with(last) {
        return false;
    }
    let mut inside = &name[first.len()..name.len() - last.len()];
    parts[1..parts.len() - 1]
        .iter()
        .all(|part| match inside.split_once(part.as_str()) {
            Some((_, rest)) => {
                inside = rest;
                true
            }
            None => false,
        })
}

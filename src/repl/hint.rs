//! What a call takes, shown behind the cursor while it is typed.

use super::complete::Known;
use crate::host::docs::Entry;

/// The rest of the signature, when the cursor stands behind `module::name(`.
pub(super) fn hint(known: &Known, line: &str, position: usize) -> Option<String> {
    if position < line.len() {
        return None;
    }
    let call = line.strip_suffix('(')?;
    let start = call
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .map_or(0, |index| index + 1);
    let name = call.get(start..).filter(|name| name.contains("::"))?;
    match known.docs.find(name).ok()? {
        Entry::Function(_, function) if function.path == name => {
            let rest = function.signature.split_once('(')?.1;
            Some(format!("{rest}   {}", function.text.summary))
        }
        _ => None,
    }
}

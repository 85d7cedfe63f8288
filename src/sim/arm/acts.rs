//! POST actions and views that the catalog describes: what they answer, what they change, how their end is told.

use http::Method;
use serde_json::Value;

use super::added::set_at;
use super::route::{Result, Turn};
use super::words::Words;
use super::{lists, operations, show, versions};
use crate::sim::Answer;
use crate::sim::catalog::{self, Kind, Slow};
use crate::types::ResourceId;
use crate::types::json::pointer_segments;

/// Answers `POST {on}/{action}` where the catalog has the action, for a document that is there.
pub fn post(turn: &mut Turn<'_>, on: &ResourceId, document: &Value, action: &str, version: &str) -> Option<Answer> {
    let kind = catalog::kind(&on.resource_type())?;
    let (_, act) = kind.acts.iter().find(|(name, _)| name.eq_ignore_ascii_case(action))?;
    let shown = show::whole(turn.world, on.key(), document, version, turn.ask.now);
    let words = Words::of(turn.world, on, &shown);
    let answer = act.answer.as_ref().map(|template| words.filled(template));
    let changes: Vec<(Vec<String>, Value)> = act
        .set
        .iter()
        .map(|(pointer, template)| (pointer_segments(pointer), words.filled(template)))
        .collect();
    if !changes.is_empty() {
        let mut document = document.clone();
        for (path, value) in changes {
            set_at(&mut document, &path, value);
        }
        let (now, by) = (turn.ask.now, turn.ask.caller.principal.clone());
        turn.world.store.put(on, document, now, &by);
        turn.world.writes += 1;
    }
    Some(match act.slow {
        Slow::None | Slow::ProvisioningState => operations::action_done(answer),
        slow => operations::accepted(turn, on, version, slow, &Method::POST),
    })
}

/// Answers `GET {on}/{view}` where the catalog has such a view: an odd path that is no list.
///
/// # Errors
/// Where the resource is not there, or may not be read.
pub fn view(turn: &mut Turn<'_>, parent: &str, full: &str) -> Result<Option<Answer>> {
    let Some((on, name, kind)) = viewed(parent, full) else {
        return Ok(None);
    };
    let Some((_, template)) = kind.views.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) else {
        return Ok(None);
    };
    let version = versions::of_type(turn.world, turn.ask, &kind.full(), None)?;
    turn.need(&format!("{}/{name}/read", kind.full()), on.as_str())?;
    lists::exists(turn, &on)?;
    let implied = super::implied::document(turn.world, &on);
    let document = turn.world.read(on.key()).or(implied.as_ref());
    let document = document.ok_or_else(|| super::fail::resource_missing(&on))?;
    let shown = show::whole(turn.world, on.key(), document, &version, turn.ask.now);
    let answer = Words::of(turn.world, &on, &shown).filled(template);
    Ok(Some(Answer::json(200, answer)))
}

/// The resource, the last segment and the resource's type of an odd path.
fn viewed<'a>(parent: &str, full: &'a str) -> Option<(ResourceId, &'a str, &'static Kind)> {
    let (above, name) = full.rsplit_once('/')?;
    Some((ResourceId::parse(parent).ok()?, name, catalog::kind(above)?))
}

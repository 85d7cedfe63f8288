//! `/_sim`: what a test asks of the simulator itself. No token is needed.

use http::Method;
use serde_json::{Value, json};

use super::arm::fail::fail;
use super::server::State;
use super::{Answer, Ask, faults};

/// An answer of `/_sim`: JSON, or lines of text.
#[derive(Debug)]
pub enum Told {
    /// A JSON answer.
    Json(Answer),
    /// JSON lines.
    Lines(String),
}

/// Answers where the path begins with `/_sim`.
pub fn answer(state: &State, ask: &Ask) -> Option<Told> {
    let word = ask.path.trim_end_matches('/').strip_prefix("/_sim")?;
    let told = match (ask.method.clone(), word) {
        (Method::GET, "/estate") => Told::Json(Answer::json(200, state.world().estate())),
        (Method::GET, "/log") => Told::Lines(state.log().text()),
        (Method::POST, "/faults") => match faults::read(ask.body.clone().unwrap_or_default()) {
            Ok(new) => {
                let count = new.len();
                state.faults().add(new);
                Told::Json(Answer::json(200, json!({ "added": count })))
            }
            Err(why) => Told::Json(fail(400, "InvalidFaults", why)),
        },
        (Method::GET, "/behaviour") => Told::Json(Answer::json(200, state.world().behaviour.shown())),
        (Method::PATCH, "/behaviour") => {
            let changes = ask
                .body
                .as_ref()
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            let mut world = state.world();
            Told::Json(match world.behave(&changes) {
                Ok(()) => Answer::json(200, world.behaviour.shown()),
                Err(why) => fail(400, "InvalidBehaviour", why),
            })
        }
        (Method::DELETE, "/faults") => {
            state.clear_faults();
            Told::Json(Answer::empty(204))
        }
        _ => Told::Json(fail(
            404,
            "NotFound",
            "There are GET /_sim/estate, GET /_sim/log, POST and DELETE /_sim/faults, GET and PATCH /_sim/behaviour.",
        )),
    };
    Some(told)
}

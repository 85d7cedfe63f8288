//! Bodies that arrive spoiled, late, or not to their end.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

use super::{Deed, Spoil};
use crate::sim::wire;

/// A body on its way, which may break.
pub type Body = UnsyncBoxBody<Bytes, Broken>;

/// Why a connection ends without an answer, or in the middle of one.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken: {0}")]
pub struct Broken(pub &'static str);

const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body><h1>Please sign in</h1></body></html>";
/// Into how many pieces a body is cut that drips.
const PIECES: usize = 64;

/// The answer as a fault lets it go out.
pub fn spoilt(answer: Response<Bytes>, deed: &Deed) -> Response<Body> {
    if deed.answer.is_none() && deed.drip_ms.is_none() {
        return wire::whole(answer);
    }
    let (mut head, mut bytes) = answer.into_parts();
    let mut breaks = false;
    match deed.answer {
        None => {}
        Some(Spoil::Empty) => bytes = Bytes::new(),
        Some(Spoil::Malformed) => bytes = bytes.slice(..bytes.len() / 2),
        Some(Spoil::Html) => {
            bytes = Bytes::from_static(PAGE.as_bytes());
            head.headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            );
            // A page cannot come with a status that has no body.
            if head.status == StatusCode::NO_CONTENT {
                head.status = StatusCode::OK;
            }
        }
        Some(Spoil::Truncated) => breaks = !bytes.is_empty(),
    }
    head.headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if breaks {
        bytes = bytes.slice(..bytes.len() / 2);
    }
    let pause = deed.drip_ms.map(Duration::from_millis);
    Response::from_parts(head, pieces(bytes, pause, breaks))
}

/// A body in one piece, or in many with a pause before each; at its end the connection may break.
fn pieces(bytes: Bytes, pause: Option<Duration>, breaks: bool) -> Body {
    let size = match pause {
        Some(_) => bytes.len().div_ceil(PIECES).max(1),
        None => bytes.len().max(1),
    };
    let frames = stream::unfold((bytes, breaks), move |(mut left, breaks)| async move {
        if left.is_empty() {
            // What came before is on the wire by then.
            tokio::task::yield_now().await;
            return breaks.then(|| (Err(Broken("a fault asks for it")), (left, false)));
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let piece = left.split_to(size.min(left.len()));
        Some((Ok(Frame::data(piece)), (left, breaks)))
    });
    StreamBody::new(frames).boxed_unsync()
}

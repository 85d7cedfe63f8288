//! The signature of the emulator's account, whose key is public and the same everywhere.
//!
//! The official crate signs with tokens alone, and an emulator that takes those wants https. This policy is only ever put
//! into clients of an address on this machine.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use azure_core::http::headers::{AUTHORIZATION, HeaderName};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use super::address::EMULATOR;

/// The key of the emulator's account, as Microsoft documents it for everybody's use.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Headers whose values are signed in this order, each on a line of its own.
const STANDARD_HEADERS: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// Signs each try with the emulator's key (Shared Key of version 2015-02-21 and later).
#[derive(Debug)]
pub(super) struct SharedKey;

#[async_trait]
#[allow(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl Policy for SharedKey {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        request.insert_header("x-ms-date", azure_core::time::to_rfc7231(&OffsetDateTime::now_utc()));
        let text = text_to_sign(request);
        // The key is a constant of this file, and its test signs with it.
        let key = STANDARD.decode(KEY).unwrap_or_default();
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
        let value = format!("SharedKey {EMULATOR}:{}", STANDARD.encode(signature.as_ref()));
        request.insert_header(AUTHORIZATION, value);
        match next.split_first() {
            Some((policy, rest)) => policy.send(context, request, rest).await,
            None => Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Other,
                "the pipeline has no transport",
            )),
        }
    }
}

fn text_to_sign(request: &Request) -> String {
    let header = |name: &'static str| {
        let value = request.headers().get_optional_str(&HeaderName::from_static(name));
        match (name, value.unwrap_or_default()) {
            ("content-length", "0") => "",
            (_, value) => value,
        }
    };
    let mut text = format!("{}\n", request.method().as_str());
    for name in STANDARD_HEADERS {
        text.push_str(header(name));
        text.push('\n');
    }
    let mut own: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    own.sort_unstable();
    for (name, value) in own {
        text.push_str(&format!("{name}:{}\n", value.trim()));
    }
    let url = request.url();
    text.push_str(&format!("/{EMULATOR}{}", url.path()));
    let mut query: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| (name.to_lowercase(), value.into_owned()))
        .collect();
    query.sort();
    for (name, value) in query {
        text.push_str(&format!("\n{name}:{value}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::Method;

    #[test]
    fn the_text_that_is_signed_has_the_documented_order() {
        let url = "http://127.0.0.1:10000/devstoreaccount1/ferry/a%2Fb?comp=appendblock&Timeout=5";
        let mut request = Request::new(url.parse().unwrap(), Method::Put);
        request.insert_header("content-length", "11");
        request.insert_header("content-type", "application/octet-stream");
        request.insert_header("x-ms-version", "2023-11-03");
        request.insert_header("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT");
        assert_eq!(
            text_to_sign(&request),
            "PUT\n\n\n11\n\napplication/octet-stream\n\n\n\n\n\n\n\
             x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2023-11-03\n\
             /devstoreaccount1/devstoreaccount1/ferry/a%2Fb\ncomp:appendblock\ntimeout:5"
        );
        assert_eq!(STANDARD.decode(KEY).unwrap().len(), 64);
    }
}

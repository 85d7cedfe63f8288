//! Where a request really goes, and whether it may carry a token there.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::cloud::{Cloud, is_loopback};
use super::error::Error;
use super::request::{Plane, Request};

/// What of a query key or value goes to the wire as it is: what OData filters are written with, and no `+`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b':')
    .remove(b'/')
    .remove(b'@')
    .remove(b'*')
    .remove(b'!');

/// A request's destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The URL on the wire.
    pub(crate) url: Url,
    /// What people and journals call it: the path without query, `https://host/path` for data planes.
    pub(crate) target: String,
    /// Whose token it carries, if any.
    pub(crate) audience: Option<String>,
}

/// Finds where a request goes.
///
/// # Errors
/// [`Error::Refused`] where an absolute link leads to another host than the plane's, where plain http would leave this
/// machine, where the token would go to a host that is not tied to its audience, or a path climbs with `..`.
pub(crate) fn destination(cloud: &Cloud, request: &Request) -> Result<Destination, Error> {
    let (base, audience) = match &request.plane {
        Plane::Arm => (&cloud.resource_manager, &cloud.arm_audience),
        Plane::Graph => (&cloud.graph, &cloud.graph_audience),
        Plane::Data { audience } => return data_plane(cloud, request, audience),
    };
    let url = if is_absolute(&request.path) {
        let url = parse(request, &request.path)?;
        if !same_origin(&url, base) || !climbs_below(&url, base) {
            return Err(foreign(request, &url, base));
        }
        url
    } else {
        parse(request, &join(base, &request.path))?
    };
    let prefix = base.path().trim_end_matches('/');
    let target = url.path().strip_prefix(prefix).unwrap_or(url.path()).to_owned();
    Ok(Destination {
        url: with_query(url, request),
        target,
        audience: Some(audience.clone()),
    })
}

fn data_plane(cloud: &Cloud, request: &Request, audience: &str) -> Result<Destination, Error> {
    let gateway = cloud.data_plane_gateway.as_ref();
    if !is_absolute(&request.path) {
        return Err(Error::refused(
            what(request),
            "a data plane is called by its full URL, https://host/path",
        ));
    }
    let asked = parse(request, &request.path)?;
    // A link that the gateway itself has given names the gateway; its first segment below is the host.
    let asked = match gateway.and_then(|gateway| below_gateway(gateway, &asked)) {
        Some(rest) => parse(request, &format!("https://{rest}"))?,
        None => asked,
    };
    let host = asked.host_str().unwrap_or_default().to_owned();
    let authority = match asked.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.clone(),
    };
    if gateway.is_none() && asked.scheme() != "https" && !is_loopback(&asked) {
        return Err(Error::refused(
            what(request),
            "plain http is for this machine alone, use https",
        ));
    }
    let audience = match audience {
        "" => None,
        audience => {
            let audience = cloud.audience_here(audience);
            if !request.allow_host && !cloud.ties(&host, &audience) {
                return Err(Error::refused(
                    format!("a token for {audience} to {host}"),
                    format!(
                        "{} does not tie this host to it; a script names further hosts in HOSTS",
                        cloud.name
                    ),
                ));
            }
            if gateway.is_none() && asked.scheme() != "https" {
                return Err(Error::refused(
                    format!("a token for {audience} to {host}"),
                    "plain http shows it to all",
                ));
            }
            Some(audience)
        }
    };
    let target = format!("{}://{authority}{}", asked.scheme(), asked.path());
    let url = match gateway {
        Some(gateway) => {
            let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
            parse(
                request,
                &format!("{}{query}", join(gateway, &format!("/{authority}{}", asked.path()))),
            )?
        }
        None if cloud.loopback => {
            return Err(Error::refused(
                what(request),
                format!(
                    "{} is a cloud on this machine and names no ferryDataPlaneGateway",
                    cloud.name
                ),
            ));
        }
        None => asked,
    };
    Ok(Destination {
        url: with_query(url, request),
        target,
        audience,
    })
}

/// The request that follows a link which an answer to `from` has given: a next page, or the state of an operation.
/// The link is sent as it is written; a relative one is read against the endpoint.
///
/// # Errors
/// [`Error::Refused`] where the link leads to another host.
pub(crate) fn follow(cloud: &Cloud, from: &Request, link: &str) -> Result<Request, Error> {
    let here = destination(cloud, from)?;
    let base = match &from.plane {
        Plane::Arm => cloud.resource_manager.clone(),
        Plane::Graph => cloud.graph.clone(),
        Plane::Data { .. } => here.url.clone(),
    };
    let path = if is_absolute(link) {
        link.to_owned()
    } else if link.starts_with('/') && !link.starts_with("//") {
        match &from.plane {
            Plane::Data { .. } => {
                let root = Url::parse(&here.target).map_err(|error| Error::refused(link, error.to_string()))?;
                format!("{}://{}{link}", root.scheme(), root.authority())
            }
            _ => join(&base, link),
        }
    } else {
        return Err(Error::refused(
            format!("the link \"{link}\" in the answer to {}", what(from)),
            "it is not a URL",
        ));
    };
    let mut next = Request::get(from.plane.clone(), "");
    next.path = path;
    next.headers.clone_from(&from.headers);
    next.headers
        .retain(|(name, _)| !name.to_ascii_lowercase().starts_with("if-"));
    next.allow_host = from.allow_host;
    let there = destination(cloud, &next)?;
    let host = |target: &str| {
        Url::parse(target)
            .ok()
            .map(|url| (url.host_str().map(str::to_owned), url.port()))
    };
    if matches!(from.plane, Plane::Data { .. }) && host(&there.target) != host(&here.target) {
        return Err(foreign(from, &there.url, &here.url));
    }
    Ok(next)
}

fn foreign(request: &Request, url: &Url, base: &Url) -> Error {
    Error::refused(
        format!("the link {} of {}", origin(url), what(request)),
        format!("it leads away from {}, and a token does not go there", origin(base)),
    )
}

fn origin(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.authority())
}

fn what(request: &Request) -> String {
    format!(
        "{} {}",
        request.method,
        request.path.split('?').next().unwrap_or_default()
    )
}

/// Whether a path is a whole URL.
fn is_absolute(path: &str) -> bool {
    let start = path.get(..8).unwrap_or(path).to_ascii_lowercase();
    start.starts_with("https://") || start.starts_with("http://")
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host() == b.host()
        && a.port_or_known_default() == b.port_or_known_default()
        && a.username().is_empty()
        && a.password().is_none()
}

/// Whether `url` lies below the path of its endpoint, if that has one.
fn climbs_below(url: &Url, base: &Url) -> bool {
    url.path().starts_with(base.path().trim_end_matches('/'))
}

/// What follows the gateway's own path in a URL of the gateway: `HOST/path?query`.
fn below_gateway(gateway: &Url, url: &Url) -> Option<String> {
    if !same_origin(gateway, url) {
        return None;
    }
    let rest = url
        .path()
        .strip_prefix(gateway.path().trim_end_matches('/'))?
        .strip_prefix('/')?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    (!rest.is_empty()).then(|| format!("{rest}{query}"))
}

fn join(base: &Url, path: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{}{slash}{path}", base.as_str().trim_end_matches('/'))
}

fn parse(request: &Request, text: &str) -> Result<Url, Error> {
    let path = text.split('?').next().unwrap_or_default();
    let climbs = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.split(['/', '\\']).any(climbs) {
        return Err(Error::refused(what(request), "a path has no . or .. in it"));
    }
    // These three would otherwise end the path or be read as a slash.
    let escaped = text
        .replace('#', "%23")
        .replace('\\', "%5C")
        .replace(['\n', '\r', '\t'], "%20");
    Url::parse(&escaped).map_err(|error| Error::refused(what(request), error.to_string()))
}

fn with_query(mut url: Url, request: &Request) -> Url {
    if !request.query.is_empty() {
        let added = request.query.iter().map(|(key, value)| {
            format!(
                "{}={}",
                utf8_percent_encode(key, QUERY),
                utf8_percent_encode(value, QUERY)
            )
        });
        let query: Vec<String> = url.query().map(str::to_owned).into_iter().chain(added).collect();
        url.set_query(Some(&query.join("&")));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Cloud {
        let mut cloud = Cloud::public();
        let url = Url::parse("http://127.0.0.1:8080/").unwrap();
        cloud.resource_manager = url.clone();
        cloud.graph = url.clone();
        cloud.data_plane_gateway = Some(url.join("dataplane").unwrap());
        cloud.loopback = true;
        cloud
    }

    fn data(path: &str) -> Request {
        Request::get(
            Plane::Data {
                audience: "https://vault.azure.net".to_owned(),
            },
            path,
        )
    }

    #[test]
    fn a_query_is_encoded_so_that_nothing_in_it_is_lost() {
        let request = Request::get(Plane::Arm, "/subscriptions").query("$filter", "name eq 'a+b & c'");
        let there = destination(&Cloud::public(), &request).unwrap();
        assert_eq!(
            there.url.as_str(),
            "https://management.azure.com/subscriptions?$filter=name%20eq%20%27a%2Bb%20%26%20c%27"
        );
        assert_eq!(there.target, "/subscriptions");
    }

    #[test]
    fn a_double_slash_before_the_path_is_no_other_host() {
        let request = Request::get(Plane::Arm, "//evil.example/subscriptions");
        let there = destination(&Cloud::public(), &request).unwrap();
        assert_eq!(there.url.host_str(), Some("management.azure.com"));
    }

    #[test]
    fn links_that_lead_elsewhere_are_refused() {
        let cloud = Cloud::public();
        for link in [
            "https://evil.example/subscriptions",
            "http://management.azure.com/subscriptions",
            "https://management.azure.com:444/subscriptions",
            "https://management.azure.com@evil.example/subscriptions",
            "https://user@management.azure.com/subscriptions",
            "HTTPS://evil.example/",
            "//evil.example/x",
            "ftp://management.azure.com/x",
        ] {
            let from = Request::get(Plane::Arm, "/subscriptions");
            assert!(
                matches!(follow(&cloud, &from, link), Err(Error::Refused { .. })),
                "{link}"
            );
            if !link.starts_with("//") && !link.starts_with("ftp") {
                let direct = Request::get(Plane::Arm, link);
                assert!(
                    matches!(destination(&cloud, &direct), Err(Error::Refused { .. })),
                    "{link}"
                );
            }
        }
        let next = follow(
            &cloud,
            &Request::get(Plane::Arm, "/a"),
            "https://management.azure.com/b?$skiptoken=a+b%2B",
        );
        let there = destination(&cloud, &next.unwrap()).unwrap();
        assert_eq!(there.url.as_str(), "https://management.azure.com/b?$skiptoken=a+b%2B");
    }

    #[test]
    fn a_path_cannot_climb() {
        for path in ["/subscriptions/../tenants", "/a/%2E%2e/b", "/a/./b", "/a\\..\\b"] {
            let refused = destination(&Cloud::public(), &Request::get(Plane::Arm, path));
            assert!(matches!(refused, Err(Error::Refused { .. })), "{path}");
        }
    }

    #[test]
    fn the_gateway_takes_the_place_of_every_data_plane_host() {
        let there = destination(&here(), &data("https://kv.vault.azure.net/secrets/a?api-version=7.4")).unwrap();
        assert_eq!(
            there.url.as_str(),
            "http://127.0.0.1:8080/dataplane/kv.vault.azure.net/secrets/a?api-version=7.4"
        );
        assert_eq!(there.target, "https://kv.vault.azure.net/secrets/a");
        assert_eq!(there.audience.as_deref(), Some("https://vault.azure.net"));
    }

    #[test]
    fn links_of_the_gateway_are_followed_and_its_other_hosts_are_not() {
        let from = data("https://kv.vault.azure.net/secrets");
        for link in [
            "http://127.0.0.1:8080/dataplane/kv.vault.azure.net/secrets?$skiptoken=2",
            "https://kv.vault.azure.net/secrets?$skiptoken=2",
            "/secrets?$skiptoken=2",
        ] {
            let there = destination(&here(), &follow(&here(), &from, link).unwrap()).unwrap();
            assert_eq!(
                there.url.as_str(),
                "http://127.0.0.1:8080/dataplane/kv.vault.azure.net/secrets?$skiptoken=2",
                "{link}"
            );
        }
        let other = "http://127.0.0.1:8080/dataplane/kv2.vault.azure.net/secrets";
        assert!(matches!(follow(&here(), &from, other), Err(Error::Refused { .. })));
    }

    #[test]
    fn a_loopback_cloud_without_a_gateway_sends_nothing_away() {
        let mut cloud = here();
        cloud.data_plane_gateway = None;
        assert!(matches!(
            destination(&cloud, &data("https://kv.vault.azure.net/x")),
            Err(Error::Refused { .. })
        ));
    }

    #[test]
    fn a_token_goes_to_hosts_that_are_tied_to_its_audience_or_vouched_for() {
        let cloud = Cloud::public();
        let foreign = data("https://kv.example/secrets");
        assert!(matches!(destination(&cloud, &foreign), Err(Error::Refused { .. })));
        assert!(destination(&cloud, &foreign.clone().allow_host(true)).is_ok());
        let plain = data("http://kv.example/secrets").allow_host(true);
        assert!(matches!(destination(&cloud, &plain), Err(Error::Refused { .. })));
        let nobody = Request::get(
            Plane::Data {
                audience: String::new(),
            },
            "https://probe.example/health",
        );
        assert_eq!(destination(&cloud, &nobody).unwrap().audience, None);
    }
}

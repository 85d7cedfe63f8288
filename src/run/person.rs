//! Who is at work, and from where: what approvals and closed hand-overs are signed with.

/// Who sits here: `user@host`.
pub fn who() -> String {
    let user = first(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".into());
    let host = std::fs::read_to_string("/etc/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .or_else(|| first(&["HOSTNAME", "COMPUTERNAME"]))
        .unwrap_or_else(|| "somewhere".into());
    format!("{user}@{host}")
}

/// From where an approval comes: by which way, and in which pipeline or pod.
pub fn whence(way: &str) -> String {
    match automation(|name| std::env::var(name).ok().filter(|value| !value.is_empty())) {
        Some(place) => format!("{way}, {place}"),
        None => way.to_owned(),
    }
}

/// The pipeline or pod that this process belongs to, as a person finds it again.
fn automation(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let all = |names: [&str; 3]| {
        let values = names.map(&variable);
        values.into_iter().collect::<Option<Vec<_>>>()
    };
    if let Some(of) = all(["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"]) {
        return Some(format!("{}/{}/actions/runs/{}", of[0], of[1], of[2]));
    }
    if let Some(of) = all(["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID"]) {
        let server = of[0].trim_end_matches('/');
        return Some(format!("{server}/{}/_build/results?buildId={}", of[1], of[2]));
    }
    if let Some(job) = variable("CI_JOB_URL") {
        return Some(job);
    }
    variable("KUBERNETES_SERVICE_HOST")?;
    Some(format!("pod {}", variable("HOSTNAME")?))
}

fn first(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<String> {
        automation(|name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        })
    }

    #[test]
    fn a_pipeline_is_named_as_a_person_finds_it_again() {
        let github = [
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_RUN_ID", "7"),
        ];
        assert_eq!(of(&github).unwrap(), "https://github.com/o/r/actions/runs/7");
        let devops = [
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/o/"),
            ("SYSTEM_TEAMPROJECT", "p"),
            ("BUILD_BUILDID", "8"),
        ];
        assert_eq!(
            of(&devops).unwrap(),
            "https://dev.azure.com/o/p/_build/results?buildId=8"
        );
        let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("HOSTNAME", "ferry-29")];
        assert_eq!(of(&pod).unwrap(), "pod ferry-29");
        assert_eq!(of(&[("HOSTNAME", "desk")]), None);
    }
}

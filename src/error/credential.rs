//! What to do about a credential that gave no token.

/// Ferry's code and advice for what a credential said. The codes of Entra ID are told by their number.
pub(super) fn advice(why: &str) -> (&'static str, &'static str) {
    const REFUSED: &str = "credential-refused";
    let numbered = [
        (
            "AADSTS7000215",
            "set AZURE_CLIENT_SECRET to the value of the secret, not to its id",
        ),
        (
            "AADSTS7000222",
            "make a new secret for the application, and set AZURE_CLIENT_SECRET to it",
        ),
        (
            "AADSTS700016",
            "check AZURE_CLIENT_ID and AZURE_TENANT_ID: an identity that was deleted has no application any more",
        ),
        (
            "AADSTS90002",
            "check AZURE_TENANT_ID, and --cloud: the tenant is in another cloud, or is none",
        ),
        (
            "AADSTS70021",
            "give the identity a federated credential with just this issuer, subject and audience; a new one takes some minutes",
        ),
        (
            "AADSTS700024",
            "set this machine's clock, or have the assertion made anew: ferry doctor tells how far the clock is off",
        ),
        ("AADSTS500011", "check --cloud: this tenant has no such service"),
        (
            "AADSTS",
            "look the number up at https://login.microsoftonline.com/error",
        ),
    ];
    if let Some((_, next)) = numbered.iter().find(|(number, _)| why.contains(number)) {
        return (REFUSED, next);
    }
    if why.contains("doesn't use HTTPS") {
        let next = "this credential insists on https: ferry sim --tls DIR serves it; --auth auto takes the simulator's own token";
        return ("no-credential", next);
    }
    (
        "no-credential",
        "sign in (az login), or choose another credential with --auth; ferry doctor tells more",
    )
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn the_longer_number_is_not_taken_for_the_shorter() {
        assert!(advice("AADSTS7000215: Invalid client secret").1.contains("SECRET"));
        assert!(
            advice("AADSTS700213: No matching federated identity record")
                .1
                .contains("federated")
        );
        assert!(advice("AADSTS700024: Client assertion").1.contains("clock"));
        assert!(advice("az not found on PATH").1.contains("az login"));
    }
}

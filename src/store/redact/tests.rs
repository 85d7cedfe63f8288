use super::*;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn what_was_read_as_a_secret_is_hidden_wherever_it_turns_up() {
    let secrets = Secrets::default();
    secrets.learn(
        &json!({"id": "/subscriptions/s", "properties": {"DB": "Server=x;Password=hunter2secret", "MODE": "prod"}}),
    );
    let hidden = secrets.hide(&json!({"why": "setting is Server=x;Password=hunter2secret!", "mode": "prod"}));
    assert_eq!(hidden, json!({"why": HIDDEN, "mode": "prod"}));
    assert_eq!(
        secrets.hide_text("no: 'hunter2secret', said the server"),
        "no: '(hidden)', said the server"
    );
    assert_eq!(secrets.hide(&json!({"hunter2secret": 1})), json!({HIDDEN: 1}));
}

#[test]
fn the_name_of_a_resource_in_a_setting_is_no_secret() {
    let secrets = Secrets::default();
    secrets.learn(&json!({"properties": {"ACCOUNT": "stordersprod01", "KEY": "abc123def456"}}));
    secrets.learn_public(&json!([{"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stOrdersProd01"}]));
    assert!(!secrets.holds("blobs of stordersprod01"));
    assert!(secrets.holds("the key abc123def456"));
}

#[test]
fn members_that_are_secrets_by_name_are_hidden_and_ids_are_not() {
    let secrets = Secrets::default();
    secrets.learn(&json!({"properties": {"AZURE_CLIENT_ID": "44444444-4444-4444-8444-444444444444", "URL": "https://kv.vault.azure.net/"}}));
    let document = json!({"adminPassword": "x", "clientId": "44444444-4444-4444-8444-444444444444", "uri": "https://kv.vault.azure.net/"});
    let hidden = secrets.hide(&document);
    assert_eq!(hidden["adminPassword"], HIDDEN);
    assert_eq!(hidden["clientId"], document["clientId"]);
    assert_eq!(hidden["uri"], document["uri"]);
}

#[test]
fn a_secret_that_a_script_makes_part_of_an_id_or_an_address_is_found_there() {
    let secrets = Secrets::default();
    secrets.learn(&json!({"properties": {"KEY": "abc123-def456", "VAULT": "kv-orders-prod1", "IN": "https://kv-orders-prod1.vault.azure.net/"}}));
    assert!(secrets.holds("/subscriptions/s/resourceGroups/abc123-def456"));
    assert!(secrets.holds("https://abc123-def456.example.org/x"));
    assert!(!secrets.holds("/subscriptions/s/resourceGroups/abc123-def4567"));
    // A name that an address in another setting shows is known to be a name.
    assert!(!secrets.holds("/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-orders-prod1"));
}

#[test]
fn what_settings_are_called_and_which_version_they_name_is_no_secret() {
    let secrets = Secrets::default();
    secrets.learn(&json!({"properties": {"CONNECTION_NAME": "OrdersStorage__1", "OrdersStorage__1": "UseDevelopment=true1", "API": "2024-11-30", "V": "10.14.1"}}));
    for text in ["/properties/OrdersStorage__1", "api-version=2024-11-30", "node 10.14.1"] {
        assert!(!secrets.holds(text), "{text}");
    }
}

#[test]
fn a_setting_called_like_a_member_of_azures_is_a_setting() {
    let secrets = Secrets::default();
    secrets.learn(&json!({"name": "appsettings", "properties": {"id": "abc123def456", "kind": "xyz987uvw654"}}));
    assert!(secrets.holds("abc123def456") && secrets.holds("xyz987uvw654"));
    assert!(!secrets.holds("appsettings"));
}

#[test]
fn a_word_is_a_secret_where_its_name_says_so() {
    let secrets = Secrets::default();
    secrets.learn(&json!({"value": [{"name": "db-password", "value": "correcthorse"}, {"name": "region", "value": "westeurope"}]}));
    assert!(secrets.holds("it is correcthorse"));
    assert!(!secrets.holds("in westeurope"));
}

#[test]
fn what_stands_in_a_document_of_every_reader_is_hidden_where_it_is_a_setting_or_a_password() {
    let secrets = Secrets::default();
    secrets.learn_public(
        &json!({"properties": {"adminPassword": "correcthorse", "template": {"containers": [
        {"name": "api", "env": [{"name": "DB", "value": "abc123def456"}], "image": "registry.azurecr.io/api:v1"}]}}}),
    );
    assert!(secrets.holds("correcthorse") && secrets.holds("abc123def456"));
    assert!(!secrets.holds("registry.azurecr.io/api:v1"));
}

#[test]
fn texts_that_look_like_secrets_are_hidden_though_nobody_has_read_them() {
    let secrets = Secrets::default();
    for (text, shown) in [
        (
            "got eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJodHRw.c2lnbmF0dXJl here",
            "got (hidden) here",
        ),
        (
            "Authorization: Bearer abcdefghijklmnop.qrst",
            "Authorization: Bearer (hidden)",
        ),
        (
            "Server=tcp:x;Password=hunter2;Encrypt=True",
            "Server=tcp:x;Password=(hidden);Encrypt=True",
        ),
        (
            "https://a.example/h?sv=1&sig=abcdefghijklmnop%3D",
            "https://a.example/h?sv=1&sig=(hidden)",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "(hidden)",
        ),
    ] {
        assert_eq!(secrets.hide_text(text), shown);
        assert_eq!(secrets.hide_text(shown), shown, "hidden twice is hidden once");
    }
    for text in [
        "the password is not shown",
        "sig=short",
        "eyJ alone",
        "https://kv.vault.azure.net/secrets/a",
    ] {
        assert_eq!(secrets.hide_text(text), text);
    }
}

proptest! {
    #![proptest_config(crate::types::tries(256))]

    #[test]
    fn a_secret_is_found_in_any_text_and_in_every_form(before in "\\PC{0,20}", secret in "[a-z]{4}[0-9]{4}[ -~é世\\n\"\\\\]{0,16}", after in "\\PC{0,20}") {
        let secrets = Secrets::default();
        secrets.learn(&json!({ "properties": { "password": secret } }));
        let json = Value::from(secret.as_str()).to_string();
        let encoded = utf8_percent_encode(&secret, UNRESERVED).to_string();
        for form in [secret.clone(), secret.to_uppercase(), json[1..json.len() - 1].to_owned(), encoded, STANDARD_NO_PAD.encode(&secret)] {
            // Letters whose upper case has another length are not folded.
            if !form.eq_ignore_ascii_case(&secret) && form == secret.to_uppercase() { continue; }
            let hidden = secrets.hide_text(&format!("{before}|{form}|{after}"));
            prop_assert!(!hidden.contains(&form), "{form} in {hidden}");
        }
    }

    #[test]
    fn any_text_can_be_hidden_in(text in "\\PC{0,60}", answer in "\\PC{0,60}") {
        let secrets = Secrets::default();
        secrets.learn(&json!({ "properties": { "A": answer } }));
        secrets.learn_public(&json!({ "id": answer, "env": [{ "value": text }] }));
        let once = secrets.hide_text(&text);
        prop_assert_eq!(secrets.hide_text(&once), once);
    }
}

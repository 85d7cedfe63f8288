//! `/metadata/endpoints`: where this cloud's services are, in the forms of four api-versions.

use serde_json::{Value, json};

use super::{Answer, Ask};

/// Answers `GET /metadata/endpoints`; no token is needed.
pub fn answer(ask: &Ask) -> Answer {
    let base = &ask.base;
    match ask
        .parameter("api-version")
        .unwrap_or("1.0")
        .to_ascii_lowercase()
        .as_str()
    {
        "2022-09-01" | "2023-01-01" | "2024-01-01" => Answer::json(200, modern(base)),
        "2019-05-01" | "2020-06-01" => Answer::json(200, json!([modern(base)])),
        "2015-01-01" | "1.0" => Answer::json(
            200,
            json!({
                "galleryEndpoint": format!("{base}/gallery/"),
                "graphEndpoint": format!("{base}/"),
                "portalEndpoint": format!("{base}/portal"),
                "authentication": {
                    "loginEndpoint": base,
                    "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
                },
            }),
        ),
        other => super::arm::fail::fail(
            400,
            "InvalidApiVersionParameter",
            format!(
                "The api-version '{other}' is invalid. The supported versions are '2022-09-01,2020-06-01,2019-05-01,2015-01-01'."
            ),
        ),
    }
}

fn modern(base: &str) -> Value {
    json!({
        "portal": format!("{base}/portal"),
        "authentication": {
            "loginEndpoint": base,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": "https://rest.media.azure.net",
        "graphAudience": "https://graph.windows.net/",
        "graph": "https://graph.windows.net/",
        "name": "FerrySimulator",
        "suffixes": {
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "acrLoginServer": "azurecr.io",
            "sqlServerHostname": "database.windows.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "keyVaultDns": "vault.azure.net",
            "storage": "core.windows.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "storageSyncEndpointSuffix": "afs.azure.net",
            "mhsmDns": "managedhsm.azure.net",
            "mysqlServerEndpoint": "mysql.database.azure.com",
            "postgresqlServerEndpoint": "postgres.database.azure.com",
            "mariadbServerEndpoint": "mariadb.database.azure.com",
            "synapseAnalytics": "dev.azuresynapse.net",
            "attestationEndpoint": "attest.azure.net",
        },
        "batch": "https://batch.core.windows.net/",
        "resourceManager": format!("{base}/"),
        "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/quickstart-templates/aliases.json",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "microsoftGraphResourceId": format!("{base}/"),
        "appInsightsResourceId": "https://api.applicationinsights.io",
        "appInsightsTelemetryChannelResourceId": "https://dc.applicationinsights.azure.com/v2/track",
        "attestationResourceId": "https://attest.azure.net",
        "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
        "logAnalyticsResourceId": "https://api.loganalytics.io",
        "ossrdbmsResourceId": "https://ossrdbms-aad.database.windows.net",
        "ferryDataPlaneGateway": format!("{base}/dataplane"),
    })
}

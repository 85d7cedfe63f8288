//! The clouds that Ferry knows without asking: their endpoints and host suffixes are data.

use std::collections::BTreeMap;

use url::Url;

use super::cloud::Cloud;

/// Suffixes of the public cloud; scripts are written for it, so its audiences are understood in all clouds.
pub(crate) const PUBLIC_SUFFIXES: [(&str, &str); 13] = [
    ("acrLoginServer", "azurecr.io"),
    ("attestationEndpoint", "attest.azure.net"),
    ("azureDataLakeAnalyticsCatalogAndJob", "azuredatalakeanalytics.net"),
    ("azureDataLakeStoreFileSystem", "azuredatalakestore.net"),
    ("azureFrontDoorEndpointSuffix", "azurefd.net"),
    ("keyVaultDns", "vault.azure.net"),
    ("mhsmDns", "managedhsm.azure.net"),
    ("mysqlServerEndpoint", "mysql.database.azure.com"),
    ("postgresqlServerEndpoint", "postgres.database.azure.com"),
    ("sqlServerHostname", "database.windows.net"),
    ("storage", "core.windows.net"),
    ("storageSyncEndpointSuffix", "afs.azure.net"),
    ("synapseAnalytics", "dev.azuresynapse.net"),
];

impl Cloud {
    /// The public cloud.
    pub fn public() -> Self {
        let suffixes = PUBLIC_SUFFIXES
            .iter()
            .map(|(key, suffix)| ((*key).to_owned(), (*suffix).to_owned()));
        let mut services = BTreeMap::new();
        services.insert("batch".to_owned(), "https://batch.core.windows.net/".to_owned());
        services.insert(
            "logAnalyticsResourceId".to_owned(),
            "https://api.loganalytics.io".to_owned(),
        );
        services.insert(
            "appInsightsResourceId".to_owned(),
            "https://api.applicationinsights.io".to_owned(),
        );
        Self {
            services,
            suffixes: suffixes.collect(),
            ..Self::known(
                "AzureCloud",
                "https://management.azure.com/",
                "https://graph.microsoft.com/",
                "https://login.microsoftonline.com/",
            )
        }
    }

    /// The cloud for the government of the United States.
    pub fn us_government() -> Self {
        let mut cloud = Self::known(
            "AzureUSGovernment",
            "https://management.usgovcloudapi.net/",
            "https://graph.microsoft.us/",
            "https://login.microsoftonline.us/",
        );
        for (key, suffix) in [
            ("acrLoginServer", "azurecr.us"),
            ("keyVaultDns", "vault.usgovcloudapi.net"),
            ("mhsmDns", "managedhsm.usgovcloudapi.net"),
            ("mysqlServerEndpoint", "mysql.database.usgovcloudapi.net"),
            ("postgresqlServerEndpoint", "postgres.database.usgovcloudapi.net"),
            ("sqlServerHostname", "database.usgovcloudapi.net"),
            ("storage", "core.usgovcloudapi.net"),
            ("storageSyncEndpointSuffix", "afs.azure.us"),
            ("synapseAnalytics", "dev.azuresynapse.usgovcloudapi.net"),
        ] {
            cloud.suffixes.insert(key.to_owned(), suffix.to_owned());
        }
        cloud
    }

    /// The cloud that 21Vianet runs in China.
    pub fn china() -> Self {
        let mut cloud = Self::known(
            "AzureChinaCloud",
            "https://management.chinacloudapi.cn/",
            "https://microsoftgraph.chinacloudapi.cn/",
            "https://login.chinacloudapi.cn/",
        );
        for (key, suffix) in [
            ("acrLoginServer", "azurecr.cn"),
            ("keyVaultDns", "vault.azure.cn"),
            ("mhsmDns", "managedhsm.azure.cn"),
            ("mysqlServerEndpoint", "mysql.database.chinacloudapi.cn"),
            ("postgresqlServerEndpoint", "postgres.database.chinacloudapi.cn"),
            ("sqlServerHostname", "database.chinacloudapi.cn"),
            ("storage", "core.chinacloudapi.cn"),
            ("synapseAnalytics", "dev.azuresynapse.azure.cn"),
        ] {
            cloud.suffixes.insert(key.to_owned(), suffix.to_owned());
        }
        cloud
    }

    /// A cloud whose audiences are its endpoints.
    fn known(name: &str, resource_manager: &'static str, graph: &'static str, login: &'static str) -> Self {
        // The three callers give literals that parse; the tests build each of them.
        let url = |text: &str| Url::parse(text).expect("a literal URL of this file");
        Self {
            name: name.to_owned(),
            resource_manager: url(resource_manager),
            graph: url(graph),
            login: url(login),
            arm_audience: resource_manager.trim_end_matches('/').to_owned(),
            graph_audience: graph.trim_end_matches('/').to_owned(),
            suffixes: BTreeMap::new(),
            services: BTreeMap::new(),
            data_plane_gateway: None,
            loopback: false,
            trust: super::trust::Trust::default(),
        }
    }
}

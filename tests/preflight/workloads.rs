//! The resources that use the identity: those that take no change as they stand, what is known to go wrong with them, and
//! how each could follow to the new region.

use serde_json::json;

use super::looked::{GROUP, Tenant, identity, machine};
use crate::support::Ferry;

#[test]
fn a_resource_that_names_an_identity_which_is_gone_is_told_before_azure_refuses_it() {
    let gone = format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-gone");
    let tenant = Tenant::new().changed(&machine(), |own| {
        own["identity"]["userAssignedIdentities"][&gone] = json!({});
    });
    tenant.look().tells(
        "error",
        "dead-identity",
        &machine(),
        &["vm-one names the identity id-gone, which is gone"],
    );
}

#[test]
fn a_stopped_cluster_is_told_with_the_command_that_starts_it() {
    let cluster = format!("{GROUP}/providers/Microsoft.Kusto/clusters/adx");
    let in_state = |state: &str| {
        Tenant::new()
            .and(json!({"id": cluster, "name": "adx", "type": "Microsoft.Kusto/clusters", "location": "eastus",
                "sku": {"name": "Standard_E8ads_v5", "tier": "Standard", "capacity": 2},
                "identity": {"type": "UserAssigned", "userAssignedIdentities": {(identity()): {}}}, "properties": {"state": state}}))
            .look()
    };
    in_state("Stopped").tells(
        "error",
        "not-ready",
        &cluster,
        &["adx is stopped", "az kusto cluster start"],
    );
    in_state("Running").is_silent_about(&["not-ready"]);
}

#[test]
fn only_known_issues_that_apply_are_told() {
    Tenant::new().look().is_silent_about(&["known-issue"]);
    let long = Tenant::new().look_at(&["name=id-one-for-all-the-machines-there"]);
    long.tells("info", "known-issue", &machine(), &["33 characters", "24"]);
}

#[test]
fn a_geo_redundant_backup_wants_its_identity_in_the_paired_region() {
    let server = format!("{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/pg-one");
    let tenant = || {
        Tenant::new().and(json!({"id": server, "name": "pg-one", "type": "Microsoft.DBforPostgreSQL/flexibleServers", "location": "eastus",
            "sku": {"name": "Standard_D2s_v3", "tier": "GeneralPurpose"},
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {(identity()): {}}},
            "properties": {"version": "16", "state": "Ready", "dataEncryption": {"type": "AzureKeyVault",
                "geoBackupKeyURI": "https://kv.vault.azure.net/keys/k/1", "geoBackupUserAssignedIdentityId": identity()}}}))
    };
    tenant().look().tells(
        "warning",
        "known-issue",
        &server,
        &["geo-redundant backups of pg-one", "one in westus", "westeurope"],
    );
    tenant()
        .look_at(&["to=westus"])
        .does_not_say("known-issue", "geo-redundant");
}

/// What the services that use identities are called, provider by provider.
const PROVIDERS: &str = "ApiCenter/services ApiManagement/service App/containerApps App/jobs App/managedEnvironments App/sessionPools \
    AppConfiguration/configurationStores AppPlatform/Spring Authorization/policyAssignments Automation/automationAccounts AVS/privateClouds \
    AzureFleet/fleets AzureResilienceManagement/drills AzureStackHCI/clusters Batch/batchAccounts Blueprint/blueprintAssignments \
    BotService/botServices Cache/redis Cache/redisEnterprise Cdn/profiles Chaos/experiments CognitiveServices/accounts \
    Communication/communicationServices Compute/diskEncryptionSets Compute/galleries Compute/virtualMachineScaleSets Compute/virtualMachines \
    ContainerInstance/containerGroups ContainerRegistry/registries ContainerService/fleets ContainerService/managedClusters Dashboard/grafana \
    DatabaseWatcher/watchers DataBox/jobs Databricks/accessConnectors DataFactory/factories DataProtection/backupVaults \
    DataReplication/replicationVaults DBforMySQL/flexibleServers DBforPostgreSQL/flexibleServers DevCenter/devcenters Devices/IotHubs \
    DeviceUpdate/accounts DevOpsInfrastructure/pools DevTestLab/labs DigitalTwins/digitalTwinsInstances Discovery/workspaces \
    DocumentDB/cassandraClusters DocumentDB/databaseAccounts DocumentDB/mongoClusters ElasticSan/elasticSans EventGrid/namespaces \
    EventGrid/topics EventHub/namespaces FluidRelay/fluidRelayServers GuestConfiguration/guestConfigurationAssignments \
    HardwareSecurityModules/cloudHsmClusters HDInsight/clusters HealthBot/healthBots HealthcareApis/workspaces HealthDataAIServices/deidServices \
    HorizonDb/clusters HybridCompute/machines Insights/components Insights/dataCollectionRules Insights/metricAlerts Insights/scheduledQueryRules \
    IoTOperations/instances KeyVault/managedHSMs KeyVault/vaults KubernetesConfiguration/extensions Kusto/clusters LoadTestService/loadTests \
    Logic/workflows MachineLearningServices/workspaces Maps/accounts Migrate/modernizeProjects Monitor/accounts NetApp/netAppAccounts \
    Network/applicationGateways Network/ExpressRoutePorts Network/firewallPolicies Network/virtualNetworkGateways OperationalInsights/clusters \
    OperationalInsights/workspaces Purview/accounts RecoveryServices/vaults RedHatOpenShift/openShiftClusters Resources/deploymentScripts \
    Search/searchServices ServiceBus/namespaces ServiceFabric/managedClusters SignalRService/signalR SignalRService/webPubSub \
    Solutions/applications Sql/managedInstances Sql/servers SqlVirtualMachine/sqlVirtualMachines Storage/storageAccounts \
    StorageActions/storageTasks StorageCache/amlFilesystems StorageMover/storageMovers StorageSync/storageSyncServices \
    StreamAnalytics/streamingJobs Synapse/workspaces VideoIndexer/accounts VirtualMachineImages/imageTemplates Web/connections \
    Web/hostingEnvironments Web/serverfarms Web/sites Web/staticSites Workloads/sapVirtualInstances";

#[test]
fn every_service_that_uses_identities_has_a_way_to_another_region_in_words_of_its_own() {
    let types: Vec<String> = PROVIDERS
        .split_whitespace()
        .map(|one| format!("'Microsoft.{one}'").replace('\'', "\""))
        .collect();
    let script = format!(
        "import \"relocation/strategies\" as s; let poor = []; for type in [{}] {{ let id = \"/subscriptions/s/resourceGroups/g/providers/\" + type + \"/x\"; \
         if \"Ferry knows no other way\" in s::of_resource(id) {{ poor.push(type); }} }} poor",
        types.join(", ")
    );
    let ferry = Ferry::new();
    assert_eq!(ferry.run(&["eval", &script]).code(0).out.trim(), "[]");
    // Of others it says that it does not know.
    let other = "import \"relocation/strategies\" as s; s::of_resource(\"/subscriptions/s/resourceGroups/g/providers/Contoso.Things/boxes/x\")";
    let said = ferry.run(&["eval", other]).code(0).out;
    assert!(
        said.contains("Ferry knows no other way for Contoso.Things/boxes"),
        "{said}"
    );
}

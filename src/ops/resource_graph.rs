//! `resource_graph::`, questions about all resources at once.

use super::spec::OpModule;

pub(crate) fn module() -> OpModule {
    crate::ops! { resource_graph,
        "Questions about all resources at once, in Kusto query language. Answers lag behind writes: confirm by a fresh read.";

        /// Asks Resource Graph, over everything that the caller may read, and gives all pages.
        ///
        /// * `kql` (string): the query; it must output `id` where it answers more than a thousand rows
        /// * returns (array): one map a row
        /// * errors: `azure-refused`, `throttled`
        /// * changes: no
        /// * speaks: Microsoft.ResourceGraph/resources 2022-10-01
        /// * also: search, kusto, find
        ///
        /// ```rhai
        /// // estate: two-regions
        /// let rows = resource_graph::query("resources | where type =~ 'microsoft.keyvault/vaults' | project id, name");
        /// assert_eq(rows.len(), 1);
        /// ```
        fn query(call) {
            call.session.query(&call.text("kql")?)
        }
    }
}

//! The Azure client: clouds, credentials, transport with retries, paging, long-running operations, errors. It has never heard of scripts, journals or the simulator.

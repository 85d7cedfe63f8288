//! The Rhai engine: building it, modules and overrides, limits, script errors, documentation.

//! Rebuilds the crate when an embedded file is added or changed: `include_dir` does not say so by itself.

fn main() {
    for directory in ["stdlib", "runbooks", "docs/errors", "src/sim/catalog"] {
        println!("cargo:rerun-if-changed={directory}");
    }
}

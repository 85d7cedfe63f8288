//! Rebuilds the crate when an embedded script is added or changed: `include_dir` does not say so by itself.

fn main() {
    for directory in ["stdlib", "runbooks"] {
        println!("cargo:rerun-if-changed={directory}");
    }
}

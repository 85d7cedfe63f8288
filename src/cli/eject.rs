//! `ferry eject`: an embedded script, copied out to edit.

use std::path::{Path, PathBuf};

use super::context::{Context, Ending};
use super::new::write_new;
use crate::error::Error;
use crate::host::embedded;

/// Copy an embedded script out to edit; the copy goes before the embedded one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The script, as `permissions/key_vault`, `stdlib/bindings/aks.rhai` or `runbooks/relocate`
    #[arg(value_name = "PATH")]
    path: String,
}

/// Runs `ferry eject`.
///
/// # Errors
/// `unknown-script` where none of this path is embedded; `file-exists`; `file-unwritable`.
pub fn run(args: &Args, context: &Context<'_>) -> Result<Ending, Error> {
    let (key, text) = find(&args.path)?;
    write_new(Path::new(&key), text)?;
    context.ui.print(&key);
    let way = if key.starts_with("runbooks/") {
        format!("run {}", PathBuf::from(".").join(&key).display())
    } else {
        "list".to_owned()
    };
    context.ui.tell(&format!("next     {}", context.command(&way)));
    Ok(Ending::Done)
}

/// An embedded script by its key, with or without `stdlib/` and `.rhai`.
fn find(path: &str) -> Result<(String, &'static str), Error> {
    let bare = path.trim_start_matches("./");
    let bare = bare.strip_suffix(".rhai").unwrap_or(bare);
    let keys = [
        bare.to_owned(),
        format!("{bare}.rhai"),
        format!("stdlib/{bare}"),
        format!("stdlib/{bare}.rhai"),
        format!("runbooks/{bare}.rhai"),
    ];
    for key in keys {
        if let Some(text) = embedded(&key) {
            return Ok((key, text));
        }
    }
    Err(
        Error::refused("unknown-script", format!("no script {path} is embedded"))
            .untouched("nothing was written")
            .next("ferry list      names what is shipped"),
    )
}

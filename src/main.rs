//! The `ferry` program: it lends the command line a runtime, and turns its ending into an exit code.

use std::process::ExitCode;
use std::sync::OnceLock;

use ferry::Error;
use tokio::runtime::{Builder, Handle, Runtime};

fn main() -> ExitCode {
    ferry::cli::hush();
    // Scripts run on this plain thread and wait for requests here, so the runtime is another's. Most commands that
    // only print never ask for one, and `ferry --version` answers in a few milliseconds.
    let runtime: OnceLock<Runtime> = OnceLock::new();
    let handle = || -> Result<Handle, Error> {
        if let Some(runtime) = runtime.get() {
            return Ok(runtime.handle().clone());
        }
        let built = Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8))
            .enable_all()
            .build()
            .map_err(|error| {
                Error::failed(
                    "no-threads",
                    format!("the threads for requests were not started: {error}"),
                )
            })?;
        Ok(runtime.get_or_init(|| built).handle().clone())
    };
    let code = ferry::cli::main(std::env::args_os(), &handle);
    if let Some(runtime) = runtime.into_inner() {
        runtime.shutdown_background();
    }
    ExitCode::from(code)
}

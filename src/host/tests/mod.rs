//! Scripts through the real engine, in sessions without a cloud.

mod borders;
mod errors;
mod fences;
mod modules;
mod properties;
mod runs;
mod values;

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;

use super::{Host, Scripts};
use crate::error::Error;
use crate::run::{Event, Options, Session};
use crate::store::{SqliteStore, Store as _};

pub(crate) fn handle() -> tokio::runtime::Handle {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .unwrap()
        })
        .handle()
        .clone()
}

fn no_cloud() -> crate::run::Connect {
    Box::new(|| Box::pin(std::future::pending()))
}

pub(crate) fn options() -> Options {
    Options {
        concurrency: 16,
        ..Options::default()
    }
}

/// A session that reads, and the notes it told.
pub(crate) fn exploring() -> (Arc<Session>, Arc<Mutex<Vec<String>>>) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let kept = notes.clone();
    let observer: crate::run::Observer = Arc::new(move |event: &Event| {
        if let Event::Note { text } = event {
            kept.lock().unwrap().push(text.clone());
        }
    });
    (Session::explore(handle(), no_cloud(), options(), observer, None), notes)
}

pub(crate) fn planning() -> Arc<Session> {
    Session::plan(handle(), no_cloud(), options(), crate::run::nobody())
}

/// A journaled run; a second one over the same directory resumes it.
pub(crate) fn running(directory: &Path, options: Options) -> Arc<Session> {
    let store = SqliteStore::new(directory);
    let journal = match store.runs().unwrap().last() {
        Some(run) => store.open(&run.run).unwrap(),
        None => store.create("my.rhai", "my", "my").unwrap(),
    };
    Session::run(handle(), no_cloud(), options, crate::run::nobody(), journal).unwrap()
}

pub(crate) fn host() -> Host {
    Host::new(Scripts::embedded()).unwrap()
}

pub(crate) fn eval(text: &str) -> Result<Value, Error> {
    host().eval(&exploring().0, text)
}

pub(crate) fn value(text: &str) -> Value {
    eval(text).unwrap_or_else(|error| panic!("{error}\n{error:#?}"))
}

pub(crate) fn write(directory: &Path, file: &str, text: &str) {
    let path = directory.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

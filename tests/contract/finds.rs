//! Where the files find something, and what they ask for it: looked up once, for all the cases that begin there.

use std::sync::OnceLock;

use serde_json::Value;

use super::cloud::Cloud;
use super::{estates, users};

/// The kinds of files, each with the function that finds.
pub const KINDS: [(&str, &str); 2] = [("permissions", "list"), ("bindings", "find")];

/// What one file finds in one estate.
pub struct Find {
    /// The place of the estate in [`Finds::estates`].
    pub estate: usize,
    /// `permissions` or `bindings`.
    pub kind: &'static str,
    /// The file's name.
    pub file: String,
    /// The grants or bindings, without what could not be seen.
    pub items: Vec<Value>,
    /// The requests that it takes, method and path: what a session asks once it has asked before.
    pub requests: Vec<(String, String)>,
}

impl Find {
    /// How the file is called.
    pub fn script(&self) -> (&str, &str) {
        (self.kind, &self.file)
    }

    /// The function that finds.
    pub fn function(&self) -> &'static str {
        let known = KINDS.iter().find(|(kind, _)| *kind == self.kind);
        known.unwrap().1
    }
}

/// All estates, and everything that is found in them.
pub struct Finds {
    /// Names and documents.
    pub estates: Vec<(String, Value)>,
    /// What is found, estate by estate.
    pub all: Vec<Find>,
}

/// Everything that any file finds in any estate.
pub fn finds() -> &'static Finds {
    static FINDS: OnceLock<Finds> = OnceLock::new();
    FINDS.get_or_init(|| {
        let (scripts, estates) = (users::scripts(), estates());
        let all = side_by_side(&estates, |index, (name, estate)| {
            in_estate(index, &Cloud::start(name, estate.clone(), scripts.path()))
        });
        Finds { estates, all }
    })
}

fn in_estate(estate: usize, cloud: &Cloud) -> Vec<Find> {
    let mut found = Vec::new();
    for (kind, function) in KINDS {
        for file in cloud.files(kind) {
            if super::skipped("FILE", &file) {
                continue;
            }
            let mark = cloud.requests();
            let answer = cloud.call((kind, &file), function, &[&cloud.old]);
            let items = items(answer.unwrap_or_default());
            if items.is_empty() {
                continue;
            }
            let requests = cloud.requests_since(mark);
            found.push(Find {
                estate,
                kind,
                file,
                items,
                requests,
            });
        }
    }
    found
}

/// The grants or bindings in an answer, without what could not be seen.
pub fn items(answer: Value) -> Vec<Value> {
    let Value::Array(mut items) = answer else {
        return Vec::new();
    };
    items.retain(|item| item["unseen"].is_null());
    items
}

/// The id of an item, in lower case.
pub fn id(item: &Value) -> String {
    item["id"].as_str().unwrap_or_default().to_lowercase()
}

/// Judges estate by estate, each in a thread of its own, and fails with all that was found wrong. The judge starts its
/// own clouds, from the estate or from what it makes of it, with the scripts in a directory.
pub fn in_each(judge: impl Fn(&Estate<'_>) -> Vec<String> + Sync) {
    let (finds, scripts) = (finds(), users::scripts());
    let broken = side_by_side(&finds.estates, |index, (name, documents)| {
        judge(&Estate {
            name,
            documents,
            finds: finds.all.iter().filter(|find| find.estate == index).collect(),
            scripts: scripts.path(),
        })
    });
    assert!(
        broken.is_empty(),
        "{} promises were broken\n{}",
        broken.len(),
        broken.join("\n")
    );
}

/// Works on all items, as many at once as there are processors; what comes of it is in their order.
fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(usize, &T) -> Vec<R> + Sync) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, Into::into);
    let mut made: Vec<(usize, Vec<R>)> = std::thread::scope(|scope| {
        let worker = || {
            let mut made = Vec::new();
            loop {
                let index = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let Some(item) = items.get(index) else { return made };
                made.push((index, work(index, item)));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    made.sort_by_key(|(index, _)| *index);
    made.into_iter().flat_map(|(_, made)| made).collect()
}

/// An estate, and what is found in it.
pub struct Estate<'a> {
    /// Its name, for messages.
    pub name: &'a str,
    /// The estate itself.
    pub documents: &'a Value,
    /// What is found.
    pub finds: Vec<&'a Find>,
    scripts: &'a std::path::Path,
}

impl Estate<'_> {
    /// Serves the estate, or what was made of it.
    pub fn serve(&self, documents: Value) -> Cloud {
        Cloud::start(self.name, documents, self.scripts)
    }

    /// The same, with lists that come in pages of so many rows.
    pub fn serve_paged(&self, documents: Value, page_size: usize) -> Cloud {
        Cloud::serve(self.name, documents, self.scripts, Some(page_size))
    }
}

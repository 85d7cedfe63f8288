//! The pages about error codes, embedded: `docs/errors/<code>.md`.

use include_dir::{Dir, include_dir};

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/docs/errors");

/// The page about an error code, as Markdown.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.get_file(format!("{code}.md"))?.contents_utf8()
}

/// Every code that has a page.
pub fn codes() -> Vec<&'static str> {
    let mut codes: Vec<_> = PAGES
        .files()
        .filter_map(|file| file.path().file_stem()?.to_str())
        .collect();
    codes.sort_unstable();
    codes
}

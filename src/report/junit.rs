//! Outcomes of tests as JUnit XML, which pipelines show.

use std::fmt::Write as _;

use super::escape::markup;

/// One test.
#[derive(Debug, Clone)]
pub struct Test<'a> {
    /// Its file.
    pub file: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// A suite of tests as a document.
pub fn suite(name: &str, tests: &[Test<'_>]) -> String {
    let failed = tests.iter().filter(|test| test.failure.is_some()).count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">\n",
        markup(name),
        tests.len()
    );
    for test in tests {
        let _ = write!(
            text,
            "    <testcase classname=\"{}\" name=\"{}\"",
            markup(test.file),
            markup(test.name)
        );
        match &test.failure {
            None => text.push_str("/>\n"),
            Some(why) => {
                let _ = writeln!(text, ">\n      <failure>{}</failure>\n    </testcase>", markup(why));
            }
        }
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_says_cannot_leave_its_place_in_the_document() {
        let failing = Test {
            file: "a\"b.rhai",
            name: "test_x",
            failure: Some("1 < 2 & \u{1}]]>".into()),
        };
        let passing = Test {
            file: "c.rhai",
            name: "test_y",
            failure: None,
        };
        let text = suite("s", &[failing, passing]);
        assert!(text.contains("tests=\"2\" failures=\"1\""));
        assert!(text.contains("a&quot;b.rhai"));
        assert!(text.contains("<failure>1 &lt; 2 &amp; \u{fffd}]]&gt;</failure>"));
        assert!(text.contains("name=\"test_y\"/>"));
    }
}

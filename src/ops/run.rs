//! `run::`, the script's side of a run: steps, branches, gates, waits, notes.

use super::spec::OpModule;

pub(crate) fn module() -> OpModule {
    crate::ops! { run,
        "Steps, branches, gates, waits and notes of the run that a script belongs to.";

        /// Shows a sentence to whoever follows the run.
        ///
        /// * `text` (string): the sentence
        /// * returns (()): nothing
        /// * changes: no
        ///
        /// ```rhai
        /// run::note("12 grants are in place");
        /// ```
        fn note(call) {
            call.session.note(&call.text("text")?);
            Ok(())
        }
    }
}

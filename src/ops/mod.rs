//! What scripts can call: one file for each module that scripts see, and their one table of specs.
//!
//! An operation takes its arguments from the [`Call`], reads through the session or changes something through
//! it, and returns a value. It never sends a request past the session.

mod app_role;
mod arm;
mod call;
mod captures;
mod directory_role;
mod each;
pub mod effort;
mod federated_credential;
mod files;
mod frozen;
mod graph;
mod group;
mod http;
mod identity;
mod identity_block;
mod left_out;
mod lines;
mod plugin;
mod plugins;
mod postgres;
mod reference;
mod register;
mod request;
mod resource_graph;
mod resource_types;
mod role;
mod role_assignment;
mod run;
mod spec;
mod tenant;
pub mod thrown;
mod value;

use std::sync::{Arc, OnceLock};

use rhai::Engine;

pub use call::{Bound, Call, Options, Output, nearest};
pub use frozen::Frozen;
pub use plugins::{NoPlugins, Plugins};
pub use spec::{Body, DocText, Example, OpModule, OpSpec, Param, Returns};
pub use value::{from_json, from_object, kind, to_json};

use crate::run::Session;

/// Declares a module of functions for scripts. The doc text above each function is the only text about it: its
/// parameters, types and examples are read from there.
///
/// ```
/// use ferry::ops::{Call, OpModule};
///
/// pub fn module() -> OpModule {
///     ferry::ops! { greeting,
///         "Words to begin with.";
///
///         /// Greets somebody.
///         ///
///         /// * `name` (string): who is greeted
///         /// * returns (string): the greeting
///         /// * changes: no
///         ///
///         /// ```rhai
///         /// assert_eq(greeting::hello("Ada"), "Hello, Ada");
///         /// ```
///         fn hello(call) {
///             Ok(format!("Hello, {}", call.text("name")?))
///         }
///     }
/// }
/// # assert_eq!(module().functions[0].signature(), "greeting::hello(name) → string");
/// ```
#[macro_export]
macro_rules! ops {
    ($module:ident, $about:expr; $( $(#[doc = $doc:literal])* fn $name:ident($call:ident) $body:block )*) => {
        $crate::ops::OpModule::new(
            stringify!($module),
            $about,
            vec![$({
                // One name for all bodies, so that a body can call a function of its module by the operation's name.
                #[allow(clippy::unnecessary_wraps)] // All bodies have one signature.
                fn body(
                    $call: &$crate::ops::Call<'_>,
                ) -> ::std::result::Result<impl ::std::convert::Into<$crate::ops::Output>, $crate::error::Error> $body
                $crate::ops::OpSpec::parse(stringify!($module), stringify!($name), &[$($doc),*], |call| {
                    body(call).map(::std::convert::Into::into)
                })
            }),*],
        )
    };
}

/// Every module that scripts see, in the order of the documentation.
pub fn specs() -> &'static [OpModule] {
    static SPECS: OnceLock<Vec<OpModule>> = OnceLock::new();
    SPECS.get_or_init(|| {
        vec![
            run::module(),
            plugin::module(),
            identity::module(),
            federated_credential::module(),
            role::module(),
            role_assignment::module(),
            group::module(),
            directory_role::module(),
            app_role::module(),
            reference::module(),
            files::module(),
            resource_graph::module(),
            tenant::tenant(),
            tenant::subscription(),
            arm::module(),
            graph::module(),
            http::module(),
            postgres::module(),
        ]
    })
}

/// Makes all operations, and `more` of an embedding program, available in an engine, bound to one session.
pub fn register(engine: &mut Engine, session: &Arc<Session>, plugins: Arc<dyn Plugins>, more: &[OpModule]) {
    frozen::register(engine);
    let all: Vec<&OpModule> = specs().iter().chain(more).collect();
    register::modules(engine, &all, session, plugins);
}

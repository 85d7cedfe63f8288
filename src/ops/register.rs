//! From the table of specs to functions of an engine.

use std::any::TypeId;
use std::sync::Arc;

use rhai::{Dynamic, Engine, EvalAltResult, FuncRegistration, Module, NativeCallContext, Position, RhaiFunc};

use super::call::{Bound, Call};
use super::effort;
use super::plugins::Plugins;
use super::spec::{OpModule, OpSpec};
use crate::error::Error;
use crate::run::Session;

/// Registers modules in an engine, bound to one session.
pub fn modules(engine: &mut Engine, modules: &[&OpModule], session: &Arc<Session>, plugins: Arc<dyn Plugins>) {
    let bound = Arc::new(Bound::new(session.clone(), plugins));
    for spec in modules {
        let mut module = Module::new();
        module.set_doc(format!("/// {}", spec.doc));
        for function in &spec.functions {
            for arity in function.arities() {
                set(&mut module, function, arity, &bound);
            }
        }
        engine.register_static_module(&spec.name, module.into());
    }
}

/// An error with the place of the call that it arose in: the engine leaves those of functions in modules without one.
#[allow(clippy::unnecessary_box_returns)] // Rhai's errors are boxed wherever they are passed on.
fn placed(mut error: Box<EvalAltResult>, call: Position) -> Box<EvalAltResult> {
    if error.position().is_none() {
        error.set_position(call);
    }
    error
}

/// One arity of one function. All arguments are taken as they come: their types are checked by the function,
/// which can say more about them than the engine's "function not found".
fn set(module: &mut Module, spec: &OpSpec, arity: usize, bound: &Arc<Bound>) {
    let mut info: Vec<String> = spec
        .params
        .iter()
        .take(arity)
        .map(|param| format!("{}: {}", param.name, param.kind))
        .collect();
    info.push(
        spec.returns
            .as_ref()
            .map_or("()".to_owned(), |returns| returns.kind.clone()),
    );
    let comments: Vec<String> = spec
        .doc
        .lines()
        .map(|line| format!("/// {line}").trim_end().to_owned())
        .collect();
    let (owned, bound) = (Arc::new(spec.clone()), bound.clone());
    let run = move |context: Option<NativeCallContext<'_>>, arguments: &mut [&mut Dynamic]| {
        let context = context
            .ok_or_else(|| Error::failed("no-context", format!("{} was called outside of a script", owned.path())))?;
        let arguments = arguments.iter().map(|argument| argument.flatten_clone()).collect();
        let answer = (owned.body())(&Call::new(&bound, &owned, arguments, &context));
        effort::called(&owned.module);
        let answer = answer.map_err(Into::into).and_then(|output| output.0);
        answer.map_err(|error| placed(error, context.call_position()))
    };
    FuncRegistration::new(&spec.name)
        .with_params_info(info)
        .with_comments(comments)
        .set_into_module_raw(
            module,
            vec![TypeId::of::<Dynamic>(); arity],
            RhaiFunc::Pure {
                func: Arc::new(run),
                has_context: true,
                is_pure: true,
                is_volatile: true,
            },
        );
}

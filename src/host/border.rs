//! What keeps the functions of one script out of another's.
//!
//! The engine looks an unqualified call up in a stack of libraries, the caller's below the callee's, and remembers for
//! the whole evaluation what it found by name and number of arguments. Left to that, two scripts with a helper of one
//! name get each other's, and a helper that is named like a method of the standard library stands in its way in
//! everything that is called from there. So what is imported is a module of native functions: each begins an
//! evaluation that sees its own script and nothing of its caller's. A closure that crosses takes along what it saw.

use std::any::TypeId;
use std::sync::Arc;

use rhai::{
    Array, Dynamic, Engine, EvalAltResult, FnAccess, FnPtr, FuncRegistration, GlobalRuntimeState, Map, Module,
    NativeCallContext, Position, RhaiFunc, Shared,
};

use super::library::Compiled;

/// The name of closures that have crossed, in the engine's messages.
const CLOSURE: &str = "closure";

/// The module of a script as other scripts may have it.
pub(super) fn enclose(inner: &Shared<Module>, compiled: &Compiled) -> Module {
    let mut outer = Module::new();
    outer.set_id(compiled.script.key.as_str());
    for (name, module) in inner.iter_sub_modules() {
        outer.set_sub_module(name, module.clone());
    }
    for (name, value) in inner.iter_var() {
        outer.set_var(name, value.clone());
    }
    for function in compiled.ast.iter_functions() {
        let public = function.access == FnAccess::Public && function.this_type.is_none();
        if !public || function.name.starts_with("anon$") {
            continue;
        }
        let (inner, name) = (inner.clone(), function.name.to_owned());
        let enter = move |context: Option<NativeCallContext<'_>>, arguments: &mut [&mut Dynamic]| {
            // The engine gives a context to every function that says it takes one, as these do.
            context.map_or(Ok(Dynamic::UNIT), |context| enter(&context, &inner, &name, arguments))
        };
        FuncRegistration::new(function.name).set_into_module_raw(
            &mut outer,
            vec![TypeId::of::<Dynamic>(); function.params.len()],
            RhaiFunc::Pure {
                func: Shared::new(enter),
                has_context: true,
                is_pure: true,
                is_volatile: true,
            },
        );
    }
    outer.build_index();
    outer
}

/// Calls a function of a script in an evaluation of its own.
fn enter(
    context: &NativeCallContext<'_>,
    script: &Shared<Module>,
    function: &str,
    arguments: &mut [&mut Dynamic],
) -> Result<Dynamic, Box<EvalAltResult>> {
    let outside = context.global_runtime_state();
    let mut values: Vec<Dynamic> = arguments
        .iter_mut()
        .map(|argument| carry(std::mem::take(*argument).flatten(), outside))
        .collect();
    let mut inside = outside.clone();
    inside.truncate_imports(0);
    inside.lib.clear();
    inside.lib.push(script.clone());
    inside.constants = None;
    let mut values: Vec<&mut Dynamic> = values.iter_mut().collect();
    let returned = within(context, &inside).call_fn_raw(function, false, false, &mut values)?;
    Ok(carry(returned, &inside))
}

/// The same place of a call, with another view of what there is.
fn within<'a>(context: &'a NativeCallContext<'_>, view: &'a GlobalRuntimeState) -> NativeCallContext<'a> {
    let engine: &'a Engine = context.engine();
    let at: Position = context.call_position();
    NativeCallContext::new_with_all_fields(engine, context.fn_name(), context.fn_source(), view, at)
}

/// A value that crosses a border: its closures keep the view that they were made with.
fn carry(value: Dynamic, view: &GlobalRuntimeState) -> Dynamic {
    if has_closure(&value) {
        bind(value, &Arc::new(view.clone()))
    } else {
        value
    }
}

fn has_closure(value: &Dynamic) -> bool {
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().any(has_closure);
    }
    if let Some(members) = value.read_lock::<Map>() {
        return members.values().any(has_closure);
    }
    value.is::<FnPtr>()
}

fn bind(value: Dynamic, view: &Arc<GlobalRuntimeState>) -> Dynamic {
    let value = value.flatten();
    if value.is::<FnPtr>() {
        return Dynamic::from(bind_closure(value.cast::<FnPtr>(), view));
    }
    if value.is_array() {
        let items = value.cast::<Array>().into_iter();
        return items.map(|item| bind(item, view)).collect::<Array>().into();
    }
    if value.is_map() {
        let members = value.cast::<Map>().into_iter();
        return members
            .map(|(key, member)| (key, bind(member, view)))
            .collect::<Map>()
            .into();
    }
    value
}

/// A closure that is called with a view of its own. What it captured stays where it is looked for.
fn bind_closure(mut closure: FnPtr, view: &Arc<GlobalRuntimeState>) -> FnPtr {
    let captured: Vec<Dynamic> = closure.iter_curry().cloned().collect();
    closure.set_curry([]);
    let (kept, bare) = (closure.clone(), closure);
    let view = view.clone();
    let call = move |context: NativeCallContext<'_>, arguments: &mut [&mut Dynamic]| {
        let mut inside = (*view).clone();
        inside.level = inside.level.max(context.global_runtime_state().level);
        // Copies: the first may be an item of an array that is gone through, and is asked for again.
        let values: Vec<Dynamic> = arguments.iter().map(|argument| (**argument).clone()).collect();
        let returned = bare.call_raw(&within(&context, &inside), None, values);
        returned.map_err(|error| renamed(*error, bare.fn_name()))
    };
    // The callback is marked deprecated by Rhai only to say that it may change between versions.
    #[allow(deprecated)]
    let bound = FnPtr::from_fn(CLOSURE, call);
    // Only a name that is no identifier is refused.
    let Ok(mut bound) = bound else {
        return kept;
    };
    bound.set_curry(captured);
    bound
}

/// An error that says, under the name by which the engine looks for it, that a closure takes other arguments.
#[allow(clippy::unnecessary_box_returns)] // Rhai's errors are boxed wherever they are passed on.
fn renamed(error: EvalAltResult, name: &str) -> Box<EvalAltResult> {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, position) if signature.starts_with(name) => {
            EvalAltResult::ErrorFunctionNotFound(format!("{CLOSURE}{}", &signature[name.len()..]), position).into()
        }
        other => other.into(),
    }
}

//! Executing changes durably: sessions, steps, changes, plan overlay, resume, approvals. It knows no Rhai and no HTTP.

//! What scripts can call: one file for each module that scripts see.

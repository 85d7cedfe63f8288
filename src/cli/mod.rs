//! The command line: one file a subcommand; it parses and prints, and decides nothing.

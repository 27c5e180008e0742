//! The policy checker.

//! Sprinters.
fn main() {}

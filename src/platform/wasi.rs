//! What is particular to a WASI command: what comes before `main`, and the way out.

use wasip2::cli::exit::exit_with_code;
use wasip2::random::random::get_random_u64;

/// Does what comes before `main`: the C library's list of folders is filled by a constructor, and the crate behind `wasip2` has
/// told the linker that it calls all constructors itself.
pub(crate) fn set_up() {
    wit_bindgen::rt::run_ctors_once();
    // Left alone, it would take the clock for its seed: names and client tokens must differ whatever a host's clock says.
    fastrand::seed(get_random_u64());
}

/// WASI's plain way out knows success and failure alone.
pub(crate) fn exit(code: u8) {
    exit_with_code(code);
}

//! What a cancelled step does in the 7.5 seconds that GitHub leaves it between SIGINT and SIGTERM, added up.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation>

use std::time::Duration;

/// From SIGINT to SIGTERM.
const GITHUB: Duration = Duration::from_millis(7_500);

/// The undo, from its beginning to its end.
pub(crate) const UNDO: Duration = Duration::from_millis(6_800);
/// Of that, how long calls that are under way may take to say what they made.
pub(crate) const SETTLE: Duration = Duration::from_millis(2_500);
/// Then the sign-out of a GitHub App, one try.
pub(crate) const SIGN_OUT: Duration = Duration::from_millis(600);
/// What is left for the log's last lines and the process's end.
const REST: Duration = Duration::from_millis(100);

const _: () = {
    let spent = UNDO.as_millis() + SIGN_OUT.as_millis() + REST.as_millis();
    assert!(
        spent <= GITHUB.as_millis(),
        "the cancel takes longer than GitHub waits"
    );
    assert!(
        2 * SETTLE.as_millis() < UNDO.as_millis(),
        "what answers late must still be ended"
    );
};

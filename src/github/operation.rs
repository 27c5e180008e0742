//! What is asked of GitHub, in the words of an error: `cannot list runners`.

pub(crate) const INSTALLATION: &str = "find the GitHub App's installation";
pub(crate) const MINT: &str = "make an installation token";
/// As `MINT`, for the installation that an input names.
pub(crate) const MINT_FOR: &str =
    "make a token for the installation that `github-app-installation-id` names";
pub(crate) const REVOKE: &str = "revoke the installation token";

pub(crate) const CREATE: &str = "create a just-in-time runner";
pub(crate) const DOWNLOADS: &str = "look up the runner program's download";
pub(crate) const LOOK: &str = "look at the runner";
pub(crate) const LIST: &str = "list runners";
pub(crate) const DELETE: &str = "delete the runner's record";
#[cfg(not(target_family = "wasm"))]
pub(crate) const REGISTRATION: &str = "make a registration token";
#[cfg(not(target_family = "wasm"))]
pub(crate) const REGISTER: &str = "sign in to GitHub's Actions service";

pub(crate) const GROUPS: &str = "list runner groups";

pub(crate) const READ_FILE: &str = "read `.github/sprinters.yml`";

#[cfg(not(target_family = "wasm"))]
pub(crate) const VISIBILITY: &str = "ask whether the repository is public";

pub(crate) const LOOK_AT_RUN: &str = "look at the workflow run";
pub(crate) const LIST_JOBS: &str = "list the run's jobs";
pub(crate) const LOOK_AT_ANNOTATIONS: &str = "see who cancelled a job";
pub(crate) const RERUN: &str = "run it again";
pub(crate) const LIST_RUNS: &str = "list the workflow's runs";
pub(crate) const CANCEL: &str = "cancel the workflow run";

/// Whether this comes before a call, and makes nothing but a token that ends by itself: where it fails, the call was not sent.
pub(super) fn is_sign_in(operation: &str) -> bool {
    #[cfg(not(target_family = "wasm"))]
    if [REGISTRATION, REGISTER].contains(&operation) {
        return true;
    }
    [INSTALLATION, MINT, MINT_FOR].contains(&operation)
}

/// Whether this is about runs, which need another permission than runners.
pub(super) fn is_about_runs(operation: &str) -> bool {
    [
        LOOK_AT_RUN,
        LIST_JOBS,
        LOOK_AT_ANNOTATIONS,
        RERUN,
        LIST_RUNS,
        CANCEL,
    ]
    .contains(&operation)
}

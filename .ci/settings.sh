# shellcheck shell=bash
# shellcheck disable=SC2034  # read by the scripts that source this
# Where set-up puts things and which versions it takes. Sourced by the scripts beside it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sprinters
venv=$cache/venv
tools=$cache/tools
stamps=$cache/stamps
mkdir -p "$tools/bin" "$stamps"

# One target directory for every clone and every script: aws-sdk-ec2 alone costs minutes to compile.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export PATH=$tools/bin:$PATH

rust_oldest=1.95      # rust-version in Cargo.toml
go_version=1.26.8     # builds the two tools below, both need 1.25 or newer
actionlint_version=1.7.12
act_version=0.2.89
cargo_deny_version=0.20.2
cargo_mutants_version=27.1.0
mdbook_version=0.5.4

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# done_before NAME TEXT: has NAME been set up with exactly TEXT (versions, hashes) before? `mark` says so.
done_before() { [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]; }
mark() { printf '%s\n' "$2" >"$stamps/$1"; }

# lock FD FILE HOLDER [OPTION]: holds a lock on FILE, open as file descriptor FD, until that is closed or this script and all
# that it started have ended. Says that it waits for HOLDER, if it does.
lock() {
  local fd=$1 mode=${4:---exclusive}
  have flock || fail 'missing: flock; install util-linux'
  eval "exec $fd>>\"\$2\""
  flock --nonblock "$mode" "$fd" && return
  say "Waiting for $3"
  flock "$mode" "$fd"
}

# What is set up is shared by all checkouts: one set-up at a time.
begin_setup() { lock 9 "$cache/setup.lock" 'a set-up that is under way'; }
end_setup() { exec 9>&-; }

# use_target_directory: until this script ends, CARGO_TARGET_DIR holds what is built from this checkout, and no other's. Scripts
# of one checkout share it, as cargo lets them; another checkout waits. Cargo tells two checkouts' files apart by time stamps
# alone: without this, another checkout's program might be tested.
use_target_directory() {
  local lock=$CARGO_TARGET_DIR/checkout.lock owner=$CARGO_TARGET_DIR/checkout
  mkdir -p "$CARGO_TARGET_DIR"
  while true; do
    lock 8 "$lock" "another checkout, which uses $CARGO_TARGET_DIR" --shared
    [ "$(cat "$owner" 2>/dev/null)" = "$root" ] && return
    lock 8 "$lock" "$(cat "$owner" 2>/dev/null), which uses $CARGO_TARGET_DIR"
    if [ "$(cat "$owner" 2>/dev/null)" != "$root" ]; then
      (cd "$root" && cargo clean --quiet -p sprinters -p sprinters-policy)
      printf '%s\n' "$root" >"$owner"
    fi
    # A lock cannot be turned into a shared one in one step: somebody else may come in between.
  done
}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# apt_install PACKAGE...: installs what is missing; needs root or sudo only if something is.
apt_install() {
  local package missing=()
  for package; do
    [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == *'ok installed' ]] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  have apt-get || fail "missing: ${missing[*]}; this is no Debian system, so install them in your system's own way"
  [ "$(id -u)" -eq 0 ] || have sudo || fail "missing: ${missing[*]}; as root, run: apt-get install ${missing[*]}"
  say "Installing ${missing[*]}"
  as_root apt-get update -qq
  # A machine that has just booted may be updating itself.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=600 -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

# apt_offers PACKAGE [VERSION]: can apt install it (in this version)?
apt_offers() {
  local policy
  policy=$(apt-cache policy "$1" 2>/dev/null)
  [[ $policy =~ Candidate:\ [0-9] && $policy == *"Candidate: ${2:-}"* ]]
}

# at_least WANTED FOUND: is version FOUND at least WANTED?
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# rust_works: is there a cargo that builds this checkout? With rustup, inside it `cargo` is the pinned version.
rust_works() {
  local found
  found=$(cd "$root" && cargo --version 2>/dev/null | cut -d' ' -f2) || return 1
  [ -n "$found" ] && (cd "$root" && rustc --version >/dev/null 2>&1) && at_least "$rust_oldest" "$found"
}
# Without a working rustup, Debian's compiler, wherever PATH has it.
rust_works || PATH=/usr/bin:$PATH

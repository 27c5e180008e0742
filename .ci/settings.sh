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
mdbook_version=0.5.4

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# done_before NAME TEXT: has NAME been set up with exactly TEXT (versions, hashes) before? `mark` says so.
done_before() { [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]; }
mark() { printf '%s\n' "$2" >"$stamps/$1"; }

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
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
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

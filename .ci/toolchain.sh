# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # read by the scripts that source this; set by settings.sh
# Which Rust builds what lies in dist/. Sourced after settings.sh by the scripts that build.

# dist/ is built by Rust 1.96 as Debian 12's security archive ships it, with std built from Debian's sources, because
# that compiler can be had from a package archive alone and is archived for good. SPRINTERS_RUST=rustup builds with
# rustup's toolchain instead: as good a program, but other bits.
debian_rust='1.96.0+dfsg1-1~deb12u2'

# lock_target_directory: until this script ends, `$target_dir` is written by no other build.
lock_target_directory() {
  mkdir -p "$target_dir"
  lock 8 "$target_dir/build.lock" "another build, which uses $target_dir"
}

# rustup_has_target TARGET: is rustup's own std for it installed, or can rustup fetch it now?
rustup_has_target() {
  have rustup || return 1
  (cd "$root" && rustup target add "$1" >/dev/null 2>&1)
}

debian_has_rust() {
  [ "$(dpkg-query -W -f='${Version}' rustc-web 2>/dev/null)" = "$debian_rust" ] || apt_offers rustc-web "$debian_rust"
}

# choose_rust TARGET: sets `rustc`, `cargo`, `std` and `hint` (arguments), `lean` (flags) and `rust_name` (which is recorded).
choose_rust() {
  local choice=${SPRINTERS_RUST:-}
  if [ -z "$choice" ]; then
    if debian_has_rust; then choice=debian; elif rustup_has_target "$1"; then choice=rustup; fi
  fi
  case $choice in
    debian)
      apt_install gcc libc6-dev rustc-web cargo-web rust-web-src
      cargo=/usr/bin/cargo rustc=/usr/bin/rustc
      # Debian has std for its own processor only; building it needs one of cargo's unstable options.
      # The smaller sorting, and no reader of backtraces: there are no symbols in the program to show in one.
      std=('-Zbuild-std=std,panic_abort' '-Zbuild-std-features=optimize_for_size')
      # A derived Debug prints its type's or variant's name alone. Nothing that users read is made with it; what it could print
      # of AWS's types is 4 % of the program, and a secret in it could not get out.
      # A panic tells its line and not its file, and names of files are 2 % of the program: with the message and the version, one
      # place in all sources is as good as named.
      lean=('-Zfmt-debug=shallow' '-Zlocation-detail=line')
      # Compiles what is used of aws-sdk-ec2, as its own manifest hints: 3 minutes and 5 GB in place of 20 and 11.
      hint=('-Zprofile-hint-mostly-unused')
      rust_name="rustc $($rustc --version | cut -d' ' -f2) (Debian $(dpkg-query -W -f='${Version}' rustc-web))"
      ;;
    rustup)
      rustup_has_target "$1" || fail "rustup cannot fetch \`$1\`; on Debian 12, unset SPRINTERS_RUST to build with Debian's rustc-web"
      cargo=$(cd "$root" && rustup which cargo) rustc=$(cd "$root" && rustup which rustc)
      std=() hint=() lean=()
      rust_name="rustc $($rustc --version | cut -d' ' -f2) (rustup)"
      ;;
    *) fail "no Rust that can build for \`$1\`: use Debian 12 with its security archive, or rustup" ;;
  esac
}

# sources: what `sprinters --version` says that the program was built from: a hash of every file that decides what dist/ holds. A commit
# it cannot be, for the commit holds the very programs.
sources() { "$root/.ci/inputs" | sha256sum | cut -c 1-12; }

# check_inputs DEPFILE WHAT: every file of this checkout that the compiler read is one whose hash dist/SOURCES records.
check_inputs() {
  local missing
  missing=$(sed -n 's/^[^:]*: //p' "$1" | tr ' ' '\n' | sed -n "s|^$root/||p" | sed -E ':up; s#[^/]+/\.\./##; t up' | sort -u |
    grep -vxFf <("$root/.ci/inputs" --names) || true)
  [ -z "$missing" ] || fail "$2 is also made from $missing, which .ci/inputs does not list"
}

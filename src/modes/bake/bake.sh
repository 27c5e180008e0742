# shellcheck shell=sh disable=SC2154 # the values stand above, put there by script.rs
# cloud-init runs this once, as root, when the system is up.
set -u
home=/opt/actions-runner
setup_file=/root/sprinters-setup
log=/var/log/sprinters-bake.log

say() { echo "sprinters: bake: $*" >/dev/console; }

# An instance that powers off is taken for a finished one. A failed one stays, says why, and is terminated from outside.
die() {
    say "FAILED: $*"
    tail -n 10 "$log" >/dev/console
    exit 1
}

# Whoever waits gives up before that. Then nobody listens any more, and a stopped instance costs its volume alone.
(sleep "$give_up_after"; poweroff) >/dev/null 2>&1 &

# A plain statement, never part of a list: only so does `set -e` hold inside.
step() {
    message=$1
    shift
    (set -e; "$@") >>"$log" 2>&1
    code=$?
    [ "$code" -eq 0 ] || die "$message (exit status $code)"
}

packages() {
    if command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update
        apt-get -qq -y install git docker.io docker-buildx
    elif command -v dnf >/dev/null; then
        dnf -q -y install git docker libicu tar
    fi
}

runner() {
    id "$user" >/dev/null 2>&1 || useradd -u 1001 -m -s /bin/bash "$user" || useradd -m -s /bin/bash "$user"
    rm -rf "$home"
    install -d -o "$user" -g "$user" "$home"
    curl -fsSL --retry 5 -o /tmp/runner.tar.gz "$url"
    echo "$sha256  /tmp/runner.tar.gz" | sha256sum --check --quiet
    setpriv --reuid "$user" --regid "$user" --clear-groups tar -xzf /tmp/runner.tar.gz -C "$home"
    rm /tmp/runner.tar.gz
    # libicu and the like, which the runner would lack on some images.
    "$home/bin/installdependencies.sh"
}

# A #! line chooses the interpreter, as in a start; without one it is bash -e.
run_setup() {
    shell='bash -e'
    [ "$(head -c 2 "$setup_file")" != '#!' ] || shell=
    # shellcheck disable=SC2086 # two words or none
    HOME=/root $shell "$setup_file" </dev/null
}

# Nothing of this instance may live on in others: its names, keys and logs, and what the scripts left in root's history.
clean() {
    rm -f "$setup_file" /root/.bash_history /etc/ssh/ssh_host_* /var/lib/systemd/random-seed
    cloud-init clean --logs
    : >/etc/machine-id
    sync
}

say "$url"
if ! command -v docker >/dev/null; then
    step 'git and Docker could not be installed' packages
fi
step 'the runner could not be installed' runner
if [ -n "$setup" ]; then
    say 'running setup'
    (umask 077; printf '%s' "$setup" >"$setup_file"; chmod 700 "$setup_file")
    step 'setup failed' run_setup
fi
say 'done'
clean >/dev/null 2>&1
rm -f "$log"
poweroff

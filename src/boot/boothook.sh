# cloud-init runs this as root, early in every boot, and what it cannot wait for runs as systemd services: most of them call
# a function of this file by its name, through the copy in /run/sprinters, which stops before the secrets at the end.
set -eu
dir=/run/sprinters                                # a tmpfs: gone with the power
kept=/var/lib/cloud/instance/sprinters            # survives a reboot, not the baking of an image: it hangs on the instance id
units=/run/systemd/system
imds=http://169.254.169.254/latest

say() { printf 'sprinters: %s\n' "$*" >/dev/console || :; }
step() { echo "$*" >$dir/step; }

# end REASON: say why, once, and power off. EC2 turns that into a termination (InstanceInitiatedShutdownBehavior).
end() {
    mkdir $dir/ending 2>/dev/null || return 0     # the first reason is the true one
    say "$*"
    systemctl start --no-block sprinters-off.service || off
}
off() {
    systemctl start --no-block --job-mode=replace-irreversibly poweroff.target || :
    sleep 20; systemctl poweroff --force || :             # a service hangs: stop asking
    sleep 10; systemctl poweroff --force --force || :     # so does systemd
    sleep 5; echo o >/proc/sysrq-trigger
}
# In boot and prepare every unforeseen failure ends here, with what was being done and the last thing a program said of it.
guard() { trap '[ $? = 0 ] || end "error: failed while $(cat $dir/step): $(tail -n 1 $dir/errors)"' EXIT; exec 2>>$dir/errors; }

# Timers: EC2 bills until somebody powers off, so each way of never finishing has one, outside the runner's processes.
start_timeout() { end "error: the runner was not online within $start_timeout s; it was still $(cat $dir/step)"; }
idle_timeout() { grep -q 'Running job: ' $dir/runner.log || end "error: no job came within $idle_timeout s"; }
max_lifetime() { end "error: max-lifetime of $max_lifetime s is over"; }

# service NAME FUNCTION [UNIT-LINES [SERVICE-LINES]]. No default dependencies: they would wait for sysinit.target, which on
# Ubuntu and Debian waits for this very script. For the same reason nothing here may wait for a unit: --no-block.
service() {
    cat >"$units/sprinters-$1.service" <<EOF
[Unit]
Description=Sprinters: $1
DefaultDependencies=no
${3-}
[Service]
ExecStart=/bin/sh $dir/boot $2
TimeoutStopSec=10
${4-}
EOF
}
timer() { # timer NAME SECONDS FUNCTION
    service "$1" "$3"
    printf '[Unit]\nDefaultDependencies=no\n[Timer]\nOnActiveSec=%s\nAccuracySec=100ms\n' "$2" >"$units/sprinters-$1.timer"
}

# The account that runs the job: not root, but with sudo and docker, as on GitHub's own runners.
account() {
    id -u "$user" >/dev/null 2>&1 || useradd -m -s /bin/bash -u 1001 "$user" || useradd -m -s /bin/bash "$user"
    [ "$(id -u "$user")" != 0 ]
    [ ! -d /etc/sudoers.d ] || (umask 226; echo "$user ALL=(ALL) NOPASSWD:ALL" >/etc/sudoers.d/90-sprinters)
}

# Keeps instance metadata from the job's account. Not from root: the job's sudo reaches it, as do containers in the host's
# network; the hop limit of 1 stops other containers. networkd deletes rules it did not make, unless the kernel made them.
close_metadata() {
    uid=$(id -u "$user")
    ip rule add to 169.254.169.254 uidrange "$uid-$uid" priority 1 protocol kernel prohibit ||
        iptables -w -I OUTPUT -d 169.254.169.254 -m owner --uid-owner "$uid" -j REJECT
    ip -6 rule add to fd00:ec2::254 uidrange "$uid-$uid" priority 1 protocol kernel prohibit || :
}

# With a #! line the script chooses its interpreter; without one it is run like a step of a workflow.
run_setup() {
    [ -e $kept/setup ] || return 0
    shell='bash -e'; [ "$(head -c 2 $kept/setup)" != '#!' ] || shell=
    # shellcheck disable=SC2086 # two words or none
    HOME=/root $shell $kept/setup >$dir/setup.log 2>&1 </dev/null || {
        code=$?
        tail -n 10 $dir/setup.log >/dev/console || :
        end "error: setup failed with exit status $code: $(tail -n 1 $dir/setup.log)"
        exit 1
    }
    rm $kept/setup
}

# Sets $home to the runner: the one that was asked for, one in the image, or GitHub's, downloaded.
find_runner() {
    if [ -n "$home" ]; then set -- "$home"; else set -- /opt/actions-runner /opt/runner /actions-runner "/home/$user/actions-runner"; fi
    for home in "$@"; do [ ! -x "$home/run.sh" ] || return 0; done
    [ -n "$url" ] || { end "error: no runner in the image at $home (run.sh is missing): correct runner-home"; exit 1; }
    home=/opt/actions-runner
    for try in 1 2 3; do
        step "downloading $url (try $try)"
        ! download || return 0
        sleep "$try"
    done
    end "error: cannot download $url: $(head -n 1 $dir/why)"
    exit 1
}
# One stream: to sha256sum and, as the job's account, to tar. Nothing of it runs before the sum is right.
download() {
    rm -rf $dir/stream $dir/why $home.part
    mkfifo $dir/stream
    install -d -o "$user" $home.part
    sha256sum <$dir/stream >$dir/sum &
    { curl -fsSL --connect-timeout 10 "$url" 2>$dir/curl || cat $dir/curl >>$dir/why; } | tee $dir/stream | {
        setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups tar -xz -C $home.part 2>$dir/tar || cat $dir/tar >>$dir/why
        cat >/dev/null                            # tar may stop at the archive's end, the sum must not
    }
    wait $!
    [ ! -e $dir/why ] || return 1
    read -r sum _ <$dir/sum
    [ "$sum" = "$sha256" ] || { end "error: $url has the SHA-256 $sum, not $sha256 as GitHub says: not run"; exit 1; }
    mv $home.part $home
}

# What comes before the runner and may take its time. Then systemd starts sprinters-runner.service.
prepare() {
    guard
    step 'running setup'; run_setup
    step 'looking for the runner'; find_runner
    step 'getting the runner ready'
    [ "$metadata" = open ] || close_metadata
    [ "$(stat -c %U "$home")" = "$user" ] || chown -R "$user" "$home"
    ! getent group docker >/dev/null || usermod -aG docker "$user"
    ln -sfn "$home" $dir/runner
    # .NET dies without libicu (Amazon Linux 2023 has none). Installing it would cost seconds; the runner needs no cultures.
    ldconfig -p | grep -q libicuuc || echo DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 >$dir/environment
    step 'starting the runner'
}
started() {
    rm $dir/jit
    read -r now _ </proc/uptime; now=${now%.*}${now#*.}
    step 'connecting to GitHub'
    say "the runner $name started, $((now - $(cat $dir/began)))0 ms after the boot script"
}

# Follows the runner's own output: these lines say where it stands, and a job cannot forge them.
watch() {
    tail -n +1 -f $dir/runner.log | while IFS= read -r line; do
        echo "$line"
        case $line in
        *'Listening for Jobs'*)
            systemctl start --no-block sprinters-idle-timeout.timer
            systemctl stop --no-block sprinters-start-timeout.timer
            step 'waiting for a job'; say 'the runner is online' ;;
        *'Running job: '*)
            systemctl stop --no-block sprinters-idle-timeout.timer
            say "running the job ${line##*Running job: }" ;;
        esac
    done
}
# The two minutes' notice before EC2 takes a spot instance back goes to the console and, at its end, into the job's log.
spot() {
    token=
    while :; do
        code=$(curl -s -m 2 -o $dir/notice -w '%{http_code}' -H "X-aws-ec2-metadata-token: $token" $imds/meta-data/spot/instance-action) || :
        case $code in
        200) mv $dir/notice $dir/spot-notice; say "EC2 takes this spot instance back: $(cat $dir/spot-notice)"; return ;;
        401) token=$(curl -s -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' $imds/api/token) || : ; sleep 1 ;;
        *) sleep 5 ;;
        esac
    done
}
# The runner's exit, whatever the reason: an ephemeral runner takes one job, so there is nothing left to do here.
ended() {
    result=$(sed -n 's/.*: Job \(.* completed with result: .*\)/\1/p' $dir/runner.log)
    [ -z "$result" ] || end "the job $result"
    [ "${EXIT_STATUS-}" != 7 ] || end "error: GitHub refuses the version of the runner in the image: bake a newer one, or none"
    last=$(grep -v -e '^$' -e '^Runner listener exit' -e '^Exiting runner' $dir/runner.log | tail -n 1)
    end "error: the runner exited (${EXIT_CODE-} ${EXIT_STATUS-}) before a job ran: $last"
}

# Hooks of the runner (ACTIONS_RUNNER_HOOK_JOB_*), run as the job's account. The runner connects while the system still boots;
# a job must find it booted: after basic.target the sockets, docker's too, are there.
job_started() { for _ in $(seq 120); do systemctl -q is-active basic.target 2>/dev/null && return; sleep 0.5; done; }
job_completed() { [ ! -e $dir/spot-notice ] || echo "::warning title=Spot instance::EC2 takes this instance back: $(cat $dir/spot-notice)"; }

# The user data holds secrets, and cloud-init keeps copies, all for root alone. Its later stages still need obj.pkl.
wipe() { (cd /var/lib/cloud/instance && rm -f user-data.txt* boothooks/*); }
wipe_rest() { wipe; rm -f /var/lib/cloud/instance/obj.pkl /run/cloud-init/instance-data-sensitive.json; }

boot() {
    read -r began _ </proc/uptime
    umask 022
    mkdir -p $dir
    : >>$dir/runner.log
    echo "${began%.*}${began#*.}" >$dir/began
    sed '/^# --- secrets/,$d' "$0" >$dir/boot
    step 'setting up'
    guard
    service off off
    [ ! -e $kept ] || { end 'error: the instance was restarted, its runner is gone'; exit 0; }
    mkdir $kept
    wipe
    say "preparing the runner $name with the label $label"

    timer start-timeout "$start_timeout" start_timeout
    timer idle-timeout "$idle_timeout" idle_timeout
    timer max-lifetime "$max_lifetime" max_lifetime
    service watch watch
    service spot spot
    service wipe wipe_rest 'After=cloud-final.service'
    after=Conflicts=shutdown.target
    if [ -n "$setup" ]; then                      # it may expect a booted system with its package sources set
        (umask 077; printf '%s' "$setup" >$kept/setup; chmod 700 $kept/setup)
        after="$after
After=basic.target cloud-config.service"
    fi
    service prepare prepare "$after" Type=oneshot
    for hook in job_started job_completed; do echo "exec sh $dir/boot $hook" >$dir/$hook.sh; done
    # The JIT config reaches the runner's environment from a file that only root can read and that is gone once it runs:
    # in nobody's arguments, on no disk. (The runner itself then keeps its credentials in its folder, as everywhere.)
    (umask 077; echo "ACTIONS_RUNNER_INPUT_JITCONFIG=$jit" >$dir/jit)
    cat >$units/sprinters-runner.service <<EOF
[Unit]
Description=Sprinters: GitHub Actions runner
DefaultDependencies=no
Requires=sprinters-prepare.service
After=sprinters-prepare.service
Conflicts=shutdown.target
Before=shutdown.target
[Service]
Type=exec
User=$user
WorkingDirectory=-$dir/runner
Environment=LANG=C.UTF-8 USER=$user PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=ACTIONS_RUNNER_HOOK_JOB_STARTED=$dir/job_started.sh ACTIONS_RUNNER_HOOK_JOB_COMPLETED=$dir/job_completed.sh
Environment=ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE=1
EnvironmentFile=-/etc/environment
EnvironmentFile=-$dir/environment
EnvironmentFile=-$dir/jit
ExecStart=$dir/runner/run.sh
ExecStartPost=+/bin/sh $dir/boot started
ExecStopPost=+/bin/sh $dir/boot ended
StandardOutput=append:$dir/runner.log
StandardError=inherit
LimitNOFILE=65536
TasksMax=infinity
OOMPolicy=continue
TimeoutStopSec=10
EOF
    step 'creating the account'; account
    systemctl start --no-block sprinters-start-timeout.timer sprinters-max-lifetime.timer sprinters-watch sprinters-spot \
        sprinters-wipe sprinters-runner
}
if [ $# -gt 0 ]; then "$@"; exit; fi

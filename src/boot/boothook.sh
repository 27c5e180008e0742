# shellcheck shell=sh disable=SC2154 # the values stand above, put there by render.rs
# cloud-init runs this as root, early in every boot. What takes time runs as systemd services, which call the functions below by
# name through a copy of this file in /run/sprinters; the copy ends before the secrets at the end of this one.
set -eu
dir=/run/sprinters                            # a tmpfs: gone with the power
kept=/var/lib/cloud/instance/sprinters        # outlives a reboot, but not the baking of an image: it depends on the instance id
units=/run/systemd/system
point=/mnt/sprinters                           # temp

### How it ends: with one line on the serial console and the power off, which EC2 makes a termination.

say() { printf 'sprinters: %s\n' "$*" >/dev/console || :; }
step() { echo "$*" >$dir/step; }
end() {
    mkdir $dir/ending 2>/dev/null || [ ! -e $dir/ending ] || return 0 # the first reason is the true one
    say "$*"
    systemctl start --no-block sprinters-off.service || off
}
die() { end "error: $*"; exit 1; }
# Forced after 25 s where something does not stop. systemd's last two rounds of kills spare this shell (see its unit) but not its
# sleeps: a round for each of the first two, and the third for the file systems.
off() {
    systemctl start --no-block --job-mode=replace-irreversibly poweroff.target || :
    for seconds in 15 5 5; do sleep $seconds || :; done
    systemctl poweroff --force --force || echo o >/proc/sysrq-trigger
}
# Whatever else fails: say what was being done, and the last words.
guard() { trap '[ $? = 0 ] || die "failed while $(cat $dir/step): $(tail -n 1 $dir/errors)"' EXIT; exec 2>>$dir/errors; }

# Three timers, outside the runner's processes: EC2 bills until somebody powers off, and GitHub may never send a job.
start_timeout() { grep -q 'Listening for Jobs' $dir/runner.log || die "the runner was not online within $start_timeout s; it was still $(cat $dir/step)"; }
idle_timeout() { grep -q 'Running job: ' $dir/runner.log || die "no job came within $idle_timeout s"; }
max_lifetime() { die "max-lifetime of $max_lifetime s is over"; }

# And when none of the above works any more, because the job has removed these files or stopped these units: PID 1 alone holds this
# one, lets nobody stop it, and powers off as soon as its process ends, whatever ends it. (Not `sleep`: people kill those by name.)
last() {
    held='RefuseManualStop=yes
IgnoreOnIsolate=yes'
    service last '' "$held
SuccessAction=poweroff-force
FailureAction=poweroff-force" "ExecStart=
ExecStart=/bin/tail -f /dev/null
RuntimeMaxSec=$((max_lifetime + 30))"
}

# A restart ends the instance without this script, whose second run needs a network and room on the disk. Not where the disk has
# become another instance's image: EC2 writes the instance's id on its board.
after_restart() {
    [ -s $board ] || return 0
    printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' \
        "ExecStart=/bin/sh -c 'read -r id <$board; [ \"\$\$id\" != $(cat $board) ] || { echo sprinters: error: $restarted >/dev/console; systemctl poweroff --force --force; }'" \
        >/etc/systemd/system/sprinters-restarted.service
    mkdir -p /etc/systemd/system/sysinit.target.wants
    ln -sf ../sprinters-restarted.service /etc/systemd/system/sysinit.target.wants/
}
board=/sys/class/dmi/id/board_asset_tag restarted='the instance was restarted, and a runner runs only once'

### Before the runner: sprinters-prepare.service

prepare() {
    guard
    [ -z "$proxy_is_set" ] || trust
    [ ! -e $kept/setup ] || run_setup
    step 'looking for the runner'; find_runner
    step 'getting the runner ready'
    [ "$metadata" = open ] || close_metadata
    [ "$(stat -c %U "$home")" = "$user" ] || chown -R "$user" "$home"
    [ -z "$temp" ] || work_on_temp
    groups
    # .NET dies without libicu, which Amazon Linux 2023 lacks, or needs to be told so.
    ldconfig -p | grep -q libicuuc || echo DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 >$dir/environment
    ln -s "$home" $dir/runner
    step 'starting the runner'
}

# The account may be the image's own, and setup may have installed Docker or changed the account.
groups() {
    if [ $no_sudo = yes ]; then
        [ "$(id -G "$user")" = "$(id -g "$user")" ] || usermod -G '' "$user"
    elif getent group docker >/dev/null; then
        case " $(id -nG "$user") " in *' docker '*) ;; *) usermod -aG docker "$user" ;; esac
    fi
}

# A #! line chooses the interpreter of a user's script; without one it is bash -e, as for a step of a workflow.
run() {
    shell='bash -e'; [ "$(head -c 2 "$kept/$1")" != '#!' ] || shell=
    # shellcheck disable=SC2086 # two words or none
    $shell "$kept/$1" </dev/null
}

run_setup() {
    step 'running setup'
    (umask 077; : >$dir/setup.log)
    HOME=/root run setup >$dir/setup.log 2>&1 || {
        code=$?
        tail -n 10 $dir/setup.log >/dev/console || :
        die "setup failed with exit status $code: $(tail -n 1 $dir/setup.log)"
    }
    rm $kept/setup
}

find_runner() {
    if [ -n "$home" ]; then set -- "$home"; else set -- /opt/actions-runner /opt/runner /actions-runner "/home/$user/actions-runner"; fi
    for home in "$@"; do [ ! -x "$home/run.sh" ] || return 0; done
    [ -n "$url" ] || die "no runner in the image at $home (run.sh is missing): correct runner-home"
    home=/opt/actions-runner
    for try in 1 2 3; do
        step "downloading $url (try $try)"
        ! download || return 0
        sleep "$try"
    done
    why=$(cat $dir/why.* | grep -m 1 .)
    case $why in *'Wrote only'* | *'No space'*) why="the disk is full ($why)" ;; esac
    die "cannot download $url: $why"
}

# One stream, to sha256sum and, as the job's account, to tar. Nothing of it runs before the sum is right. Where curl fails, tar does,
# too: curl's reason is the one to tell.
download() {
    rm -rf $dir/stream $dir/why.* "$home.part"
    mkfifo $dir/stream
    install -d -o "$user" "$home.part"
    sha256sum <$dir/stream >$dir/sum &
    { curl -fsSL --connect-timeout 10 "$url" 2>$dir/curl || cp $dir/curl $dir/why.1-curl; } | tee $dir/stream | {
        setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups tar -xz -C "$home.part" 2>$dir/tar || cp $dir/tar $dir/why.2-tar
        cat >/dev/null                        # tar may stop at the archive's end, the sum must not
    }
    wait $!
    for why in "$dir"/why.*; do [ ! -e "$why" ] || return 1; done
    read -r sum _ <$dir/sum
    [ "$sum" = "$sha256" ] || die "$url has the SHA-256 $sum, not $sha256 as GitHub says: not run"
    mv "$home.part" "$home"
}

# Only the job's account is kept out: not root, so not the job's sudo, nor containers in the host's network. (Other containers are
# stopped by the hop limit of 1.) networkd deletes rules it did not make, unless they look like the kernel's own.
close_metadata() {
    uid=$(id -u "$user")
    ip rule add to 169.254.169.254 uidrange "$uid-$uid" priority 1 protocol kernel prohibit ||
        iptables -w -I OUTPUT -d 169.254.169.254 -m owner --uid-owner "$uid" -j REJECT ||
        die "cannot close the instance metadata to the job: neither ip rule nor iptables works in this image"
    ip -6 rule add to fd00:ec2::254 uidrange "$uid-$uid" priority 1 protocol kernel prohibit || :
}

### Beside the runner: sprinters-watch, sprinters-machine and what sprinters-runner.service itself calls

started() {
    rm $dir/jit
    read -r now _ </proc/uptime
    step 'connecting to GitHub'
    say "the runner $name started, $((${now%.*}${now#*.} - $(cat $dir/began)))0 ms after the boot script"
}

# The runner's own output says where it stands, and a job cannot write to it.
watch() {
    tail -n +1 -f $dir/runner.log | while IFS= read -r line; do
        echo "$line"                          # to the journal
        case $line in
        *'Listening for Jobs'*)
            systemctl start --no-block sprinters-idle-timeout.timer
            systemctl stop --no-block sprinters-start-timeout.timer
            say 'the runner is online' ;;
        *'Running job: '*)
            counters >$dir/before
            systemctl stop --no-block sprinters-idle-timeout.timer
            say "running the job ${line##*Running job: }" ;;
        esac
    done
}

# What only the metadata service knows, which the job may not ask. Then, second by second, how little memory and swap are free, and
# every 5 s how full the disks are and whether EC2 takes this spot instance back, which it says two minutes before: to the console
# and, when the job ends, into its log.
machine() {
    # A kernel that cannot go on restarts, which ends the instance.
    for trouble in panic panic_on_oops; do echo 1 >/proc/sys/kernel/$trouble || :; done 2>/dev/null
    url=http://169.254.169.254/latest
    new_token
    # shellcheck disable=SC2046 # four words
    set -- $(curl -sf -m 2 -w ' ' -H "X-aws-ec2-metadata-token: $token" \
        "$url/meta-data/{instance-type,placement/availability-zone,instance-life-cycle,ami-id}")
    [ $# != 4 ] || echo "$1 in $2, $3, image $4" >$dir/instance
    least_memory=999999999999 least_swap=$least_memory second=0
    read -r began _ </proc/uptime
    while :; do
        least
        case $second in
        *[05])
            for disk in / ${temp:+$point}; do full "$disk" >>"$dir/full${disk##*/}"; done
            case $(curl -s -m 2 -o $dir/notice -w '%{http_code}' -H "X-aws-ec2-metadata-token: $token" $url/meta-data/spot/instance-action || :) in
            200) [ -e $dir/spot-notice ] || say "EC2 takes this spot instance back: $(cat $dir/notice)"; mv $dir/notice $dir/spot-notice ;;
            401) new_token ;;
            esac
            # Should even PID 1 be at an end.
            read -r now _ </proc/uptime
            [ $((${now%.*} - ${began%.*})) -lt $((max_lifetime + 60)) ] || off ;;
        esac
        second=$((second + 1))
        sleep 1
    done
}
new_token() { token=$(curl -s -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' $url/api/token) || :; }
full() { df --output=pcent "$1" | tail -n 1; }
least() {
    while read -r key kib _; do
        case $key in
        MemAvailable:) [ "$kib" -ge "$least_memory" ] || least_memory=$kib ;;
        SwapFree:) [ "$kib" -ge "$least_swap" ] || least_swap=$kib; break ;;
        esac
    done </proc/meminfo
    echo "least $least_memory $least_swap" >$dir/least
}
counters() { head -qn 1 /proc/stat /proc/pressure/cpu /proc/pressure/memory /proc/pressure/io 2>/dev/null || :; }

# The runner's hooks, run as the job's account. It connects while the system still boots, but a job must find it booted: from
# basic.target on, the sockets are there, docker's too.
job_started() {
    for _ in $(seq 120); do ! systemctl -q is-active basic.target 2>/dev/null || break; sleep 0.5; done
    echo "Sprinters: $(cat $dir/instance || :)"
    lscpu | grep -e '^CPU(s)' -e '^Model name' || :
    free -h || :
    df -hT / ${temp:+$point}
    [ ! -e $kept/job-started ] || run job-started
}
job_completed() {
    code=0; [ ! -e $kept/job-completed ] || run job-completed || code=$?
    for disk in / ${temp:+$point}; do
        echo "$disk was at most$({ full "$disk"; cat "$dir/full${disk##*/}"; } | sort -n | tail -n 1) full"
    done
    used || :
    [ ! -e $dir/spot-notice ] || echo "::warning title=Spot instance::EC2 takes this instance back: $(cat $dir/spot-notice)"
    return $code
}

# What the job used of its machine, for its log and as an annotation, which `stop` reads: the kernel's counters, which may lack the
# times of waiting, and the samples of `machine`. Types with a digit after c, m, r or t come in halves, at half the price.
used() {
    { cat $dir/before; counters; cat $dir/least /proc/meminfo; } 2>/dev/null | awk -v cpus="$(nproc)" -v instance="$(cat $dir/instance)" '
        function gib(kib) { return sprintf("%.1f", kib / 1048576) }
        $1 == "cpu" { busy = -busy; all = -all; for (i = 2; i < 10; i++) all += $i; busy += $2 + $3 + $4 + $7 + $8 }
        $1 == "some" { sub(/.*=/, "", $5); total[n++] = $5 }
        $1 == "least" { memory = $2; swap = $3 }
        $1 == "MemTotal:" { all_memory = $2 }
        $1 == "SwapTotal:" { all_swap = $2 }
        END {
            if (all <= 0 || !memory) exit
            share = 100 * busy / all
            line = sprintf("used at most %s of %s GiB of memory", gib(all_memory - memory), gib(all_memory))
            if (all_swap) line = line sprintf(" and %s of %s GiB of swap", gib(all_swap - swap), gib(all_swap))
            line = line sprintf(", on average %d %% of %d CPUs", share, cpus)
            if (n == 6) line = line sprintf("; waited %d %% of the time for a CPU, %d %% for memory, %d %% for disks", \
                    wait(0), wait(1), wait(2))
            split(instance, name, /[. ]/)
            size = name[2] == "xlarge" ? 1 : name[2] + 0
            half = size == 1 ? "large" : size == 2 ? "xlarge" : size == 4 || size == 18 || size % 8 == 0 ? size / 2 "xlarge" : ""
            if (size && half && instance ~ /^[cmrt][0-9]/ && share < 25 && all_memory - memory < 0.45 * all_memory)
                line = line ": " name[1] "." half " has half of it, at half the price"
            print "::notice title=Sprinters::" line
        }
        function wait(i) { return (total[i + 3] - total[i]) * cpus / all / 100 }
    '
}

# An ephemeral runner takes one job and exits: there is nothing left to do. A service of its own: as ExecStopPost of the runner's
# it may find their control group gone and not start at all.
ended() {
    result=$(sed -n 's/.*: Job \(.* completed with result: .*\)/\1/p' $dir/runner.log)
    [ -z "$result" ] || { end "the job $result"; return; }
    status=$(systemctl show --value -p ExecMainStatus sprinters-runner)
    [ "$status" != 203 ] || die "the runner's run.sh cannot be executed: its interpreter is missing, or it is for another processor"
    [ ! -e $dir/jit ] || [ -s $dir/runner.log ] || die "failed while $(cat $dir/step)"
    [ "$status" != 7 ] || die "GitHub refuses the version of the runner in the image: bake a newer one, or none"
    last=$(grep -v -e '^$' -e '^Runner listener exit' -e '^Exiting runner' $dir/runner.log | tail -n 1)
    die "the runner exited with status $status without finishing a job; its last words: $last"
}

### The boot

# service NAME FUNCTION [UNIT-LINES [SERVICE-LINES]]. By default a service waits for sysinit.target, which on Ubuntu and Debian
# waits for this very script; hence DefaultDependencies=no and, where one is started, --no-block.
service() {
    printf '%s\n' '[Unit]' "Description=Sprinters: $1" DefaultDependencies=no "${3-}" \
        '[Service]' "ExecStart=/bin/sh $dir/boot $2" "${4-}" >"$units/sprinters-$1.service"
}
timer() { # NAME SECONDS FUNCTION [UNIT-LINES]
    service "$1" "$3" FailureAction=poweroff
    printf '%s\n' '[Unit]' DefaultDependencies=no "${4-}" '[Timer]' "OnActiveSec=$2" AccuracySec=100ms >"$units/sprinters-$1.timer"
}

# Never root, but with sudo and docker, as on GitHub's own runners. Theirs is 1001, too. Without sudo it has no way to become root,
# whatever else the image says: sudo's last word counts, and programs that become root by themselves do not (NoNewPrivileges).
account() {
    rights='NOPASSWD:ALL'; [ $no_sudo = no ] || rights='!ALL'
    set -- -m -s /bin/bash "$user"; [ $no_sudo = yes ] || ! getent group docker >/dev/null || set -- -G docker "$@"
    id "$user" >/dev/null 2>&1 || useradd -u 1001 "$@" || useradd "$@"
    [ "$(id -u "$user")" != 0 ]
    [ ! -d /etc/sudoers.d ] || (umask 226; echo "$user ALL=(ALL) $rights" >/etc/sudoers.d/zz-sprinters)
}

keep_hook() { [ -z "$2" ] || { printf '%s' "$2" >"$kept/$1"; chmod 755 "$kept/$1"; }; }

# cloud-init keeps copies of the user data, for root alone. Its later stages still load obj.pkl.
wipe() { (cd /var/lib/cloud/instance && rm -f user-data.txt* boothooks/*); }
# At the boot's end. A watchdog, if need be the kernel's own, restarts a machine whose PID 1 has stopped, which ends the instance.
booted() {
    wipe; rm -f /var/lib/cloud/instance/obj.pkl /run/cloud-init/instance-data-sensitive.json
    after_restart || :
    [ -e /dev/watchdog0 ] || modprobe -q softdog || return 0
    busctl set-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager RuntimeWatchdogUSec t 300000000
}

boot() {
    trap 'say "error: the boot script failed before it could begin"; off' EXIT
    read -r began _ </proc/uptime
    umask 022
    mkdir -p $dir
    echo "${began%.*}${began#*.}" >$dir/began
    sed '/^# --- secrets/,$d' "$0" >$dir/boot
    step 'setting up'; guard
    # systemd's last rounds of kills spare a root process named @…, but would wait 90 s for others that ignore SIGTERM.
    service off off FailureAction=poweroff-force "ExecStart=
ExecStart=@/bin/sh @sprinters-off $dir/boot off"
    [ ! -e $kept ] || die "$restarted"
    account & account=$!                      # it waits for the disk, again and again
    last
    timer start-timeout "$start_timeout" start_timeout
    timer idle-timeout "$idle_timeout" idle_timeout
    timer max-lifetime "$max_lifetime" max_lifetime "$held"
    service watch watch '' Restart=on-failure
    service ended ended FailureAction=poweroff
    service machine machine '' Restart=on-failure
    service booted booted After=cloud-final.service
    : >$dir/runner.log
    systemctl start --no-block sprinters-last sprinters-start-timeout.timer sprinters-max-lifetime.timer \
        sprinters-watch sprinters-machine sprinters-booted
    mkdir $kept
    wipe
    say "preparing the runner $name with the label $label"

    after=
    if [ -n "$setup" ]; then                  # it may expect a booted system with its package sources set
        (umask 077; printf '%s' "$setup" >$kept/setup; chmod 700 $kept/setup)
        after='After=basic.target cloud-config.service'
    fi
    keep_hook job-started "$hook_started"
    keep_hook job-completed "$hook_completed"
    [ -z "$proxy_is_set" ] || use_proxy
    if [ "$temp$swap" != 0 ]; then
        service storage storage 'Before=docker.socket docker.service containerd.service' "Type=oneshot
RemainAfterExit=yes"
        after="$after
Requires=sprinters-storage.service
After=sprinters-storage.service"
    fi
    service prepare prepare "Conflicts=shutdown.target
OnFailure=sprinters-ended.service
$after" "Type=oneshot
EnvironmentFile=-$dir/proxy
TimeoutStopSec=10"

    # The JIT config comes into the runner's environment, and only there, from a file on no disk that root alone can read and that
    # is gone once the runner runs.
    (umask 077; echo "ACTIONS_RUNNER_INPUT_JITCONFIG=$jit" >$dir/jit)
    for hook in job_started job_completed; do echo "exec sh $dir/boot $hook" >$dir/$hook.sh; done
    cat >$units/sprinters-runner.service <<EOF
[Unit]
Description=Sprinters: GitHub Actions runner
DefaultDependencies=no
Requires=sprinters-prepare.service
After=sprinters-prepare.service
Conflicts=shutdown.target
Before=shutdown.target
OnSuccess=sprinters-ended.service
OnFailure=sprinters-ended.service
[Service]
Type=exec
User=$user
WorkingDirectory=-$dir/runner
Environment=LANG=C.UTF-8 USER=$user PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=ACTIONS_RUNNER_HOOK_JOB_STARTED=$dir/job_started.sh ACTIONS_RUNNER_HOOK_JOB_COMPLETED=$dir/job_completed.sh
Environment=ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE=1
EnvironmentFile=-/etc/environment
EnvironmentFile=-$dir/environment
EnvironmentFile=-$dir/proxy
EnvironmentFile=-$dir/jit
ExecStart=$dir/runner/run.sh
ExecStartPost=+/bin/sh $dir/boot started
StandardOutput=append:$dir/runner.log
StandardError=inherit
LimitNOFILE=65536
TasksMax=infinity
# The kernel may kill a process of the job for want of memory; that is the job's matter.
OOMPolicy=continue
NoNewPrivileges=$no_sudo
TimeoutStopSec=10
EOF
    step 'creating the account'; wait $account
    systemctl start --no-block sprinters-runner
}

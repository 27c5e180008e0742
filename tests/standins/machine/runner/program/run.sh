#!/bin/bash
# Starts the runner and starts it again where it asks for that, as the real run.sh does.
user_id=$(id -u)
if [ "$user_id" -eq 0 ] && [ -z "$RUNNER_ALLOW_RUNASROOT" ]; then
    echo "Must not run interactively with sudo"
    exit 1
fi
DIR=$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# The real one makes its helper anew on each start, so its folder must be writable.
cp -f "$DIR/run-helper.sh.template" "$DIR/run-helper.sh" || exit 1
while :; do
    bash "$DIR/run-helper.sh" "$@"
    code=$?
    [ $code -eq 2 ] || break
    echo "Restarting runner..."
done
echo "Exiting runner..."
exit "$code"

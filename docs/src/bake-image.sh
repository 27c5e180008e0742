#!/bin/bash
# Bakes GitHub's runner into an image. User data of one normal launch, on Ubuntu or Debian: it installs the runner where
# Sprinters looks for it, removes what must not be copied, and powers off; then make an image of the stopped instance.
# The page "Your own image" has the commands.
set -euo pipefail
exec >/dev/console 2>&1
trap 'echo "bake: FAILED in line $LINENO"; poweroff' ERR
home=/opt/actions-runner

# Leave both empty for the newest release, or name one: the address of its archive for Linux, and its SHA-256.
url=
sha256=

if [ -z "$url" ]; then
  case $(uname -m) in
  x86_64) name=linux-x64 ;;
  aarch64) name=linux-arm64 ;;
  *) echo "bake: no runner for $(uname -m)" && false ;;
  esac
  read -r url sha256 < <(curl -fsSL --retry 5 https://api.github.com/repos/actions/runner/releases/latest | python3 -c '
import json, sys
for asset in json.load(sys.stdin)["assets"]:
    if asset["name"].startswith("actions-runner-" + sys.argv[1] + "-") and asset["name"].count("-") == 4:
        print(asset["browser_download_url"], asset["digest"].removeprefix("sha256:"))
' "$name")
fi

# The account that Sprinters runs jobs as, so that nothing has to be handed over on each boot.
id runner >/dev/null 2>&1 || useradd -u 1001 -m -s /bin/bash runner

echo "bake: $url"
curl -fsSL --retry 5 -o /tmp/runner.tar.gz "$url"
echo "$sha256  /tmp/runner.tar.gz" | sha256sum --check
install -d -o runner -g runner "$home"
setpriv --reuid runner --regid runner --clear-groups tar -xzf /tmp/runner.tar.gz -C "$home"
rm /tmp/runner.tar.gz
# libicu and the like, which the runner would lack on some images.
"$home/bin/installdependencies.sh"

# Here goes what your jobs need: docker, compilers, caches.

# Nothing of this instance may live on in others.
cloud-init clean --logs
: >/etc/machine-id
rm -f /etc/ssh/ssh_host_* /var/lib/systemd/random-seed
sync
echo 'bake: done'
poweroff

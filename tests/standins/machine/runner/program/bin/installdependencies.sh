#!/bin/bash
# The real one calls a package manager, which costs seconds: the boot script must get by without. A bake calls it.
[ ! -d /run/sprinters ] || { echo "The stand-in installs nothing" >&2; exit 1; }

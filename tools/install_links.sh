#!/bin/sh
# Installs `get-certificate` and `runagent` beside the program: the names that programs on a node call.
set -eu
bin="${MESON_INSTALL_DESTDIR_PREFIX}/bin"
ln -sf certwright "$bin/get-certificate"
# A NethServer 8 node has a runagent of its own, which stays.
if [ ! -e "$bin/runagent" ] || grep -q Certwright "$bin/runagent"; then
  install -m 755 "$MESON_SOURCE_ROOT/packaging/bin/runagent" "$bin/runagent"
fi

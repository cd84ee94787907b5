#!/bin/sh
# Installs `get-certificate` beside the program: the name that programs on a node call.
set -eu
bin="${MESON_INSTALL_DESTDIR_PREFIX}/bin"
ln -sf certwright "$bin/get-certificate"

# Shared by the scripts in tools/: where things are, and how progress and errors are said.
# Sourced, never run. The caller has set -euo pipefail.

project_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
deps_dir=$project_dir/.deps
tool_name=$(basename "$0")

# Debian's own Python: the packages python3-pytest and python3-cryptography belong to it, and
# another python3 that comes first in PATH does not see them.
python=/usr/bin/python3

say() { printf '%s: %s\n' "$tool_name" "$*"; }

# die WHAT [ADVICE]: one line for what failed, one for what to do about it.
die() {
  printf '%s: error: %s\n' "$tool_name" "$1" >&2
  [ $# -lt 2 ] || printf '%s: %s\n' "$tool_name" "$2" >&2
  exit 1
}

# quietly WHAT ADVICE COMMAND...: shows a command's output only when it fails.
quietly() {
  local what=$1 advice=$2 log
  shift 2
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    sed 's/^/    /' "$log" | tail -n 40 >&2
    rm -f "$log"
    die "$what failed: $*" "$advice"
  fi
  rm -f "$log"
}

# Root who works in another person's tree (sudo tools/demo) leaves nothing there that this person
# could not write the next time.
hand_back() {
  [ "$(id -u)" -eq 0 ] || return 0
  local owner
  owner=$(stat -c %u:%g "$project_dir")
  [ "$owner" != 0:0 ] || return 0
  local path
  for path in "$@"; do
    [ ! -e "$path" ] || chown -R "$owner" "$path"
  done
}

# build_tree DIR TARGET MESON_OPTION...: configures once (and afresh where the options are others),
# then builds this target ("all": everything).
build_tree() {
  local dir=$1 target=$2
  shift 2
  if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$dir/options" 2>/dev/null)" != "$*" ]; then
    rm -rf "$dir"
    local cc=gcc cxx=g++
    if command -v ccache >/dev/null; then
      cc='ccache gcc' cxx='ccache g++'
    fi
    CC=${CC:-$cc} CXX=${CXX:-$cxx} quietly "configuring $dir" \
      "read the lines above; rm -rf '$dir' makes the next run start afresh" \
      meson setup --wrap-mode=nofallback "$@" "$dir" "$project_dir"
    printf '%s' "$*" >"$dir/options"
  fi
  quietly "building $dir" "the compiler's words are above; ninja -C '$dir' repeats them" \
    ninja -C "$dir" "$target"
  hand_back "$(dirname "$dir")"
}

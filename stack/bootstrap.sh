#!/usr/bin/env bash
# Makes this checkout ready to run: the Python environment from the lock, and beside it what the native stack needs.
# Run again at any time: what is there is left alone, what was interrupted is finished. Never asks.
#   stack/bootstrap.sh            everything
#   stack/bootstrap.sh python     the Python environment only
#   stack/bootstrap.sh clean      removes everything that was made in the checkout; never the cache of downloads
# PYTHON=/path/to/python3.12 chooses the interpreter.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
ROOT=$PWD
STAMP=.venv/waybill-stamp
BEGAN=$SECONDS
DOWNLOADS=

say()  { printf '[%4d s] setup: %s\n' $((SECONDS - BEGAN)) "$*" >&2; }
fail() { printf 'setup: %s\n' "$1" >&2; [ -z "${2-}" ] || printf '  what to do: %s\n' "$2" >&2; exit "${3:-3}"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_install() { # what it is for, packages...
  local why=$1; shift
  command -v apt-get >/dev/null || fail "$why: there is no apt-get here to install $*" "install $* by hand, then run it again"
  as_root true 2>/dev/null || fail "$why: $* has to be installed, which needs root or sudo without a password" "sudo apt-get install $*"
  say "$why: installing $* with apt"
  mkdir -p .waybill
  { as_root apt-get -qq update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"; } >.waybill/apt.log 2>&1 ||
    { tail -5 .waybill/apt.log >&2; fail "apt-get could not install $*" "install it by hand, then run it again"; }
}

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

choose_python() {
  local name found=
  for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && supported "$name"; then
      # Not the environment's own, when this shell has it activated: it could not rebuild itself.
      "$name" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)'; return
    fi
    [ "$name" != "${PYTHON-}" ] || fail "PYTHON=$PYTHON is not a Python 3.11 to 3.13" "unset it, or name another one" 2
  done
  found=$(python3 --version 2>/dev/null || echo "no python3")
  fail "waybill needs Python 3.11, 3.12 or 3.13; this machine has $found" "install one of them (apt-get install python3), or PYTHON=/path/to/python3.12 make setup" 2
}

# Whether the environment works and was made for this place: a copied or moved one has the old path in its scripts.
venv_works() { [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && grep -qsF "$ROOT/.venv/bin/python" .venv/bin/pip; }

make_venv() {
  local python=$1 version
  venv_works && return
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    apt_install "Python's venv module is missing" "python$version-venv"
  fi
  say "making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
}

wanted_stamp() { { echo "$ROOT"; .venv/bin/python --version; cat requirements-dev.lock pyproject.toml consumers/avro/decode.c; } | sha256sum; }

# waybill's decoder is compiled. The compiler that made this Python is asked for first, as setuptools does.
choose_compiler() {
  local cc
  for cc in ${CC:+"$CC"} "$(.venv/bin/python -c 'import sysconfig; print((sysconfig.get_config_var("CC") or "cc").split()[0])')" cc; do
    if echo '#include <stdlib.h>' | $cc -E - >/dev/null 2>&1; then export CC=$cc; return; fi
    [ "$cc" != "${CC-}" ] || fail "CC=$CC is no compiler that works here" "unset it, or name another one" 2
  done
  apt_install "a C compiler is missing" gcc libc6-dev
  export CC=cc
}

packages_there() {
  [ "$(cat $STAMP 2>/dev/null)" = "$(wanted_stamp)" ] && [ -x .venv/bin/waybill ] && compgen -G 'consumers/avro/decode.*.so' >/dev/null
}

install_packages() {
  say "Python packages from requirements-dev.lock"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock ||
    fail "pip could not install the locked packages" "look at pip's settings and the network, and run it again"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ||
    fail "pip could not compile and install waybill itself" "look at the lines above"
  wanted_stamp >$STAMP
  say "Python packages: ready"
}

# The downloads are for the native way only.
native_wanted() {
  if [ -n "${WAYBILL_MYSQL_HOST-}" ] && [ -n "${WAYBILL_KAFKA_BOOTSTRAP-}" ]; then
    say "addresses are set in the environment: nothing is downloaded for a stack"; return 1
  fi
  if command -v docker >/dev/null && timeout 5 docker version >/dev/null 2>&1; then
    say "a container engine answers: nothing is downloaded for the native way before it is needed"; return 1
  fi
}

setup() {
  local python failed=0
  python=$(choose_python)
  mkdir -p .waybill
  exec 9>.waybill/setup.lock
  flock -n 9 || { say "another set-up is at work in this checkout, waiting for it"; flock 9; }
  make_venv "$python"
  # Before the downloads, which may call apt too.
  packages_there || choose_compiler
  if [ "${1-}" != python ] && native_wanted; then
    # Beside pip: the downloads need the standard library only.
    .venv/bin/python -m stack.install 9>&- & DOWNLOADS=$!
    trap '[ -z "$DOWNLOADS" ] || kill -TERM "$DOWNLOADS" 2>/dev/null || :' EXIT
  fi
  packages_there || install_packages 9>&- || failed=$?
  if [ -n "$DOWNLOADS" ]; then wait "$DOWNLOADS" || failed=$?; DOWNLOADS=; fi
  [ $failed = 0 ] || exit $failed
  say "ready"
}

clean() {
  if [ -d .waybill/stack ]; then
    [ -x .venv/bin/waybill ] || fail "the stack's data are here but no .venv to stop it with" "make setup, then make clean again"
    .venv/bin/waybill run --stop
    .venv/bin/waybill stack down --wipe
  fi
  rm -rf .waybill .venv build dist ./*.egg-info consumers/avro/*.so .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
  find . -name __pycache__ -type d -prune -exec rm -rf {} +
  say "clean; the downloads stay in ${WAYBILL_CACHE:-${XDG_CACHE_HOME:-~/.cache}/waybill}"
}

case ${1-} in
  '' | python) setup "$@" ;;
  clean) clean ;;
  *) fail "$0 knows: nothing, python, clean; not '$1'" "" 2 ;;
esac

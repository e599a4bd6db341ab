#!/bin/sh
# Makes the environments that are missing or out of date: .venv (the platform) and .venv-warehouse (the local warehouse).
# Needs Python 3.11-3.13 and the package registries, nothing else. A stamp is written last, so an incomplete environment is installed again.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '  %s\n' "$*"; }
fail() { printf 'Failed %s\n' "$*" >&2; exit 1; }

# A name on the path may be a shim that fails: each candidate is tried by running it.
find_python() {
    for candidate in "${PYTHON:-}" python3.12 python3.13 python3.11 python3 python; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail "No usable Python found: install Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3 python3-venv), or name one with PYTHON=…"
}

free_megabytes() { df -Pk . | awk 'NR == 2 { print int($4 / 1024) }'; }

install() { # environment, requirement files…
    environment=$1
    shift
    flags=""
    for file in "$@"; do flags="$flags -r $file"; done
    stamp="$environment/.made-from"
    wanted=$(cat "$@" include/local/bootstrap.sh | cksum)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$environment/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    python=$(find_python)
    [ "$(free_megabytes)" -ge 4000 ] || fail "Only $(free_megabytes) MB are free here; the environments need 4 GB."
    say "$environment: installing (once), log in .local/logs/setup.log"
    mkdir -p .local/logs
    rm -rf "$environment"
    {
        "$python" -m venv "$environment" &&
            "$environment/bin/python" -m pip install --disable-pip-version-check -q "$(grep '^uv==' requirements-dev.txt | cut -d' ' -f1)"
    } >.local/logs/setup.log 2>&1 || fail "$environment could not be made: $(tail -n 3 .local/logs/setup.log)"
    # uv is several times faster; pip also knows company mirrors that only its own configuration names.
    # shellcheck disable=SC2086
    "$environment/bin/python" -m uv pip install -q --python "$environment/bin/python" $flags >>.local/logs/setup.log 2>&1 ||
        "$environment/bin/python" -m pip install --disable-pip-version-check -q $flags >>.local/logs/setup.log 2>&1 ||
        fail "packages could not be installed: $(tail -n 3 .local/logs/setup.log)"
    if [ "$environment" = .venv-warehouse ]; then
        "$environment/bin/python" -c 'import duckdb_extensions; duckdb_extensions.import_extension("spatial")' >>.local/logs/setup.log 2>&1 ||
            fail "the warehouse's spatial extension could not be set up: $(tail -n 1 .local/logs/setup.log)"
    fi
    printf '%s\n' "$wanted" >"$stamp"
}

install .venv requirements.txt requirements-dev.txt
install .venv-warehouse requirements-warehouse.txt

# `bootstrap.sh google` adds Google's analyzer, for `make check-google`.
if [ "${1:-}" = google ]; then
    install .venv-google requirements-google.txt
    # Compiled once here, because several processes would each compile it at their first start.
    [ -d .venv-google/compiled ] ||
        .venv-google/bin/python -c 'from pathlib import Path; from tests.google.engine import Engine; Engine(Path(".venv-google/compiled"))' \
            >>.local/logs/setup.log 2>&1 ||
        fail "Google's analyzer could not be compiled: $(tail -n 1 .local/logs/setup.log)"
fi

# The web UI's test drives a browser: `bootstrap.sh browser` installs Debian's where it may; elsewhere the test says what it needs.
if [ "${1:-}" = browser ] && ! { command -v chromium && command -v chromedriver; } >/dev/null 2>&1; then
    mkdir -p .local/logs
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing Chromium for the web UI's test"
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver; } >>.local/logs/setup.log 2>&1 ||
            say "Chromium could not be installed; see .local/logs/setup.log"
    fi
fi

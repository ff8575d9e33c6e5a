# Functions that several scripts share. Source it; it changes to the root of the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '==> %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# install_packages NAME…: installs Debian packages.
install_packages() {
    say "Installing $*"
    local sudo=()
    if [ "$(id -u)" != 0 ]; then sudo=(sudo --non-interactive); fi
    {
        command -v apt-get >/dev/null &&
            "${sudo[@]}" apt-get update --quiet=2 &&
            DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install --quiet=2 --yes --no-install-recommends "$@"
    } >&2 || fail "could not install them; install these packages (Debian names) and try again: $*"
}

# Prints a TCP port of the loopback address that is free now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for URL PID LOG: waits until the address answers, for at most 30 s; fails at once if the process ends.
wait_for() {
    local deadline=$((SECONDS + 30))
    until curl --silent --fail --output /dev/null --max-time 2 "$1"; do
        kill -0 "$2" 2>/dev/null || { tail -n 50 "$3" >&2; fail "the server for $1 ended; its log is above"; }
        ((SECONDS < deadline)) || { tail -n 50 "$3" >&2; fail "$1 did not answer in 30 s; the log is above"; }
        sleep 0.1
    done
}

# wait_for_port PORT PID LOG: waits until something listens, for at most 30 s; fails at once if the process ends.
wait_for_port() {
    local deadline=$((SECONDS + 30))
    until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
        kill -0 "$2" 2>/dev/null || { tail -n 50 "$3" >&2; fail "the server on port $1 ended; its log is above"; }
        ((SECONDS < deadline)) || { tail -n 50 "$3" >&2; fail "nothing listens on port $1 after 30 s; the log is above"; }
        sleep 0.1
    done
}

# What was started in the background and what was made for this run; cleaned up whatever happens.
background_pids=()
at_end=()
scratch=''
clean_up() {
    local pid command
    for command in "${at_end[@]}"; do $command || true; done
    for pid in "${background_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${background_pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    [ -z "$scratch" ] || rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Makes a directory that goes away at the end: $scratch.
make_scratch() { scratch=$(mktemp -d "${TMPDIR:-/tmp}/gantry.XXXXXX"); }

# virtual_environment NAME: makes .venv/NAME from IntegrationTests/requirements-NAME.txt, again when that has changed.
virtual_environment() {
    local name=$1 requirements=IntegrationTests/requirements-$1.txt stamp=.venv/$1/requirements.txt
    if ! cmp --silent "$requirements" "$stamp"; then
        say "Making the Python environment .venv/$name"
        rm -rf ".venv/$name"
        python3 -m venv ".venv/$name"
        ".venv/$name/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
        cp "$requirements" "$stamp"
    fi
}

# The real servers that tests run against: PostgreSQL 17 with pgvector, and Redis, as Debian trixie packages them. Source
# it after common.sh.
#
# The packages are unpacked into a directory of their own, so neither the system's packages nor its apt sources change,
# and nothing starts by itself. Programs run in it by chroot, in a mount namespace that ends with them.
services_release=trixie
services_packages=(postgresql-17 postgresql-17-pgvector redis-server base-files coreutils dash libc-bin sed)
# A number in the name, so that checkouts of different age don't replace what others run. Raise it when anything about the
# directory changes.
services=${GANTRY_SERVICES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/gantry/services-3}
# PostgreSQL refuses to run as root. Nobody else has this user.
services_user=5432

# in_services DATA COMMAND…: becomes a command of the tree, run as its user in DATA, which it sees as /srv.
in_services() {
    local data=$1
    shift
    exec unshare --mount bash -c '
        set -e
        root=$1 data=$2 user=$3
        shift 3
        mount --rbind /dev "$root/dev"
        mount --bind /proc "$root/proc"
        mount --bind "$data" "$root/srv"
        exec chroot --userspec="$user:$user" "$root" /usr/bin/env --ignore-environment --chdir=/srv \
            PATH=/usr/lib/postgresql/17/bin:/usr/bin HOME=/srv LANG=C.UTF-8 "$@"
    ' in_services "$services" "$data" "$services_user" "$@"
}

# new_directory PATH: makes a directory for the data of a server.
new_directory() {
    install --directory --owner="$services_user" --group="$services_user" --mode=700 "$1"
}

# Unpacks the packages, unless that has been done.
fetch_services() {
    if [ -e "$services" ]; then return; fi
    [ "$(id -u)" = 0 ] || fail 'PostgreSQL and Redis for the tests are installed and started as root. Run this as root, or' \
        'set TEST_POSTGRES_URL (PostgreSQL 15 or later with pgvector 0.8) and TEST_REDIS_URL to servers that you have.'
    command -v apt-get >/dev/null || fail 'PostgreSQL and Redis for the tests come from Debian packages; without apt-get,' \
        'set TEST_POSTGRES_URL (PostgreSQL 15 or later with pgvector 0.8) and TEST_REDIS_URL to servers that you have.'
    local tool
    for tool in openssl:openssl pgrep:procps; do
        command -v "${tool%:*}" >/dev/null || install_packages "${tool#*:}"
    done
    mkdir -p "$(dirname "$services")"
    # Several test runs may start at once; one unpacks, the others wait.
    exec {services_lock}>"$services.lock"
    flock "$services_lock"
    if [ ! -e "$services" ]; then
        say "Fetching PostgreSQL 17, pgvector and Redis (100 MB) into $services" >&2
        local work
        work=$(mktemp -d "$services.XXXXXX")
        # In a shell of its own, so that a failure leaves nothing half-made where the next run looks.
        (unpack_services "$work") || { rm -rf "$work"; fail 'could not unpack the servers; the reason is above'; }
        mv "$work/root" "$services"
        rm -rf "$work"
    fi
    exec {services_lock}>&-
}

# unpack_services WORK: downloads the packages with apt, with lists and a cache of their own, and makes WORK/root.
unpack_services() {
    set -e
    local work=$1 root=$1/root mirror
    mirror() {
        apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1
    }
    mirror=$(mirror)
    if [ -z "$mirror" ]; then
        apt-get update --quiet=2
        mirror=$(mirror)
    fi
    [ -n "$mirror" ] || fail 'apt knows no mirror of Debian; add one, or set TEST_POSTGRES_URL and TEST_REDIS_URL'

    mkdir -p "$work"/apt/{lists,cache/archives}/partial "$root"
    touch "$work/apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $services_release main" \
        >"$work/apt/sources.list"
    local options=(
        -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=/nonexistent
        -o "Dir::State::lists=$work/apt/lists" -o "Dir::State::status=$work/apt/status"
        -o "Dir::Cache=$work/apt/cache" -o APT::Sandbox::User=root
    )
    apt-get "${options[@]}" --quiet=2 update
    apt-get "${options[@]}" --quiet=2 --yes --no-install-recommends --download-only install "${services_packages[@]}" \
        >"$work/apt/log" 2>&1 || { tail -n 20 "$work/apt/log" >&2; return 1; }

    local directory package
    mkdir -p "$root"/usr/{bin,sbin,lib,lib64}
    for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$root/$directory"; done
    for package in "$work"/apt/cache/archives/*.deb; do
        # What servers don't need is two thirds of the size.
        dpkg --fsys-tarfile "$package" | tar --extract --directory "$root" --keep-directory-symlink \
            --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
            --exclude='./usr/lib/x86_64-linux-gnu/libLLVM*' --exclude='./usr/share/perl*'
    done
    mkdir -p "$root"/{dev,proc,srv,tmp,etc}
    chmod 1777 "$root/tmp"
    ln -sf dash "$root/usr/bin/sh"
    echo "postgres:x:$services_user:$services_user::/srv:/bin/sh" >"$root/etc/passwd"
    echo "postgres:x:$services_user:" >"$root/etc/group"

    # A cluster that is ready for use: starting a server is copying it.
    services=$root
    new_directory "$work/cluster"
    (in_services "$work/cluster" sh -c '
        set -e
        initdb --username=postgres --auth=peer --auth-host=scram-sha-256 --encoding=UTF8 --no-locale --no-sync data
        cat >>data/postgresql.conf
    ' <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = '/srv'
max_connections = 200
# The data is thrown away after the run.
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
shared_buffers = 256MB
maintenance_work_mem = 512MB
jit = off
log_line_prefix = '%m [%p] %a '
ssl = on
CONF
    ) >"$work/apt/log" 2>&1 || { tail -n 20 "$work/apt/log" >&2; return 1; }
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost -addext 'subjectAltName=IP:127.0.0.1' \
        -keyout "$work/cluster/data/server.key" -out "$work/cluster/data/server.crt" 2>/dev/null
    chown "$services_user:$services_user" "$work"/cluster/data/server.{key,crt}
    # The role that tests use may do what the owner of a database may do, and no more.
    (in_services "$work/cluster" sh -c '
        set -e
        pg_ctl start --pgdata=data --wait --silent --options="-c listen_addresses= -c port=1" >/dev/null
        psql --host=/srv --port=1 --username=postgres --dbname=postgres --set=ON_ERROR_STOP=1 --quiet --no-psqlrc
        pg_ctl stop --pgdata=data --wait --silent
    ' <<'SQL'
CREATE ROLE gantry LOGIN PASSWORD 'gantry-test';
CREATE DATABASE gantry OWNER gantry;
\connect gantry
CREATE EXTENSION vector;
SQL
    ) >"$work/apt/log" 2>&1 || { tail -n 20 "$work/apt/log" >&2; return 1; }
    mv "$work/cluster/data" "$root/cluster"
}

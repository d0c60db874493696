# Sourced by tools/demo and tools/test: see that what they need is installed, from Debian's packages.
# Says nothing when nothing is missing.

root=$(cd "$(dirname "$0")/.." && pwd)

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# need PACKAGE...: install those that are not there.
need() {
    missing=""
    for package; do
        status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    command -v apt-get >/dev/null || fail "please install:$missing"
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "please install, as root:$missing"
        as_root=sudo
    fi
    echo "Installing$missing ..."
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { $as_root apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing; } \
        >"$log" 2>&1; then
        tail -5 "$log" >&2
        rm -f "$log"
        fail "could not install:$missing (is there a network?)"
    fi
    rm -f "$log"
}

# build FOLDER OPTION...: configure and build, quietly; the log is shown if it fails.
build() {
    folder=$1
    shift
    mkdir -p "$folder"
    [ -f "$folder/CMakeCache.txt" ] || echo "Building in ${folder#"$root"/} ..."
    {
        cmake -S "$root" -B "$folder" -DCMAKE_BUILD_TYPE=Release "$@" &&
            cmake --build "$folder" --parallel "$(nproc)"
    } >"$folder/build.log" 2>&1 || {
        tail -30 "$folder/build.log" >&2
        fail "the build failed, its log is $folder/build.log"
    }
}

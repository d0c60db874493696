#!/bin/sh
# Cross-compiles for aarch64, which the compiler alone says, and runs a few demos under qemu: finds
# bugs of the assembly and of the calling convention, not of weak memory.
set -eu
source=$1
build=$source/build/aarch64
cmake -S "$source" -B "$build" -DFILCH_WERROR=ON -DFILCH_BUILD_TESTS=OFF \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc >/dev/null
cmake --build "$build" --parallel 2 >"$build/build.log" 2>&1 || { cat "$build/build.log"; exit 1; }
for demo in functional gram pool pool_v2 two_pools poolapplyasync asyncmap futures imap algorithms pipeline; do
    cat >"$build/run-$demo" <<EOF
#!/bin/sh
exec qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/demos/$demo"
EOF
    chmod +x "$build/run-$demo"
    "$source/tests/scripts/demo.sh" "$build/run-$demo" "$demo" >/dev/null || { echo "$demo failed"; exit 1; }
done
echo "1 passed, 0 failed"

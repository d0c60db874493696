#!/bin/sh
# rust.sh SOURCE STATIC: filch/core.h is enough for Rust: plain.rs has its declarations, written by hand. Where there
# is no rustc it is not run.
set -eu
source=$1
library=$2
command -v rustc >/dev/null || { echo "rustc is not installed"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rustc --edition 2021 -D warnings -L "native=$(dirname "$library")" "$source/tests/plain/plain.rs" -o "$folder/plain"
"$folder/plain"
echo "1 passed, 0 failed"

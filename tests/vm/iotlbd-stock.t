#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm: --stock
#
# iotlbd on a kernel that it cannot work on says what is missing.

set -uo pipefail

repo=$(readlink -f "$(dirname "$0")/../..")
build=${BUILD:-$repo/build}

echo 1..4
message=$("$build/iotlbd" --translator identity 2>&1)
[[ $? -eq 1 ]] || printf 'not '
echo "ok 1 - fails without the patches"
[[ $message == *'no hook for IOTLB misses'*'load the patched modules'* ]] || printf 'not '
echo "ok 2 - says so"
modprobe -r vhost_net
message=$("$build/iotlbd" --translator identity 2>&1)
[[ $? -eq 1 ]] || printf 'not '
echo "ok 3 - fails without vhost"
[[ $message == *'module vhost is not loaded'* ]] || printf 'not '
echo "ok 4 - says so"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# What make fuzz does, for a short while: the page walk against the reference,
# and everything that reads text.

set -uo pipefail

exec "$(dirname "$(readlink -f "$0")")/../libfuzzer/run" "${FUZZ_SECONDS:-20}"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# host
#
# A guest whose IOMMU is in scalable mode, with first-level tables: those of a CPU.

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
[[ -n ${GUEST_PID:-} ]] || exec "$here/run" --tables first --timeout 3000 -- "$0"
# shellcheck source-path=SCRIPTDIR source=../vm/tap.sh
. "$here/../vm/tap.sh"
# shellcheck source-path=SCRIPTDIR source=../vm/daemon.sh
. "$here/../vm/daemon.sh"
# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$here/steps.sh"

steps_scalable first-level
plan

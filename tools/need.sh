#!/usr/bin/env bash
# need.sh COMMAND PACKAGE...: makes sure that COMMAND can be run.
# If it is missing, the packages are installed for root on a Debian system; anyone else is told what to install.
set -euo pipefail

command=$1
shift

if command -v "$command" >/dev/null 2>&1; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "$command is missing. On Debian: sudo apt-get install $*" >&2
	exit 1
fi

echo "Installing $* for $command: a minute or two ..." >&2
export DEBIAN_FRONTEND=noninteractive
# On a machine that has just started, another apt may be at work: wait for it.
apt=(apt-get -qq -o DPkg::Lock::Timeout=120)
# The output, thousands of lines for npm's hundreds of packages, is shown only if the installation fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${apt[@]}" update >&2
"${apt[@]}" install -y --no-install-recommends "$@" </dev/null >"$log" 2>&1 || {
	status=$?
	tail -n 40 "$log" >&2
	exit "$status"
}
command -v "$command" >/dev/null || {
	echo "$command is still missing after the installation of $*" >&2
	exit 1
}

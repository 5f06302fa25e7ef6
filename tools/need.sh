#!/usr/bin/env bash
# need.sh COMMAND PACKAGE...: sees to it that COMMAND can be run.
# When it is missing, root on a Debian system gets the packages installed; anyone else is told what to install.
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
# Another apt may be at work on a machine that has just started: wait for it.
apt=(apt-get -qq -o DPkg::Lock::Timeout=120)
# dpkg names every package several times, npm's are hundreds: that is shown only when it fails.
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

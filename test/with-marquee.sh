#!/usr/bin/env bash
# with-marquee.sh COMMAND...: starts bin/marquee on a free port with data of its own, runs the command with its address in
# MARQUEE_URL, and stops it again. Fails when the command does, or marquee.
set -euo pipefail

work=$(mktemp -d)
chmod 755 "$work" # PostgreSQL does not run as root: its user must reach the data
log=$work/marquee.log
pid=

# Stops the program as Ctrl-C would, and by force after 30 s. Fails unless it stopped cleanly.
stop() {
	[ -n "$pid" ] || return 0
	local stopping=$pid status=0
	pid=
	kill -TERM "$stopping" 2>/dev/null || true
	for _ in {1..300}; do
		kill -0 "$stopping" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$stopping" 2>/dev/null && echo 'marquee did not stop within 30 s' >&2
	wait "$stopping" || status=$?
	return "$status"
}
trap 'stop || true; rm -rf "$work"' EXIT

fail() {
	echo "$1; the end of its log:" >&2
	tail -n 40 "$log" >&2
	exit 1
}

# Whether something listens there.
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The status of GET /readyz, or nothing.
readiness() {
	(
		exec 3<>"/dev/tcp/127.0.0.1/$port"
		printf 'GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
		IFS=' ' read -r -t 5 _ status _ <&3
		echo "$status"
	) 2>/dev/null || true
}

port=$((20000 + RANDOM % 12000)) # below the ports that the kernel hands out itself
while listening "$port"; do port=$((port + 1)); done

MARQUEE_DATA_DIR=$work/data bin/marquee dev --listen "127.0.0.1:$port" </dev/null >"$log" 2>&1 &
pid=$!
deadline=$((SECONDS + 120))
until [ "$(readiness)" = 200 ]; do
	kill -0 "$pid" 2>/dev/null || fail 'marquee ended before it was ready'
	[ "$SECONDS" -lt "$deadline" ] || fail 'marquee was not ready within 120 s'
	sleep 0.2
done

status=0
MARQUEE_URL="http://127.0.0.1:$port" "$@" || status=$?
[ "$status" -eq 0 ] || fail "$1 failed with marquee running"
stop || fail "marquee ended with exit code $?"

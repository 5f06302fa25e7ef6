#!/usr/bin/env bash
# release-check.sh VERSION: checks that the changelog has a section for VERSION, and that the chart has this version.
# release-check.sh --notes VERSION: prints that section.
set -euo pipefail
cd "$(dirname "$0")/.."
notes=false
if [ "${1:-}" = --notes ]; then
	notes=true
	shift
fi
version=${1:?"want a version such as 1.2.3"}

section=$(awk -v heading="## $version" '
	/^## / { inside = index($0, heading) == 1 && substr($0, length(heading) + 1, 1) ~ /^$|^ / ; next }
	inside' CHANGELOG.md)
if [ -z "${section//[[:space:]]/}" ]; then
	echo "CHANGELOG.md has no section '## $version'" >&2
	exit 1
fi
if $notes; then
	printf '%s\n' "$section"
	exit
fi
if ! grep -qx "version: $version" charts/marquee/Chart.yaml || ! grep -Eqx "appVersion: \"?v?$version\"?" charts/marquee/Chart.yaml; then
	echo "charts/marquee/Chart.yaml: want version and appVersion $version" >&2
	exit 1
fi

#!/usr/bin/env bash
# Generates everything, and fails if that changes, adds or removes a file. Files may have uncommitted changes: they are compared
# as they are before and after, and not with a commit. What was generated stays.
set -euo pipefail
cd "$(dirname "$0")/.."

# A checksum of each file that git tracks or that is new to it.
state() {
	git ls-files -z --cached --others --exclude-standard | sort -zu |
		while IFS= read -r -d '' file; do
			if [ -f "$file" ]; then printf '%s\0' "$file"; fi
		done | xargs -0 -r sha256sum
}

before=$(state)
make generate
after=$(state)

changed=$({ diff <(echo "$before") <(echo "$after") || true; } | sed -nE 's/^[<>] \\?[0-9a-f]+ [ *]/  /p' | sort -u)
if [ -n "$changed" ]; then
	printf 'Not what "make generate" writes; run it and commit:\n%s\n' "$changed" >&2
	exit 1
fi
echo 'Generated files are up to date.'

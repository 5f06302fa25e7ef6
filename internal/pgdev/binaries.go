package pgdev

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MinVersion is the oldest major version of PostgreSQL that Marquee runs on.
const MinVersion = 15

// installation is one set of server programs.
type installation struct {
	dir     string
	version int
}

// FindBinaries returns the directory with the newest PostgreSQL server programs
// (postgres, initdb) and their major version. If explicit is not empty, it looks
// only in that directory; otherwise in PATH and where distributions, Homebrew
// and Postgres.app put them. Errors: [ErrNoBinaries], [ErrTooOld].
func FindBinaries(explicit string) (dir string, version int, err error) {
	found := installations(explicit)
	if len(found) == 0 {
		if explicit != "" {
			return "", 0, fmt.Errorf("%w (looked in %s)", ErrNoBinaries, explicit)
		}
		return "", 0, ErrNoBinaries
	}
	if best := found[0]; best.version < MinVersion {
		return "", 0, fmt.Errorf("%w; found %d in %s", ErrTooOld, best.version, best.dir)
	}
	return found[0].dir, found[0].version, nil
}

// binariesFor returns the directory with the programs for a data directory: if
// the data exists already, programs of the same version; else the newest.
func binariesFor(explicit, data string) (string, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if os.IsNotExist(err) {
		dir, _, err := FindBinaries(explicit)
		return dir, err
	}
	if err != nil {
		return "", fmt.Errorf("read the version of the data: %w", err)
	}
	want := strings.TrimSpace(string(text))
	found := installations(explicit)
	for _, in := range found {
		if strconv.Itoa(in.version) == want {
			return in.dir, nil
		}
	}
	have := "none"
	if len(found) > 0 {
		have = strconv.Itoa(found[0].version)
	}
	return "", fmt.Errorf("%w: %s was written by version %s, but the newest version found is %s; install version %s, or remove the directory to begin anew",
		ErrVersionMismatch, data, want, have, want)
}

// installations lists the installations that are found, newest first.
func installations(explicit string) []installation {
	var dirs []string
	if explicit != "" {
		dirs = []string{explicit}
	} else {
		dirs = filepath.SplitList(os.Getenv("PATH"))
		for _, pattern := range []string{
			"/usr/lib/postgresql/*/bin",               // Debian, Ubuntu
			"/usr/pgsql-*/bin",                        // PGDG on Red Hat and its relatives
			"/usr/libexec/postgresql*",                // Alpine
			"/opt/homebrew/opt/postgresql*/bin",       // Homebrew on Apple silicon
			"/usr/local/opt/postgresql*/bin",          // Homebrew on Intel
			"/home/linuxbrew/.linuxbrew/opt/pos*/bin", // Homebrew on Linux
			"/usr/local/pgsql/bin",                    // built from source
			"/Applications/Postgres.app/Contents/Versions/*/bin",
		} {
			// The only possible error is a malformed pattern.
			matches, _ := filepath.Glob(pattern)
			dirs = append(dirs, matches...)
		}
	}
	var found []installation
	for _, dir := range dirs {
		if in, ok := inspect(dir); ok && !slices.Contains(found, in) {
			found = append(found, in)
		}
	}
	slices.SortStableFunc(found, func(a, b installation) int { return cmp.Compare(b.version, a.version) })
	return found
}

// inspect looks for the server programs in a directory. If they are links, it
// returns the directory that they lead to.
func inspect(dir string) (installation, bool) {
	if dir == "" { // in PATH it means the current directory, which is not searched
		return installation{}, false
	}
	server, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return installation{}, false
	}
	home, err := filepath.Abs(filepath.Dir(server))
	if err != nil {
		return installation{}, false
	}
	if _, err := os.Stat(filepath.Join(home, "initdb")); err != nil {
		return installation{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, server, "--version").Output()
	if err != nil {
		return installation{}, false
	}
	version, ok := parseVersion(string(out))
	return installation{dir: home, version: version}, ok
}

// parseVersion reads the major version from "postgres (PostgreSQL) 15.8 (Debian …)".
func parseVersion(text string) (int, bool) {
	m := regexp.MustCompile(`\(PostgreSQL\) (\d{1,3})`).FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	version, err := strconv.Atoi(m[1])
	return version, err == nil
}

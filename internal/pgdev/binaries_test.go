package pgdev_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/internal/pgdev"
)

// fakeServer makes a directory with programs that claim to be that version of
// PostgreSQL.
func fakeServer(t *testing.T, says string, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range programs {
		script := "#!/bin/sh\necho '" + says + "'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindBinaries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		says     string
		programs []string
		version  int
		err      error
	}{
		{"debian", "postgres (PostgreSQL) 17.5 (Debian 17.5-1)", []string{"postgres", "initdb"}, 17, nil},
		{"beta", "postgres (PostgreSQL) 18beta1", []string{"postgres", "initdb"}, 18, nil},
		{"oldest", "postgres (PostgreSQL) 15.0", []string{"postgres", "initdb"}, 15, nil},
		{"too old", "postgres (PostgreSQL) 14.19", []string{"postgres", "initdb"}, 0, pgdev.ErrTooOld},
		{"ancient", "postgres (PostgreSQL) 9.6.24", []string{"postgres", "initdb"}, 0, pgdev.ErrTooOld},
		{"client only", "psql (PostgreSQL) 15.8", []string{"psql"}, 0, pgdev.ErrNoBinaries},
		{"half", "postgres (PostgreSQL) 15.8", []string{"postgres"}, 0, pgdev.ErrNoBinaries},
		{"something else", "hello", []string{"postgres", "initdb"}, 0, pgdev.ErrNoBinaries},
		{"empty", "", nil, 0, pgdev.ErrNoBinaries},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := fakeServer(t, tt.says, tt.programs...)
			got, version, err := pgdev.FindBinaries(dir)
			if !errors.Is(err, tt.err) || version != tt.version {
				t.Fatalf("got version %d, error %v, want %d, %v", version, err, tt.version, tt.err)
			}
			if tt.err == nil && got != dir {
				t.Errorf("got directory %s, want %s", got, dir)
			}
			if tt.err != nil && !strings.Contains(err.Error(), dir) {
				t.Errorf("the error does not name the directory: %v", err)
			}
		})
	}
}

// TestFindBinariesPath: the newest in PATH is found, whatever the order, and also
// through a link. The distribution's own may be newer still.
func TestFindBinariesPath(t *testing.T) {
	older := fakeServer(t, "postgres (PostgreSQL) 98.1", "postgres", "initdb")
	newer := fakeServer(t, "postgres (PostgreSQL) 99.1", "postgres", "initdb")
	links := t.TempDir()
	if err := os.Symlink(filepath.Join(newer, "postgres"), filepath.Join(links, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", older+":"+links+":"+os.Getenv("PATH"))
	dir, version, err := pgdev.FindBinaries("")
	if dir != newer || version != 99 || err != nil {
		t.Errorf("got %s, %d, %v, want %s, 99", dir, version, err, newer)
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/data")
	want := "/data/marquee/dev"
	if os.Geteuid() == 0 {
		want = "/var/lib/marquee/dev"
	}
	if got, err := pgdev.DefaultDir(); got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

package pgdev

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInstall checks the commands, and that Debian is told to make no cluster
// while they run, and only then. It installs nothing.
func TestInstall(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, exit string
		want       error
	}{
		{"works", "0", nil},
		{"fails", "100", ErrNoBinaries},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			conf := filepath.Join(dir, "postgresql-common", "createcluster.d")
			apt := filepath.Join(dir, "apt-get")
			script := "#!/bin/sh\nshift 2\necho \"$DEBIAN_FRONTEND: $*\"\ncat '" + conf + "'/*.conf\n[ \"$1\" = update ] || exit " + tt.exit + "\n"
			if err := os.WriteFile(apt, []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := install(t.Context(), &out, apt, conf)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			want := "noninteractive: update\ncreate_main_cluster = false\n" +
				"noninteractive: install -y --no-install-recommends postgresql\ncreate_main_cluster = false\n"
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			if _, err := os.Stat(filepath.Dir(conf)); !os.IsNotExist(err) {
				t.Errorf("the setting outlived the installation: %v", err)
			}
		})
	}
}

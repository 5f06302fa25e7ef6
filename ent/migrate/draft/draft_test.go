package draft_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/ent/migrate/draft"
	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

// copyOf is a directory with the migrations.
func copyOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, migrate.Files()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestNoDrift replays the migrations on an empty database: what they make is the ent schema.
func TestNoDrift(t *testing.T) {
	t.Parallel()
	dir := copyOf(t)
	written, err := draft.Write(t.Context(), pgtest.Raw(t), dir, "drift")
	if err != nil {
		t.Fatal(err)
	}
	if written != "" {
		text, _ := os.ReadFile(written)
		t.Errorf("ent/schema was changed without a migration; make migration NAME=… writes it:\n%s", text)
	}
}

// TestDrift: a difference is seen, and what is written mends it.
func TestDrift(t *testing.T) {
	t.Parallel()
	dir := copyOf(t)
	drift := "-- +goose Up\nALTER TABLE events DROP COLUMN title, ADD COLUMN extra text;\nDROP INDEX event_starts_at_id;\n"
	if err := os.WriteFile(filepath.Join(dir, "20991231000000_drift.sql"), []byte(drift), 0o600); err != nil {
		t.Fatal(err)
	}
	written, err := draft.Write(t.Context(), pgtest.Raw(t), dir, "mend")
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(written) != dir || !strings.HasSuffix(written, "_mend.sql") {
		t.Fatalf("written to %q", written)
	}
	text, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-- +goose Up", `ADD COLUMN "title" text`, `DROP COLUMN "extra"`, `CREATE INDEX "event_starts_at_id"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the draft does not say %s:\n%s", want, text)
		}
	}
}

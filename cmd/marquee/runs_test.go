package main

import (
	"testing"

	"github.com/aledotdev/marquee/internal/event"
)

// TestRow: text of a feed does nothing to a terminal.
func TestRow(t *testing.T) {
	t.Parallel()
	got := row(event.Key{Provider: "acme", Event: "x\x1b[31m"}, "evil\x1b[2J\a\u202eb, é 🎷\nand more", 5)
	want := []any{"acme/x\ufffd[31m", "evil\ufffd[2J\ufffd\ufffdb, é 🎷\nand more", 5}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

package main

import (
	"bytes"
	"os"
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

// TestOnTerminal: what is written to /dev/null is written for nobody.
func TestOnTerminal(t *testing.T) {
	t.Parallel()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if onTerminal(null) || onTerminal(new(bytes.Buffer)) {
		t.Error("no terminal is taken for one")
	}
	if !onTerminal(terminal(t)) {
		t.Error("a terminal is taken for none")
	}
}

// terminal is one that nobody looks at.
func terminal(t *testing.T) *os.File {
	t.Helper()
	file, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal is to be had here: ", err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

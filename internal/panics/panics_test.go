package panics_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/panics"
)

func broken(places *panics.Places) (attrs []slog.Attr) {
	defer func() { attrs = places.Attrs(recover()) }()
	_ = strings.Fields(" ")[0]
	return nil
}

func brokenToo(places *panics.Places) (attrs []slog.Attr) {
	defer func() { attrs = places.Attrs(recover()) }()
	panic("on purpose")
}

func value(attrs []slog.Attr, key string) string {
	i := slices.IndexFunc(attrs, func(a slog.Attr) bool { return a.Key == key })
	if i < 0 {
		return ""
	}
	return attrs[i].Value.String()
}

// TestStacks: each place tells its stack once a minute, and where it is always.
func TestStacks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	places := &panics.Places{Clock: func() time.Time { return now }}
	for _, tc := range []struct {
		after time.Duration
		of    func(*panics.Places) []slog.Attr
		at    string
		stack bool
	}{
		{0, broken, "panics_test.broken:", true},
		{0, broken, "panics_test.broken:", false},
		{0, brokenToo, "panics_test.brokenToo:", true},
		{59 * time.Second, broken, "panics_test.broken:", false},
		{time.Second, broken, "panics_test.broken:", true},
	} {
		now = now.Add(tc.after)
		attrs := tc.of(places)
		if at := value(attrs, "at"); !strings.Contains(at, tc.at) {
			t.Errorf("at %s, want %s", at, tc.at)
		}
		if stack := value(attrs, "stack"); (stack != "") != tc.stack {
			t.Errorf("%s: stack %t, want %t", tc.at, stack != "", tc.stack)
		}
		if value(attrs, "panic") == "" {
			t.Errorf("%s: no word of what it was", tc.at)
		}
	}
}

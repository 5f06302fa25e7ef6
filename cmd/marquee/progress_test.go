package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/store"
)

// TestProgressOfRunning: a sync that another process does is no failure, and is not shown as one.
func TestProgressOfRunning(t *testing.T) {
	t.Parallel()
	source, err := provider.New(provider.Config{
		Slug: "acme", Name: "Acme", URL: "https://acme.example", Format: "planlist", TimeZone: "UTC", Currency: "EUR",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pool := pgtest.Pool(t)
	if _, err := store.New(pool).StartRun(t.Context(), source.Provider(), "another process", time.Now(), false); err != nil {
		t.Fatal(err)
	}
	s, sources := newSyncer(pool, slog.New(slog.DiscardHandler)), []*provider.Source{source}
	var shown bytes.Buffer
	finish := showProgress(&shown, s, sources)
	failures := s.Once(t.Context(), sources)
	finish()
	if err := worst(failures); err != nil {
		t.Errorf("the command fails: %v", err)
	}
	if text := shown.String(); strings.Count(text, "running already") < 3 || strings.Contains(strings.ToLower(text), "fail") {
		t.Errorf("shown is:\n%s", text)
	}
}

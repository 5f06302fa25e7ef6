package main

import (
	"bytes"
	"context"
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

// TestWaitIsTold: on a terminal, too, it is said that the database is not there, and not only when that has lasted for a minute.
//
//nolint:paralleltest // alone changes the working directory.
func TestWaitIsTold(t *testing.T) {
	stdout := terminal(t)
	alone(t)
	write(t, "acme.yaml", "slug: acme\nname: Acme\nurl: https://acme.example\nformat: planlist\ntimeZone: UTC\ncurrency: EUR\n")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	log, ended := &journal{}, make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"sync", "--log-format=json", "--providers=.", "--database-url=postgres://nobody@127.0.0.1:1/nothing"}, stdout, log)
	}()
	for ctx.Err() == nil && len(log.lines("waiting for the database")) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	said := ctx.Err() == nil
	cancel()
	if code := <-ended; code != exitTemporary || !said {
		t.Errorf("exit code %d, told %t", code, said)
	}
}

package syncer

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// busy is a store in which every provider is being synced already. It counts how many runs were to start.
type busy struct {
	Store
	starts atomic.Int64
}

func (b *busy) StartRun(context.Context, event.Provider, string, time.Time, bool) (event.Run, error) {
	b.starts.Add(1)
	return event.Run{}, event.ErrRunning
}

// TestLoopStops: no run starts after Loop was told to stop, even if one is due and a slot is free at that moment.
func TestLoopStops(t *testing.T) {
	t.Parallel()
	source, err := provider.New(provider.Config{
		Slug: "acme", Name: "Acme", URL: "https://acme.example", Format: "planlist", TimeZone: "UTC", Currency: "EUR",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	store := &busy{}
	s := New(Options{Store: store, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
	for range 200 {
		s.Loop(stopped, []*provider.Source{source}, time.Minute)
	}
	if starts := store.starts.Load(); starts > 0 {
		t.Errorf("%d runs started in 200 loops", starts)
	}
}

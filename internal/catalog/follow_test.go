package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/test/harness"
)

// watched is an App whose catalog is watched until the test ends.
func watched(t *testing.T) *harness.App {
	t.Helper()
	app := harness.Start(t, noon)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		app.Catalog.Watch(ctx, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return app
}

// told gives what a follower is told, as text, until its context is done.
func told(ctx context.Context, c *catalog.Catalog, after *string, where catalog.ChangeFilter) (<-chan string, error) {
	changes, err := c.Follow(ctx, after, where)
	if err != nil {
		return nil, err
	}
	all := make(chan string, 10_000) // so that nobody has to wait for a test that has ended
	go func() {
		defer close(all)
		for change, err := range changes {
			if err != nil {
				all <- err.Error()
				return
			}
			all <- said(change)
		}
	}()
	return all, nil
}

func said(c *catalog.Change) string {
	s := fmt.Sprint(c.Number, " ", c.Kind, " ", c.EventID)
	if c.Transition != nil {
		s += " " + string(*c.Transition)
	}
	return s
}

// TestFollow: whoever follows is told the same changes that a page of changes has, whatever they begin at, and
// however they are filtered.
func TestFollow(t *testing.T) {
	t.Parallel()
	app := watched(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		slug := fmt.Sprint("p", n)
		feed, d := app.Feed(slug), draft{}
		own := catalog.ChangeFilter{Providers: []string{slug}}
		where := own
		if rapid.Bool().Draw(rt, "window") {
			start := event.LocalOf(noon).Add(time.Duration(rapid.IntRange(-4, 12).Draw(rt, "from")) * time.Hour)
			where.Window = &catalog.WindowInput{From: &catalog.Bound{Local: start}}
		}
		if rapid.Bool().Draw(rt, "kinds") {
			where.Kinds = []event.ChangeKind{event.ChangeAdded, event.ChangeRescheduled, event.ChangePrice}
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		_, start := follow(rt, app, nil, 100, own)
		for range rapid.IntRange(0, 2).Draw(rt, "missed") {
			d.edit(rt)
			feed.Sync(d.feed())
		}
		live, end := context.WithCancel(ctx)
		defer end()
		got, err := told(live, app.Catalog, start, where)
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(0, 3).Draw(rt, "coming") {
			d.edit(rt)
			feed.Sync(d.feed())
		}
		// A last one that every filter admits says that all that came before it is there.
		last := fmt.Sprint("last", n)
		fence, err := told(ctx, app.Catalog, nil, catalog.ChangeFilter{Providers: []string{last}})
		if err != nil {
			rt.Fatal(err)
		}
		app.Feed(last).Sync(draft{}.feed())
		<-fence
		changes, _ := follow(rt, app, start, 100, where)
		for _, change := range changes {
			if one := <-got; one != said(change) {
				rt.Fatalf("told %q, want %q", one, said(change))
			}
		}
		end()
		for one := range got {
			rt.Fatalf("told %q, which is no change", one)
		}
	})
}

// TestFollowBegins: a follower is told what comes from now on, or why it can't begin where it wants to.
func TestFollowBegins(t *testing.T) {
	t.Parallel()
	app := watched(t)
	feed := app.Feed("acme")
	feed.Sync(draft{}.feed())
	got, err := told(t.Context(), app.Catalog, nil, catalog.ChangeFilter{})
	if err != nil {
		t.Fatal(err)
	}
	feed.Sync(draft{1: {ID: "1", Title: "New", Mode: "online", Plans: []harness.Plan{{ID: "1", Start: "2040-01-01T20:00:00"}}}}.feed())
	changes, _ := follow(t, app, nil, 100, catalog.ChangeFilter{})
	if diff := cmp.Diff(said(changes[len(changes)-1]), <-got); diff != "" {
		t.Error(diff)
	}

	app.Exec(`UPDATE catalog SET pruned_change = last_change`)
	first := changes[0].Cursor()
	var refused *catalog.Error
	if _, err := app.Catalog.Follow(t.Context(), &first, catalog.ChangeFilter{}); !errors.As(err, &refused) || refused.Code != catalog.CodeCursorExpired {
		t.Errorf("a cursor from before what is kept: %v", err)
	}
	beyond := catalog.ChangeCursor(changes[len(changes)-1].Number + 1)
	if _, err := app.Catalog.Follow(t.Context(), &beyond, catalog.ChangeFilter{}); !errors.As(err, &refused) || refused.Code != catalog.CodeCursorExpired {
		t.Errorf("a cursor from beyond the latest change: %v", err)
	}
	junk := "junk"
	if _, err := app.Catalog.Follow(t.Context(), &junk, catalog.ChangeFilter{}); !errors.As(err, &refused) || refused.Argument != "after" {
		t.Errorf("a cursor that is none: %v", err)
	}
}

// TestFollowRestored: when the database goes back, those who have read what is lost are told so, and others follow on.
func TestFollowRestored(t *testing.T) {
	t.Parallel()
	app := watched(t)
	feed := app.Feed("acme")
	show := func(title string) []byte {
		return draft{1: {ID: "1", Title: title, Mode: "online", Plans: []harness.Plan{{ID: "1", Start: "2040-01-01T20:00:00"}}}}.feed()
	}
	feed.Sync(show("One"))
	one := harness.One[int64](app, `SELECT last_change FROM catalog`)
	before, err := told(t.Context(), app.Catalog, nil, catalog.ChangeFilter{})
	if err != nil {
		t.Fatal(err)
	}
	feed.Sync(show("Two"))
	for range harness.One[int64](app, `SELECT last_change FROM catalog`) - one {
		<-before
	}
	app.Exec(`DELETE FROM changes WHERE id > $1`, one)
	app.Exec(`UPDATE catalog SET last_change = $1`, one)
	if got := <-before; !strings.Contains(got, "beyond the latest change") {
		t.Errorf("told %q", got)
	}
	after, err := told(t.Context(), app.Catalog, nil, catalog.ChangeFilter{})
	if err != nil {
		t.Fatal(err)
	}
	feed.Sync(show("Three"))
	if got := <-after; !strings.HasPrefix(got, fmt.Sprint(one+1, " ")) {
		t.Errorf("told %q, want change %d", got, one+1)
	}
}

// TestFollowMany: what is more than all followers can be given together each reads for itself, and misses nothing.
func TestFollowMany(t *testing.T) {
	t.Parallel()
	app := watched(t)
	const n = 2_500
	got, err := told(t.Context(), app.Catalog, nil, catalog.ChangeFilter{Kinds: []event.ChangeKind{event.ChangeAdded}})
	if err != nil {
		t.Fatal(err)
	}
	many := draft{}
	for i := range n {
		many[i] = harness.Base{ID: fmt.Sprint(i), Title: "Show", Mode: "online", Plans: []harness.Plan{{ID: "1", Start: "2040-01-01T20:00:00"}}}
	}
	app.Feed("acme").Sync(many.feed())
	seen := map[string]bool{}
	for range n {
		seen[<-got] = true
	}
	if len(seen) != n {
		t.Errorf("%d different changes, want %d", len(seen), n)
	}
}

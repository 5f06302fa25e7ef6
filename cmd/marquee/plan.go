package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/syncer"
)

// dryRun prints the plan of each source: as a table on a terminal, as JSON lines elsewhere.
func dryRun(ctx context.Context, p *program, s *syncer.Syncer, sources []*provider.Source) error {
	failures := make([]error, len(sources))
	for i, source := range sources {
		plan, err := s.DryRun(ctx, source)
		if err != nil {
			failures[i] = fmt.Errorf("%s: %w", plan.Provider, err)
			continue
		}
		if plan.Held != "" {
			failures[i] = fmt.Errorf("%s: %w: %s", plan.Provider, event.ErrHeld, plan.Held)
		}
		if err := printPlan(p.stdout, plan); err != nil {
			return err
		}
	}
	return worst(failures)
}

// planLine is a plan as JSON lines show it.
type planLine struct {
	Provider   string             `json:"provider"`
	Counts     event.Counts       `json:"counts"`
	Upcoming   int                `json:"upcoming"`
	Held       string             `json:"held,omitempty"`
	Events     []syncer.PlanEntry `json:"events,omitempty"`
	Quarantine []recordLine       `json:"quarantine,omitempty"`
	Truncated  bool               `json:"truncated,omitempty"`
}

func printPlan(w io.Writer, plan syncer.Plan) error {
	if !onTerminal(w) {
		line := planLine{plan.Provider, plan.Counts, plan.Upcoming, plan.Held, plan.Entries, nil, plan.Truncated}
		for i := range plan.Quarantine {
			line.Quarantine = append(line.Quarantine, newRecordLine(&plan.Quarantine[i]))
		}
		return jsonLines(w).Encode(line)
	}
	c := plan.Counts
	fmt.Fprintf(w, "%s: %d records: %d to add, %d to change, %d to remove of %d upcoming, %d returning, %d as before, %d quarantined\n",
		plan.Provider, c.Records, c.Added, c.Changed, c.Removed, plan.Upcoming, c.Returned, c.Unchanged, c.Quarantined)
	t := newTable(w)
	t.AppendHeader(table.Row{"event", "title", "starts", "change"})
	for _, e := range plan.Entries {
		for _, change := range e.Changes {
			t.AppendRow(row(e.Key, event.Excerpt(e.Title, 40), e.Starts, describe(change)))
		}
	}
	for _, r := range plan.Quarantine {
		t.AppendRow(row(r.Key, "", r.Place, "quarantined: "+r.Invalid.Error()))
	}
	if t.Length() > 0 {
		t.Render()
	}
	if plan.Truncated {
		fmt.Fprintln(w, "… and more.")
	}
	if plan.Held != "" {
		fmt.Fprintln(w, "The safety brake would hold it:", plan.Held)
	}
	return nil
}

func describe(c event.Change) string {
	words := []string{string(c.Kind)}
	for _, f := range c.Fields {
		words = append(words, fmt.Sprintf("%s: %v → %v", f.Field, shown(f.Before), shown(f.After)))
	}
	return strings.Join(words, "\n")
}

func shown(v any) any {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return event.Excerpt(v, 40)
	case event.OffersSummary:
		if v.Capacity != nil {
			return fmt.Sprintf("%d with %d seats", v.Count, *v.Capacity)
		}
		return v.Count
	default:
		return v
	}
}

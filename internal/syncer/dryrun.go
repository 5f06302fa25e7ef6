package syncer

import (
	"context"
	"slices"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// Plan is what a sync would do.
type Plan struct {
	Provider   string // slug
	Counts     event.Counts
	Upcoming   int    // upcoming events that the provider has now
	Held       string // why the brake would hold the snapshot; empty: it would not
	Entries    []PlanEntry
	Quarantine []event.Record
	Truncated  bool // there are more entries or quarantined records than are listed
}

// PlanEntry is what would change in one event.
type PlanEntry struct {
	Key     event.Key           `json:"key"`
	Title   string              `json:"title"`
	Starts  event.LocalDateTime `json:"startsLocal"`
	Changes []event.Change      `json:"changes"`
}

// maxPlanEntries bounds each of the lists in a Plan. Its counts are complete all the same.
const maxPlanEntries = 1_000

// DryRun fetches a snapshot and says what a sync would do now. It takes no lease and writes nothing.
func (s *Syncer) DryRun(ctx context.Context, source *provider.Source) (Plan, error) {
	plan := Plan{Provider: source.Provider().Slug}
	fetched, err := source.Fetch(ctx, nil, nil)
	if err != nil {
		return plan, err
	}
	defer fetched.Close()
	body, err := source.Open(fetched)
	if err != nil {
		return plan, err
	}
	now, run := s.Clock(), event.Run{Provider: source.Provider()}
	present, err := s.Store.Present(ctx, run, now)
	if err != nil {
		return plan, err
	}
	tx, err := s.Begin(ctx, run, now)
	if err != nil {
		return plan, err
	}
	defer rollback(ctx, tx)
	collected := &dryTx{Tx: tx, plan: &plan, now: now, at: map[event.ID]int{}}
	plan.Counts, plan.Upcoming, err = read(ctx, collected, &present, reading(ctx, source, body), collected.Write)
	if err != nil {
		return plan, err
	}
	plan.Entries = slices.DeleteFunc(plan.Entries, func(e PlanEntry) bool { return len(e.Changes) == 0 })
	plan.Held = source.Brake().Check(plan.Counts, plan.Upcoming)
	return plan, nil
}

// dryTx lists what is written instead of writing it.
type dryTx struct {
	Tx
	plan *Plan
	now  time.Time
	at   map[event.ID]int // index in plan.Entries, so that a later record of the same event replaces its entry
}

func (d *dryTx) Write(_ context.Context, writes []event.Write) error {
	for i := range writes {
		w := &writes[i]
		entry := PlanEntry{Key: w.Event.Key, Title: w.Event.Title, Starts: w.Event.Start.Local, Changes: w.Changes}
		if at, again := d.at[w.ID]; again {
			d.plan.Entries[at] = entry
		} else if len(w.Changes) > 0 && d.add(entry) {
			d.at[w.ID] = len(d.plan.Entries) - 1
		}
	}
	return nil
}

func (d *dryTx) add(e PlanEntry) bool {
	if len(d.plan.Entries) == maxPlanEntries {
		d.plan.Truncated = true
		return false
	}
	d.plan.Entries = append(d.plan.Entries, e)
	return true
}

func (d *dryTx) Quarantine(_ context.Context, records []event.Record) error {
	room := min(maxPlanEntries-len(d.plan.Quarantine), len(records))
	d.plan.Truncated = d.plan.Truncated || room < len(records)
	d.plan.Quarantine = append(d.plan.Quarantine, records[:room]...)
	return nil
}

func (d *dryTx) WriteSeries(context.Context, []event.Series) error { return nil }

func (d *dryTx) Leave(ctx context.Context, ids []event.ID) (removed int, err error) {
	listed := ids[:min(len(ids), maxPlanEntries)]
	gone, err := d.Find(ctx, listed)
	if err != nil {
		return 0, err
	}
	d.plan.Truncated = d.plan.Truncated || len(listed) < len(ids)
	removed, err = d.Tx.Leave(ctx, ids)
	for _, id := range listed {
		if e := gone[id].Event; e.Start.Instant.After(d.now) {
			d.add(PlanEntry{Key: e.Key, Title: e.Title, Starts: e.Start.Local, Changes: []event.Change{{Kind: event.ChangeRemoved}}})
		}
	}
	return removed, err
}

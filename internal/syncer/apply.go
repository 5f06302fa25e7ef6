package syncer

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// limit says why a snapshot with these counts is to be held, or nothing; see event.Brake.
type limit func(c event.Counts, upcoming int) string

// snapshot reads a snapshot's records, but for those that known says it need not read.
type snapshot func(known func(event.RecordHash) bool) iter.Seq2[event.Record, error]

func reading(source *provider.Source, body io.Reader) snapshot {
	return func(known func(event.RecordHash) bool) iter.Seq2[event.Record, error] {
		return source.DecodeUnknown(body, known)
	}
}

// apply brings the catalog to the state of a snapshot, in one transaction, unless the limit holds it: then
// the error is a *heldError. It completes the result that it is given.
func (s *Syncer) apply(ctx context.Context, run event.Run, snap snapshot, result event.Result, brake limit) (event.Result, error) {
	tx, err := s.Begin(ctx, run, s.Clock())
	if err != nil {
		return event.Result{}, err
	}
	defer rollback(ctx, tx)
	counts, upcoming, err := read(ctx, tx, snap, tx.Write)
	if err != nil {
		return event.Result{}, err
	}
	result.Counts = counts
	result.Snapshot.Records, result.Snapshot.Quarantined = counts.Records, counts.Quarantined
	if reason := brake(counts, upcoming); reason != "" {
		return event.Result{}, &heldError{event.Held{RunID: run.ID, Provider: run.Provider.Slug, Counts: counts, Reason: reason, Snapshot: *result.Snapshot}}
	}
	result.Outcome, err = tx.Commit(ctx, result)
	return result, err
}

// read compares a snapshot with the catalog. The records are read at most once, and only those that may differ are
// looked up and handed to write, a batch at a time.
func read(ctx context.Context, tx Tx, snap snapshot, write func(context.Context, []event.Write) error) (counts event.Counts, upcoming int, err error) {
	present, err := tx.Present(ctx)
	if err != nil {
		return event.Counts{}, 0, err
	}
	a := applier{tx: tx, plan: newPlan(present), write: write}
	records := tx.Records()
	known := func(record event.RecordHash) bool {
		id, ok := records[record]
		return ok && a.plan.skip(id)
	}
	for rec, err := range snap(known) {
		if err == nil {
			err = a.record(ctx, &rec)
		}
		if err != nil {
			return event.Counts{}, 0, err
		}
	}
	if err := a.flush(ctx); err != nil {
		return event.Counts{}, 0, err
	}
	removed, upcoming, err := tx.Leave(ctx, a.plan.missing())
	if err != nil {
		return event.Counts{}, 0, err
	}
	counts = a.plan.counts()
	counts.Removed = removed
	return counts, upcoming, nil
}

// candidate is an event that may differ from what the catalog has.
type candidate struct {
	event  event.Event
	id     event.ID
	hash   event.Hash
	record event.RecordHash
}

// applier collects what is to be looked up and written.
type applier struct {
	tx          Tx
	plan        *plan
	write       func(context.Context, []event.Write) error
	differing   []candidate
	quarantine  []event.Record
	quarantined int
}

func (a *applier) record(ctx context.Context, rec *event.Record) error {
	if rec.Invalid != nil {
		a.plan.seeBroken(rec.Key)
		a.keep(*rec)
	} else {
		id, hash := rec.Event.Key.ID(), rec.Event.Hash()
		differs, loser := a.plan.see(id, hash)
		if loser > 0 {
			a.keep(event.Record{
				Key: rec.Key, Place: fmt.Sprintf("record %d", loser),
				Invalid: event.NewInvalid(event.ReasonDuplicate, "id", rec.Key.Event, fmt.Errorf("record %d has the same key and other content; it counts", a.plan.records)),
			})
		}
		if differs {
			a.differing = append(a.differing, candidate{rec.Event, id, hash, rec.Hash})
		}
	}
	if len(a.differing) < writeBatch && len(a.quarantine) < writeBatch {
		return nil
	}
	return a.flush(ctx)
}

func (a *applier) keep(rec event.Record) {
	if a.quarantined++; a.quarantined <= maxQuarantined {
		a.quarantine = append(a.quarantine, rec)
	}
}

func (a *applier) flush(ctx context.Context) error {
	if len(a.quarantine) > 0 {
		if err := a.tx.Quarantine(ctx, a.quarantine); err != nil {
			return err
		}
		a.quarantine = a.quarantine[:0]
	}
	if len(a.differing) == 0 {
		return nil
	}
	ids := make([]event.ID, len(a.differing))
	for i, c := range a.differing {
		ids[i] = c.id
	}
	stored, err := a.tx.Find(ctx, ids)
	if err != nil {
		return err
	}
	writes := make([]event.Write, len(a.differing))
	for i := range a.differing {
		c := &a.differing[i]
		writes[i] = a.plan.decide(&c.event, c.id, c.hash, stored[c.id])
		writes[i].Record = c.record
	}
	a.differing = a.differing[:0]
	return a.write(ctx, writes)
}

package syncer

import (
	"context"
	"fmt"
	"iter"

	"github.com/aledotdev/marquee/internal/event"
)

// apply brings the catalog to the state of a snapshot, in one transaction. The records are read once,
// and only those that may differ are looked up and written, a batch at a time.
func (s *Syncer) apply(ctx context.Context, run event.Run, records iter.Seq2[event.Record, error], result event.Result) (event.Result, error) {
	tx, err := s.Begin(ctx, run, s.Clock())
	if err != nil {
		return event.Result{}, err
	}
	defer rollback(ctx, tx)
	known, err := tx.Present(ctx)
	if err != nil {
		return event.Result{}, err
	}
	a := applier{tx: tx, plan: newPlan(known)}
	for rec, err := range records {
		if err == nil {
			err = a.record(ctx, &rec)
		}
		if err != nil {
			return event.Result{}, err
		}
	}
	if err := a.flush(ctx); err != nil {
		return event.Result{}, err
	}
	removed, err := tx.Leave(ctx, a.plan.missing())
	if err != nil {
		return event.Result{}, err
	}
	result.Counts = a.plan.counts()
	result.Counts.Removed = removed
	result.Snapshot.Records, result.Snapshot.Quarantined = result.Counts.Records, result.Counts.Quarantined
	result.Outcome, err = tx.Commit(ctx, result)
	return result, err
}

// candidate is an event that may differ from what the catalog has.
type candidate struct {
	event event.Event
	id    event.ID
	hash  event.Hash
}

// applier collects what is to be looked up and written.
type applier struct {
	tx          Tx
	plan        *plan
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
			a.differing = append(a.differing, candidate{rec.Event, id, hash})
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
	}
	a.differing = a.differing[:0]
	return a.tx.Write(ctx, writes)
}

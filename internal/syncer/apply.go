package syncer

import (
	"context"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// limit says why a snapshot with these counts is to be held; empty: it is not. See event.Brake.
type limit func(c event.Counts, upcoming int) string

// snapshot gives the records of a snapshot. A record that known recognises is not read, and comes as Known.
type snapshot func(known knows) iter.Seq2[event.Record, error]

// knows is event.Skip.Known.
type knows = func(event.RecordHash) (number int, yes bool)

func reading(ctx context.Context, source *provider.Source, body io.Reader) snapshot {
	return func(known knows) iter.Seq2[event.Record, error] {
		return source.DecodeUnknown(ctx, body, known)
	}
}

// apply brings the catalog to the state of a snapshot, in one transaction. If the brake holds the snapshot, nothing is applied and
// the error is a *heldError. apply fills in the counts and the outcome of the result that it is given.
func (s *Syncer) apply(ctx context.Context, run event.Run, has *presence, snap snapshot, result event.Result, brake limit) (_ event.Result, err error) {
	ctx, span := s.span(ctx, "apply")
	defer func() { end(span, err) }()
	present, err := has.get()
	if err != nil {
		return event.Result{}, err
	}
	tx, err := s.Begin(ctx, run, s.Clock())
	if err != nil {
		return event.Result{}, err
	}
	defer rollback(ctx, tx)
	counts, upcoming, err := read(ctx, tx, &present, snap, tx.Write)
	if err != nil {
		return event.Result{}, err
	}
	result.Counts = counts
	result.Snapshot.Records, result.Snapshot.Quarantined = counts.Records, counts.Quarantined
	if reason := brake(counts, upcoming); reason != "" {
		return event.Result{}, &heldError{event.Held{RunID: run.ID, Provider: run.Provider.Slug, Counts: counts, Reason: reason, Snapshot: *result.Snapshot, NextCheck: result.NextCheck}}
	}
	result.Outcome, err = tx.Commit(ctx, result)
	return result, err
}

// read compares a snapshot with what the catalog has. It reads the records once, and looks up only events that may differ; those it hands
// to write, a batch at a time.
func read(ctx context.Context, tx Tx, present *event.Present, snap snapshot, write func(context.Context, []event.Write) error) (counts event.Counts, upcoming int, err error) {
	a := applier{tx: tx, present: present, plan: newPlan(present.Events), write: write}
	known := recordIndex{events: present.Events}
	for rec, err := range snap(known.find) {
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
	if err := tx.WriteSeries(ctx, a.plan.retitled(present.Series)); err != nil {
		return event.Counts{}, 0, err
	}
	counts = a.plan.counts()
	left, err := a.left(ctx)
	if err != nil {
		return event.Counts{}, 0, err
	}
	if counts.Removed, err = tx.Leave(ctx, left); err != nil {
		return event.Counts{}, 0, err
	}
	return counts, present.Upcoming, nil
}

// left are the known events that are no longer in the snapshot. An event stays out of the list if a broken record that names only its series
// may be its own.
func (a *applier) left(ctx context.Context) ([]event.ID, error) {
	missing := a.plan.missing()
	if len(missing) == 0 || len(a.plan.unclear) == 0 {
		return missing, nil
	}
	unclear, err := a.tx.OfSeries(ctx, missing, slices.Collect(maps.Keys(a.plan.unclear)))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(missing, func(id event.ID) bool {
		_, stays := unclear[id]
		return stays
	}), nil
}

// candidate is an event that may differ from what the catalog has.
type candidate struct {
	event  event.Event
	id     event.ID
	hash   event.Hash
	record event.RecordHash
	known  bool           // its record was not read: event is still to be taken from the catalog
	place  event.Position // of its record
	loser  event.Position // of an earlier record of the same key, which this one replaces; zero: there is none
}

// applier reads one snapshot and collects, in batches, what is to be looked up and written.
type applier struct {
	tx          Tx
	present     *event.Present
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
		a.consider(rec)
	}
	if len(a.differing) < writeBatch && len(a.quarantine) < writeBatch {
		return nil
	}
	return a.flush(ctx)
}

func (a *applier) consider(rec *event.Record) {
	number, id, hash := a.identify(rec)
	a.plan.seeTitle(rec.Key.Series, rec.Event.SeriesTitle)
	if differs, loser := a.plan.see(number, hash, rec.Place); differs {
		a.differing = append(a.differing, candidate{
			event: rec.Event, id: id, hash: hash, record: rec.Hash, known: rec.Known, place: rec.Place, loser: loser,
		})
	}
}

// identify gives the number of a record's event in the plan, its id and the hash of its content.
func (a *applier) identify(rec *event.Record) (number int, id event.ID, hash event.Hash) {
	if rec.Known {
		known := &a.present.Events[rec.Number]
		return rec.Number, known.ID, known.Content
	}
	id, hash = rec.Digest()
	return a.plan.number(id), id, hash
}

func (a *applier) keep(rec event.Record) {
	if a.quarantined++; a.quarantined <= maxQuarantined {
		a.quarantine = append(a.quarantine, rec)
	}
}

func (a *applier) flush(ctx context.Context) error {
	writes, err := a.decide(ctx)
	if err != nil {
		return err
	}
	if len(a.quarantine) > 0 {
		if err := a.tx.Quarantine(ctx, a.quarantine); err != nil {
			return err
		}
		a.quarantine = a.quarantine[:0]
	}
	if len(writes) == 0 {
		return nil
	}
	return a.write(ctx, writes)
}

// decide looks up the events that may differ, and returns what is to be written.
func (a *applier) decide(ctx context.Context) ([]event.Write, error) {
	if len(a.differing) == 0 {
		return nil, nil
	}
	stored, err := a.find(ctx)
	if err != nil {
		return nil, err
	}
	writes := make([]event.Write, len(a.differing))
	for i := range a.differing {
		c := &a.differing[i]
		if c.known { // it is as the catalog has it, but replaces an earlier record of the same key that was not
			c.event = stored[c.id].Event
		}
		if !c.loser.IsZero() {
			a.keep(event.Record{Key: c.event.Key, Place: c.loser, Invalid: event.NewDuplicate(c.event.Key, c.place)})
		}
		writes[i] = a.plan.decide(&c.event, c.id, c.hash, stored[c.id])
		writes[i].Record = c.record
	}
	a.differing = a.differing[:0]
	return writes, nil
}

// find looks up the events that may differ.
func (a *applier) find(ctx context.Context) (map[event.ID]*event.Stored, error) {
	if a.present.None {
		return nil, nil //nolint:nilnil // The provider has no events, so there are none to find.
	}
	ids := make([]event.ID, len(a.differing))
	for i := range a.differing {
		ids[i] = a.differing[i].id
	}
	return a.tx.Find(ctx, ids)
}

// Package syncer syncs one provider: it gets a snapshot, compares it with the catalog and has the store
// apply what differs, whole or not at all.
package syncer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// Store is what a sync needs of the catalog's only writer.
type Store interface {
	// StartRun records that a run begins and gives it its number.
	StartRun(ctx context.Context, p event.Provider, at time.Time) (event.Run, error)
	// FailRun records how a run that applies nothing ended.
	FailRun(ctx context.Context, run event.Run, result event.Result, at time.Time) error
}

// Tx is the one transaction in which a run is applied. Nothing that it did shows before Commit.
type Tx interface {
	// Latest is the number of the provider's run that was applied last, 0 if there is none.
	Latest() int64
	// Present gives the events of the provider's latest snapshot.
	Present(ctx context.Context) (map[event.ID]event.Hash, error)
	// Find gives the events that the catalog has, of those asked for.
	Find(ctx context.Context, ids []event.ID) (map[event.ID]*event.Stored, error)
	// Write adds or replaces events. The last one written of a key counts.
	Write(ctx context.Context, writes []event.Write) error
	// Leave notes that events are in the snapshot no more, and tells how many of them were upcoming.
	Leave(ctx context.Context, ids []event.ID) (removed int, err error)
	// Quarantine keeps records that can't be used.
	Quarantine(ctx context.Context, records []event.Record) error
	// Commit ends the run: OutcomeApplied if anything changed, else OutcomeUnchanged.
	Commit(ctx context.Context, result event.Result) (event.Outcome, error)
	// Rollback undoes everything. After Commit it does nothing.
	Rollback(ctx context.Context) error
}

// Options of a Syncer.
type Options struct {
	Store Store
	// Begin opens a run's transaction; event.ErrSuperseded if a later run was applied before.
	Begin func(ctx context.Context, run event.Run, now time.Time) (Tx, error)
	Clock func() time.Time
	Log   *slog.Logger
}

// Syncer syncs providers. It is safe for concurrent use; runs of one provider wait for each other only
// to be applied.
type Syncer struct{ Options }

// New makes a Syncer.
func New(o Options) *Syncer { return &Syncer{o} }

// Report is what became of one run.
type Report struct {
	Provider string // slug
	RunID    int64
	Result   event.Result
	Took     time.Duration
}

// How many writes and quarantined records are handed to the store at once, and how many a run keeps in
// quarantine: a feed that is all broken needs no million examples.
const (
	writeBatch     = 500
	maxQuarantined = 10_000
)

// ErrPanic says that reading a snapshot hit a bug. It costs that run only.
var ErrPanic = errors.New("panic")

// Sync runs one sync of one provider. The error says why the run failed; the report is good either way.
func (s *Syncer) Sync(ctx context.Context, source *provider.Source) (Report, error) {
	start := s.Clock()
	report := Report{Provider: source.Provider().Slug}
	log := s.Log.With("provider", report.Provider)

	run, err := s.Store.StartRun(ctx, source.Provider(), start)
	if err != nil {
		report.Result = failed(err)
		return report, fmt.Errorf("starting a run of %s: %w", report.Provider, err)
	}
	report.RunID = run.ID
	report.Result, err = s.attempt(ctx, run, source)
	if err != nil {
		report.Result = failed(err)
		// A run that was told to stop still says so in its record.
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if failErr := s.Store.FailRun(detached, run, report.Result, s.Clock()); failErr != nil {
			log.ErrorContext(ctx, "recording a failed run", "run", run.ID, "error", failErr)
		}
		err = fmt.Errorf("syncing %s, run %d: %w", report.Provider, run.ID, err)
	}
	report.Took = s.Clock().Sub(start)
	s.log(ctx, log, report)
	return report, err
}

func (s *Syncer) log(ctx context.Context, log *slog.Logger, r Report) {
	level := slog.LevelInfo
	if r.Result.Outcome == event.OutcomeFailed {
		level = slog.LevelWarn
	}
	c := r.Result.Counts
	log.Log(ctx, level, "sync", "run", r.RunID, "outcome", r.Result.Outcome, "took", r.Took,
		"records", c.Records, "added", c.Added, "changed", c.Changed, "removed", c.Removed,
		"returned", c.Returned, "unchanged", c.Unchanged, "quarantined", c.Quarantined,
		"code", r.Result.ErrorCode, "error", r.Result.Error)
}

func failed(err error) event.Result {
	code, _ := provider.Failure(err)
	outcome := event.OutcomeFailed
	if errors.Is(err, event.ErrSuperseded) {
		outcome = event.OutcomeSuperseded
	}
	return event.Result{Outcome: outcome, ErrorCode: code, Error: event.Excerpt(err.Error(), event.MaxExcerptBytes)}
}

func (s *Syncer) attempt(ctx context.Context, run event.Run, source *provider.Source) (result event.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "panic in a sync", "provider", run.Provider.Slug, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", ErrPanic, p)
		}
	}()
	fetched, err := source.Fetch(ctx, run.Previous)
	if err != nil {
		return event.Result{}, err
	}
	defer fetched.Close()

	if same := source.Repeated(run.Previous, fetched); same != nil {
		result, overtaken, err := s.confirm(ctx, run, same)
		if !overtaken {
			return result, err
		}
		if fetched.NotModified {
			return event.Result{}, event.ErrSuperseded // by a run that had started before this one; the next run sorts it out
		}
	}
	body, err := fetched.Open()
	if err != nil {
		return event.Result{}, fmt.Errorf("opening the snapshot: %w", err)
	}
	result.Snapshot = &event.Snapshot{
		ETag: fetched.ETag, LastModified: fetched.LastModified,
		Hash: fetched.Hash[:], Bytes: fetched.Size, Decoder: source.Fingerprint(), QuarantineID: run.ID,
	}
	return s.apply(ctx, run, source.Decode(body), result)
}

// confirm ends a run whose snapshot is the one that was applied last, unless another was applied since
// the run began.
func (s *Syncer) confirm(ctx context.Context, run event.Run, same *event.Snapshot) (result event.Result, overtaken bool, err error) {
	tx, err := s.Begin(ctx, run, s.Clock())
	if err != nil {
		return event.Result{}, false, err
	}
	defer rollback(ctx, tx)
	if tx.Latest() != same.RunID {
		return event.Result{}, true, nil
	}
	result.Snapshot = same
	result.Counts = event.Counts{Records: same.Records, Unchanged: same.Records - same.Quarantined, Quarantined: same.Quarantined}
	result.Outcome, err = tx.Commit(ctx, result)
	return result, false, err
}

func rollback(ctx context.Context, tx Tx) {
	_ = tx.Rollback(context.WithoutCancel(ctx)) // there is nothing left to save: the server does it as well
}

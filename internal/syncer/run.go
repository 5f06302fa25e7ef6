// Package syncer syncs one provider: it gets a snapshot, compares it with the catalog and has the store
// apply what differs, whole or not at all.
package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// Store is what a sync needs of the catalog's only writer.
type Store interface {
	// StartRun gives owner the provider's lease and the run its number. It fails with event.ErrRunning if another run
	// has the lease, and with event.ErrNotDue if the provider asked to be left alone until after at and force is not set.
	StartRun(ctx context.Context, p event.Provider, owner string, at time.Time, force bool) (event.Run, error)
	// StartDue is StartRun without force, for a provider whose latest run, as LastRuns gave it, was number last (0: none).
	// It fails with event.ErrNotDue also if another run has ended since.
	StartDue(ctx context.Context, p event.Provider, owner string, at time.Time, last int64) (event.Run, error)
	// LastRuns gives each provider's latest run that ended by itself. A provider without such a run is not in the map.
	LastRuns(ctx context.Context) (map[event.ID]event.LastRun, error)
	// Beat is the run's sign of life: it keeps the lease alive. It fails with event.ErrSuperseded if another run has taken the lease.
	Beat(ctx context.Context, run event.Run) error
	// Present gives what the catalog has of the run's provider. Nobody changes that while the run has the lease.
	Present(ctx context.Context, run event.Run, now time.Time) (event.Present, error)
	// FailRun records how a run that applies nothing ended, and gives the lease back.
	FailRun(ctx context.Context, run event.Run, result event.Result, at time.Time) error
	// HoldRun ends a run by keeping its snapshot for a person to decide about, and gives the lease back. It returns what is held
	// now: held, or the same snapshot that an earlier run held.
	HoldRun(ctx context.Context, run event.Run, held event.Held, at time.Time) (event.Held, error)
	// Held reads the snapshot that a run holds. It fails with event.ErrNotHeld if the run holds none, or none any longer.
	Held(ctx context.Context, runID int64) (event.Held, error)
}

// Tx is the one transaction in which a run is applied. Nothing that it does is visible to others before Commit.
type Tx interface {
	// Find gives those of the events that the catalog has, by id, whatever their state.
	Find(ctx context.Context, ids []event.ID) (map[event.ID]*event.Stored, error)
	// Write adds or replaces events. Of several writes of one event the last counts. The caller must not change writes afterwards.
	Write(ctx context.Context, writes []event.Write) error
	// WriteSeries adds or retitles series of the provider. It is called once at most.
	WriteSeries(ctx context.Context, series []event.Series) error
	// OfSeries gives those of the events ids that belong to one of the series.
	OfSeries(ctx context.Context, ids, series []event.ID) (map[event.ID]struct{}, error)
	// Leave notes that events are no longer in the snapshot. It returns how many of them are upcoming: so many
	// will be removed.
	Leave(ctx context.Context, ids []event.ID) (removed int, err error)
	// Quarantine keeps records that can't be used.
	Quarantine(ctx context.Context, records []event.Record) error
	// Commit ends the run: OutcomeApplied if anything changed, else OutcomeUnchanged. It fails with
	// event.ErrSuperseded if the run has lost its lease.
	Commit(ctx context.Context, result event.Result) (event.Outcome, error)
	// Rollback undoes everything. After Commit it does nothing.
	Rollback(ctx context.Context) error
}

// Options of a Syncer.
type Options struct {
	Store Store
	// Begin opens a run's transaction.
	Begin func(ctx context.Context, run event.Run, now time.Time) (Tx, error)
	Force bool          // Sync runs although a provider asked to be left alone until later
	Owner string        // names this process in leases; not empty
	Beat  time.Duration // between signs of life, well under the lease's time to live; 0: 10 s
	Drain time.Duration // how long the runs under way may go on when Loop is told to stop; 0: 25 s
	Poll  time.Duration // how often Due looks whether other processes have left a provider unsynced; 0: 2 s
	Clock func() time.Time
	Log   *slog.Logger
	// Progress is called with the progress of runs, from several goroutines at once; nil: it is not reported.
	Progress func(Progress)
	Traces   trace.TracerProvider // gets a trace of each run; nil: nothing is traced
}

// Progress is how far one run is.
type Progress struct {
	Provider string // slug
	Bytes    int64  // of the snapshot received so far, as sent
	Total    int64  // bytes of the whole snapshot, as sent; -1: not known
	Records  int    // read so far
	Done     bool   // the run has ended; Report and Err say how
	Report   Report
	Err      error
}

// Syncer syncs providers. It is safe for concurrent use. A second run of one provider is refused while the first has the
// lease (event.ErrRunning).
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

const (
	writeBatch     = 500    // writes, or quarantined records, that are handed to the store at once
	maxQuarantined = 10_000 // quarantined records that a run keeps: a feed that is all broken needs no million examples
)

// ErrPanic says that a sync ran into a bug of Marquee itself.
var ErrPanic = errors.New("panic")

// Sync runs one sync of one provider. The error says why nothing was applied: event.ErrRunning,
// event.ErrNotDue, event.ErrHeld, event.ErrSuperseded, ErrPanic, or one that provider.Failure has a code for. The report is valid
// also if there is an error.
func (s *Syncer) Sync(ctx context.Context, source *provider.Source) (Report, error) {
	return s.run(ctx, source, s.start(source, s.Force), func(ctx context.Context, run event.Run) (event.Result, error) {
		return s.attempt(ctx, run, source)
	})
}

// starter takes the provider's lease for a run, and gives the run its number.
type starter func(ctx context.Context, at time.Time) (event.Run, error)

func (s *Syncer) start(source *provider.Source, force bool) starter {
	return func(ctx context.Context, at time.Time) (event.Run, error) {
		return s.Store.StartRun(ctx, source.Provider(), s.Owner, at, force)
	}
}

// run takes the provider's lease, does the work, and makes sure that its end is recorded, however it ends.
func (s *Syncer) run(ctx context.Context, source *provider.Source, begin starter, work func(context.Context, event.Run) (event.Result, error)) (Report, error) {
	start := s.Clock()
	report := Report{Provider: source.Provider().Slug}
	run, err := begin(ctx, start)
	if err != nil {
		report.Result = failed(err)
		s.log(ctx, report)
		s.tell(Progress{Provider: report.Provider, Done: true, Report: report, Err: err})
		return report, err
	}
	report.RunID = run.ID
	ctx, span := s.span(ctx, "sync", attribute.String("marquee.provider", report.Provider), attribute.Int64("marquee.run", run.ID))
	defer func() { endRun(span, report.Result) }()
	alive, stop := s.keepAlive(ctx, run)
	report.Result, err = guard(func() (event.Result, error) { return work(alive, run) })
	if cause := context.Cause(alive); err != nil && errors.Is(cause, event.ErrSuperseded) {
		err = cause // the reason why the work was interrupted
	}
	stop()
	if err != nil && !errors.Is(err, event.ErrHeld) {
		report.Result = failed(err)
		if wait := provider.RetryAfter(err); wait > 0 {
			report.Result.NextCheck = s.Clock().Add(wait)
		}
		// Also if ctx has ended: a run that was told to stop says so in its record.
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if failErr := s.Store.FailRun(detached, run, report.Result, s.Clock()); failErr != nil {
			s.Log.ErrorContext(ctx, "recording a failed run", "provider", report.Provider, "run", run.ID, "error", failErr)
		}
	}
	if err != nil {
		err = fmt.Errorf("syncing %s, run %d: %w", report.Provider, run.ID, err)
	}
	report.Took = s.Clock().Sub(start)
	s.log(ctx, report)
	s.tell(Progress{Provider: report.Provider, Done: true, Report: report, Err: err})
	return report, err
}

// keepAlive renews the run's lease again and again until stop is called. The context that it returns ends when the
// lease is lost, with event.ErrSuperseded as its cause.
func (s *Syncer) keepAlive(ctx context.Context, run event.Run) (alive context.Context, stop func()) {
	alive, cancel := context.WithCancelCause(ctx)
	var beating sync.WaitGroup
	beating.Go(func() {
		ticker := time.NewTicker(cmp.Or(s.Beat, 10*time.Second))
		defer ticker.Stop()
		for {
			select {
			case <-alive.Done():
				return
			case <-ticker.C:
				// Other errors don't end the run: whether the lease is lost is decided at the commit.
				if err := s.Store.Beat(alive, run); errors.Is(err, event.ErrSuperseded) {
					cancel(err)
					return
				}
			}
		}
	})
	return alive, func() {
		cancel(nil)
		beating.Wait()
	}
}

// guard turns a panic into an error, so that a bug in reading a snapshot fails that run only.
func guard[T any](work func() (T, error)) (result T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return work()
}

func (s *Syncer) log(ctx context.Context, r Report) {
	level := slog.LevelInfo
	if r.RunID == 0 { // it never began: another run is under way, the provider is not due, or the database is not available
		if code := r.Result.ErrorCode; code != provider.CodeRunning && code != provider.CodeNotDue {
			level = slog.LevelWarn
		}
		s.Log.Log(ctx, level, "no sync", "provider", r.Provider, "code", r.Result.ErrorCode, "error", r.Result.Error)
		return
	}
	if r.Result.Outcome == event.OutcomeFailed || r.Result.Outcome == event.OutcomeHeld {
		level = slog.LevelWarn
	}
	c := r.Result.Counts
	s.Log.Log(ctx, level, "sync", "provider", r.Provider, "run", r.RunID, "outcome", r.Result.Outcome, "took", r.Took,
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

func (s *Syncer) attempt(ctx context.Context, run event.Run, source *provider.Source) (event.Result, error) {
	progress := Progress{Provider: run.Provider.Slug}
	has := s.presence(ctx, run)
	defer has.end()
	fetching, span := s.span(ctx, "fetch")
	fetched, err := source.Fetch(fetching, run.Previous, func(bytes, total int64) {
		// What the catalog has is read while the feed arrives. But a feed as long as the last one may be the same: then nothing
		// has to be compared, and the reading is put off.
		if run.Previous == nil || total != run.Previous.Bytes {
			has.begin()
		}
		progress.Bytes, progress.Total = bytes, total
		s.tell(progress)
	})
	end(span, err)
	if err != nil {
		return event.Result{}, err
	}
	defer fetched.Close()
	var next time.Time
	if fetched.NextCheck > 0 {
		next = s.Clock().Add(fetched.NextCheck)
	}
	if same := source.Repeated(run.Previous, fetched); same != nil {
		return s.confirm(ctx, run, same, next)
	}
	body, err := source.Open(fetched)
	if err != nil {
		return event.Result{}, err
	}
	snapshot := event.Snapshot{
		ETag: fetched.ETag, LastModified: fetched.LastModified,
		Hash: fetched.Hash[:], Bytes: fetched.Size, Decoder: source.Fingerprint(), QuarantineID: run.ID,
	}
	result, err := s.apply(ctx, run, has, s.counted(reading(ctx, source, body), progress), event.Result{Snapshot: &snapshot, NextCheck: next}, source.Brake().Check)
	var held *heldError
	if !errors.As(err, &held) {
		return result, err
	}
	if body, err = source.Open(fetched); err != nil {
		return event.Result{}, err
	}
	return s.hold(ctx, run, held, body)
}

func (s *Syncer) tell(p Progress) {
	if s.Progress != nil {
		s.Progress(p)
	}
}

// counted passes records on, and reports the progress at every hundredth.
func (s *Syncer) counted(read snapshot, progress Progress) snapshot {
	if s.Progress == nil {
		return read
	}
	return func(known knows) iter.Seq2[event.Record, error] {
		return func(yield func(event.Record, error) bool) {
			for rec, err := range read(known) {
				if progress.Records++; progress.Records%100 == 0 {
					s.tell(progress)
				}
				if !yield(rec, err) {
					return
				}
			}
		}
	}
}

// confirm ends a run whose snapshot is the one that was applied last.
func (s *Syncer) confirm(ctx context.Context, run event.Run, same *event.Snapshot, next time.Time) (event.Result, error) {
	tx, err := s.Begin(ctx, run, s.Clock())
	if err != nil {
		return event.Result{}, err
	}
	defer rollback(ctx, tx)
	result := event.Result{
		Snapshot:  same,
		NextCheck: next,
		Counts:    event.Counts{Records: same.Records, Unchanged: same.Records - same.Quarantined, Quarantined: same.Quarantined},
	}
	result.Outcome, err = tx.Commit(ctx, result)
	return result, err
}

func rollback(ctx context.Context, tx Tx) {
	_ = tx.Rollback(context.WithoutCancel(ctx)) // if it fails, the connection is gone, and the server rolls back by itself
}

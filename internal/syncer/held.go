package syncer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider"
)

// heldError carries what the brake holds from apply, which finds it out, to attempt, which has the snapshot's bytes.
type heldError struct{ held event.Held }

// Error says that the snapshot is held, and why.
func (e *heldError) Error() string { return event.ErrHeld.Error() + ": " + e.held.Reason }

// Unwrap is event.ErrHeld.
func (e *heldError) Unwrap() error { return event.ErrHeld }

// hold keeps a snapshot for a person to decide about. If that succeeds, the error is event.ErrHeld, with the number of the run to decide about.
func (s *Syncer) hold(ctx context.Context, run event.Run, e *heldError, body io.Reader) (event.Result, error) {
	var err error
	if e.held.Body, err = pack(body); err != nil {
		return event.Result{}, fmt.Errorf("packing the held snapshot: %w", err)
	}
	held, err := s.Store.HoldRun(ctx, run, e.held, s.Clock())
	if err != nil {
		return event.Result{}, err
	}
	result := event.Result{Outcome: event.OutcomeHeld, Counts: held.Counts, Snapshot: &held.Snapshot, ErrorCode: string(event.OutcomeHeld), Error: held.ReasonFor(run.ID), NextCheck: e.held.NextCheck}
	if held.Rejected {
		result.Outcome = event.OutcomeRejected
		return result, fmt.Errorf("%w: run %d held the same snapshot, which was rejected", event.ErrHeld, held.RunID)
	}
	return result, fmt.Errorf("%w: %s; look at it, then approve or reject run %d", event.ErrHeld, held.Reason, held.RunID)
}

// ErrOtherSettings says that the provider's settings have changed since a snapshot was held, so that it would be read differently now.
var ErrOtherSettings = errors.New("the provider's settings have changed since; its next sync decides anew")

// ErrMoreThanShown says that a held snapshot would now take away more than it would have when it was held, which is all that the person who
// approves it has been shown.
var ErrMoreThanShown = errors.New("it would take away more than when it was held")

// Approve applies the snapshot that a run holds to the catalog as it is now, however long ago the snapshot was held. If reading
// it depends on the time, it is read as of now. Approve fails with ErrMoreThanShown if the snapshot would take away more than when it was
// held, with ErrOtherSettings if the provider's settings have changed since, and with event.ErrNotHeld if the run holds it no longer.
func (s *Syncer) Approve(ctx context.Context, held event.Held, source *provider.Source) (Report, error) {
	if held.Snapshot.Decoder.Settings() != source.Fingerprint().Settings() {
		return Report{Provider: held.Provider}, fmt.Errorf("approving run %d: %w", held.RunID, ErrOtherSettings)
	}
	shown := func(c event.Counts, upcoming int) string {
		if c.TakesMoreThan(held.Counts) {
			return fmt.Sprintf("it would now remove %d of %d upcoming events and put %d records into quarantine, not %d and %d as when it was held",
				c.Removed, upcoming, c.Quarantined, held.Counts.Removed, held.Counts.Quarantined)
		}
		return ""
	}
	// By force: nothing is fetched, so it doesn't matter whether the provider asked to be left alone.
	return s.run(ctx, source, s.start(source, true), func(ctx context.Context, run event.Run) (event.Result, error) {
		// A run that had the lease before this one may have applied or replaced what is held.
		if _, err := s.Store.Held(ctx, held.RunID); err != nil {
			return event.Result{}, err
		}
		body, err := unpack(held.Body)
		if err != nil {
			return event.Result{}, err
		}
		defer body.Close()
		snapshot := held.Snapshot
		snapshot.QuarantineID, snapshot.Decoder = run.ID, source.Fingerprint()
		result, err := s.apply(ctx, run, s.presence(ctx, run), reading(ctx, source, body), event.Result{Snapshot: &snapshot}, shown)
		if more, ok := errors.AsType[*heldError](err); ok {
			err = fmt.Errorf("%w: %s", ErrMoreThanShown, more.held.Reason)
		}
		return result, err
	})
}

func pack(body io.Reader) ([]byte, error) {
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func unpack(packed []byte) (io.ReadCloser, error) {
	r, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("unpacking the held snapshot: %w", err)
	}
	return r.IOReadCloser(), nil
}

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

// heldError carries what the brake holds from where it is found out to where the snapshot's bytes are.
type heldError struct{ held event.Held }

// Error is the reason.
func (e *heldError) Error() string { return event.ErrHeld.Error() + ": " + e.held.Reason }

// Unwrap is event.ErrHeld.
func (e *heldError) Unwrap() error { return event.ErrHeld }

// hold keeps a snapshot for a person to decide about. Its error says that it is held.
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

// ErrOtherSettings says that a held snapshot would be read differently now.
var ErrOtherSettings = errors.New("the provider's settings have changed since; its next sync decides anew")

// ErrMoreThanShown says that a held snapshot would by now take away more than was shown to who approves it.
var ErrMoreThanShown = errors.New("it would take away more than when it was held")

// Approve applies the snapshot that a run holds to the catalog as it is now, however long ago it was held: where the time
// has a say in how it is read, that is the time now. It fails with ErrMoreThanShown if it would take away more than
// what was shown to who approves it, and with ErrOtherSettings if the provider's file reads it differently.
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
	// Nothing is fetched: that the provider asked to be left alone is no matter.
	return s.run(ctx, source, s.start(source, true), func(ctx context.Context, run event.Run) (event.Result, error) {
		// Whoever held the lease before this run may have decided in the meantime.
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

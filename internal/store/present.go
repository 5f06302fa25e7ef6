package store

import (
	"context"
	"fmt"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// Present gives what the catalog has of a run's provider. It is read outside the transaction in which the run is applied. That is safe,
// because nobody else changes it while the run has the lease, and Commit checks the lease.
func (s *Store) Present(ctx context.Context, run event.Run, now time.Time) (_ event.Present, err error) {
	defer markUnavailable(&err)
	size := 0
	if run.Previous != nil {
		size = run.Previous.Records
	}
	p := event.Present{Events: make([]event.Known, 0, size), Series: map[string]string{}}
	provider := [16]byte(run.Provider.ID())
	if err := s.readEvents(ctx, provider, now, &p); err != nil {
		return event.Present{}, fmt.Errorf("reading the known events: %w", err)
	}
	if err := s.readSeries(ctx, provider, &p); err != nil {
		return event.Present{}, fmt.Errorf("reading the known series: %w", err)
	}
	return p, nil
}

func (s *Store) readEvents(ctx context.Context, provider [16]byte, now time.Time, p *event.Present) error {
	rows, err := s.pool.Query(ctx, `
		SELECT id, content_hash, record_hash, starts_at > $2 FROM events
		WHERE provider_id = $1 AND last_seen_at IS NULL`, provider, now)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		// Three times 16 bytes and a boolean, in the binary form: nothing to decode. A connection set to text fails above, at the argument.
		values := rows.RawValues()
		known := event.Known{ID: event.ID(values[0]), Content: event.Hash(values[1])}
		copy(known.Record[:], values[2]) // NULL: nothing
		p.Events = append(p.Events, known)
		if values[3][0] == 1 {
			p.Upcoming++
		}
	}
	if err := rows.Err(); err != nil || len(p.Events) > 0 {
		return err
	}
	return s.pool.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM events WHERE provider_id = $1)`, provider).Scan(&p.None)
}

func (s *Store) readSeries(ctx context.Context, provider [16]byte, p *event.Present) error {
	rows, err := s.pool.Query(ctx, `SELECT external_id, title FROM series WHERE provider_id = $1`, provider)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values := rows.RawValues() // texts are sent as they are
		p.Series[string(values[0])] = string(values[1])
	}
	return rows.Err()
}

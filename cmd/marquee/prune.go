package main

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/store"
)

// retention is how long the records of syncs, changes and runs, are kept.
type retention struct {
	KeepDays days `help:"How many days changes and runs are kept; 0: for ever." default:"90"`
}

// days are a number of them, up to a hundred years; 0 is for ever.
type days int

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *days) UnmarshalText(text []byte) error {
	const most = 36_500
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 || n > most {
		return configError("%q: want a number of days from 1 to %d, or 0 for ever", text, most)
	}
	*d = days(n)
	return nil
}

// prune deletes what is too old. A failure costs nothing but space: it is logged, and tried again next time.
func (r retention) prune(ctx context.Context, log *slog.Logger, pool *pgxpool.Pool) {
	if r.KeepDays == 0 {
		return
	}
	deleted, err := store.New(pool).Prune(ctx, time.Now().AddDate(0, 0, -int(r.KeepDays)))
	switch {
	case err != nil && ctx.Err() == nil:
		log.WarnContext(ctx, "deleting what is too old", "error", err)
	case deleted > 0:
		log.InfoContext(ctx, "deleted what is too old", "rows", deleted, "days", r.KeepDays)
	}
}

// pruneHourly prunes now and every hour until ctx is done.
func (r retention) pruneHourly(ctx context.Context, log *slog.Logger, pool *pgxpool.Pool) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		r.prune(ctx, log, pool)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

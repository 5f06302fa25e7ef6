package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/store"
)

// retention is how long what a sync leaves beside the catalog is kept.
type retention struct {
	KeepDays int `help:"Delete changes and runs that are older, in days; 0 keeps them all." default:"90"`
}

// prune deletes what is too old. A failure costs nothing but space: it is logged, and tried again next time.
func (r retention) prune(ctx context.Context, log *slog.Logger, pool *pgxpool.Pool) {
	if r.KeepDays <= 0 {
		return
	}
	deleted, err := store.New(pool).Prune(ctx, time.Now().AddDate(0, 0, -r.KeepDays))
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

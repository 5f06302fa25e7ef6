package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// Channel is where PostgreSQL's NOTIFY tells of each new version of the catalog. The store sends on it.
const Channel = "marquee_catalog"

// relisten is how long a broken connection is left alone before the next attempt.
const relisten = time.Second

// Listen calls heard whenever the catalog may have changed: at each notification, and each time it begins to listen, at first or after
// its connection broke, since it may have missed some. It opens one connection, and returns when ctx is
// done. Notifications may not come at all (from a standby, or by a pooler in transaction mode), so that callers have to look
// for changes from time to time as well.
func Listen(ctx context.Context, config *pgx.ConnConfig, log *slog.Logger, heard func()) {
	for broken := false; ctx.Err() == nil; {
		err := listen(ctx, config, heard)
		if ctx.Err() != nil {
			return
		}
		if !broken {
			log.LogAttrs(ctx, slog.LevelWarn, "not listening for changes; asking for them instead", slog.Any("error", err))
		}
		broken = true
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
		}
	}
}

func listen(ctx context.Context, config *pgx.ConnConfig, heard func()) error {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), relisten)
		defer cancel()
		_ = conn.Close(bounded) // it only listened
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+Channel); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	for {
		heard()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("waiting for a notification: %w", err)
		}
	}
}

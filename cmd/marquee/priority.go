package main

import (
	"context"
	"log/slog"
	"strconv"
)

// priority is how far a process that only syncs gives way to others. A snapshot may be read on all processors at once; at the same
// priority, the API and other programs on the machine would wait behind it.
type priority struct {
	Nice niceness `help:"On Linux: how far to lower the priority of this process, 1 to 19 as in nice; 0: not at all. Between containers it has no effect: their CPU shares decide." default:"10"`
}

// lower lowers the priority of this process. If that is not possible, the sync goes on all the same.
func (p priority) lower(ctx context.Context, log *slog.Logger) {
	if p.Nice == 0 {
		return
	}
	if err := giveWay(int(p.Nice)); err != nil {
		log.InfoContext(ctx, "the priority stays as it is", "nice", int(p.Nice), "error", err)
	}
}

// niceness is how far a process gives way.
type niceness int

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *niceness) UnmarshalText(text []byte) error {
	number, err := strconv.Atoi(string(text))
	if err != nil || number < 0 || number > 19 {
		return configError("%q: want a niceness from 1 to 19, or 0 to leave it", text)
	}
	*n = niceness(number)
	return nil
}

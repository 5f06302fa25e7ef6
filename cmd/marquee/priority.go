package main

import (
	"context"
	"log/slog"
	"strconv"
)

// priority is that of a process that only syncs. A snapshot may be read on all processors at once, and who waits for the API, or for
// another program, would wait behind that.
type priority struct {
	Nice niceness `help:"On Linux: how far it gives way to other processes of the machine, 1 to 19 as in nice; 0: not. In containers their shares of the processors count, not this." default:"10"`
}

// lower applies it to this process. That it can't is no reason not to sync.
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

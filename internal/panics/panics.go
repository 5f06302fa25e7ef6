// Package panics bounds what panics write to the log: a place that panics at each request would fill it with the same stack.
package panics

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// stackInterval is how often the stack of one place is told.
const stackInterval = time.Minute

// Places knows when each place's stack was told. The zero value is ready.
type Places struct {
	Clock func() time.Time // nil: time.Now

	mu   sync.Mutex
	told map[string]time.Time // as many as there are places in the program
}

// Attrs are what a log line tells of a panic, called by the deferred function that has recovered value: the place, and its stack
// once a minute.
func (p *Places) Attrs(value any) []slog.Attr {
	place := placeOf()
	attrs := []slog.Attr{slog.String("panic", fmt.Sprint(value)), slog.String("at", place)}
	if p.due(place) {
		attrs = append(attrs, slog.String("stack", string(debug.Stack())))
	}
	return attrs
}

func (p *Places) due(place string) bool {
	now := time.Now
	if p.Clock != nil {
		now = p.Clock
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.told[place]; ok && now().Sub(last) < stackInterval {
		return false
	}
	if p.told == nil {
		p.told = map[string]time.Time{}
	}
	p.told[place] = now()
	return true
}

// placeOf is where the panic began: the first function under the runtime's own, under which the deferred ones are.
func placeOf() string {
	const deepest = 64
	var counters [deepest]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(1, counters[:])])
	panicking := false
	for {
		frame, more := frames.Next()
		ours := !strings.HasPrefix(frame.Function, "runtime.")
		if panicking && ours {
			return fmt.Sprintf("%s:%d", frame.Function, frame.Line)
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return "unknown"
		}
	}
}

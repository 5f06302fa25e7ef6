package mapped

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/itchyny/gojq"
)

// Why a computation was ended.
var (
	errTime   = errors.New("the map takes too long")
	errMemory = errors.New("the map takes too much memory")
)

// guard bounds the time and memory that programs take for one snapshot. It counts only the time in which they compute, not that which
// the reader of the events takes.
type guard struct {
	ctx    context.Context //nolint:containedctx // One snapshot's reading.
	limits Limits
	left   time.Duration // computing time that is left for the snapshot
	heap   uint64        // bytes of the process's memory when the guard began, see clear
	done   chan struct{}

	mu       sync.Mutex
	cancel   context.CancelCauseFunc // of the computation under way; nil if there is none
	deadline time.Time
}

// The runtime's metrics that are read.
const (
	inUse = "/memory/classes/heap/objects:bytes" // including garbage that is not collected yet
	alive = "/gc/heap/live:bytes"                // what was not garbage at the last collection
)

// pulse is how often the guard checks its limits. gojq checks its context with every instruction.
const pulse = 10 * time.Millisecond

func newGuard(ctx context.Context, limits Limits) *guard {
	g := &guard{ctx: ctx, limits: limits, left: limits.Time, heap: sample(inUse), done: make(chan struct{})}
	go g.watch()
	return g
}

func (g *guard) stop() { close(g.done) }

func (g *guard) watch() {
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	for {
		select {
		case <-g.done:
			return
		case now := <-ticker.C:
			g.look(now)
		}
	}
}

func (g *guard) look(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.cancel == nil:
	case now.After(g.deadline):
		g.cancel(errTime)
	// Garbage does not count, so the limit is for what was alive at the last collection. Since a map may be faster than the collector,
	// there is a higher limit for both together.
	case sample(alive) > g.heap+g.limits.Heap, sample(inUse) > g.heap+3*g.limits.Heap:
		g.cancel(errMemory)
	}
}

// clear collects the garbage of a map that was stopped, so that it does not count for the next. Memory that is still alive then was not
// taken by the map, so it does not count either.
func (g *guard) clear() {
	runtime.GC()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heap = max(g.heap, sample(alive))
}

func sample(name string) uint64 {
	samples := []metrics.Sample{{Name: name}}
	metrics.Read(samples)
	if samples[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return samples[0].Value.Uint64()
}

// results are the results of a program that is run on one value.
type results struct {
	guard *guard
	left  time.Duration   // computing time that is left for this value
	ctx   context.Context // that of iter
	stop  context.CancelCauseFunc
	iter  gojq.Iter
}

func (g *guard) run(code *gojq.Code, limit time.Duration, value any, variables []any) *results {
	ctx, stop := context.WithCancelCause(g.ctx)
	return &results{guard: g, left: limit, ctx: ctx, stop: stop, iter: code.RunWithContext(ctx, value, variables...)}
}

// next is the program's next result; ok is false after the last. After an error there are no more.
func (r *results) next() (value any, ok bool, err error) {
	g, start := r.guard, time.Now()
	limit := min(r.left, g.left)
	if limit <= 0 {
		return nil, false, errTime
	}
	g.mu.Lock()
	g.cancel, g.deadline = r.stop, start.Add(limit)
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.cancel = nil
		g.mu.Unlock()
		took := time.Since(start)
		r.left -= took
		g.left -= took
		if p := recover(); p != nil { // a bug of the interpreter costs one record
			value, ok, err = nil, false, fmt.Errorf("jq: %v", p)
		}
	}()
	value, ok = r.iter.Next()
	if failure, failed := value.(error); failed {
		if cause := context.Cause(r.ctx); cause != nil {
			failure = cause
		}
		if errors.Is(failure, errMemory) {
			r.iter = nil
			g.clear()
		}
		return nil, false, failure
	}
	return value, ok, nil
}

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

// guard bounds what the programs compute for one snapshot. It counts only time spent in them: the reader of
// the events may take its own.
type guard struct {
	ctx    context.Context //nolint:containedctx // One snapshot's reading.
	limits Limits
	left   time.Duration
	heap   uint64 // the process's memory when the guard began
	done   chan struct{}

	mu       sync.Mutex
	cancel   context.CancelCauseFunc // of the computation under way; nil between two
	deadline time.Time
}

// What the runtime counts in bytes.
const (
	inUse = "/memory/classes/heap/objects:bytes" // with the garbage that is not collected yet
	alive = "/gc/heap/live:bytes"                // at the last collection
)

// pulse is how often the guard looks. gojq looks at its context with every instruction.
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
	// What was alive at the last collection, as garbage is no fault of the map's; but the collector may be
	// slower than the map.
	case sample(alive) > g.heap+g.limits.Heap, sample(inUse) > g.heap+3*g.limits.Heap:
		g.cancel(errMemory)
	}
}

// clear lets go of what a map has piled up, so that it is not counted again. What is left is not its doing.
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

// results is a program under way on one value.
type results struct {
	guard *guard
	left  time.Duration
	ctx   context.Context // the iterator's, which has it too
	stop  context.CancelCauseFunc
	iter  gojq.Iter
}

func (g *guard) run(code *gojq.Code, limit time.Duration, value any, variables []any) *results {
	ctx, stop := context.WithCancelCause(g.ctx)
	return &results{guard: g, left: limit, ctx: ctx, stop: stop, iter: code.RunWithContext(ctx, value, variables...)}
}

// next is the program's next result. An error is its last.
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
		if p := recover(); p != nil { // a bug of the interpreter's, met by one record
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

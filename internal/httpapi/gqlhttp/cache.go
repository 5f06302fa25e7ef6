package gqlhttp

import (
	"context"
	"fmt"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
)

// How old an answer may be when somebody sees it: a minute in all, in three parts. Some fields depend on the time (availability,
// presets) or on data that changes without a new version of the catalog (runs, lastSeenAt). One bound for all answers makes a list of
// these fields unnecessary.
const (
	keptFor  = 30 * time.Second // here
	freshFor = 15 * time.Second // in caches of others, without asking again
	staleFor = 15 * time.Second // in these caches, while they ask for a newer one
)

// anyone is part of each answer's key: who may see it. So far all clients may see the same.
const anyone = "anyone"

// maxKnownRequests bounds the bytes of requests that are known, beside the answers.
const maxKnownRequests = 8 << 20

// Snapshots say which state of the data an answer is made from; *catalog.Catalog is one.
type Snapshots interface {
	// Current is the state that a read would find now, or an earlier one; false if it is not known.
	Current() (catalog.Stamp, bool)
	// Pin binds the reads under the context that it returns to one server. When they are done, the function says which state of the data
	// they saw, or a later one; false if that is not known.
	Pin(ctx context.Context) (context.Context, func() (catalog.Stamp, bool))
}

// cache keeps answers. An answer is found by the bytes of an earlier request, or by what the request means (Operation.AppendKey).
// It is used only while its stamp is the current one: a new version of the catalog makes all answers useless at once, and new ones
// replace them. Nothing is kept while the state of the data is not known.
type cache struct {
	snapshots Snapshots
	clock     func() time.Time
	seed      maphash.Seed
	requests  *otter.Cache[uint64, *known]    // by the hash of their bytes
	answers   *otter.Cache[string, *response] // by what was asked
	flights   singleflight.Group
	metrics   *metrics
}

// known is a request that was seen before, with the key of its answers.
type known struct {
	post         bool
	request, key string
	answered     prometheus.Counter // counts its answers from the cache
}

func newCache(snapshots Snapshots, maxBytes int, clock func() time.Time, m *metrics) *cache {
	const overhead = 200 // bytes of an entry beside its text, about
	return &cache{
		snapshots: snapshots, clock: clock, seed: maphash.MakeSeed(), metrics: m,
		requests: otter.Must(&otter.Options[uint64, *known]{
			MaximumWeight: maxKnownRequests,
			Weigher:       func(_ uint64, k *known) uint32 { return uint32(len(k.request) + len(k.key) + overhead) },
		}),
		answers: otter.Must(&otter.Options[string, *response]{
			MaximumWeight: uint64(max(maxBytes, 1)),
			// Half its size is room for its gzip form, which is mostly smaller, and is made when somebody asks for it.
			Weigher: func(key string, a *response) uint32 { return uint32(len(key) + cap(a.body) + len(a.body)/2 + overhead) },
		}),
	}
}

// recall finds the answer to a request whose bytes are known.
func (c *cache) recall(in *input) *response {
	if c == nil {
		return nil
	}
	stamp, ok := c.snapshots.Current()
	if !ok {
		return nil
	}
	k, ok := c.requests.GetIfPresent(c.hash(in))
	if !ok || k.post != in.post || !in.is(k.request) {
		return nil
	}
	return c.find(k, stamp)
}

func (c *cache) find(k *known, stamp catalog.Stamp) *response {
	a, ok := c.answers.GetIfPresent(k.key)
	if !ok || a.stamp != stamp {
		return nil
	}
	age := c.clock().Sub(a.made)
	if age >= keptFor {
		return nil
	}
	c.metrics.cacheHit.Inc()
	c.metrics.age.Observe(age.Seconds())
	k.answered.Inc()
	return a
}

func (c *cache) hash(in *input) uint64 {
	if in.post {
		return maphash.Bytes(c.seed, in.body.Bytes())
	}
	return maphash.String(c.seed, in.query)
}

// answer finds or makes the answer to an operation. If another request is having the same answer made, it waits for that. An answer is
// made to the end even if nobody waits for it any more. It is nil if ctx ends first.
func (c *cache) answer(ctx context.Context, in *input, op *graph.Operation, timeout time.Duration, execute func(ctx context.Context) *graph.Answer) *response {
	if c == nil {
		return newResponse(execute(ctx))
	}
	stamp, ok := c.snapshots.Current()
	if !ok {
		c.metrics.cacheBypass.Inc()
		return newResponse(execute(ctx))
	}
	key := string(op.AppendKey([]byte(anyone + "\n")))
	k := &known{post: in.post, request: in.text(), key: key, answered: c.metrics.cached(op)}
	c.requests.Set(c.hash(in), k)
	if a := c.find(k, stamp); a != nil {
		return a
	}
	flight := key + stamp.Server + strconv.FormatInt(stamp.Generation, 10) + "/" + strconv.FormatInt(stamp.Version, 10)
	made := c.flights.DoChan(flight, func() (value any, err error) {
		defer func() {
			if p := recover(); p != nil { // singleflight would end the program with it
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		return c.make(bounded, key, execute), nil
	})
	select {
	case <-ctx.Done():
		return nil
	case result := <-made:
		if result.Err != nil {
			panic(result.Err) // for who answers to panics
		}
		a, _ := result.Val.(*response)
		return a
	}
}

// make executes, and keeps the answer if it has no errors and the state of the data that it is made from is known.
func (c *cache) make(ctx context.Context, key string, execute func(ctx context.Context) *graph.Answer) *response {
	c.metrics.cacheMiss.Inc()
	ctx, read := c.snapshots.Pin(ctx)
	began := c.clock()
	a := newResponse(execute(ctx))
	if stamp, ok := read(); ok && !a.failed {
		a.stamp, a.made = stamp, began
		c.answers.Set(key, a)
	}
	return a
}

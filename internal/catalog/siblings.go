package catalog

import (
	"context"
	"sync"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// siblings are the events that were read together. What one of them is asked for is read for all, once:
// a page costs one statement a kind of nested object, whatever it holds.
type siblings struct {
	catalog   *Catalog
	events    []*Event
	now       time.Time // when they were read
	series    batch[Series]
	providers batch[Provider]
	histories onces[map[event.ID]*ChangePage] // by historyArgs
}

// batch reads the objects that some ids name, once.
type batch[T any] struct {
	once  sync.Once
	found map[event.ID]*T
	err   error
}

func (b *batch[T]) get(id event.ID, load func() ([]*T, error), key func(*T) event.ID) (*T, error) {
	b.once.Do(func() {
		var all []*T
		all, b.err = load()
		b.found = make(map[event.ID]*T, len(all))
		for _, one := range all {
			b.found[key(one)] = one
		}
	})
	return b.found[id], b.err
}

// once reads something once, for all who ask.
type once[T any] struct {
	once  sync.Once
	value T
	err   error
}

func (o *once[T]) get(read func() (T, error)) (T, error) {
	o.once.Do(func() { o.value, o.err = read() })
	return o.value, o.err
}

// onces are readings that differ in something that the key says, such as their arguments.
type onces[T any] struct {
	mu  sync.Mutex
	all map[string]*once[T]
}

func (o *onces[T]) get(key string, read func() (T, error)) (T, error) {
	o.mu.Lock()
	if o.all == nil {
		o.all = map[string]*once[T]{}
	}
	one := o.all[key]
	if one == nil {
		one = &once[T]{}
		o.all[key] = one
	}
	o.mu.Unlock()
	return one.get(read)
}

func (s *siblings) seriesOf(ctx context.Context, id event.ID) (*Series, error) {
	return s.series.get(id, func() ([]*Series, error) {
		return s.catalog.SeriesByID(ctx, distinct(s.events, func(e *Event) *event.ID { return e.SeriesID }))
	}, func(one *Series) event.ID { return one.ID })
}

func (s *siblings) providerOf(ctx context.Context, id event.ID) (*Provider, error) {
	return s.providers.get(id, func() ([]*Provider, error) {
		return s.catalog.ProvidersByID(ctx, distinct(s.events, func(e *Event) *event.ID { return &e.ProviderID }))
	}, func(one *Provider) event.ID { return one.ID })
}

// distinct are the ids that some objects name.
func distinct[T any](all []T, id func(T) *event.ID) []event.ID {
	seen := map[event.ID]bool{}
	var ids []event.ID
	for _, one := range all {
		if id := id(one); id != nil && !seen[*id] {
			seen[*id] = true
			ids = append(ids, *id)
		}
	}
	return ids
}

// Package graph is the GraphQL API: the hand-written SDL in schema/, and resolvers that each make one
// call to the catalog and at most one conversion.
package graph

import (
	"context"
	"iter"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// Catalog is what the API reads from; *catalog.Catalog is one. Where one object is asked for and there is none, it is nil.
type Catalog interface {
	Events(ctx context.Context, q catalog.EventQuery) (*catalog.EventPage, error)
	WriteEvents(ctx context.Context, q catalog.EventQuery, l *catalog.Layout, b []byte) ([]byte, error)
	Event(ctx context.Context, id event.ID) (*catalog.Event, error)
	SeriesByID(ctx context.Context, ids []event.ID) ([]*catalog.Series, error)
	Providers(ctx context.Context) ([]*catalog.Provider, error)
	Provider(ctx context.Context, slug string) (*catalog.Provider, error)
	Changes(ctx context.Context, first int, after *string, where catalog.ChangeFilter) (*catalog.ChangePage, error)
	Follow(ctx context.Context, after *string, where catalog.ChangeFilter) (iter.Seq2[*catalog.Change, error], error)
	Nodes(ctx context.Context, ids []event.ID) ([]catalog.Node, error)
	Window(in *catalog.WindowInput) (catalog.Window, error)
}

// Resolver is the root of all resolvers.
type Resolver struct {
	Catalog Catalog
	layouts layouts
}

// NewResolver makes a Resolver that reads from a catalog.
func NewResolver(reads Catalog) *Resolver { return &Resolver{Catalog: reads, layouts: newLayouts()} }

func orDefault(given *int, otherwise int) int {
	if given == nil {
		return otherwise
	}
	return *given
}

func orZero[T any](given *T) (value T) {
	if given != nil {
		value = *given
	}
	return value
}

// first is the first of the objects that were read; the zero value if there are none.
func first[T any](found []T, err error) (T, error) {
	var none T
	if err != nil || len(found) == 0 {
		return none, err
	}
	return found[0], nil
}

// eventQuery makes the catalog's query of the arguments of a page of events.
func (r *Resolver) eventQuery(page catalog.PageArgs, window *catalog.WindowInput, where *catalog.EventFilter, order *catalog.EventOrder) (catalog.EventQuery, error) {
	checked, err := r.Catalog.Window(window)
	query := catalog.EventQuery{Page: page, Window: checked}
	if where != nil {
		query.Where = *where
	}
	if order != nil {
		query.Order = *order
	}
	return query, err
}

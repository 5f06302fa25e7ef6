// Package entql is a GraphQL API over events as one gets it from gqlgen and ent by following their documentation: ent reads the rows
// into its objects, and gqlgen resolves them field by field. Benchmarks measure Marquee's own beside it.
package entql

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/aledotdev/marquee/ent"
	"github.com/aledotdev/marquee/ent/event"
)

// Handler serves it. Documents are parsed once.
func Handler(client *ent.Client) http.Handler {
	server := handler.New(NewExecutableSchema(Config{Resolvers: &resolver{client}}))
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](100))
	return server
}

type resolver struct{ client *ent.Client }

// Query implements ResolverRoot.
func (r *resolver) Query() QueryResolver { return r }

// Event implements ResolverRoot.
func (r *resolver) Event() EventResolver { return r }

// Events are those that start from one time until before another.
func (r *resolver) Events(ctx context.Context, first int, from, to time.Time) (*EventConnection, error) {
	nodes, err := r.client.Event.Query().
		Where(event.Listed(true), event.StartsAtGTE(from), event.StartsAtLT(to)).
		Order(event.ByStartsAt(), event.ByID()).
		Limit(first + 1).
		All(ctx)
	if err != nil {
		return nil, err
	}
	page := &EventConnection{Nodes: nodes, PageInfo: &PageInfo{HasNextPage: len(nodes) > first}}
	if page.PageInfo.HasNextPage {
		page.Nodes = nodes[:first]
	}
	if n := len(page.Nodes); n > 0 {
		page.PageInfo.EndCursor = &page.Nodes[n-1].ID
	}
	return page, nil
}

// MinPrice is an amount in the event's currency.
func (r *resolver) MinPrice(_ context.Context, e *ent.Event) (*Money, error) {
	return money(e.MinPrice, e), nil
}

// MaxPrice is an amount in the event's currency.
func (r *resolver) MaxPrice(_ context.Context, e *ent.Event) (*Money, error) {
	return money(e.MaxPrice, e), nil
}

func money(amount *string, e *ent.Event) *Money {
	if amount == nil {
		return nil
	}
	return &Money{Amount: *amount, Currency: e.Currency}
}

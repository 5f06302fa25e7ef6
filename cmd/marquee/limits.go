package main

import (
	"strconv"
	"time"

	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
)

// limits bound what one request, or one client, may ask for.
type limits struct {
	MaxRequestKiB           bound    `help:"Most KiB of a GraphQL request's body, or of its query string." name:"max-request-kib" default:"64"`
	MaxTokens               bound    `help:"Most tokens in a GraphQL document." default:"5000"`
	MaxFields               bound    `help:"Most fields that a document selects, and most fragments that it spreads." default:"400"`
	MaxAliases              bound    `help:"Most aliases in a document." default:"30"`
	MaxDirectives           bound    `help:"Most directives in a document." default:"30"`
	MaxDepth                bound    `help:"Most levels of nested fields in an operation." default:"12"`
	MaxPageSize             pageSize `help:"Most items of a page (first, last), 1 to 100." default:"100"`
	MaxCost                 bound    `help:"Most points that one operation may cost." default:"5000"`
	MaxConnections          bound    `help:"Most WebSockets and event streams that are open at a time." default:"10000"`
	MaxConnectionsPerClient bound    `help:"Most WebSockets and event streams that one client may have open." default:"200"`
	MaxSubscriptions        bound    `help:"Most operations at a time on one WebSocket." default:"20"`
	OperationTimeout        duration `help:"Time that one operation may take." default:"10s"`
	Introspection           bool     `help:"Answer introspection (__schema, __type); the schema is at /schema.graphql either way." negatable:"" default:"true"`
}

func (l limits) graph() graph.Limits {
	return graph.Limits{
		Tokens: int(l.MaxTokens), Fields: int(l.MaxFields), Aliases: int(l.MaxAliases), Directives: int(l.MaxDirectives),
		Depth: int(l.MaxDepth), PageSize: int(l.MaxPageSize), Cost: int(l.MaxCost), NoIntrospection: !l.Introspection,
	}
}

func (l limits) live() gqlhttp.Live {
	return gqlhttp.Live{Connections: int(l.MaxConnections), PerClient: int(l.MaxConnectionsPerClient), Subscriptions: int(l.MaxSubscriptions)}
}

func (l limits) timeout() time.Duration { return time.Duration(l.OperationTimeout) }

// bound is a limit, 1 to a million.
type bound int

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *bound) UnmarshalText(text []byte) error {
	const most = 1_000_000
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > most {
		return configError("%q: want a number from 1 to %d", text, most)
	}
	*b = bound(n)
	return nil
}

// pageSize is a limit of pages, 1 to catalog.MaxPageSize.
type pageSize int

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *pageSize) UnmarshalText(text []byte) error {
	const most = catalog.MaxPageSize
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > most {
		return configError("%q: want a number from 1 to %d", text, most)
	}
	*p = pageSize(n)
	return nil
}

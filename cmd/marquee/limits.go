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
	MaxRequestKiB           bound    `help:"A GraphQL request's body, or query string, in KiB." name:"max-request-kib" default:"64"`
	MaxTokens               bound    `help:"Tokens of a document." default:"5000"`
	MaxFields               bound    `help:"Fields selected in a document, and as many fragments spread." default:"400"`
	MaxAliases              bound    `help:"Aliases in a document." default:"30"`
	MaxDirectives           bound    `help:"Directives in a document." default:"30"`
	MaxDepth                bound    `help:"Levels of fields of an operation." default:"12"`
	MaxPageSize             pageSize `help:"What first and last may be, 1 to 100." default:"100"`
	MaxCost                 bound    `help:"Points that one operation may cost." default:"5000"`
	MaxConnections          bound    `help:"WebSockets and event streams at a time." default:"10000"`
	MaxConnectionsPerClient bound    `help:"Of these, of one client." default:"200"`
	MaxSubscriptions        bound    `help:"Operations at a time on one WebSocket." default:"20"`
	OperationTimeout        duration `help:"For an operation as a whole." default:"10s"`
	Introspection           bool     `help:"Answer __schema and __type; the schema is at /schema.graphql either way." negatable:"" default:"true"`
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

// pageSize is a limit, too, and has one of its own.
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

package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/aledotdev/marquee/internal/catalog"
)

// selectedFields says which of the costly parts of events are selected in the connection that is being resolved, under any
// alias and in any fragment.
func selectedFields(ctx context.Context) catalog.Fields {
	op := graphql.GetOperationContext(ctx)
	var fields catalog.Fields
	note := func(node graphql.CollectedField) {
		for _, f := range graphql.CollectFields(op, node.Selections, []string{"Event", "Node"}) {
			switch f.Name {
			case "offers":
				fields.Offers = true
			case "description":
				fields.Description = true
			case "attributes":
				fields.Attributes = true
			case "lastSeenAt":
				fields.LastSeen = true
			}
		}
	}
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{"EventConnection"}) {
		switch f.Name {
		case "nodes":
			note(f)
		case "edges":
			for _, edge := range graphql.CollectFields(op, f.Selections, []string{"EventEdge"}) {
				if edge.Name == "node" {
					note(edge)
				}
			}
		}
	}
	return fields
}

package catalog

import (
	"context"

	"github.com/aledotdev/marquee/internal/event"
)

// Node is an object whose id is unique among all objects of all types.
type Node interface{ IsNode() }

// IsNode marks a Node.
func (*Event) IsNode() {}

// IsNode marks a Node.
func (*Series) IsNode() {}

// IsNode marks a Node.
func (*Provider) IsNode() {}

// Nodes reads the objects of up to MaxPageSize ids, whatever their types, in the order of the ids; nil for an id that no object
// has. The ids of each type are UUIDs in a namespace of its own, so that no two objects have the same.
func (c *Catalog) Nodes(ctx context.Context, ids []event.ID) ([]Node, error) {
	if len(ids) > MaxPageSize {
		return nil, badInput("ids", "ids has %d values, at most %d are allowed", len(ids), MaxPageSize)
	}
	found := make(map[event.ID]Node, len(ids))
	events, err := c.EventsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		found[e.ID] = e
	}
	if len(found) < len(ids) {
		series, err := c.SeriesByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, s := range series {
			found[s.ID] = s
		}
	}
	if len(found) < len(ids) {
		providers, err := c.ProvidersByID(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, p := range providers {
			found[p.ID] = p
		}
	}
	nodes := make([]Node, len(ids))
	for i, id := range ids {
		nodes[i] = found[id]
	}
	return nodes, nil
}

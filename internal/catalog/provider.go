package catalog

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/aledotdev/marquee/ent"
	"github.com/aledotdev/marquee/ent/provider"
	"github.com/aledotdev/marquee/internal/event"
)

// Provider is a source of listings.
type Provider struct {
	ID       event.ID
	Slug     string
	Name     string
	Format   string
	TimeZone string
	Currency string

	peers *peers
}

// peers are providers that were read together, as siblings are events.
type peers struct {
	catalog   *Catalog
	providers []*Provider
	runs      onces[map[event.ID]*RunPage]
}

// Providers reads all providers, by slug.
func (c *Catalog) Providers(ctx context.Context) ([]*Provider, error) {
	return c.providers(ctx, c.ent.Provider.Query().Order(ent.Asc(provider.FieldSlug)))
}

// ProvidersByID reads providers, in no order.
func (c *Catalog) ProvidersByID(ctx context.Context, ids []event.ID) ([]*Provider, error) {
	return c.providers(ctx, c.ent.Provider.Query().Where(provider.IDIn(uuids(ids)...)))
}

// Provider reads one provider; nil if there is none of that slug.
func (c *Catalog) Provider(ctx context.Context, slug string) (*Provider, error) {
	found, err := c.ProvidersByID(ctx, []event.ID{event.ProviderID(slug)})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Provider is the event's.
func (e *Event) Provider(ctx context.Context) (*Provider, error) {
	return e.siblings.providerOf(ctx, e.ProviderID)
}

func (c *Catalog) providers(ctx context.Context, q *ent.ProviderQuery) ([]*Provider, error) {
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading providers: %w", err)
	}
	found := make([]*Provider, len(rows))
	together := &peers{catalog: c, providers: found}
	for i, row := range rows {
		found[i] = &Provider{
			ID: event.ID(row.ID), Slug: row.Slug, Name: row.Name,
			Format: row.Format, TimeZone: row.TimeZone, Currency: row.Currency,
			peers: together,
		}
	}
	return found, nil
}

func uuids(ids []event.ID) []uuid.UUID {
	converted := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		converted[i] = uuid.UUID(id)
	}
	return converted
}

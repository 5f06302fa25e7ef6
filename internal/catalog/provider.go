package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

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
	synced    once[map[event.ID]*time.Time]
}

// Providers reads all providers, by slug.
func (c *Catalog) Providers(ctx context.Context) ([]*Provider, error) {
	return c.providers(ctx, c.ent.Provider.Query().Order(ent.Asc(provider.FieldSlug)))
}

// ProvidersByID reads the providers of some ids, in any order.
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

// LastSyncedAt is when a sync last read the provider's whole feed, whether or not anything had changed; nil before the
// first. It is read for all providers that were read together, in one statement.
func (p *Provider) LastSyncedAt(ctx context.Context) (*time.Time, error) {
	synced, err := p.peers.synced.get(func() (map[event.ID]*time.Time, error) {
		return p.peers.catalog.lastSynced(ctx, distinct(p.peers.providers, func(p *Provider) *event.ID { return &p.ID }))
	})
	return synced[p.ID], err
}

func (c *Catalog) lastSynced(ctx context.Context, providers []event.ID) (map[event.ID]*time.Time, error) {
	rows, err := c.pool.Query(ctx, `
		SELECT p.id, r.finished_at FROM unnest($1::uuid[]) AS p (id) CROSS JOIN LATERAL (
			SELECT finished_at FROM sync_runs r
			WHERE r.provider_id = p.id AND r.outcome IN ('APPLIED', 'UNCHANGED') ORDER BY r.id DESC LIMIT 1) r`, providers)
	if err != nil {
		return nil, fmt.Errorf("reading when providers were synced: %w", err)
	}
	synced := make(map[event.ID]*time.Time, len(providers))
	var id [16]byte
	var at *time.Time
	if _, err := pgx.ForEachRow(rows, []any{&id, &at}, func() error {
		synced[id] = at
		return nil
	}); err != nil {
		return nil, fmt.Errorf("reading when providers were synced: %w", err)
	}
	return synced, nil
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

package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/aledotdev/marquee/ent"
	"github.com/aledotdev/marquee/ent/series"
	"github.com/aledotdev/marquee/internal/event"
)

// Series is something that takes place repeatedly: several events under one title.
type Series struct {
	ID         event.ID
	ProviderID event.ID
	ExternalID string
	Title      string

	family *family
}

// family is series that were read together, as siblings are of events.
type family struct {
	catalog   *Catalog
	members   []*Series
	now       time.Time // when they were read
	providers batch[Provider]
	pages     onces[map[event.ID]*EventPage]
}

// SeriesByID reads the series of some ids, in any order.
func (c *Catalog) SeriesByID(ctx context.Context, ids []event.ID) ([]*Series, error) {
	rows, err := c.ent.Series.Query().Where(series.IDIn(uuids(ids)...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading series: %w", err)
	}
	read := &family{catalog: c, now: c.clock(), members: make([]*Series, len(rows))}
	for i, row := range rows {
		read.members[i] = seriesOf(row)
		read.members[i].family = read
	}
	return read.members, nil
}

func seriesOf(row *ent.Series) *Series {
	return &Series{ID: event.ID(row.ID), ProviderID: event.ID(row.ProviderID), ExternalID: row.ExternalID, Title: row.Title}
}

// Provider is who published the series.
func (s *Series) Provider(ctx context.Context) (*Provider, error) {
	f := s.family
	return f.providers.get(s.ProviderID, func() ([]*Provider, error) {
		return f.catalog.ProvidersByID(ctx, distinct(f.members, func(s *Series) *event.ID { return &s.ProviderID }))
	}, func(one *Provider) event.ID { return one.ID })
}

// Series is the event's series, nil if it has none.
func (e *Event) Series(ctx context.Context) (*Series, error) {
	if e.SeriesID == nil {
		return nil, nil //nolint:nilnil // Having no series is no failure.
	}
	return e.siblings.seriesOf(ctx, *e.SeriesID)
}

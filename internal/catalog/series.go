package catalog

import (
	"context"
	"fmt"

	"github.com/aledotdev/marquee/ent"
	"github.com/aledotdev/marquee/ent/series"
	"github.com/aledotdev/marquee/internal/event"
)

// Series groups the events of what repeats.
type Series struct {
	ID         event.ID
	ProviderID event.ID
	ExternalID string
	Title      string
}

// SeriesByID reads series, in no order.
func (c *Catalog) SeriesByID(ctx context.Context, ids []event.ID) ([]*Series, error) {
	rows, err := c.ent.Series.Query().Where(series.IDIn(uuids(ids)...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading series: %w", err)
	}
	found := make([]*Series, len(rows))
	for i, row := range rows {
		found[i] = seriesOf(row)
	}
	return found, nil
}

func seriesOf(row *ent.Series) *Series {
	return &Series{ID: event.ID(row.ID), ProviderID: event.ID(row.ProviderID), ExternalID: row.ExternalID, Title: row.Title}
}

// Series is the event's series, nil if it has none.
func (e *Event) Series(ctx context.Context) (*Series, error) {
	if e.SeriesID == nil {
		return nil, nil //nolint:nilnil // Having no series is no failure.
	}
	return e.siblings.seriesOf(ctx, *e.SeriesID)
}

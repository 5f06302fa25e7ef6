package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/aledotdev/marquee/internal/event"
)

// Find gives those of the events that the catalog has, by id, whatever their state.
func (t *Tx) Find(ctx context.Context, ids []event.ID) (_ map[event.ID]*event.Stored, err error) {
	defer markUnavailable(&err)
	found := make(map[event.ID]*event.Stored, len(ids))
	if err := t.settle(); err != nil {
		return nil, err
	}
	rows, err := t.tx.Query(ctx, `
		SELECT e.id, coalesce(s.external_id, ''), coalesce(s.title, ''), e.external_id,
			e.title, description, url, image_url, categories,
			starts_at, ends_at, starts_local, ends_local, time_zone, all_day,
			status, attendance_mode, online, sold_out, sale_starts_at, sale_ends_at,
			offers, currency, min_price::text, max_price::text,
			place_name, place_address, place_city, place_country, organizer, attributes,
			content_hash, listed, removed_at
		FROM events e LEFT JOIN series s ON s.id = e.series_id
		WHERE e.id = ANY($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("looking events up: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		id, stored, err := scanStored(rows, t.run.Provider.Slug)
		if err != nil {
			return nil, fmt.Errorf("looking events up: %w", err)
		}
		found[id] = stored
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("looking events up: %w", err)
	}
	return found, nil
}

func scanStored(rows pgx.Rows, provider string) (event.ID, *event.Stored, error) {
	var (
		id                                           [16]byte
		s                                            event.Stored
		hash, categories, offers, attributes         []byte
		startsLocal                                  time.Time
		endsAt, endsLocal, saleStart, saleEnd, remov *time.Time
		minPrice, maxPrice                           *string
	)
	e := &s.Event
	err := rows.Scan(&id, &e.Key.Series, &e.SeriesTitle, &e.Key.Event,
		&e.Title, &e.Description, &e.URL, &e.ImageURL, &categories,
		&e.Start.Instant, &endsAt, &startsLocal, &endsLocal, &e.Zone, &e.AllDay,
		&e.Status, &e.Attendance, &e.Online, &e.SoldOut, &saleStart, &saleEnd,
		&offers, &e.Currency, &minPrice, &maxPrice,
		&e.Place.Name, &e.Place.Address, &e.Place.City, &e.Place.Country, &e.Organizer, &attributes,
		&hash, &s.Listed, &remov)
	if err != nil {
		return event.ID{}, nil, err
	}
	e.Key.Provider = provider
	s.Hash = event.Hash(hash)
	s.RemovedAt = value(remov)
	e.Start.Local = event.LocalOf(startsLocal)
	if endsAt != nil && endsLocal != nil {
		e.End = event.Moment{Local: event.LocalOf(*endsLocal), Instant: *endsAt}
	}
	e.SaleStart, e.SaleEnd = value(saleStart), value(saleEnd)
	if e.Attributes, err = canonical(attributes); err != nil {
		return event.ID{}, nil, err
	}
	for into, text := range map[**event.Decimal]*string{&e.MinPrice: minPrice, &e.MaxPrice: maxPrice} {
		if text == nil {
			continue
		}
		price, err := event.ParseDecimal(*text)
		if err != nil {
			return event.ID{}, nil, err
		}
		*into = &price
	}
	if err := json.Unmarshal(categories, &e.Categories); err != nil {
		return event.ID{}, nil, err
	}
	if err := json.Unmarshal(offers, &e.Offers); err != nil {
		return event.ID{}, nil, err
	}
	return id, &s, nil
}

func value(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// canonical rewrites a JSON object as encoding/json does, because decoders give it in that form. PostgreSQL changes white space and
// the order of keys.
func canonical(object []byte) (json.RawMessage, error) {
	if object == nil {
		return nil, nil
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

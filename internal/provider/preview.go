package provider

import (
	"context"
	"io"

	"github.com/aledotdev/marquee/internal/event"
)

// MaxPreviewed is how many events, and how many quarantined records, a Preview keeps at most. The counts are of all.
const MaxPreviewed = 1_000

// Preview is what a snapshot would give, without a comparison with the catalog.
type Preview struct {
	Records     int // in the snapshot, the quarantined ones too
	Quarantined int
	Repeated    int // records that are an exact repetition of an earlier one
	Online      int // events on sale online, which the catalog would list

	Events     []event.Record // the first MaxPreviewed
	Quarantine []event.Record // the first MaxPreviewed
}

// Preview reads a snapshot as a sync would. Of two records with the same key the last one counts; the other is
// quarantined, unless their content is the same. If it returns an error, a sync would not apply the snapshot.
func (s *Source) Preview(ctx context.Context, body io.Reader) (Preview, error) {
	var p Preview
	seen := map[event.Key]sighting{}
	for rec, err := range s.Decode(ctx, body) {
		if err != nil {
			return p, err
		}
		p.Records++
		if rec.Invalid != nil {
			p.quarantine(rec)
			continue
		}
		_, hash := rec.Digest()
		before, again := seen[rec.Key]
		if again && before.hash == hash {
			p.Repeated++
			continue
		}
		if again {
			p.replace(before, rec)
			seen[rec.Key] = sighting{hash, before.at, rec.Place, rec.Event.Online}
			continue
		}
		seen[rec.Key] = sighting{hash, len(seen), rec.Place, rec.Event.Online}
		if rec.Event.Online {
			p.Online++
		}
		if len(p.Events) < MaxPreviewed {
			p.Events = append(p.Events, rec)
		}
	}
	return p, nil
}

// sighting is the latest record of a key.
type sighting struct {
	hash   event.Hash
	at     int // its index in Events; beyond the end if it is only counted
	place  event.Position
	online bool
}

func (p *Preview) replace(before sighting, rec event.Record) {
	if before.at < len(p.Events) {
		p.Events[before.at] = rec
	}
	switch {
	case before.online && !rec.Event.Online:
		p.Online--
	case !before.online && rec.Event.Online:
		p.Online++
	}
	p.quarantine(event.Record{Key: rec.Key, Place: before.place, Invalid: event.NewDuplicate(rec.Key, rec.Place)})
}

func (p *Preview) quarantine(rec event.Record) {
	p.Quarantined++
	if len(p.Quarantine) < MaxPreviewed {
		p.Quarantine = append(p.Quarantine, rec)
	}
}

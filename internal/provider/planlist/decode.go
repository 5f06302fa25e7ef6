// Package planlist reads the feed of a ticketing provider in the three generations it has published:
// planList/base_plan/plan (since 2025), eventList/base_event/event with a start and an end (2022 to
// 2024), and the same with a single event_date (2021). A base plan is a series, a plan one dated event
// of it, a zone an offer.
package planlist

import (
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/ordered"
	"github.com/aledotdev/marquee/internal/xmlstream"
)

// Version changes when the same bytes would give other events than before.
const Version = 2

// Where the parts of the document are: root/output/base/plan.
const (
	rootDepth = iota
	outputDepth
	baseDepth
	planDepth
)

// dialect is what one root element calls the parts. The generations of 2021 and 2022 share theirs:
// which attributes a plan has tells them apart.
type dialect struct {
	base, plan               string
	baseID, planID           string
	date, startDate, endDate string
	path                     string // of a plan, see event.Position
}

func dialectOf(root string) (dialect, bool) {
	var noun string
	switch root {
	case "planList":
		noun = "plan"
	case "eventList":
		noun = "event"
	default:
		return dialect{}, false
	}
	return dialect{
		base: "base_" + noun, plan: noun,
		baseID: "base_" + noun + "_id", planID: noun + "_id",
		path: "base_" + noun + "[#]/" + noun + "[#]",
		date: noun + "_date", startDate: noun + "_start_date", endDate: noun + "_end_date",
	}, true
}

// element is a start tag's attributes, in feed order. There are few: a list beats a map.
type element []xmlstream.Attribute

func (e *element) add(name, value string) {
	*e = append(*e, xmlstream.Attribute{Name: name, Value: value})
}

// get is an attribute's value without white space around it; an empty one says as much as none.
func (e element) get(name string) string {
	for i := range e {
		if e[i].Name == name {
			return strings.TrimSpace(e[i].Value)
		}
	}
	return ""
}

// zone is an offer as it stands in the feed. Nearly all elements are zones, so they are no lists.
type zone struct{ id, name, price, capacity, numbered string }

func (z *zone) set(name, value string) {
	value = strings.TrimSpace(value)
	switch name {
	case "zone_id":
		z.id = value
	case "name":
		z.name = value
	case "price":
		z.price = value
	case "capacity":
		z.capacity = value
	case "numbered":
		z.numbered = value
	}
}

// Decode reads a snapshot record by record. The error, if any, comes last, ends the snapshot and wraps
// event.ErrMalformed when the feed is at fault.
func Decode(r io.Reader, defaults event.Defaults) iter.Seq2[event.Record, error] {
	return DecodeUnknown(r, defaults, event.Skip{})
}

// DecodeUnknown is Decode but for the records that are known: of those only the end is looked for. One goroutine cuts
// the document into plans, some others read these, a batch at a time.
func DecodeUnknown(r io.Reader, defaults event.Defaults, skip event.Skip) iter.Seq2[event.Record, error] {
	const maxReaders = 4 // cutting keeps no more of them busy
	return func(yield func(event.Record, error) bool) {
		readers := min(runtime.GOMAXPROCS(0), maxReaders)
		for batch := range ordered.Map(cut(r, skip), readers, func() func(*batch) *batch {
			d := decoder{normalizer: normalizer{defaults: defaults}}
			return d.read
		}) {
			if !batch.give(defaults.Provider, yield) {
				return
			}
			if batch.err != nil {
				yield(event.Record{}, batch.err)
				return
			}
		}
	}
}

// decoder makes records of plans.
type decoder struct {
	normalizer
	plan  element
	zones []zone
}

// give gives the records of a batch that was read, in their order, until yield wants no more. One that is known is made
// only now: most are, and they would be written to memory and read from there for nothing.
func (b *batch) give(provider string, yield func(event.Record, error) bool) (more bool) {
	read := b.records
	for i := range b.plans {
		p := &b.plans[i]
		rec := event.Record{
			Known: true, Number: p.number, Hash: p.hash, Place: p.place,
			Key:   event.Key{Provider: provider, Series: p.base.id},
			Event: event.Event{SeriesTitle: p.base.title},
		}
		if !p.known {
			rec, read = read[0], read[1:]
		}
		if !yield(rec, nil) {
			return false
		}
	}
	return true
}

// read makes records of a batch's plans that are not known, up to the first that is malformed.
func (d *decoder) read(b *batch) *batch {
	b.records = make([]event.Record, 0, b.unknown)
	for i := range b.plans {
		p := &b.plans[i]
		if p.known {
			continue
		}
		d.base = p.base
		element := b.bytes[p.from:p.to]
		if err := d.parse(element); err != nil {
			b.plans, b.err = b.plans[:i], fmt.Errorf("line %d: %w", p.place.Line, err)
			break
		}
		b.records = append(b.records, d.record(p, element))
	}
	return b
}

// parse reads a plan's element into d.plan and d.zones, whose memory serves for one plan after the other.
func (d *decoder) parse(bytes []byte) error {
	d.plan, d.zones = d.plan[:0], d.zones[:0]
	skip := func(string, string) {}
	attribute := skip
	return xmlstream.Parse(bytes, xmlstream.Handler{
		Start: func(name string, depth int) {
			switch {
			case depth == 0:
				attribute = d.plan.add
			case depth == 1 && name == "zone":
				d.zones = append(d.zones, zone{})
				attribute = d.zones[len(d.zones)-1].set
			default:
				attribute = skip
			}
		},
		Attribute: func(name, value string) { attribute(name, value) },
	})
}

// record normalises what parse read.
func (d *decoder) record(p *rawPlan, element []byte) event.Record {
	rec := event.Record{Place: p.place, Hash: p.base.hash(element)}
	rec.Event, rec.Invalid = d.normalize(d.plan, d.zones)
	rec.Key = rec.Event.Key
	if rec.Invalid != nil {
		rec.Excerpt = event.Excerpt(string(element), event.MaxExcerptBytes)
	} else {
		rec.Digest()
	}
	return rec
}

// Package planlist reads the feed of a ticketing provider in the three forms that it has had over the years:
// planList/base_plan/plan (since 2025), eventList/base_event/event with a start and an end (2022 to
// 2024), and the same with a single event_date (2021). A base plan is a series, a plan is one dated event
// of it, and a zone is an offer.
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

// Version rises when the same bytes would give other events than before.
const Version = 2

// The depths of the document's elements: root/output/base/plan.
const (
	rootDepth = iota
	outputDepth
	baseDepth
	planDepth
)

// dialect has the names of elements and attributes that go with a root element. The forms of 2021 and 2022 have the same dialect, and
// differ only in a plan's attributes.
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

// element is a start tag's attributes, in the order of the feed. They are so few that a list is faster than a map.
type element []xmlstream.Attribute

func (e *element) add(name, value string) {
	*e = append(*e, xmlstream.Attribute{Name: name, Value: value})
}

// get is an attribute's value without white space around it; empty if it is missing, which means the same.
func (e element) get(name string) string {
	for i := range e {
		if e[i].Name == name {
			return strings.TrimSpace(e[i].Value)
		}
	}
	return ""
}

// zone is an offer as the feed gives it. Nearly all elements are zones, so for speed they are structs, not lists of attributes.
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

// Decode reads a snapshot record by record. An error, if any, comes last and ends the snapshot; it wraps
// event.ErrMalformed if the feed is at fault, else it is the reader's.
func Decode(r io.Reader, defaults event.Defaults) iter.Seq2[event.Record, error] {
	return DecodeUnknown(r, defaults, event.Skip{})
}

// DecodeUnknown is Decode, but of records that skip knows it only looks for the end. One goroutine cuts
// the document into plans, up to four others read these, a batch at a time.
func DecodeUnknown(r io.Reader, defaults event.Defaults, skip event.Skip) iter.Seq2[event.Record, error] {
	const maxReaders = 4 // more would wait for the cutting
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

// give yields the records of a batch that was read, in their order; more is false if yield wants no more. The records of known plans
// are made only here: most plans are known, and keeping their records in the batch would cost time for nothing.
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

// read makes records of those plans of a batch that are not known, up to the first that is malformed.
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

// parse reads a plan's element into d.plan and d.zones, whose memory is used again for each plan.
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

// record makes a record of what parse has read.
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

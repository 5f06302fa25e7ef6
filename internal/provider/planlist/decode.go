// Package planlist reads the feed of a ticketing provider in the three generations it has published:
// planList/base_plan/plan (since 2025), eventList/base_event/event with a start and an end (2022 to
// 2024), and the same with a single event_date (2021). A base plan is a series, a plan one dated event
// of it, a zone an offer.
package planlist

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/zeebo/xxh3"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/xmlstream"
)

// Version changes when the same bytes would give other events than before.
const Version = 1

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
type element []struct{ name, value string }

func (e *element) add(name, value string) {
	*e = append(*e, struct{ name, value string }{name, value})
}

// get is an attribute's value; an empty one says as much as none.
func (e element) get(name string) string {
	for i := range e {
		if e[i].name == name {
			return e[i].value
		}
	}
	return ""
}

// zone is an offer as it stands in the feed. Nearly all elements are zones, so they are no lists.
type zone struct{ id, name, price, capacity, numbered string }

func (z *zone) set(name, value string) {
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

// DecodeUnknown is Decode but for the records that are known: of those only the end is looked for.
func DecodeUnknown(r io.Reader, defaults event.Defaults, skip event.Skip) iter.Seq2[event.Record, error] {
	return func(yield func(event.Record, error) bool) {
		d := decoder{normalizer: normalizer{defaults: defaults}, skip: skip}
		if err := d.run(r, func(rec event.Record) bool { return yield(rec, nil) }); err != nil && !errors.Is(err, errStopped) {
			yield(event.Record{}, err)
		}
	}
}

// errStopped says that the reader of the records wants no more.
var errStopped = errors.New("stopped")

type decoder struct {
	normalizer
	skip   event.Skip
	seed   uint64 // of record hashes: what besides its bytes makes a plan's event
	inBase bool
	bases  int // of the snapshot so far
	plans  int // of the base so far
	plan   element
	zones  []zone
}

func (d *decoder) run(r io.Reader, yield func(event.Record) bool) error {
	scanner, err := xmlstream.NewScanner(r, planDepth)
	if err != nil {
		return err
	}
	if d.skip.Known != nil {
		scanner.Known = d.known
	}
	give := func(rec event.Record) error {
		if !yield(rec) {
			return errStopped
		}
		return nil
	}
	for {
		node, err := scanner.Next()
		if err == io.EOF { //nolint:errorlint // io.EOF comes bare; one that is wrapped is a reader's failure.
			return nil
		}
		if err != nil {
			return err
		}
		switch node.Kind {
		case xmlstream.Open:
			err = d.container(node)
		case xmlstream.Record:
			if node.Name != d.dialect.plan || !d.inBase {
				continue // the feed may grow elements that we don't know
			}
			d.plans++
			if node.Known {
				err = give(d.knownRecord(node))
			} else if err = d.parse(node.Bytes); err == nil {
				err = give(d.record(node))
			}
		case xmlstream.Close:
			if node.Depth == baseDepth {
				d.inBase = false
			}
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
	}
}

func (d *decoder) container(node xmlstream.Node) error {
	switch node.Depth {
	case rootDepth:
		var known bool
		if d.dialect, known = dialectOf(node.Name); !known {
			return fmt.Errorf("the root element is <%s>, not <planList> or <eventList>: %w", event.Excerpt(node.Name, 40), event.ErrMalformed)
		}
	case baseDepth:
		if node.Name != d.dialect.base {
			return nil
		}
		d.bases++
		d.plans = 0
		d.inBase = true
		d.seed = xxh3.HashString(d.skip.Salt)
		d.seed = xxh3.HashSeed(node.Bytes, d.seed)
		var attributes element
		err := xmlstream.Parse(node.Bytes, xmlstream.Handler{Attribute: attributes.add})
		d.setBase(attributes)
		return err
	}
	return nil
}

// known reports whether a record need not be read. The bytes of one that is known begin with the name of a plan:
// one that is none has never been given a hash.
func (d *decoder) known(record []byte) bool {
	return d.inBase && d.skip.Known(d.hash(record))
}

func (d *decoder) knownRecord(node xmlstream.Node) event.Record {
	return event.Record{
		Known: true, Hash: d.hash(node.Bytes), Place: d.position(node.Line),
		Key:   event.Key{Provider: d.defaults.Provider, Series: d.base.id},
		Event: event.Event{SeriesTitle: d.base.title},
	}
}

// hash digests a plan's element, and by the seed its base's start tag, the decoder and its settings.
func (d *decoder) hash(record []byte) event.RecordHash {
	return xxh3.Hash128Seed(record, d.seed).Bytes()
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
func (d *decoder) record(node xmlstream.Node) event.Record {
	rec := event.Record{Place: d.position(node.Line), Hash: d.hash(node.Bytes)}
	rec.Event, rec.Invalid = d.normalize(d.plan, d.zones)
	rec.Key = rec.Event.Key
	if rec.Invalid != nil {
		rec.Excerpt = event.Excerpt(string(node.Bytes), event.MaxExcerptBytes)
	}
	return rec
}

func (d *decoder) position(line int) event.Position {
	return event.Position{Path: d.dialect.path, Index: [2]int32{int32(d.bases), int32(d.plans)}, Line: int32(line)}
}

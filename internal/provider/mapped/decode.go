package mapped

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/itchyny/gojq"

	"github.com/aledotdev/marquee/internal/event"
)

// Decode reads a snapshot record by record. An error, if any, comes last and ends the snapshot. It wraps
// event.ErrMalformed if the feed or the map is at fault. If ctx ends, the error is its cause; a program that is running is stopped.
func (m *Mapping) Decode(ctx context.Context, r io.Reader, defaults event.Defaults) iter.Seq2[event.Record, error] {
	return func(yield func(event.Record, error) bool) {
		d := decoding{
			Mapping: m, limits: m.settings.Limits, normalizer: newNormalizer(defaults),
			yield: func(rec event.Record) bool { return yield(rec, nil) },
		}
		if err := d.run(ctx, r); err != nil && !errors.Is(err, errStopped) {
			yield(event.Record{}, err)
		}
	}
}

// decoding is one snapshot being read.
type decoding struct {
	*Mapping
	limits     Limits
	guard      *guard
	normalizer *normalizer
	yield      func(event.Record) bool
	text       *textWatch // notes bytes that are not UTF-8, as JSON has to be (RFC 8259, 8.1); nil for other formats

	events int // how many there were so far
}

func (d *decoding) run(ctx context.Context, r io.Reader) error {
	if d.settings.Format == JSON {
		d.text = newTextWatch()
		r = io.TeeReader(r, d.text)
	}
	if d.stream == nil {
		document, err := d.tree(r)
		if err != nil {
			return err
		}
		d.guard = newGuard(ctx, d.limits)
		defer d.guard.stop()
		return d.stage(0, record{value: document}, nil)
	}
	d.guard = newGuard(ctx, d.limits)
	defer d.guard.stop()
	for rec, err := range d.stream(r) {
		if err != nil {
			return err
		}
		if rec.fault != nil {
			var key event.Key
			if len(d.program.stages) == 2 {
				key, _ = d.keyOf(rec, nil, 0)
			}
			err = d.refuse(rec, key, event.NewInvalid(event.ReasonInvalidRecord, "record", "", rec.fault))
		} else {
			err = d.stage(1, rec, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stage runs stage n of the program on a record, and the later stages on what it yields. An error ends the snapshot.
func (d *decoding) stage(n int, rec record, variables []any) error {
	last := n == len(d.program.stages)-1
	timeLimit, limit := d.limits.StepTime, d.limits.Events
	if n == 0 {
		timeLimit = d.limits.Time
	} else if last {
		limit = d.limits.PerRecord
	}
	results := d.guard.run(d.program.stages[n], timeLimit, rec.value, variables)
	defer results.stop(nil)
	for count := 0; ; count++ {
		result, ok, err := results.next()
		switch {
		case err != nil && d.guard.ctx.Err() != nil:
			return context.Cause(d.guard.ctx)
		case err != nil && (n == 0 || d.guard.left <= 0):
			return d.broken(err)
		case err != nil:
			var key event.Key
			if last {
				key, _ = d.keyOf(rec, variables, count)
			} else {
				key, _ = d.named(d.program.series[n], rec, variables, 0)
			}
			return d.refuse(rec, key, fault(err))
		case !ok && last && n > 0 && count == 0:
			return d.lost(rec, variables)
		case !ok:
			return nil
		case count == limit && n == 0:
			return malformed("map: it yields more than %d results", limit)
		case count == limit:
			return d.refuse(rec, event.Key{}, event.NewInvalid(event.ReasonTooLarge, "map", "", fmt.Errorf("it yields more than %d results", limit)))
		}
		next := record{value: result, place: fmt.Sprintf("%s/%d", rec.place, count+1)}
		if n == 0 {
			next.place = fmt.Sprintf("record %d", count+1)
		}
		switch {
		case last && n == 0: // rec is the whole document, which would not help to find a fault: show the result
			err = d.event(next, result)
		case last:
			err = d.event(rec, result)
		default:
			bundle, _ := result.([]any) // compile ends the stage with such an array
			next.value = bundle[0]
			err = d.stage(n+1, next, slices.Concat(variables, bundle[1:]))
		}
		if err != nil {
			return err
		}
	}
}

// broken is the error of the snapshot if a program failed on the whole document, or there is no computing time left.
func (d *decoding) broken(err error) error {
	if len(d.program.stages) == 1 {
		return malformed("map: %w", bounded(err))
	}
	return malformed("map, before there are records: %w", bounded(err))
}

// event yields the event that the map made of a record, or refuses the record.
func (d *decoding) event(rec record, result any) error {
	d.events++
	if d.stream == nil && d.events > d.limits.Events {
		return malformed("map: it yields more than %d events", d.limits.Events)
	}
	fields, ok := result.(map[string]any)
	if !ok {
		return d.refuse(rec, event.Key{}, event.NewInvalid(event.ReasonInvalidRecord, "map", describe(result), errNotObject))
	}
	e, invalid := d.normalizer.event(fields)
	if d.text != nil && d.text.bad && replaced(fields) {
		invalid = event.NewInvalid(event.ReasonInvalidText, "record", "", errNotUTF8)
	}
	if invalid != nil {
		return d.refuse(rec, e.Key, invalid)
	}
	return d.give(event.Record{Event: e, Key: e.Key, Place: event.Position{Path: rec.place}})
}

var errNotObject = errors.New("the map yields something that is not an object")

// refuse puts a record into quarantine.
func (d *decoding) refuse(rec record, key event.Key, invalid *event.Invalid) error {
	key.Provider = d.normalizer.defaults.Provider
	text := describe(rec.value)
	return d.give(event.Record{Invalid: invalid, Key: key, Place: event.Position{Path: rec.place}, Excerpt: event.Excerpt(text, event.MaxExcerptBytes)})
}

func (d *decoding) give(rec event.Record) error {
	if !d.yield(rec) {
		return errStopped
	}
	return nil
}

// lost puts a record into quarantine if the last stage yielded nothing of it by accident: in jq an object disappears, without an
// error, if the value of one of its fields is empty. It is no accident if the stage yields nothing even without fields: the map
// has left the record out before it came to the object.
func (d *decoding) lost(rec record, variables []any) error {
	if _, meant := d.named(d.program.bare, rec, variables, 0); !meant {
		return nil
	}
	if key, ok := d.keyOf(rec, variables, 0); ok {
		return d.refuse(rec, key, event.NewInvalid(event.ReasonInvalidRecord, "map", "", errLost))
	}
	return d.refuse(rec, event.Key{}, event.NewInvalid(event.ReasonMissingID, "map", "", errLostID))
}

var (
	errLost   = errors.New("it yields nothing, though there is an id: a field of the object is empty, as (…)? may be; (…)? // null is not")
	errLostID = errors.New("it yields nothing, as id or seriesId is empty; to leave a record out, use select(…) before the object")
)

// keyOf is the key of the event that the last stage yields after count others, found by computing its ids alone. With it, the catalog
// does not take the event of a faulty record for removed.
func (d *decoding) keyOf(rec record, variables []any, count int) (key event.Key, ok bool) {
	return d.named(d.program.key, rec, variables, count)
}

// named is the key in the object that a program yields after count others; ok is false if there is no such object.
func (d *decoding) named(program *gojq.Code, rec record, variables []any, count int) (key event.Key, ok bool) {
	if program == nil {
		return key, false
	}
	results := d.guard.run(program, d.limits.StepTime, rec.value, variables)
	defer results.stop(nil)
	for range count {
		if _, ok, err := results.next(); !ok || err != nil {
			return key, false
		}
	}
	result, _, err := results.next()
	fields, ok := result.(map[string]any)
	if !ok || err != nil {
		return key, false
	}
	return d.normalizer.key(fields), true
}

// fault makes the fault of a record from a program's error.
func fault(err error) *event.Invalid {
	var invalid *event.Invalid
	switch {
	case errors.As(err, &invalid): // from one of functions
		return invalid
	case errors.Is(err, errTime), errors.Is(err, errMemory):
		return event.NewInvalid(event.ReasonTooLarge, "map", "", err)
	default:
		return event.NewInvalid(event.ReasonInvalidRecord, "map", "", bounded(err))
	}
}

// bounded keeps the error of a map, which may hold anything of the feed, to a readable length.
func bounded(err error) error {
	const limit = 300
	if text := err.Error(); len(text) > limit {
		return errors.New(event.Excerpt(text, limit))
	}
	return err
}

// describe is a value as JSON, for people.
func describe(value any) string {
	text, _ := gojq.Marshal(value)
	return string(text)
}

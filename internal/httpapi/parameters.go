package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// question is what the parameters of an export ask for, as GraphQL's arguments window and where.
type question struct {
	window catalog.WindowInput
	where  catalog.EventFilter
}

// query is the catalog's query for the question, with presets as of now.
func (q *question) query(now time.Time) (catalog.EventQuery, error) {
	window, err := q.window.Window(now)
	return catalog.EventQuery{Window: window, Where: q.where, Now: now}, err
}

// setter reads the values of one parameter into a question; there is at least one value.
type setter func(q *question, values []string) error

// parameters are the parameters of exports: the fields of EventWindow and EventFilter, by their names in the SDL.
//
//nolint:gochecknoglobals // a constant table
var parameters = map[string]setter{
	"from":     one(bound, func(q *question, b catalog.Bound) { q.window.From = &b }),
	"to":       one(bound, func(q *question, b catalog.Bound) { q.window.To = &b }),
	"timeZone": one(event.LoadZone, func(q *question, z *time.Location) { q.window.TimeZone = z }),
	"match": one(oneOf(catalog.Overlaps, catalog.StartsIn, catalog.EndsIn, catalog.Contained),
		func(q *question, m catalog.WindowMatch) { q.window.Match = m }),
	"preset": one(oneOf(catalog.Today, catalog.Tomorrow, catalog.ThisWeekend, catalog.Next7Days, catalog.Next30Days),
		func(q *question, p catalog.WindowPreset) { q.window.Preset = &p }),

	"text":           one(anything, func(q *question, s string) { q.where.Text = &s }),
	"providers":      list(anything, func(q *question, all []string) { q.where.Providers = all }),
	"series":         list(id, func(q *question, all []event.ID) { q.where.Series = all }),
	"ids":            list(id, func(q *question, all []event.ID) { q.where.IDs = all }),
	"price.min":      one(decimal, func(q *question, d event.Decimal) { q.price().Min = &d }),
	"price.max":      one(decimal, func(q *question, d event.Decimal) { q.price().Max = &d }),
	"price.currency": one(anything, func(q *question, s string) { q.price().Currency = &s }),
	"availability": list(oneOf(catalog.InStock, catalog.SoldOut, catalog.PreSale, catalog.SaleEnded, catalog.AvailabilityUnknown),
		func(q *question, all []catalog.Availability) { q.where.Availability = all }),
	"status": list(oneOf(event.StatusScheduled, event.StatusCancelled, event.StatusPostponed, event.StatusRescheduled),
		func(q *question, all []event.Status) { q.where.Status = all }),
	"categories":      list(anything, func(q *question, all []string) { q.where.Categories = all }),
	"cities":          list(anything, func(q *question, all []string) { q.where.Cities = all }),
	"countries":       list(anything, func(q *question, all []string) { q.where.Countries = all }),
	"starts.from":     one(bound, func(q *question, b catalog.Bound) { q.starts().From = &b }),
	"starts.to":       one(bound, func(q *question, b catalog.Bound) { q.starts().To = &b }),
	"starts.timeZone": one(event.LoadZone, func(q *question, z *time.Location) { q.starts().TimeZone = z }),
	"updatedSince":    one(instant, func(q *question, t time.Time) { q.where.UpdatedSince = &t }),
	"removed":         one(flag, func(q *question, b bool) { q.where.Removed = &b }),
}

func (q *question) price() *catalog.PriceFilter {
	if q.where.Price == nil {
		q.where.Price = &catalog.PriceFilter{}
	}
	return q.where.Price
}

func (q *question) starts() *catalog.StartsFilter {
	if q.where.Starts == nil {
		q.where.Starts = &catalog.StartsFilter{}
	}
	return q.where.Starts
}

// parseQuestion reads a query string. An unknown parameter is refused, since a misspelt filter would filter nothing, and give
// events that nobody asked for. A parameter with an empty value counts as not given.
func parseQuestion(query string) (*question, error) {
	if len(query) > maxQuery {
		return nil, badInput("", "the query string is longer than 8 KiB")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, badInput("", "the query string is malformed: want from=…&to=…, percent-encoded")
	}
	q := &question{}
	for name, given := range values {
		set, known := parameters[name]
		if !known {
			return nil, badInput(name, fmt.Sprintf("%q is not a parameter: see /docs", clip(name)))
		}
		if given = slices.DeleteFunc(given, func(s string) bool { return s == "" }); len(given) == 0 {
			continue
		}
		if err := set(q, given); err != nil {
			return nil, badInput(name, name+": "+err.Error())
		}
	}
	return q, nil
}

var errTwice = errors.New("given more than once")

// one sets a parameter that has one value.
func one[T any](parse func(string) (T, error), set func(*question, T)) setter {
	return func(q *question, values []string) error {
		if len(values) > 1 {
			return errTwice
		}
		v, err := parse(values[0])
		if err == nil {
			set(q, v)
		}
		return err
	}
}

// list sets a parameter that has a value each time it is given.
func list[T any](parse func(string) (T, error), set func(*question, []T)) setter {
	return func(q *question, values []string) error {
		all := make([]T, len(values))
		for i, v := range values {
			var err error
			if all[i], err = parse(v); err != nil {
				return err
			}
		}
		set(q, all)
		return nil
	}
}

// Errors that tell the client what a value should look like.
var (
	errBound   = errors.New("want a date (2021-06-30) or a date and time (2021-06-30T20:00), with or without an offset (Z, +02:00)")
	errInstant = errors.New("want an instant such as 2021-06-30T19:00:00Z")
	errID      = errors.New("want a UUID such as 9544cef3-7587-5640-92c0-59fe2667d370")
	errDecimal = errors.New("want a number such as 15.5")
	errFlag    = errors.New("want true or false")
)

func anything(s string) (string, error) { return s, nil }

func bound(s string) (catalog.Bound, error) {
	if b, ok := catalog.ParseBound(normalize(s)); ok {
		return b, nil
	}
	return catalog.Bound{}, errBound
}

func instant(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, normalize(s))
	if err != nil {
		return t, errInstant
	}
	return t, nil
}

func id(s string) (event.ID, error) {
	parsed, err := event.ParseID(s)
	if err != nil {
		return parsed, errID
	}
	return parsed, nil
}

func decimal(s string) (event.Decimal, error) {
	d, err := event.ParseDecimal(s)
	if err != nil || len(s) > 100 {
		return event.Decimal{}, errDecimal
	}
	return d, nil
}

func flag(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, errFlag
	}
	return s == "true", nil
}

func oneOf[T ~string](allowed ...T) func(string) (T, error) {
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	wrong := fmt.Errorf("want one of %s", strings.Join(names, ", "))
	return func(s string) (T, error) {
		if slices.Contains(allowed, T(s)) {
			return T(s), nil
		}
		return "", wrong
	}
}

// inParameters renames the arguments in an error of the catalog, window.from and where.text, to parameters of an export: from and text.
func inParameters(err error) error {
	e, ok := errors.AsType[*catalog.Error](err)
	if !ok {
		return err
	}
	named := strings.NewReplacer("window.", "", "where.", "")
	return &catalog.Error{Code: e.Code, Argument: named.Replace(e.Argument), Message: named.Replace(e.Message)}
}

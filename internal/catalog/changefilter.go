package catalog

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// ChangeFilter narrows changes down. Nil and empty parts filter nothing; all parts that are given hold.
type ChangeFilter struct {
	Kinds     []event.ChangeKind
	Providers []string // slugs
	Events    []event.ID
	Series    []event.ID
	Window    *WindowInput // the event is in it after the change, or was in it before
}

// changeFilter is a ChangeFilter that has been checked.
type changeFilter struct {
	kinds     []event.ChangeKind
	providers []event.ID
	events    []event.ID
	series    []event.ID
	window    func() Window // the window as of now, since a preset moves with time; nil if there is none
}

func (f ChangeFilter) check(clock func() time.Time) (*changeFilter, error) {
	if err := checkLists(
		listed{"where.kinds", len(f.Kinds)},
		listed{"where.providers", len(f.Providers)},
		listed{"where.events", len(f.Events)},
		listed{"where.series", len(f.Series)},
	); err != nil {
		return nil, err
	}
	checked := &changeFilter{kinds: f.Kinds, events: f.Events, series: f.Series}
	for _, slug := range f.Providers {
		checked.providers = append(checked.providers, event.ProviderID(slug))
	}
	if f.Window == nil {
		return checked, nil
	}
	window, err := f.Window.Window(clock())
	if err != nil {
		return nil, within("where", err)
	}
	checked.window = func() Window { return window }
	if in := *f.Window; in.Preset != nil {
		checked.window = func() Window {
			now, _ := in.Window(clock()) // what failed would have failed above
			return now
		}
	}
	return checked, nil
}

// within puts the name of an input before the argument that an error names: window.from becomes where.window.from.
func within(input string, err error) error {
	var known *Error
	if !errors.As(err, &known) {
		return err
	}
	named := *known
	named.Argument = input + "." + known.Argument
	named.Message = strings.ReplaceAll(known.Message, "window.", input+".window.")
	return &named
}

// admits says whether a change passes the filter, with its transition. It does for changes that have been read already what
// changesQuery does in SQL.
func (f *changeFilter) admits(c *Change) (*Transition, bool) {
	one := func(list []event.ID, id *event.ID) bool {
		return len(list) == 0 || id != nil && slices.Contains(list, *id)
	}
	if len(f.kinds) > 0 && !slices.Contains(f.kinds, c.Kind) ||
		!one(f.providers, &c.ProviderID) || !one(f.events, &c.EventID) || !one(f.series, c.seriesID) {
		return nil, false
	}
	t := f.transition(c)
	return t, t != nil || f.window == nil
}

// transition is nil without a window, and for an event that neither is nor was in it.
func (f *changeFilter) transition(c *Change) *Transition {
	if f.window == nil {
		return nil
	}
	w := f.window()
	was, is := c.Kind != event.ChangeAdded && w.Holds(c.before), w.Holds(c.after)
	switch {
	case was && is:
		return new(WindowChanged)
	case is:
		return new(WindowEntered)
	case was:
		return new(WindowLeft)
	default:
		return nil
	}
}

package simulator

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// LargeOptions describes a big feed for benchmarks. The same options always give the same bytes.
type LargeOptions struct {
	Series         int // 1 to 10,000,000
	PlansPerSeries int // 1 to 1,000
	ZonesPerPlan   int // 1 to 1,000
	Seed           uint64
	Generation     Generation

	// ChangedFraction, 0 to 1, of all plans differ in the price and capacity of their first zone between one step and
	// the next. The bytes of all others stay.
	ChangedFraction float64
	Step            int // 0 to 1,000,000

	// Start is the day of the first event; the zero time stands for 2030-01-01. Events spread over two years from there.
	Start time.Time
}

// ErrLargeOptions is wrapped by every error about options out of their range.
var ErrLargeOptions = errors.New("large feed: option out of range")

func (o LargeOptions) check() error {
	for _, limit := range []struct {
		name          string
		value         int
		least, atMost int
	}{
		{"series", o.Series, 1, 10_000_000},
		{"plans per series", o.PlansPerSeries, 1, 1000},
		{"zones per plan", o.ZonesPerPlan, 1, 1000},
		{"step", o.Step, 0, 1_000_000},
	} {
		if limit.value < limit.least || limit.value > limit.atMost {
			return fmt.Errorf("%w: %s is %d, want %d to %d", ErrLargeOptions, limit.name, limit.value, limit.least, limit.atMost)
		}
	}
	if !(o.ChangedFraction >= 0 && o.ChangedFraction <= 1) { // NaN is neither
		return fmt.Errorf("%w: changed fraction is %v, want 0 to 1", ErrLargeOptions, o.ChangedFraction)
	}
	return nil
}

// WriteLarge streams a big feed in constant memory: about 100 bytes a zone, so 10,000 series of 5 plans of 10 zones
// (half a million offers) are about 50 MB. Its errors are those of w, and [ErrLargeOptions].
func WriteLarge(w io.Writer, o LargeOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	first := DayOf(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	if !o.Start.IsZero() {
		first = DayOf(o.Start)
	}
	e := newEncoder(w, o.Generation)
	e.raw(e.tags.head)
	zones := make([]Offer, o.ZonesPerPlan)
	for s := range o.Series {
		e.open(Series{ID: int64(s + 1), Title: "Show " + strconv.Itoa(s+1), Organizer: s % 50, Online: s%100 != 99})
		for p := range o.PlansPerSeries {
			e.event(o.plan(first, s, p, zones))
		}
		e.raw(e.tags.closeSeries)
		if e.err != nil {
			break
		}
	}
	e.raw(e.tags.foot)
	return e.finish()
}

// plan makes one event; its zones are written over those of the last.
func (o LargeOptions) plan(first Day, series, plan int, zones []Offer) Event {
	h := hash(o.Seed, uint64(series), uint64(plan))
	on, minute := first+Day(below(h, 730)), hm(10+below(h>>16, 13), 15*below(h>>24, 4))
	for i := range zones {
		z := hash(h, uint64(i))
		zones[i] = Offer{
			ID: i + 1, Name: "Zone " + strconv.Itoa(i+1), Capacity: below(z, 400), Cents: 500 + 50*below(z>>16, 200), Numbered: z>>32&1 == 0,
		}
	}
	revision := o.revision(uint64(series)*uint64(o.PlansPerSeries) + uint64(plan))
	zones[0].Capacity += revision % 1000
	zones[0].Cents += 50 * (revision % 1000)
	return Event{
		ID: int64(plan + 1), Start: on.at(minute), End: on.at(minute + 30 + 15*below(h>>32, 12)),
		SellFrom: (on - 90).at(0), SellTo: on.at(minute - 10), Offers: zones,
	}
}

// revision says how often a plan has changed up to the step. Each plan has its own place in [0, 1), and a step passes
// over ChangedFraction of that line: so each step changes that share of the plans, and takes no memory of those before.
// Multiples of the golden ratio spread the places evenly, so that the share is met closely, also by few plans.
func (o LargeOptions) revision(nth uint64) int {
	place := float64((nth*0x9e3779b97f4a7c15+hash(o.Seed))>>11) / (1 << 53)
	passed := float64(o.Step) * o.ChangedFraction
	// The conversion keeps compilers from fusing the operations, which would round differently between machines.
	return int(float64(passed) + place)
}

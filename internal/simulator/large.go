package simulator

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// LargeOptions describe a large feed for benchmarks. The same options always give the same bytes.
type LargeOptions struct {
	Series         int // 1 to 10,000,000
	PlansPerSeries int // 1 to 1,000
	ZonesPerPlan   int // 1 to 1,000
	Seed           uint64
	Generation     Generation

	// ChangedFraction, 0 to 1, is the share of plans that differ from one Step to the next, in the price and capacity of their first
	// zone. The bytes of the others stay the same.
	ChangedFraction float64
	Step            int // 0 to 1,000,000

	// Start is the first day on which there may be events, which are spread over two years from there; zero: 2030-01-01.
	Start time.Time
}

// ErrLargeOptions is wrapped by the error for an option that is out of its range.
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
	if !(o.ChangedFraction >= 0 && o.ChangedFraction <= 1) { // negated so that NaN is refused
		return fmt.Errorf("%w: changed fraction is %v, want 0 to 1", ErrLargeOptions, o.ChangedFraction)
	}
	return nil
}

// WriteLarge writes a large feed to w, in memory that does not grow with it. A zone takes about 100 bytes, so that 10,000 series of 5
// plans of 10 zones (half a million offers) are about 50 MB. Its errors are those of w, and [ErrLargeOptions].
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

// plan makes one event. It uses the memory of zones for the event's zones.
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

// revision returns how often the nth plan has changed up to the step. Each plan has a place in [0, 1), and each step moves on by
// ChangedFraction on this circle: the plans over which it moves change. So nothing of earlier steps has to be remembered.
// The places are multiples of the golden ratio, which are spread evenly, so that the share is close even if there are few plans.
func (o LargeOptions) revision(nth uint64) int {
	place := float64((nth*0x9e3779b97f4a7c15+hash(o.Seed))>>11) / (1 << 53)
	passed := float64(o.Step) * o.ChangedFraction
	// Without the conversion a compiler might fuse the two operations, and machines would round differently.
	return int(float64(passed) + place)
}

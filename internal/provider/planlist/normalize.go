package planlist

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// normalizer turns plans into events.
type normalizer struct {
	defaults event.Defaults
	base     *base // of the plan at hand

	invalid *event.Invalid // the first fault of the plan at hand
	last    []event.Offer  // those of the plan before
}

// base is what the events of a base plan have in common.
type base struct {
	dialect    *dialect
	seed       uint64 // for the hashes of its plans
	id, title  string
	online     bool
	attributes func() json.RawMessage // the organizer's number, for which events have no field; made when it is first needed
}

func newBase(d *dialect, e element) *base {
	const organizer = "organizer_company_id"
	b := &base{dialect: d, id: strings.Clone(e.get(d.baseID)), title: strings.Clone(e.get("title"))}
	mode := e.get("sell_mode")
	b.online = mode == "" || strings.EqualFold(mode, "online")
	number := strings.Clone(e.get(organizer))
	b.attributes = sync.OnceValue(func() json.RawMessage {
		if number == "" {
			return nil
		}
		attributes, _ := json.Marshal(map[string]string{organizer: number}) // can't fail for strings
		return attributes
	})
	return b
}

// normalize makes an event of a plan. The second result is its first fault, or nil.
func (n *normalizer) normalize(plan element, zones []zone) (event.Event, *event.Invalid) {
	d := n.base.dialect
	n.invalid = nil
	e := event.Event{
		Key: event.Key{
			Provider: n.defaults.Provider,
			Series:   n.base.id,
			Event:    strings.Clone(plan.get(d.planID)),
		},
		SeriesTitle: n.base.title,
		Title:       n.base.title,
		Zone:        n.defaults.Zone.String(),
		Status:      event.StatusScheduled,
		Attendance:  event.AttendanceOffline,
		Online:      n.base.online,
		Currency:    n.defaults.Currency,
		Attributes:  n.base.attributes(),
	}
	if e.Key.Series == "" {
		n.fail(event.ReasonMissingID, d.baseID, "", nil)
	}
	if e.Key.Event == "" {
		n.fail(event.ReasonMissingID, d.planID, "", nil)
	}
	if single := plan.get(d.date); single != "" {
		e.Start = n.moment(d.date, single)
	} else {
		e.Start = n.moment(d.startDate, plan.get(d.startDate))
		e.End = n.moment(d.endDate, plan.get(d.endDate))
	}
	if e.Start.IsZero() {
		n.fail(event.ReasonInvalidDate, d.startDate, "", errors.New("missing"))
	}
	e.SaleStart = n.moment("sell_from", plan.get("sell_from")).Instant
	e.SaleEnd = n.moment("sell_to", plan.get("sell_to")).Instant
	if soldOut := new(bool); n.flag("sold_out", plan.get("sold_out"), soldOut) {
		e.SoldOut = soldOut
	}
	e.Offers = n.offers(zones)
	e.SetPriceBounds(n.defaults.Prices)

	if n.invalid == nil {
		errors.As(e.Validate(), &n.invalid)
	}
	return e, n.invalid
}

func (n *normalizer) fail(reason event.Reason, field, value string, err error) {
	if n.invalid == nil {
		n.invalid = event.NewInvalid(reason, field, value, err)
	}
}

// moment is the time of an attribute. It is zero if the value is empty, or can't be read, which is noted as a fault.
func (n *normalizer) moment(name, value string) event.Moment {
	if value == "" {
		return event.Moment{}
	}
	local, err := event.ParseLocal(value)
	if err == nil {
		return local.At(n.defaults.Zone)
	}
	// The documented form has a T, no fraction of a second and no offset. A blank for the T, a fraction and an offset are accepted, too,
	// since it is clear what they mean.
	iso := value
	if at := len(time.DateOnly); len(iso) > at && iso[at] == ' ' {
		iso = iso[:at] + "T" + iso[at+1:]
	}
	clock, fraction, _ := strings.Cut(iso, ".")
	if local, err := event.ParseLocal(clock); err == nil && strings.Trim(fraction, "0123456789") == "" {
		return local.At(n.defaults.Zone)
	}
	instant, zoned := time.Parse(time.RFC3339, iso)
	if zoned != nil {
		n.fail(event.ReasonInvalidDate, name, value, err)
		return event.Moment{}
	}
	return event.MomentOf(instant, n.defaults.Zone)
}

func (n *normalizer) offers(zones []zone) []event.Offer {
	offers := make([]event.Offer, len(zones))
	values := make([]zoneValues, len(zones)) // one allocation, in place of three for each zone
	for i, zone := range zones {
		var last event.Offer
		if i < len(n.last) {
			last = n.last[i]
		}
		o, v := &offers[i], &values[i]
		o.ExternalID = own(zone.id, last.ExternalID)
		o.Name = own(zone.name, last.Name)
		if n.price(zone.price, &v.price) {
			o.Price = &v.price
		}
		if n.capacity(zone.capacity, &v.capacity) {
			o.Capacity = &v.capacity
		}
		if n.flag("numbered", zone.numbered, &v.numbered) {
			o.Numbered = &v.numbered
		}
	}
	n.last = offers
	return offers
}

// zoneValues are the values that an Offer points to.
type zoneValues struct {
	price    event.Decimal
	capacity int32
	numbered bool
}

// own is value in memory of its own, so that an event does not keep the memory of its whole record. Zones are mostly
// the same as those of the plan before: then it is last, in the memory that is there already.
func own(value, last string) string {
	if value == last {
		return last
	}
	return strings.Clone(value)
}

// flag, price and capacity read a value into the variable given. They return false if it is empty, or can't be read, which is noted as a
// fault.

func (n *normalizer) flag(name, value string, into *bool) bool {
	if value == "" {
		return false
	}
	flag, err := strconv.ParseBool(value)
	if err != nil {
		n.fail(event.ReasonInvalidNumber, name, value, errors.New("neither true nor false"))
	}
	*into = flag
	return err == nil
}

func (n *normalizer) price(value string, into *event.Decimal) bool {
	if value == "" {
		return false
	}
	price, err := event.ParseDecimal(value)
	if err == nil && price.Negative() {
		err = errors.New("below 0")
	}
	if err != nil {
		n.fail(event.ReasonInvalidPrice, "price", value, err)
	}
	*into = price
	return err == nil
}

func (n *normalizer) capacity(value string, into *int32) bool {
	if value == "" {
		return false
	}
	seats, err := strconv.ParseInt(value, 10, 32)
	if err != nil || seats < 0 {
		n.fail(event.ReasonInvalidNumber, "capacity", value, errors.New("not a number of seats"))
		return false
	}
	*into = int32(seats)
	return true
}

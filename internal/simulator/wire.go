package simulator

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Generation is one of the forms of the feed that the real provider has had over the years.
type Generation int

// The generations.
const (
	PlanList  Generation = iota // since 2025: planList/base_plan/plan
	EventList                   // 2022 to 2024: eventList/base_event/event
	EventDate                   // 2021: as EventList, with a single event_date and no end
)

// Generations returns all generations, the newest first.
func Generations() []Generation { return []Generation{PlanList, EventList, EventDate} }

// String returns planList, eventList or eventDate.
func (g Generation) String() string {
	switch g {
	case PlanList:
		return "planList"
	case EventList:
		return "eventList"
	case EventDate:
		return "eventDate"
	}
	return fmt.Sprintf("Generation(%d)", int(g))
}

// UnmarshalText reads a name that [Generation.String] returns. Any other text is an error.
func (g *Generation) UnmarshalText(text []byte) error {
	for _, known := range Generations() {
		if known.String() == string(text) {
			*g = known
			return nil
		}
	}
	return fmt.Errorf("unknown generation %q: want planList, eventList or eventDate", text)
}

// tags are the pieces of a generation's markup.
type tags struct {
	head, foot               string // before the first series, and after the last
	openSeries, closeSeries  string // openSeries ends before the value of the id
	openEvent, closeEvent    string // openEvent ends before the value of the start
	beforeEnd, beforeEventID string // beforeEnd is empty in the generation without ends
}

func (g Generation) tags() tags {
	root, series, event := "planList", "base_plan", "plan"
	if g != PlanList {
		root, series, event = "eventList", "base_event", "event"
	}
	t := tags{
		head: `<?xml version="1.0" encoding="UTF-8"?>` + "\n<" + root +
			` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.0" xsi:noNamespaceSchemaLocation="` + root +
			".xsd\">\n   <output>\n",
		foot:          "   </output>\n</" + root + ">\n",
		openSeries:    "      <" + series + " " + series + `_id="`,
		closeSeries:   "      </" + series + ">\n",
		openEvent:     "         <" + event + " " + event + `_start_date="`,
		closeEvent:    "         </" + event + ">\n",
		beforeEnd:     `" ` + event + `_end_date="`,
		beforeEventID: `" ` + event + `_id="`,
	}
	if g == EventDate {
		t.openEvent, t.beforeEnd = "         <event event_date=\"", ""
	}
	return t
}

// Write writes the feed to w as an XML document of a generation, piece by piece. Its errors are those of w.
func (f Feed) Write(w io.Writer, g Generation) error {
	e := newEncoder(w, g)
	e.raw(e.tags.head)
	for _, s := range f.Series {
		e.open(s)
		for _, event := range s.Events {
			e.event(event)
		}
		e.raw(e.tags.closeSeries)
	}
	e.raw(e.tags.foot)
	return e.finish()
}

// encoder collects markup in a buffer, and writes the buffer to w when it is full. After an error of w nothing more is written.
type encoder struct {
	tags tags
	w    io.Writer
	buf  []byte
	err  error
}

const bufferSize = 64 << 10

func newEncoder(w io.Writer, g Generation) *encoder {
	return &encoder{tags: g.tags(), w: w, buf: make([]byte, 0, bufferSize+4<<10)}
}

func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

func (e *encoder) number(n int64) { e.buf = strconv.AppendInt(e.buf, n, 10) }

func (e *encoder) truth(b bool) { e.buf = strconv.AppendBool(e.buf, b) }

// text appends an attribute's value, escaped.
func (e *encoder) text(s string) {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`<>&"'`, r) }) < 0 {
		e.raw(s)
		return
	}
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer does not fail
	e.buf = append(e.buf, b.Bytes()...)
}

func (e *encoder) cents(c int) {
	e.number(int64(c / 100))
	e.buf = append(e.buf, '.', byte('0'+c/10%10), byte('0'+c%10))
}

func (e *encoder) open(s Series) {
	e.raw(e.tags.openSeries)
	e.number(s.ID)
	mode := "offline"
	if s.Online {
		mode = "online"
	}
	e.raw(`" sell_mode="`)
	e.raw(mode)
	if s.Organizer != 0 {
		e.raw(`" organizer_company_id="`)
		e.number(int64(s.Organizer))
	}
	e.raw(`" title="`)
	e.text(s.Title)
	e.raw("\">\n")
}

func (e *encoder) event(v Event) {
	e.raw(e.tags.openEvent)
	e.text(v.Start)
	if e.tags.beforeEnd != "" {
		e.raw(e.tags.beforeEnd)
		e.text(v.End)
	}
	e.raw(e.tags.beforeEventID)
	e.number(v.ID)
	e.raw(`" sell_from="`)
	e.text(v.SellFrom)
	e.raw(`" sell_to="`)
	e.text(v.SellTo)
	e.raw(`" sold_out="`)
	e.truth(v.SoldOut)
	e.raw("\">\n")
	for _, o := range v.Offers {
		e.offer(o)
	}
	e.raw(e.tags.closeEvent)
}

func (e *encoder) offer(o Offer) {
	e.raw(`            <zone zone_id="`)
	e.number(int64(o.ID))
	e.raw(`" capacity="`)
	e.number(int64(o.Capacity))
	e.raw(`" price="`)
	e.cents(o.Cents)
	e.raw(`" name="`)
	e.text(o.Name)
	e.raw(`" numbered="`)
	e.truth(o.Numbered)
	e.raw("\" />\n")
	if len(e.buf) >= bufferSize {
		e.flush()
	}
}

func (e *encoder) flush() {
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

func (e *encoder) finish() error {
	e.flush()
	if e.err != nil {
		return fmt.Errorf("write feed: %w", e.err)
	}
	return nil
}

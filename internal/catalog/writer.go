package catalog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/aledotdev/marquee/internal/event"
)

// writer appends values as JSON, from the form in which PostgreSQL sends them. If it can't write a value, it sets err, and what it
// has written can't be used.
type writer struct {
	b     []byte
	err   error
	order order
	keys  []placed // the columns that a row's position is made of
	idAt  int      // the place of the column id
	lists []items

	at     position   // of the current row
	places []position // of all rows so far
	more   bool       // there are rows beyond the page
	info   PageInfo   // set when all rows have been read

	args   [16][]byte    // the values of the current field
	offer  offer         // the current one
	event  Event         // with as much of the current row as its availability and position are computed from
	family siblings      // what event.siblings points to
	amount event.Decimal // a buffer, as the next two
	times  [4]time.Time
	yes    bool // what soldOut points to
}

// items are the items of a list, with commas between them.
type items struct {
	b    []byte
	ends []int  // where each item ends in b
	copy []byte // a buffer
}

// placed is a column that a position is made of: its place in the row, and what puts its value into the writer's event.
type placed struct {
	at   int
	read func(w *writer, value []byte)
}

// keys put the values of an order's columns into the event, from which the position is taken.
//
//nolint:gochecknoglobals // a constant table
var keys = map[string]func(w *writer, value []byte){
	"starts_at":  func(w *writer, v []byte) { w.event.StartsAt = instant(v) },
	"updated_at": func(w *writer, v []byte) { w.event.UpdatedAt = instant(v) },
	"min_price":  func(w *writer, v []byte) { w.event.minPrice = w.price(v) },
	"title_key":  func(w *writer, v []byte) { w.event.titleKey = string(v) },
	"title":      func(w *writer, v []byte) { w.event.Title = string(v) },
}

// begin prepares the writer for a page, and returns the columns to read: those of the layout and of the order.
func (w *writer) begin(o order, now time.Time, l *Layout) []string {
	w.err, w.order, w.places, w.info = nil, o, w.places[:0], PageInfo{}
	columns := columns{names: slices.Clip(l.columns)}
	w.keys = w.keys[:0]
	for _, name := range o.columns() {
		w.keys = append(w.keys, placed{columns.place(name), keys[name]})
	}
	w.idAt = columns.place("id")
	w.family.now = now
	w.event.siblings = &w.family
	w.lists = slices.Grow(w.lists[:0], len(l.lists))[:len(l.lists)]
	for i := range w.lists {
		w.lists[i].b, w.lists[i].ends = w.lists[i].b[:0], w.lists[i].ends[:0]
	}
	return columns.names
}

// place notes the position of the current row.
func (w *writer) place(row [][]byte) {
	for _, key := range w.keys {
		key.read(w, row[key.at])
	}
	w.event.ID = event.ID(row[w.idAt])
	w.at = w.order.position(&w.event)
	w.places = append(w.places, w.at)
}

// page writes the rows of a page into each list. There may be more rows than fit on the page.
func (w *writer) page(l *Layout, p place, rows iter.Seq[[][]byte]) error {
	w.more = false
	for values := range rows {
		if len(w.places) == p.page.size {
			w.more = true
			break
		}
		w.place(values)
		for i, list := range l.lists {
			w.row(i, list, values)
		}
	}
	if p.page.backward {
		w.reverse()
	}
	w.info = p.info(len(w.places), w.more, func(i int) position { return w.places[i] })
	return w.err
}

// row writes a row into a list.
func (w *writer) row(i int, each *program, values [][]byte) {
	l := &w.lists[i]
	w.b = l.b
	if len(l.ends) > 0 {
		w.b = append(w.b, ',')
	}
	each.run(w, values)
	l.b = w.b
	l.ends = append(l.ends, len(l.b))
}

// reverse reverses the order of the items in all lists.
func (w *writer) reverse() {
	slices.Reverse(w.places)
	for i := range w.lists {
		l := &w.lists[i]
		l.copy = l.copy[:0]
		for n, end := range slices.Backward(l.ends) {
			start := 0
			if n > 0 {
				start = l.ends[n-1] + 1 // after the comma
			}
			if len(l.copy) > 0 {
				l.copy = append(l.copy, ',')
			}
			l.copy = append(l.copy, l.b[start:end]...)
		}
		l.b, l.copy = l.copy, l.b
	}
}

func (w *writer) fail() { w.err = ErrUnwritten }

// values are the values of some columns. They are valid until the next call.
func (w *writer) values(row [][]byte, at []int) [][]byte {
	values := w.args[:0]
	for _, i := range at {
		values = append(values, row[i])
	}
	return values
}

func (w *writer) null() { w.b = append(w.b, "null"...) }

func (w *writer) flag(yes bool) { w.b = strconv.AppendBool(w.b, yes) }

// word writes text that needs no escaping, or null for nil.
func (w *writer) word(s *string) {
	if s == nil {
		w.null()
		return
	}
	w.quote(*s)
}

// quote writes text that needs no escaping.
func (w *writer) quote(s string) {
	w.b = append(w.b, '"')
	w.b = append(w.b, s...)
	w.b = append(w.b, '"')
}

func (w *writer) cursor(_ [][]byte) {
	w.b = append(w.b, '"')
	w.b = w.order.appendCursor(w.b, w.at)
	w.b = append(w.b, '"')
}

func (w *writer) id(v [][]byte) {
	w.b = append(w.b, '"')
	w.b = event.ID(v[0]).AppendTo(w.b)
	w.b = append(w.b, '"')
}

// text writes text as a JSON string.
func (w *writer) text(v [][]byte) {
	const hex = "0123456789ABCDEF"
	s := v[0]
	w.b = append(w.b, '"')
	start := 0
	for i, c := range s {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		w.b = append(w.b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		case '\n':
			w.b = append(w.b, '\\', 'n')
		case '\r':
			w.b = append(w.b, '\\', 'r')
		case '\t':
			w.b = append(w.b, '\\', 't')
		default:
			w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	w.b = append(w.b, s[start:]...)
	w.b = append(w.b, '"')
}

// given writes text, or null if the provider gives none.
func (w *writer) given(v [][]byte) {
	if len(v[0]) == 0 {
		w.null()
		return
	}
	w.text(v)
}

func (w *writer) boolean(v [][]byte) { w.flag(v[0][0] != 0) }

// postgresEpoch is 2000-01-01 in Unix time, in seconds; PostgreSQL counts microseconds from there.
const postgresEpoch = 946_684_800

// instant is the time of a timestamp, with time zone or without.
func instant(v []byte) time.Time {
	micros := int64(binary.BigEndian.Uint64(v))
	return time.Unix(postgresEpoch+micros/1e6, micros%1e6*1e3).UTC()
}

// instant writes a time in UTC, to the second.
func (w *writer) instant(v [][]byte) { w.time(v[0], `Z"`) }

// local writes a wall clock reading, to the second.
func (w *writer) local(v [][]byte) { w.time(v[0], `"`) }

func (w *writer) time(v []byte, end string) {
	if v == nil {
		w.null()
		return
	}
	t := instant(v)
	year, month, day := t.Date()
	if year < minYear || year > maxYear { // among these is infinity
		w.fail()
		return
	}
	hour, minute, second := t.Clock()
	w.b = append(w.b, '"')
	w.two(year / 100)
	w.two(year % 100)
	w.b = append(w.b, '-')
	w.two(int(month))
	w.b = append(w.b, '-')
	w.two(day)
	w.b = append(w.b, 'T')
	w.two(hour)
	w.b = append(w.b, ':')
	w.two(minute)
	w.b = append(w.b, ':')
	w.two(second)
	w.b = append(w.b, end...)
}

// two writes two digits.
func (w *writer) two(n int) { w.b = append(w.b, byte('0'+n/10), byte('0'+n%10)) }

// decimal writes an exact number as a string.
func (w *writer) decimal(v [][]byte) {
	p := w.price(v[0])
	if p.decimal == nil {
		w.fail()
		return
	}
	w.exact(*p.decimal)
}

func (w *writer) exact(d event.Decimal) {
	w.b = append(w.b, '"')
	w.b = d.Append(w.b)
	w.b = append(w.b, '"')
}

// price reads a price. It is valid until the next call.
func (w *writer) price(v []byte) price {
	if v == nil {
		return price{}
	}
	var ok bool
	if w.amount, ok = decimal(v); !ok {
		w.fail()
		return price{}
	}
	return price{&w.amount}
}

// decimal reads a numeric, in PostgreSQL's binary form: digits to the base of 10,000, the first of which stands for
// 10,000 to the power of weight. It is false if that is no number, or has more digits than the columns of prices allow.
func decimal(v []byte) (event.Decimal, bool) {
	digits, weight, sign := int(binary.BigEndian.Uint16(v)), int(int16(binary.BigEndian.Uint16(v[2:]))), binary.BigEndian.Uint16(v[4:])
	const negative, mostDigits = 0x4000, 5 // 12 decimal digits before the point and 6 after it
	if sign != 0 && sign != negative || digits > mostDigits || weight > 2 || weight-digits < -3 {
		return event.Decimal{}, false
	}
	var micros int64
	for i := range digits {
		digit := int64(binary.BigEndian.Uint16(v[8+2*i:]))
		switch power := weight - i; power {
		case -2:
			micros += digit / 100
		default:
			micros += digit * micro[power+1]
		}
	}
	if sign == negative {
		micros = -micros
	}
	d, err := event.DecimalFromMicros(micros)
	return d, err == nil
}

// micro is 10,000 to the power of n-1, in millionths.
//
//nolint:gochecknoglobals // a constant table
var micro = [...]int64{1e2, 1e6, 1e10, 1e14}

// json writes JSON as it is, or null if there is none.
func (w *writer) json(v [][]byte) {
	if v[0] == nil {
		w.null()
		return
	}
	w.b = append(w.b, v[0]...)
}

// strings writes an array of strings without the white space that PostgreSQL puts into it.
func (w *writer) strings(v [][]byte) {
	switch {
	case v[0] == nil || string(v[0]) == "[]":
		w.b = append(w.b, "[]"...)
		return
	case bytes.IndexByte(v[0], '\\') >= 0: // PostgreSQL's escapes are not the same as ours
		var decoded []string
		if json.Unmarshal(v[0], &decoded) != nil {
			w.fail()
			return
		}
		w.b = append(w.b, '[')
		for i, s := range decoded {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.text([][]byte{[]byte(s)})
		}
		w.b = append(w.b, ']')
		return
	}
	quoted := false
	for _, c := range v[0] {
		if c == '"' {
			quoted = !quoted
		}
		if c != ' ' || quoted {
			w.b = append(w.b, c)
		}
	}
}

// availability writes what Event.Availability returns for the row.
func (w *writer) availability(v [][]byte) {
	at := func(i int, v []byte) *time.Time {
		if v == nil {
			return nil
		}
		w.times[i] = instant(v)
		return &w.times[i]
	}
	e := &w.event
	e.Status = ""
	if string(v[0]) == string(event.StatusCancelled) { // to Availability all others are the same
		e.Status = event.StatusCancelled
	}
	e.StartsAt, e.EndsAt, e.SaleStartsAt, e.SaleEndsAt = instant(v[1]), at(0, v[2]), at(1, v[3]), at(2, v[4])
	e.noSeatsLeft, e.online = v[5][0] != 0, v[7][0] != 0
	e.soldOut = nil
	if v[6] != nil {
		e.soldOut = &w.yes
	}
	e.RemovedAt, e.minPrice = at(3, v[8]), w.price(v[9])
	w.quote(string(e.Availability()))
}

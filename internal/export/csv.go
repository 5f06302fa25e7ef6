package export

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

// columns are the columns of the table, in order, named like the API's fields. A new one goes to the end, so that
// programs that count columns go on to work.
//
//nolint:gochecknoglobals // a constant table
var columns = []struct {
	name  string
	value func(e catalog.Exported) string
}{
	{"id", func(e catalog.Exported) string { return e.ID.String() }},
	{"title", func(e catalog.Exported) string { return plain(e.Title) }},
	{"startsAt", func(e catalog.Exported) string { return instant(&e.StartsAt) }},
	{"endsAt", func(e catalog.Exported) string { return instant(e.EndsAt) }},
	{"startsLocal", func(e catalog.Exported) string { return e.StartsLocal.String() }},
	{"endsLocal", func(e catalog.Exported) string { return e.EndsLocal.String() }},
	{"timeZone", func(e catalog.Exported) string { return e.TimeZone }},
	{"allDay", func(e catalog.Exported) string { return strconv.FormatBool(e.AllDay) }},
	{"status", func(e catalog.Exported) string { return string(e.Status) }},
	{"availability", func(e catalog.Exported) string { return string(e.Availability()) }},
	{"minPrice", func(e catalog.Exported) string { return amount(e.MinPrice()) }},
	{"maxPrice", func(e catalog.Exported) string { return amount(e.MaxPrice()) }},
	{"currency", func(e catalog.Exported) string {
		if price := e.MinPrice(); price != nil {
			return price.Currency
		}
		return ""
	}},
	{"saleStartsAt", func(e catalog.Exported) string { return instant(e.SaleStartsAt) }},
	{"saleEndsAt", func(e catalog.Exported) string { return instant(e.SaleEndsAt) }},
	{"place.name", func(e catalog.Exported) string { return placed(e, func(p *catalog.Place) *string { return p.Name }) }},
	{"place.address", func(e catalog.Exported) string { return placed(e, func(p *catalog.Place) *string { return p.Address }) }},
	{"place.city", func(e catalog.Exported) string { return placed(e, func(p *catalog.Place) *string { return p.City }) }},
	{"place.country", func(e catalog.Exported) string { return placed(e, func(p *catalog.Place) *string { return p.Country }) }},
	{"attendanceMode", func(e catalog.Exported) string { return string(e.AttendanceMode) }},
	{"organizer", func(e catalog.Exported) string { return plain(text(e.Organizer)) }},
	{"categories", func(e catalog.Exported) string { return plain(strings.Join(e.Categories, "; ")) }},
	{"url", func(e catalog.Exported) string { return plain(text(e.URL)) }},
	{"imageUrl", func(e catalog.Exported) string { return plain(text(e.ImageURL)) }},
	{"provider", func(e catalog.Exported) string { return e.Provider }},
	{"externalId", func(e catalog.Exported) string { return plain(e.ExternalID) }},
	{"seriesId", func(e catalog.Exported) string { return seriesID(e.SeriesID) }},
	{"firstSeenAt", func(e catalog.Exported) string { return instant(&e.FirstSeenAt) }},
	{"updatedAt", func(e catalog.Exported) string { return instant(&e.UpdatedAt) }},
	{"removedAt", func(e catalog.Exported) string { return instant(e.RemovedAt) }},
	{"description", func(e catalog.Exported) string { return plain(text(e.Description)) }},
}

// table writes CSV with a header, without a byte order mark.
type table struct {
	buffer bytes.Buffer
	csv    *csv.Writer
	row    []string
}

func newTable() *table {
	t := &table{row: make([]string, len(columns))}
	t.csv = csv.NewWriter(&t.buffer)
	t.csv.UseCRLF = true
	return t
}

// Begin implements Writer.
func (t *table) Begin(b []byte) []byte {
	for i, c := range columns {
		t.row[i] = c.name
	}
	return t.append(b)
}

// Event implements Writer.
func (t *table) Event(b []byte, e catalog.Exported) ([]byte, error) {
	for i, c := range columns {
		t.row[i] = c.value(e)
	}
	return t.append(b), nil
}

// End implements Writer.
func (t *table) End(b []byte) []byte { return b }

func (t *table) append(b []byte) []byte {
	t.buffer.Reset()
	_ = t.csv.Write(t.row) // neither fails: the writer is a Buffer
	t.csv.Flush()
	return append(b, t.buffer.Bytes()...)
}

// plain keeps a provider's text from being a formula when a spreadsheet opens the table: it puts an apostrophe before
// text that begins like a formula. It does so also if there are apostrophes before what looks like a formula, so that
// whoever removes the first apostrophe from such a text has the original.
func plain(s string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, "'"))
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

func instant(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func amount(m *catalog.Money) string {
	if m == nil {
		return ""
	}
	return m.Amount.String()
}

func seriesID(id *event.ID) string {
	if id == nil {
		return ""
	}
	return id.String()
}

func placed(e catalog.Exported, part func(*catalog.Place) *string) string {
	p := e.Place()
	if p == nil {
		return ""
	}
	return plain(text(part(p)))
}

package event

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"
)

// Hash is a digest of an event's content: 128 bits of XXH3. If two events of one key have the same hash, they are taken to be the same,
// and a sync writes nothing. A provider could make two contents with one hash on purpose, but would only keep its own event from being
// updated. A cryptographic digest would prevent that, but take a quarter of the time of decoding.
type Hash [16]byte

// HashVersion goes into each hash. Raise it if the encoding below changes: then no old hash equals a new one, and the next sync writes
// every event anew.
const HashVersion = 2

// Hash is the digest of all fields except Key.Provider.
func (e *Event) Hash() Hash {
	var b encoder
	b.buf = make([]byte, 0, 1024)
	b.num(HashVersion)
	b.text(e.Key.Series, e.Key.Event, e.SeriesTitle, e.Title, e.Description, e.URL, e.ImageURL)
	b.num(int64(len(e.Categories)))
	b.text(e.Categories...)
	b.time(e.Start.Instant, e.Start.Local.AsUTC(), e.End.Instant, e.End.Local.AsUTC(), e.SaleStart, e.SaleEnd)
	b.text(e.Zone, string(e.Status), string(e.Attendance), e.Currency, e.Organizer)
	b.flag(&e.AllDay, &e.Online, e.SoldOut)
	b.text(e.Place.Name, e.Place.Address, e.Place.City, e.Place.Country)
	b.decimal(e.MinPrice, e.MaxPrice)
	b.text(string(e.Attributes))
	b.buf = AppendOffers(b.buf, e.Offers)
	return xxh3.Hash128(b.buf).Bytes()
}

// encoder writes values so that two sequences of values give the same bytes only if they are the same.
type encoder struct{ buf []byte }

func (b *encoder) num(n int64) { b.buf = binary.AppendVarint(b.buf, n) }

func (b *encoder) text(values ...string) {
	for _, s := range values {
		b.buf = binary.AppendUvarint(b.buf, uint64(len(s)))
		b.buf = append(b.buf, s...)
	}
}

func (b *encoder) time(values ...time.Time) {
	for _, t := range values {
		b.num(t.Unix()) // times of events are in whole seconds
	}
}

func (b *encoder) flag(values ...*bool) {
	for _, v := range values {
		switch {
		case v == nil:
			b.num(-1)
		case *v:
			b.num(1)
		default:
			b.num(0)
		}
	}
}

func (b *encoder) decimal(values ...*Decimal) {
	for _, v := range values {
		if v == nil {
			b.text("")
			continue
		}
		b.text(v.String())
	}
}

// AppendOffers appends offers to b as the JSON array that the catalog stores. The text is that of
// encoding/json, but it is written without reflection, since an event of a feed has hundreds of offers.
func AppendOffers(b []byte, offers []Offer) []byte {
	b = append(b, '[')
	for i := range offers {
		o := &offers[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		start := len(b)
		if o.ExternalID != "" {
			b = appendText(append(b, `"id":`...), o.ExternalID)
		}
		if o.Name != "" {
			b = appendText(append(comma(b, start), `"name":`...), o.Name)
		}
		if o.Price != nil {
			b = o.Price.Append(append(comma(b, start), `"price":`...))
		}
		if o.Capacity != nil {
			b = strconv.AppendInt(append(comma(b, start), `"capacity":`...), int64(*o.Capacity), 10)
		}
		if o.Numbered != nil {
			b = strconv.AppendBool(append(comma(b, start), `"numbered":`...), *o.Numbered)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func comma(b []byte, start int) []byte {
	if len(b) > start {
		return append(b, ',')
	}
	return b
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x7f || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // can't fail for a string
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

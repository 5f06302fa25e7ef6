package event

import (
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"
)

// Hash is a digest of an event's content, its 128 bits of XXH3. Two events of one key with
// one hash are the same; a sync writes only what differs. Who made up two contents with one hash would keep their own event
// from being updated: nothing that a cryptographic digest, a quarter of a decode's time, would be worth.
type Hash [16]byte

// HashVersion goes into each hash. Raise it when the encoding below changes: every event is then
// written anew by the next sync, and no event keeps a hash that means something else.
const HashVersion = 2

// Hash digests every field but the key's provider and the price bounds' rule (the bounds themselves are in).
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

// encoder writes values so that no two different sequences give the same bytes.
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
		b.num(t.Unix()) // whole seconds: no time of an event is finer
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

// AppendOffers appends the offers as the JSON array that the catalog stores. It is what
// encoding/json makes of them, without its reflection: a feed has hundreds of offers an event.
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

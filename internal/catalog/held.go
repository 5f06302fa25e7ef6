package catalog

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/aledotdev/marquee/internal/event"
)

// held is an event of a mirror: its times, by which windows find it, and its row. Values that many events have in common
// are kept once for all of them.
type held struct {
	start, end             int64 // in microseconds, see micros; without an end, end is start
	startsLocal, endsLocal int64
	id                     event.ID            // not in the row, since a refresh looks at the ids of all events
	row                    []byte              // whether it has an end (one byte), and its own values, packed
	common                 [commonParts]uint32 // the places of its other values in mirror.texts
}

// heldBytes is the memory that a held takes besides its row, with its place and end in a class.
const heldBytes = 4*8 + 16 + 3*8 + commonParts*4 + 4 + 8

// heldColumns are the columns that a mirror has besides spanColumns, by the part that they are in. In each part those come first that are
// asked for most.
type heldColumns struct {
	own    []string
	common [commonParts][]string // parts that many events may have in common: kind, venue, description and attributes, offers
}

const (
	commonParts = 4
	offersPart  = commonParts - 1
)

// spanColumns are the first columns in each row of a mirror.
//
//nolint:gochecknoglobals // a constant table
var spanColumns = [...]string{"id", "starts_at", "ends_at", "starts_local", "ends_local"}

// leanColumns are the columns that every mirror has. No mirror has what may change without a new version of the catalog: when an event
// was last seen, the titles of series, and the names of providers.
func leanColumns() heldColumns {
	return heldColumns{
		own: []string{"title", "min_price", "max_price", "series_id", "url", "image_url", "sold_out", "sale_starts_at", "sale_ends_at", "external_id", "first_seen_at", "updated_at", "removed_at"},
		common: [...][]string{
			{"currency", "all_day", "time_zone", "status", "attendance_mode", "no_seats_left", "online", "provider_id", slugColumn, "categories"},
			{"place_name", "place_city", "place_address", "place_country", "organizer"},
			{},
			{},
		},
	}
}

// fullColumns are the columns of a mirror with room for all.
func fullColumns() heldColumns {
	columns := leanColumns()
	columns.common[offersPart-1], columns.common[offersPart] = []string{"description", "attributes"}, []string{"offers"}
	return columns
}

// names are the names of all columns, in their order in a row.
func (c heldColumns) names() []string {
	all := slices.Concat(spanColumns[:], c.own)
	for _, part := range c.common {
		all = append(all, part...)
	}
	return all
}

// rowParts are where the parts of a row's values end: its own values, and each of the common parts.
type rowParts [1 + commonParts]int

func (c heldColumns) parts() (ends rowParts) {
	ends[0] = len(spanColumns) + len(c.own)
	for i, part := range c.common {
		ends[i+1] = ends[i] + len(part)
	}
	return ends
}

// begin is where a part of the values begins.
func (r *rowParts) begin(part int) int {
	if part == 0 {
		return len(spanColumns)
	}
	return r[part-1]
}

// commons are values that many events have in common, each of them once. Only the goroutine that reads mirrors adds to them. A mirror that
// is complete does not see what is added later: it has a slice of its own, see mirror.texts.
type commons struct {
	places map[xxh3.Uint128]uint32
	texts  [][]byte
	bytes  int
	packed []byte // a buffer
}

func newCommons() *commons { return &commons{places: map[xxh3.Uint128]uint32{}} }

// place is where the values are in texts, to which it adds them if they are new.
func (c *commons) place(values [][]byte) uint32 {
	c.packed = pack(c.packed[:0], values)
	sum := xxh3.Hash128(c.packed)
	at, ok := c.places[sum]
	if ok && bytes.Equal(c.texts[at], c.packed) {
		return at
	}
	const overhead = 64 // bytes that an entry takes besides its text
	at = uint32(len(c.texts))
	c.texts, c.places[sum] = append(c.texts, bytes.Clone(c.packed)), at
	c.bytes += len(c.packed) + overhead
	return at
}

// hold makes a held of a row.
func hold(values [][]byte, parts rowParts, common *commons) held {
	h := held{id: event.ID(values[0]), start: micros(values[1]), startsLocal: micros(values[3])}
	h.end, h.endsLocal = h.start, h.startsLocal
	own := values[len(spanColumns):parts[0]]
	b := make([]byte, 1, 1+packedSize(own))
	if values[2] != nil {
		b[0] = 1
		h.end, h.endsLocal = micros(values[2]), micros(values[4])
	}
	h.row = pack(b, own)
	for i := range h.common {
		part := values[parts[i]:parts[i+1]]
		if i == offersPart && len(part) > 0 {
			part = [][]byte{packOffers(part[0])}
		}
		h.common[i] = common.place(part)
	}
	return h
}

// pack appends values, each after its size plus 1; a 0 stands for nil.
func pack(b []byte, values [][]byte) []byte {
	for _, v := range values {
		if v == nil {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(v))+1)
		b = append(b, v...)
	}
	return b
}

// packedSize is how many bytes pack appends.
func packedSize(values [][]byte) (size int) {
	for _, v := range values {
		size += len(v) + (bits.Len(uint(len(v)+1))+6)/7 // the varint has 7 bits a byte
	}
	return size
}

// unpack reads as many packed values as into has room for, without copying them, and returns what comes after them.
func unpack(b []byte, into [][]byte) []byte {
	for i := range into {
		size, n := binary.Uvarint(b)
		if b = b[n:]; size == 0 {
			into[i] = nil
			continue
		}
		into[i], b = b[:size-1:size-1], b[size-1:]
	}
	return b
}

// spanValues reads the values of spanColumns. Those of times are valid until the next call with the same times.
func (h *held) spanValues(into [][]byte, times *[4 * 8]byte) {
	into[0] = h.id[:]
	for i, t := range [...]int64{h.start, h.end, h.startsLocal, h.endsLocal} {
		at := times[8*i : 8*i+8 : 8*i+8]
		binary.BigEndian.PutUint64(at, uint64(t))
		into[1+i] = at
	}
	if h.row[0] == 0 {
		into[2], into[4] = nil, nil
	}
}

// packed are the event's own values, packed.
func (h *held) packed() []byte { return h.row[1:] }

// heldReader reads some columns of events, one event after the other.
type heldReader struct {
	wanted      []int    // places of the columns among all values
	ends        rowParts // for each part, the place after its last wanted column; 0: none is wanted
	all, values [][]byte // all values of the event that was read last, as far as they are unpacked, and the wanted ones
	times       [4 * 8]byte
}

// read gives the wanted values of an event. They are valid until the next call.
func (r *heldReader) read(s *mirror, h *held) [][]byte {
	h.spanValues(r.all, &r.times)
	for part, end := range &r.ends {
		begin := s.parts.begin(part)
		if end <= begin {
			continue
		}
		packed := h.packed()
		if part > 0 {
			packed = s.texts[h.common[part-1]]
		}
		unpack(packed, r.all[begin:end])
	}
	for i, at := range r.wanted {
		r.values[i] = r.all[at]
	}
	return r.values
}

// micros is a timestamp as PostgreSQL sends it: microseconds since postgresEpoch.
func micros(v []byte) int64 { return int64(binary.BigEndian.Uint64(v)) }

func microsOf(t time.Time) int64 { return t.UnixMicro() - postgresEpoch*1e6 }

func timeOf(micros int64) time.Time { return time.UnixMicro(micros + postgresEpoch*1e6).UTC() }

func (h *held) position() position { return position{key: key{at: timeOf(h.start)}, id: h.id} }

func (h *held) compare(start int64, id event.ID) int {
	if c := cmp.Compare(h.start, start); c != 0 {
		return c
	}
	return bytes.Compare(h.id[:], id[:])
}

func (h *held) span() Span {
	return Span{StartsAt: timeOf(h.start), EndsAt: timeOf(h.end), StartsLocal: timeOf(h.startsLocal), EndsLocal: timeOf(h.endsLocal)}
}

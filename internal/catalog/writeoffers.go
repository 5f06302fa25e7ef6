package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aledotdev/marquee/internal/event"
)

// offerColumns are the columns that an offer's fields are made of: the keys of its JSON (see event.Offer), and the event's
// currency.
//
//nolint:gochecknoglobals // a constant table
var offerColumns = [...]string{"id", "name", "price", "capacity", "numbered", "currency"}

const offerCurrency = len(offerColumns) - 1

// offer has the values of offerColumns, nil if there is none: JSON tokens, and the currency as text.
type offer [len(offerColumns)][]byte

// offers writes the list of an event's offers. It fails on JSON in another form than expected.
func (w *writer) offers(each *program, v [][]byte) {
	w.b = append(w.b, '[')
	first := true
	ok := eachOffer(v[0], &w.offer, func() {
		if !first {
			w.b = append(w.b, ',')
		}
		first = false
		w.offer[offerCurrency] = v[1]
		each.run(w, w.offer[:])
	})
	if !ok {
		w.fail()
	}
	w.b = append(w.b, ']')
}

// packed is the first byte of offers that are packed. No JSON begins with it.
const packed = 0

// packOffers packs offers, whose JSON is two thirds keys and punctuation, and slow to scan. If the JSON is in another form than expected,
// it is returned as it is.
func packOffers(text []byte) []byte {
	b := []byte{packed}
	var o offer
	if !eachOffer(text, &o, func() { b = pack(b, o[:offerCurrency]) }) {
		return text
	}
	return b
}

// eachOffer reads offers into o, one after the other, and calls give for each. They may be packed, or a JSON array of flat objects as
// PostgreSQL writes it; it is false if they are neither.
func eachOffer(text []byte, o *offer, give func()) bool {
	if len(text) > 0 && text[0] == packed {
		for text = text[1:]; len(text) > 0; {
			text = unpack(text, o[:offerCurrency])
			give()
		}
		return true
	}
	s := scanner{text: text}
	s.want('[')
	for n := 0; !s.failed && !s.next(']'); n++ {
		if n > 0 {
			s.want(',')
		}
		*o = offer{}
		s.want('{')
		for m := 0; !s.failed && !s.next('}'); m++ {
			if m > 0 {
				s.want(',')
			}
			key := s.token()
			s.want(':')
			if value := s.token(); string(value) != "null" {
				if i := offerColumn(key, m); i >= 0 {
					o[i] = value
				}
			}
		}
		if !s.failed {
			give()
		}
	}
	return !s.failed
}

// offerColumn is the place of a key, given with its quotes, in offerColumns; negative if it is not there. The likely place is tried first. It
// is right for most keys, since PostgreSQL sorts them and most offers have all.
func offerColumn(key []byte, likely int) int {
	is := func(name string) bool { return len(key) == len(name)+2 && string(key[1:len(key)-1]) == name }
	if likely < offerCurrency && is(offerColumns[likely]) {
		return likely
	}
	return slices.IndexFunc(offerColumns[:offerCurrency], is)
}

// scanner splits JSON into tokens.
type scanner struct {
	text   []byte
	at     int
	failed bool
}

// next says whether c comes next, and skips it if so.
func (s *scanner) next(c byte) bool {
	s.space()
	if s.at >= len(s.text) {
		s.failed = true
		return false
	}
	if s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

func (s *scanner) want(c byte) {
	if !s.next(c) {
		s.failed = true
	}
}

func (s *scanner) space() {
	for s.at < len(s.text) && s.text[s.at] == ' ' {
		s.at++
	}
}

// token reads a string (with its quotes), a number or a literal.
func (s *scanner) token() []byte {
	s.space()
	start, end := s.at, s.at
	if end < len(s.text) && s.text[end] == '"' {
		for end++; end < len(s.text) && s.text[end] != '"'; end++ {
			if s.text[end] == '\\' {
				end++
			}
		}
		end++
	} else {
		for end < len(s.text) && !isPunctuation(s.text[end]) {
			end++
		}
	}
	if end == start || end > len(s.text) {
		s.failed = true
		return nil
	}
	s.at = end
	return s.text[start:end]
}

func isPunctuation(c byte) bool {
	switch c {
	case ',', ':', '{', '}', '[', ']':
		return true
	}
	return false
}

// jsonGiven writes a JSON string, or null if there is none or it is empty.
func (w *writer) jsonGiven(v [][]byte) {
	s := v[0]
	switch {
	case len(s) <= len(`""`):
		w.null()
	case s[0] != '"':
		w.fail()
	case bytes.IndexByte(s, '\\') < 0:
		w.b = append(w.b, s...)
	default: // PostgreSQL's escapes are not the same as ours
		var decoded string
		if json.Unmarshal(s, &decoded) != nil {
			w.fail()
			return
		}
		w.text([][]byte{[]byte(decoded)})
	}
}

// jsonDecimal writes a JSON number, or a string that holds one, as a decimal.
func (w *writer) jsonDecimal(v [][]byte) {
	d, err := event.ParseDecimal(string(bytes.Trim(v[0], `"`)))
	if err != nil {
		w.fail()
		return
	}
	w.exact(d)
}

// jsonInt32 writes a JSON number that is an int32, or null if there is none.
func (w *writer) jsonInt32(v [][]byte) {
	if v[0] == nil {
		w.null()
		return
	}
	n, err := strconv.ParseInt(string(v[0]), 10, 32)
	if err != nil {
		w.fail()
		return
	}
	w.b = strconv.AppendInt(w.b, n, 10)
}

package catalog

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/aledotdev/marquee/internal/event"
)

// offerColumns are what an offer's fields are made of: the keys of its JSON, see event.Offer, and the event's
// currency.
//
//nolint:gochecknoglobals // a constant table
var offerColumns = [...]string{"id", "name", "price", "capacity", "numbered", "currency"}

const offerCurrency = len(offerColumns) - 1

// offers writes each object of a JSON array of flat objects, as PostgreSQL writes them. What it doesn't expect
// there it doesn't write.
func (w *writer) offers(each *program, v [][]byte) {
	s, currency := scanner{rest: v[0]}, v[1]
	w.b = append(w.b, '[')
	s.want('[')
	for n := 0; !s.failed && !s.next(']'); n++ {
		if n > 0 {
			s.want(',')
			w.b = append(w.b, ',')
		}
		w.offer = [len(offerColumns)][]byte{offerCurrency: currency}
		s.want('{')
		for m := 0; !s.failed && !s.next('}'); m++ {
			if m > 0 {
				s.want(',')
			}
			key := s.token()
			s.want(':')
			value := s.token()
			for i, name := range offerColumns[:offerCurrency] {
				if len(key) == len(name)+2 && string(key[1:len(key)-1]) == name && string(value) != "null" {
					w.offer[i] = value
				}
			}
		}
		if s.failed {
			break
		}
		each.run(w, w.offer[:])
	}
	if s.failed {
		w.fail()
	}
	w.b = append(w.b, ']')
}

// scanner cuts JSON into tokens.
type scanner struct {
	rest   []byte
	failed bool
}

// next says whether c comes next, and steps over it.
func (s *scanner) next(c byte) bool {
	s.rest = bytes.TrimLeft(s.rest, " ")
	if len(s.rest) == 0 {
		s.failed = true
		return false
	}
	if s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) want(c byte) {
	if !s.next(c) {
		s.failed = true
	}
}

// token cuts off a string with its quotes, or a number or a literal.
func (s *scanner) token() []byte {
	s.rest = bytes.TrimLeft(s.rest, " ")
	end := 1
	if len(s.rest) > 0 && s.rest[0] == '"' {
		for end < len(s.rest) && s.rest[end] != '"' {
			if s.rest[end] == '\\' {
				end++
			}
			end++
		}
		end++
	} else {
		end = bytes.IndexAny(s.rest, ",:{}[]")
	}
	if end <= 0 || end > len(s.rest) {
		s.failed = true
		return nil
	}
	token := s.rest[:end]
	s.rest = s.rest[end:]
	return token
}

// jsonGiven writes a JSON string, null for none and for an empty one.
func (w *writer) jsonGiven(v [][]byte) {
	s := v[0]
	switch {
	case len(s) <= len(`""`):
		w.null()
	case s[0] != '"':
		w.fail()
	case bytes.IndexByte(s, '\\') < 0:
		w.b = append(w.b, s...)
	default: // PostgreSQL's escapes are others than ours
		var decoded string
		if json.Unmarshal(s, &decoded) != nil {
			w.fail()
			return
		}
		w.text([][]byte{[]byte(decoded)})
	}
}

// jsonDecimal writes a JSON number, or string, as a decimal.
func (w *writer) jsonDecimal(v [][]byte) {
	d, err := event.ParseDecimal(string(bytes.Trim(v[0], `"`)))
	if err != nil {
		w.fail()
		return
	}
	w.exact(d)
}

// jsonInt32 writes a JSON number that is one.
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

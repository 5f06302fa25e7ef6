package bench_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// floors are what the reads are measured by: the same rows, by the simplest statement that finds them, in PostgreSQL's
// binary form, to JSON written by hand, without GraphQL; and the same number of bytes without a database.
func floors(pool *pgxpool.Pool) http.Handler {
	static := bytes.Repeat([]byte("x"), 9_300)
	mux := http.NewServeMux()
	mux.HandleFunc("/floor/static", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write(static)
	})
	mux.HandleFunc("/floor/notmodified", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Etag"] = []string{`"x"`}
		w.WriteHeader(http.StatusNotModified)
	})
	const (
		columns  = "id, title, starts_at, ends_at, min_price, max_price, currency"
		startsIn = "starts_at >= $1 AND starts_at < $2"
		overlaps = "starts_at < $2 AND ends_at > $1"
		page     = " ORDER BY starts_at, id LIMIT 51"
	)
	rows := func(path, columns, tail string, row func(b []byte, v [][]byte) []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			from, to, ok := strings.Cut(r.URL.RawQuery, "&")
			begin, err := time.Parse(time.RFC3339, from)
			end, err2 := time.Parse(time.RFC3339, to)
			if !ok || err != nil || err2 != nil {
				http.Error(w, "want from&to", http.StatusBadRequest)
				return
			}
			found, err := pool.Query(r.Context(), "SELECT "+columns+" FROM events WHERE listed AND "+tail, begin, end)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			b, err := writeFloor(found, row)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			h := w.Header()
			h["Content-Type"] = []string{"application/json"}
			h["Content-Length"] = []string{strconv.Itoa(len(b))}
			_, _ = w.Write(b)
		})
	}
	rows("/floor/page", columns, startsIn+page, floorEvent)
	rows("/floor/overlaps", columns, overlaps+page, floorEvent)
	rows("/floor/offers", columns+", offers", startsIn+page, func(b []byte, v [][]byte) []byte {
		b = append(floorEvent(b, v), `,"offers":`...)
		return append(b, v[7]...) // as it is stored
	})
	rows("/floor/search", "id, title, starts_local, ends_local, min_price, max_price", startsIn+" AND ends_at <= $2 ORDER BY starts_at, id LIMIT 1000", floorListing)
	return mux
}

func writeFloor(rows pgx.Rows, row func(b []byte, v [][]byte) []byte) ([]byte, error) {
	defer rows.Close()
	b := append(make([]byte, 0, 16<<10), `{"data":{"events":{"nodes":[`...)
	for n := 0; rows.Next(); n++ {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(row(append(b, '{'), rows.RawValues()), '}')
	}
	return append(b, `]}}}`...), rows.Err()
}

func floorEvent(b []byte, v [][]byte) []byte {
	b = floorID(append(b, `"id":"`...), v[0])
	b = floorText(append(b, `","title":`...), v[1])
	b = floorTime(append(b, `,"startsAt":"`...), v[2], "2006-01-02T15:04:05Z")
	b = floorTime(append(b, `","endsAt":"`...), v[3], "2006-01-02T15:04:05Z")
	b = floorPrice(append(b, `","minPrice":{"amount":"`...), v[4])
	b = floorText(append(b, `","currency":`...), v[6])
	b = floorPrice(append(b, `},"maxPrice":{"amount":"`...), v[5])
	b = floorText(append(b, `","currency":`...), v[6])
	return append(b, '}')
}

func floorListing(b []byte, v [][]byte) []byte {
	b = floorID(append(b, `"id":"`...), v[0])
	b = floorText(append(b, `","title":`...), v[1])
	b = floorTime(append(b, `,"start_date":"`...), v[2], time.DateOnly)
	b = floorTime(append(b, `","start_time":"`...), v[2], time.TimeOnly)
	b = floorTime(append(b, `","end_date":"`...), v[3], time.DateOnly)
	b = floorTime(append(b, `","end_time":"`...), v[3], time.TimeOnly)
	b = floorPrice(append(b, `","min_price":`...), v[4])
	return floorPrice(append(b, `,"max_price":`...), v[5])
}

func floorID(b, v []byte) []byte {
	b = append(hex.AppendEncode(b, v[:4]), '-')
	b = append(hex.AppendEncode(b, v[4:6]), '-')
	b = append(hex.AppendEncode(b, v[6:8]), '-')
	b = append(hex.AppendEncode(b, v[8:10]), '-')
	return hex.AppendEncode(b, v[10:])
}

func floorText(b, v []byte) []byte {
	if bytes.ContainsAny(v, "\"\\\n") {
		quoted, _ := json.Marshal(string(v)) // can't fail for a string
		return append(b, quoted...)
	}
	return append(append(append(b, '"'), v...), '"')
}

func floorTime(b, v []byte, layout string) []byte {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(v))+946_684_800_000_000).UTC().AppendFormat(b, layout)
}

// floorPrice knows that its numerics are of digits of 10,000, at most one before the point and one behind it.
func floorPrice(b, v []byte) []byte {
	b = strconv.AppendInt(b, int64(binary.BigEndian.Uint16(v[8:])), 10)
	if len(v) > 10 {
		b = strconv.AppendInt(append(b, '.'), int64(binary.BigEndian.Uint16(v[10:]))/100, 10)
	}
	return b
}

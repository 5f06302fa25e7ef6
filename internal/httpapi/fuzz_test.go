package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"unicode/utf8"

	"github.com/aledotdev/marquee/internal/httpapi"
)

// FuzzSearchQuery: whatever the query string, the answer is the events or says what is wrong.
func FuzzSearchQuery(f *testing.F) {
	for _, seed := range []string{
		"", "starts_at=2021-06-30&ends_at=2021-07-31T23:59", "starts_at=2021-06-30T20:00:00 02:00", "starts_at=2021-06-30T20:00:00+02:00",
		"ends_at=2021-06-30T20:00:00.5Z", "starts_at=2021-06-30%2B02:00", "starts_at=&ends_at=", "starts_at=2021-09-31", "starts_at=a&starts_at=b",
		"starts_at=2021-07-01&ends_at=2021-06-30", "starts_at=%00", "starts_at=%zz", "a;b", "&&&==", "starts_at=9999-12-31T23:59:59-23:59", "starts_at=0001-01-01",
	} {
		f.Add(seed)
	}
	server := httpapi.New(options(found(show(f, "a"))))
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/search", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		var answer struct {
			Data  *struct{ Events []any }
			Error *struct{ Code, Message string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || !utf8.Valid(w.Body.Bytes()) {
			t.Fatalf("%v: %q", err, w.Body)
		}
		switch {
		case w.Code == http.StatusOK && answer.Data != nil && len(answer.Data.Events) == 1 && answer.Error == nil:
		case w.Code == http.StatusBadRequest && answer.Data == nil && answer.Error.Code == "BAD_USER_INPUT" && answer.Error.Message != "":
		default:
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	})
}

// FuzzTitle: what a feed calls an event arrives as it is, in valid JSON.
func FuzzTitle(f *testing.F) {
	for _, seed := range []string{"", "a", `"\/`, "\x00\x1f\x7f", "\u2028<&>", "ñ\xff", "🎪"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, title string) {
		w := do(t, httpapi.New(options(found(show(t, title)))), http.MethodGet, "/search")
		var answer struct {
			Data struct{ Events []struct{ Title string } }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || !utf8.Valid(w.Body.Bytes()) {
			t.Fatalf("%v: %q", err, w.Body)
		}
		if got := answer.Data.Events[0].Title; got != string([]rune(title)) { // a conversion that replaces bytes that are no UTF-8
			t.Errorf("%q, want %q", got, title)
		}
	})
}

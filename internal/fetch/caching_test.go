package fetch_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/fetch"
)

var now = time.Date(2021, 6, 30, 10, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"120", "", 2 * time.Minute},
		{" 120 ", "", 2 * time.Minute},
		{"86401", "", day},
		{"9223372037", "", day},
		{"18446744073709551616", "", day},
		{"-1", "", 0},
		{"+1", "", 0},
		{"1.5", "", 0},
		{"soon", "", 0},
		{"Wed, 30 Jun 2021 10:05:00 GMT", "", 5 * time.Minute},
		{"Wednesday, 30-Jun-21 10:05:00 GMT", "", 5 * time.Minute},
		{"Wed Jun 30 10:05:00 2021", "", 5 * time.Minute},
		{"Wed, 30 Jun 2021 09:00:00 GMT", "", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", "", day},
		{"Tue, 01 Jan 2030 00:05:00 GMT", "Tue, 01 Jan 2030 00:00:00 GMT", 5 * time.Minute}, // its clock, not ours
	} {
		h := http.Header{"Retry-After": {c.value}, "Date": {c.date}}
		if got := fetch.RetryAfter(h, now, day); got != c.want {
			t.Errorf("%q: %s, want %s", c.value, got, c.want)
		}
	}
}

func TestNextCheck(t *testing.T) {
	t.Parallel()
	const in5 = "Wed, 30 Jun 2021 10:05:00 GMT"
	for _, c := range []struct {
		header http.Header
		want   time.Duration
	}{
		{nil, 0},
		{http.Header{"Cache-Control": {"public, max-age=60"}}, time.Minute},
		{http.Header{"Cache-Control": {`PUBLIC , Max-Age = "60"`}}, time.Minute},
		{http.Header{"Cache-Control": {"public", "max-age=60"}}, time.Minute},
		{http.Header{"Cache-Control": {"max-age=60, max-age=600"}}, time.Minute},
		{http.Header{"Cache-Control": {"s-maxage=600"}}, 0},
		{http.Header{"Cache-Control": {"max-age=31536000, immutable"}}, day},
		{http.Header{"Cache-Control": {"max-age=60, no-cache"}}, 0},
		{http.Header{"Cache-Control": {"no-store"}, "Expires": {in5}}, 0},
		{http.Header{"Cache-Control": {`no-cache="Set-Cookie, X", max-age=60`}}, time.Minute},
		{http.Header{"Cache-Control": {`ext="a, max-age=5", max-age=60`}}, time.Minute},
		{http.Header{"Cache-Control": {"max-age=-5"}}, 0},
		{http.Header{"Cache-Control": {"max-age=60"}, "Expires": {in5}}, time.Minute},
		{http.Header{"Cache-Control": {"max-age=60"}, "Age": {"20"}}, 40 * time.Second},
		{http.Header{"Cache-Control": {"max-age=60"}, "Age": {"80"}}, 0},
		{http.Header{"Cache-Control": {"max-age=60"}, "Retry-After": {"90"}}, 90 * time.Second},
		{http.Header{"Cache-Control": {"max-age=90"}, "Retry-After": {"60"}}, 90 * time.Second},
		{http.Header{"Expires": {in5}}, 5 * time.Minute},
		{http.Header{"Expires": {in5}, "Date": {"Wed, 30 Jun 2021 10:04:00 GMT"}}, time.Minute},
		{http.Header{"Expires": {"0"}}, 0},
		{http.Header{"Expires": {"Thu, 01 Jan 1970 00:00:00 GMT"}}, 0},
	} {
		if got := fetch.NextCheck(c.header, now, day); got != c.want {
			t.Errorf("%v: %s, want %s", c.header, got, c.want)
		}
	}
}

func FuzzCachingHeaders(f *testing.F) {
	f.Add("max-age=60", "Wed, 30 Jun 2021 10:05:00 GMT", "120", "5", "", int64(day))
	f.Add(`no-cache="a,b", max-age=99999999999999999999`, "0", "Fri, 31 Dec 9999 23:59:59 GMT", "x", "Thu, 01 Jan 1970 00:00:00 GMT", int64(1))
	f.Add(`max-age="`, "", "18446744073709551616", "", "", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, control, expires, after, age, date string, limit int64) {
		most := time.Duration(max(limit, 0))
		h := http.Header{"Cache-Control": {control}, "Expires": {expires}, "Retry-After": {after}, "Age": {age}, "Date": {date}}
		wait, next := fetch.RetryAfter(h, now, most), fetch.NextCheck(h, now, most)
		if wait < 0 || wait > most || next < wait || next > most {
			t.Errorf("Retry-After %s, next check %s, limit %s", wait, next, most)
		}
	})
}

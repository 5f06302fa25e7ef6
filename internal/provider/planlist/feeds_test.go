package planlist_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/event"
)

// TestRealFeeds finds what the README beside the real answers says must come out of them.
func TestRealFeeds(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("MARQUEE_FEEDS")
	if folder == "" {
		t.Skip("MARQUEE_FEEDS does not say where the real feeds are")
	}
	all := map[string]string{
		"291/291":   "Camela en concierto 2021-06-30T21:00:00 2021-06-30T22:00:00 15 30",
		"322/1642":  "Pantomima Full 2021-02-10T20:00:00 2021-02-10T21:30:00 55 55",
		"322/1643":  "Pantomima Full 2021-02-11T20:00:00 2021-02-11T21:30:00 55 55",
		"1591/1642": "Los Morancos 2021-07-31T20:00:00 2021-07-31T21:20:00 65 75",
		"444/1642":  "INVALID_DATE plan_start_date",
	}
	for name, test := range map[string]struct {
		files []string
		want  map[string]string
	}{
		"planList":  {[]string{"planList_response_1.xml", "planList_response_2.xml"}, all},
		"eventList": {[]string{"eventList_response_1.xml", "eventList_response_2.xml"}, without(with(all, "444/1642", "INVALID_DATE event_start_date"), "322/1643")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := map[string]string{}
			for _, file := range test.files {
				document, err := os.ReadFile(filepath.Join(folder, "planlist", file))
				if err != nil {
					t.Fatal(err)
				}
				records, err := decode(t, bytes.NewReader(document))
				if err != nil {
					t.Fatal(err)
				}
				for _, rec := range records {
					got[rec.Key.Series+"/"+rec.Key.Event] = describe(&rec)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func describe(rec *event.Record) string {
	if rec.Invalid != nil {
		return string(rec.Invalid.Reason) + " " + rec.Invalid.Field
	}
	e := &rec.Event
	return e.Title + " " + e.Start.Local.String() + " " + e.End.Local.String() + " " + e.MinPrice.String() + " " + e.MaxPrice.String()
}

func with(m map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range m {
		if k != key {
			out[k] = v
		}
	}
	return out
}

func without(m map[string]string, key string) map[string]string {
	out := with(m, key, "")
	delete(out, key)
	return out
}

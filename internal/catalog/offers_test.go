package catalog_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/catalog"
)

// FuzzPackOffers: packed offers are the same offers, and what can't be packed is left as it is.
func FuzzPackOffers(f *testing.F) {
	for _, text := range []string{
		`[]`,
		`[{"id": "7", "name": "Grada 2", "price": 15.5, "capacity": 0, "numbered": true}, {}]`,
		`[{"id": "\b\f\"\\ é", "name": "", "price": "7.50"}, {"name": "[{,:}]", "price": 1e2, "capacity": -1, "numbered": null, "other": "x"}]`,
		`[{"numbered": false, "id": "1"}, {"price": 0}]`,
		`[{"id": "1", "more": {"a": 1}}]`,
		`[{"id": "1"`, `{"id": "1"}`, `null`, ``, "\x00", "[{\"id\": \"\\",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 0 && text[0] == 0 {
			t.Skip("skipped: it begins as packed offers do, and JSON never does")
		}
		want, ok := catalog.Offers(text)
		packed := catalog.PackOffers(text)
		if !ok {
			if !bytes.Equal(packed, text) {
				t.Fatalf("not left as it is: %q", packed)
			}
			return
		}
		got, ok := catalog.Offers(packed)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Fatalf("%t, (-JSON +packed):\n%s", ok, diff)
		}
	})
}

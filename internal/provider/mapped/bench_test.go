package mapped_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aledotdev/marquee/internal/provider/mapped"
)

// BenchmarkDecode reads 10,000 records, streamed and whole.
func BenchmarkDecode(b *testing.B) {
	var document strings.Builder
	document.WriteString(`{"events": [`)
	for i := range 10_000 {
		if i > 0 {
			document.WriteString(",\n")
		}
		fmt.Fprintf(&document, `{"uid": "%d", "name": "Show %d", "begin": "2030-06-30T21:00:00", "minutes": 90, "venue": {"name": "Old Fort", "city": "Porto"},
			"prices": [{"name": "Lawn", "amount": 12.50, "left": 20}, {"name": "Wall", "amount": 19.99, "left": 0}]}`, i, i)
	}
	document.WriteString(`]}`)
	const object = `{id: .uid, title: .name, start: .begin, duration: .minutes, place: .venue, offers: [.prices[] | {name, price: .amount, capacity: .left}]}`
	for name, program := range map[string]string{"streamed": ".events[] | " + object, "whole": "(.events[] | .) | " + object} {
		b.Run(name, func(b *testing.B) {
			m := compile(b, mapped.Settings{Format: mapped.JSON, Map: program})
			b.SetBytes(int64(document.Len()))
			b.ReportAllocs()
			for b.Loop() {
				count := 0
				for rec, err := range m.Decode(b.Context(), strings.NewReader(document.String()), madrid(b)) {
					if err != nil || rec.Invalid != nil {
						b.Fatal(err, rec.Invalid)
					}
					count++
				}
				if count != 10_000 {
					b.Fatal(count)
				}
			}
		})
	}
}

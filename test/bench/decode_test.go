package bench_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/provider/planlist"
)

// BenchmarkDecode compares the decoder, which also normalises, validates and digests, with encoding/xml reading the same bytes
// into structs, record by record, and doing nothing with them. The decoder uses all processors, encoding/xml can't.
func BenchmarkDecode(b *testing.B) {
	document := big(b)
	defaults := madrid(b)
	known := map[event.RecordHash]bool{}
	for rec, err := range planlist.Decode(bytes.NewReader(document), defaults) {
		if err != nil {
			b.Fatal(err)
		}
		known[rec.Hash] = true
	}
	t := times{}
	for range 3 {
		var want, got, skipped int
		t.take("encoding/xml", func() { want = decodeWithEncodingXML(b, document) })
		t.take("decode", func() {
			for rec, err := range planlist.Decode(bytes.NewReader(document), defaults) {
				if err != nil || rec.Invalid != nil {
					b.Fatal(err, rec.Invalid)
				}
				got++
			}
		})
		count(b, got, want, "records")
		t.take("skip", func() {
			skip := event.Skip{Known: func(h event.RecordHash) (int, bool) { return 0, known[h] }}
			for rec, err := range planlist.DecodeUnknown(bytes.NewReader(document), defaults, skip) {
				if err != nil || !rec.Known {
					b.Fatal("not known", rec.Place, err)
				}
				skipped++
			}
		})
		count(b, skipped, want, "records skipped")
	}
	t.report(b)
	b.ReportMetric(t.median("encoding/xml")/t.median("decode"), "x-encoding/xml")
	b.ReportMetric(t.median("decode")/t.median("skip"), "x-decode-when-known")
	b.ReportMetric(float64(len(document))/1e6/t.median("decode"), "MB/s")
}

// decodeWithEncodingXML counts the plans.
func decodeWithEncodingXML(b *testing.B, document []byte) int {
	b.Helper()
	type zone struct {
		ID       string `xml:"zone_id,attr"`
		Name     string `xml:"name,attr"`
		Price    string `xml:"price,attr"`
		Capacity string `xml:"capacity,attr"`
		Numbered string `xml:"numbered,attr"`
	}
	type plan struct {
		ID       string `xml:"plan_id,attr"`
		Start    string `xml:"plan_start_date,attr"`
		End      string `xml:"plan_end_date,attr"`
		SellFrom string `xml:"sell_from,attr"`
		SellTo   string `xml:"sell_to,attr"`
		SoldOut  string `xml:"sold_out,attr"`
		Zones    []zone `xml:"zone"`
	}
	plans := 0
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return plans
		}
		if err != nil {
			b.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "plan" {
			var p plan
			if err := d.DecodeElement(&p, &start); err != nil {
				b.Fatal(err)
			}
			plans++
		}
	}
}

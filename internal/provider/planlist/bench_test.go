package planlist_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/provider/planlist"
)

// BenchmarkDecode compares Decode, which also normalises and validates, with encoding/xml decoding the
// same document into structs, record by record, and doing nothing with them. The figure that counts is
// "times_encoding/xml": it justifies the lexer, whatever the machine.
func BenchmarkDecode(b *testing.B) {
	document := bigDocument(10 << 20)
	var peer, ours time.Duration // by turns, so that whatever else the machine does troubles both
	for b.Loop() {
		start := time.Now()
		want := decodeWithEncodingXML(b, document)
		between := time.Now()
		got := 0
		for rec, err := range planlist.Decode(bytes.NewReader(document), madrid(b)) {
			if err != nil || rec.Invalid != nil {
				b.Fatal(err, rec.Invalid)
			}
			got++
		}
		peer += between.Sub(start)
		ours += time.Since(between)
		if got != want {
			b.Fatalf("%d records, encoding/xml finds %d", got, want)
		}
	}
	megabytes := float64(len(document)) * float64(b.N) / 1e6
	b.ReportMetric(0, "ns/op") // of both together: says nothing
	b.ReportMetric(megabytes/ours.Seconds(), "MB/s")
	b.ReportMetric(megabytes/peer.Seconds(), "encoding/xml_MB/s")
	b.ReportMetric(peer.Seconds()/ours.Seconds(), "times_encoding/xml")
}

// decodeWithEncodingXML counts the plans.
func decodeWithEncodingXML(tb testing.TB, document []byte) int {
	tb.Helper()
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
			tb.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "plan" {
			var p plan
			if err := d.DecodeElement(&p, &start); err != nil {
				tb.Fatal(err)
			}
			plans++
		}
	}
}

// bigDocument is a planList of invented shows, about size bytes long: 5 plans a base, 10 zones a plan.
func bigDocument(size int) []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<planList version=\"1.0\">\n   <output>\n")
	day := time.Date(2030, 1, 1, 20, 0, 0, 0, time.UTC)
	at := func(offset time.Duration) string { return day.Add(offset).Format("2006-01-02T15:04:05") }
	for base := 1; b.Len() < size; base++ {
		fmt.Fprintf(&b, "      <base_plan base_plan_id=\"%d\" sell_mode=\"online\" organizer_company_id=\"%d\" title=\"The Lantern Parade, part %d\">\n", base, base%7, base)
		for plan := range 5 {
			day = day.Add(7 * time.Hour)
			fmt.Fprintf(&b, "         <plan plan_start_date=%q plan_end_date=%q plan_id=\"%d\" sell_from=%q sell_to=%q sold_out=\"false\">\n",
				at(0), at(90*time.Minute), base*10+plan, at(-60*24*time.Hour), at(-time.Hour))
			for zone := range 10 {
				fmt.Fprintf(&b, "            <zone zone_id=\"%d\" capacity=\"%d\" price=\"%d.%d0\" name=\"Stalls row %d\" numbered=\"%t\" />\n",
					zone, (base+zone)%300, 10+zone*5, plan, zone, zone%2 == 0)
			}
			b.WriteString("         </plan>\n")
		}
		b.WriteString("      </base_plan>\n")
		day = day.Add(-34 * time.Hour)
	}
	b.WriteString("   </output>\n</planList>\n")
	return b.Bytes()
}

package xmlstream_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/xmlstream"
)

// BenchmarkScanner compares reading every token of a document with encoding/xml's. "times_encoding/xml" is
// the figure that justifies a lexer of our own, whatever the machine.
func BenchmarkScanner(b *testing.B) {
	const record = `<plan plan_start_date="2030-06-30T21:00:00" plan_id="291" sold_out="false">` + "\n" +
		`   <zone zone_id="40" capacity="243" price="20.00" name="Stalls row 4" numbered="true" />` + "\n" +
		`   <zone zone_id="38" capacity="100" price="15.00" name="Balcony row 2" numbered="false" />` + "\n</plan>\n"
	document := []byte("<list>" + string(bytes.Repeat([]byte(record), 5<<20/len(record))) + "</list>")
	var peer, scanned, parsed time.Duration // by turns, so that whatever else the machine does troubles all
	for b.Loop() {
		peer += timed(func() {
			for d := xml.NewDecoder(bytes.NewReader(document)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					return
				} else if err != nil {
					b.Fatal(err)
				}
			}
		})
		for total, parse := range map[*time.Duration]bool{&scanned: false, &parsed: true} {
			*total += timed(func() { read(b, document, parse) })
		}
	}
	megabytes := float64(len(document)) * float64(b.N) / 1e6
	b.ReportMetric(0, "ns/op") // of all together: says nothing
	b.ReportMetric(megabytes/scanned.Seconds(), "cut_MB/s")
	b.ReportMetric(megabytes/parsed.Seconds(), "MB/s")
	b.ReportMetric(megabytes/peer.Seconds(), "encoding/xml_MB/s")
	b.ReportMetric(peer.Seconds()/parsed.Seconds(), "times_encoding/xml")
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func read(b *testing.B, document []byte, parse bool) {
	b.Helper()
	s, err := xmlstream.NewScanner(bytes.NewReader(document), 1)
	if err != nil {
		b.Fatal(err)
	}
	attributes := 0
	for {
		node, err := s.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && parse && node.Kind == xmlstream.Record {
			err = xmlstream.Parse(node.Bytes, xmlstream.Handler{Attribute: func(_, _ string) { attributes++ }})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

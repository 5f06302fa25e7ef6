package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// reportVariable names the folder into which BenchmarkReads writes its report, for `make bench-report`.
const reportVariable = "MARQUEE_BENCH_REPORT"

// line is what one way took, in the median, and beside its floor.
type line struct {
	name, floor                  string
	rate, cpu, allocations, size float64
	p99                          float64 // milliseconds
	ofFloor, ofFloorByCPU        float64
	lowest, highest              float64 // of the rounds' ratios by processor time
}

// table is what a catalog of one size gave.
type table struct {
	events  int
	lines   []line
	windows []windowLine

	mebibytes int // that all events took in memory, for windows
}

const preface = `# Benchmarks of reads

Made by ` + "`make bench-report`" + ` (` + "`test/bench`" + `), not edited by hand. %s and %s on a machine of %d processors, which server, PostgreSQL, load
generator and whatever else runs there share.

All ways of one table take turns in one run, a second each for %d rounds, on eight connections; figures are medians of the rounds. *CPU* is the
processor time of server and PostgreSQL together for one request: the steady figure. *Of its floor* compares a round with the same round of
the floor, by requests and by processor time (least and most of the rounds in brackets: the noise). A floor is the same rows by the simplest statement that finds them, in PostgreSQL's
binary form, to JSON by hand, without GraphQL and without what an API has besides (limits, ids of requests, metrics). A page is the first 50 events of a day, a week or a month, with
%q. *By the resolvers* is gqlgen on Marquee's own catalog, field by field; *by gqlgen on ent* is what the two make by their documentation (see test/bench/entql).
*From memory* is asked of a second server process, which has all events in memory (architecture.md) with what room that takes, though
the program's default is 128 MiB; the others of one that keeps none. The events have 16 lists of offers between them, which are held once each:
with as many lists as events it is more.
`

func report(b *testing.B, pool *pgxpool.Pool, tables []table, rounds int) {
	b.Helper()
	folder := os.Getenv(reportVariable)
	if folder == "" {
		return
	}
	var version string
	if err := pool.QueryRow(context.Background(), `SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)`).Scan(&version); err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, preface, runtime.Version()+" ("+runtime.GOOS+"/"+runtime.GOARCH+")", version, runtime.NumCPU(), rounds, plainFields)
	for _, t := range tables {
		fmt.Fprintf(&text, "\n## %s events\n", thousands(t.events))
		if len(t.lines) > 0 {
			fmt.Fprint(&text, "\n| | floor | req/s | CPU µs | p99 ms | allocations | bytes | of its floor | by CPU |\n|---|---|---:|---:|---:|---:|---:|---:|---:|\n")
		}
		for _, l := range t.lines {
			fmt.Fprintf(&text, "| %s | %s | %s | %s | %.2f | %.0f | %s | %.2f | %.2f (%.2f to %.2f) |\n", l.name, l.floor,
				thousands(int(l.rate)), thousands(int(l.cpu)), l.p99, l.allocations, thousands(int(l.size)), l.ofFloor, l.ofFloorByCPU, l.lowest, l.highest)
		}
		if len(t.windows) > 0 {
			fmt.Fprintf(&text, "\nOne page of a month, from the catalog, without offers, in microseconds (median): from the database, which has it in memory, and from the events in memory (%s MiB):\n\n| | first page | deep page |\n|---|---:|---:|\n", thousands(t.mebibytes))
			for _, w := range t.windows {
				where := ""
				if w.fromMemory {
					where = ", from memory"
				}
				fmt.Fprintf(&text, "| %s%s | %s | %s |\n", w.match, where, thousands(w.first), thousands(w.deep))
			}
		}
	}
	fmt.Fprintf(&text, "\n![Processor time of a request](benchmarks.svg)\n")
	for name, content := range map[string][]byte{"benchmarks.md": text.Bytes(), "benchmarks.svg": plot(tables)} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// plot draws the processor time of each way as a bar.
func plot(tables []table) []byte {
	const width, left, bar = 720, 220, 16
	var most float64
	rows := 0
	for _, t := range tables {
		rows += len(t.lines) + 2
		for _, l := range t.lines {
			most = max(most, l.cpu)
		}
	}
	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n<title>Processor time of a request, in microseconds</title>\n", width, rows*bar+bar)
	y := bar
	for _, t := range tables {
		fmt.Fprintf(&svg, `<text x="4" y="%d" font-weight="bold">%s events, CPU µs a request</text>`+"\n", y, thousands(t.events))
		drawn := ""
		for _, l := range t.lines {
			if l.name == drawn { // once, by whatever it is measured
				continue
			}
			drawn = l.name
			y += bar
			color := "#3b6ea5"
			if l.name == l.floor {
				color = "#999"
			}
			length := l.cpu / most * (width - left - 60)
			fmt.Fprintf(&svg, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%.1f" y="%d">%s</text>`+"\n",
				left-6, y, l.name, left, y-bar+5, length, bar-4, color, float64(left)+length+4, y, thousands(int(l.cpu)))
		}
		y += 2 * bar
	}
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	var parts []string
	for len(text) > 3 {
		parts = append([]string{text[len(text)-3:]}, parts...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, parts...), ",")
}

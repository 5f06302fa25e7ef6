package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

// A way is one way to answer a question, with the requests that ask it.
type way struct {
	name     string
	floor    string // the way that it is measured by
	requests [][]byte
	also     string // another floor; empty: none
	memory   bool   // asked of a server that has the events in memory
}

const (
	plainFields = "id title startsAt endsAt minPrice { amount currency } maxPrice { amount currency }"
	// askEnt asks entql for the same page.
	askEnt  = "query($from: DateTime!, $to: DateTime!) { events(first: 50, from: $from, to: $to) { nodes { " + plainFields + " } pageInfo { hasNextPage endCursor } } }"
	askPage = "query($from: DateOrDateTime, $to: DateOrDateTime) { events(first: 50, window: {from: $from, to: $to, match: %s}) { nodes { %s } pageInfo { hasNextPage endCursor } } }"
)

func ways(events int) []way {
	starts := fmt.Sprintf(askPage, "STARTS_IN", plainFields)
	offers := fmt.Sprintf(askPage, "STARTS_IN", plainFields+" offers { externalId name price { amount currency } capacity numbered }")
	return []way{
		{name: "static bytes", floor: "static bytes", requests: gets("/floor/static")},
		{name: "cached page of 50", floor: "static bytes", requests: posts("/cached/graphql", starts)},
		{name: "cached page of 50, GET", floor: "static bytes", requests: getPages("/cached/graphql", starts, "")},
		{name: "304 by hand", floor: "static bytes", requests: gets("/floor/notmodified")},
		{name: "not modified (304)", floor: "static bytes", also: "304 by hand", requests: getPages("/cached/graphql", starts, "If-None-Match: *\r\n")},
		{name: "rows by hand", floor: "rows by hand", requests: getWindows("/floor/page?%s&%s")},
		{name: "page of 50", floor: "rows by hand", also: "page of 50 by gqlgen on ent", requests: posts("/written/graphql", starts)},
		{name: "page of 50 from memory", floor: "rows by hand", also: "page of 50 by gqlgen on ent", requests: posts("/written/graphql", starts), memory: true},
		{name: "rows that overlap by hand", floor: "rows that overlap by hand", requests: getWindows("/floor/overlaps?%s&%s")},
		{name: "page of 50, OVERLAPS", floor: "rows by hand", also: "rows that overlap by hand", requests: posts("/written/graphql", fmt.Sprintf(askPage, "OVERLAPS", plainFields))},
		{name: "page of 50, OVERLAPS, from memory", floor: "rows by hand", also: "rows that overlap by hand", requests: posts("/written/graphql", fmt.Sprintf(askPage, "OVERLAPS", plainFields)), memory: true},
		{name: "page of 50 by the resolvers", floor: "rows by hand", requests: posts("/resolved/graphql", starts)},
		{name: "page of 50 by gqlgen on ent", floor: "rows by hand", requests: posts("/ent/graphql", askEnt)},
		{name: "rows with offers by hand", floor: "rows with offers by hand", requests: getWindows("/floor/offers?%s&%s")},
		{name: "page of 50 with offers", floor: "rows by hand", requests: posts("/written/graphql", offers), also: "rows with offers by hand"},
		{name: "page of 50 with offers, from memory", floor: "rows by hand", requests: posts("/written/graphql", offers), also: "rows with offers by hand", memory: true},
		{name: "1,000 rows by hand", floor: "1,000 rows by hand", requests: searches("/floor/search?%s&%s", events)},
		{name: "search of 1,000", floor: "1,000 rows by hand", requests: searches("/written/search?starts_at=%s&ends_at=%s", events)},
		{name: "search of 1,000 from memory", floor: "1,000 rows by hand", requests: searches("/written/search?starts_at=%s&ends_at=%s", events), memory: true},
	}
}

func gets(path string) [][]byte {
	return [][]byte{fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path)}
}

func getWindows(path string) (requests [][]byte) {
	for _, w := range windows() {
		requests = append(requests, gets(fmt.Sprintf(path, w.from.Format(time.RFC3339), w.to.Format(time.RFC3339)))...)
	}
	return requests
}

func posts(path, query string) (requests [][]byte) {
	for _, w := range windows() {
		body, _ := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"from": w.from, "to": w.to}}) // can't fail
		requests = append(requests, fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body))
	}
	return requests
}

// getPages ask by GET; header is more lines of it.
func getPages(path, query, header string) (requests [][]byte) {
	for _, w := range windows() {
		variables, _ := json.Marshal(map[string]any{"from": w.from, "to": w.to}) // can't fail
		asked := url.Values{"query": {query}, "variables": {string(variables)}}.Encode()
		requests = append(requests, fmt.Appendf(nil, "GET %s?%s HTTP/1.1\r\nHost: bench\r\n%s\r\n", path, asked, header))
	}
	return requests
}

// searches ask for the windows that hold a thousand events, which are as many days as that takes.
func searches(path string, events int) (requests [][]byte) {
	span := time.Duration(1020 * 3650 * 24 / float64(events) * float64(time.Hour))
	for i := range 12 {
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, i*3, 0)
		requests = append(requests, gets(fmt.Sprintf(path, from.Format(time.RFC3339), from.Add(span).Format(time.RFC3339)))...)
	}
	return requests
}

// sizes are how many events there are: those of the variable, else as many as take a minute.
func sizes(b *testing.B) []int {
	b.Helper()
	given := os.Getenv("MARQUEE_BENCH_EVENTS")
	if given == "" {
		return []int{50_000}
	}
	var all []int
	for n := range strings.SplitSeq(given, ",") {
		size, err := strconv.Atoi(n)
		if err != nil || size < 10_000 {
			b.Fatalf("MARQUEE_BENCH_EVENTS: want numbers of events with commas between them, of 10000 or more")
		}
		all = append(all, size)
	}
	return all
}

// withOffers is up to how many events they have offers: more don't fit into the memory of a small machine, and only
// windows are measured.
const withOffers = 1_000_000

// BenchmarkReads asks a server of its own, by several ways that take turns, a second each: requests a second on eight
// connections, processor time and allocations a request, medians of some rounds. MARQUEE_BENCH_EVENTS=50000,500000,5000000
// are the sizes of the report.
func BenchmarkReads(b *testing.B) {
	var tables []table
	var last *pgxpool.Pool
	for _, n := range sizes(b) {
		url := pgtest.URL(b)
		pool, err := pgxpool.New(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(pool.Close)
		last = pool
		t := table{events: n}
		if n > withOffers {
			fill(b, pool, n, 0)
		} else {
			fill(b, pool, n, 10)
			t.lines = measureWays(b, pool, url, n)
		}
		t.windows, t.mebibytes = measureWindows(b, pool)
		for _, w := range t.windows {
			b.Logf("%d events, a month, %-10s %6d us first page, %6d us deep page; from memory: %t", n, w.match, w.first, w.deep, w.fromMemory)
		}
		tables = append(tables, t)
	}
	b.ReportMetric(0, "ns/op")
	report(b, last, tables, readsRounds)
}

const readsRounds = 7

func measureWays(b *testing.B, pool *pgxpool.Pool, url string, n int) []line {
	b.Helper()
	plain, stop := startServer(b, url)
	defer stop()
	mirrored, stop := startServer(b, url, mirrorVariable+"=on")
	defer stop()
	of := func(w way) *server {
		if w.memory {
			return mirrored
		}
		return plain
	}
	all := ways(n)
	measured := map[string][]sample{}
	for _, w := range all {
		of(w).load(b, w, 300*time.Millisecond) // statements are prepared, pages are in memory
	}
	for range readsRounds {
		for _, w := range all {
			measured[w.name] = append(measured[w.name], of(w).measure(b, pool, w, time.Second))
		}
	}
	var lines []line
	add := func(w way, floor string) {
		m, f := measured[w.name], measured[floor]
		byCPU := ratios(f, m, cpu)
		l := line{
			name: w.name, floor: floor, rate: median(values(m, rate)), cpu: median(values(m, cpu)), p99: median(values(m, slowest)), allocations: median(values(m, allocations)), size: median(values(m, size)),
			ofFloor: median(ratios(m, f, rate)), ofFloorByCPU: median(byCPU), lowest: slices.Min(byCPU), highest: slices.Max(byCPU),
		}
		b.Logf("%d events, %-28s %7.0f req/s %7.0f us CPU %6.2f ms p99 %6.0f allocations %7.0f bytes, %.2f of %s, %.2f by CPU", n, l.name, l.rate, l.cpu, l.p99, l.allocations, l.size, l.ofFloor, floor, l.ofFloorByCPU)
		lines = append(lines, l)
	}
	for _, w := range all {
		add(w, w.floor)
		if w.also != "" {
			add(w, w.also)
		}
	}
	return lines
}

// sample is what one turn of one way took.
type sample struct {
	requests         int
	took             time.Duration
	server, database time.Duration // of processor
	mallocs          uint64
	bytes            int64
	times            []time.Duration // of each request, in order of size
}

func rate(s sample) float64 { return float64(s.requests) / s.took.Seconds() }
func cpu(s sample) float64 {
	return float64((s.server + s.database).Microseconds()) / float64(s.requests)
}
func allocations(s sample) float64 { return float64(s.mallocs) / float64(s.requests) }
func slowest(s sample) float64     { return float64(s.times[len(s.times)*99/100].Microseconds()) / 1e3 }
func size(s sample) float64        { return float64(s.bytes) / float64(s.requests) }

func values(all []sample, of func(sample) float64) []float64 {
	found := make([]float64, len(all))
	for i, s := range all {
		found[i] = of(s)
	}
	return found
}

// ratios are those of the rounds, each of which had the same neighbours.
func ratios(all, to []sample, of func(sample) float64) []float64 {
	found := make([]float64, len(all))
	for i := range all {
		found[i] = of(all[i]) / of(to[i])
	}
	return found
}

func median(of []float64) float64 { return slices.Sorted(slices.Values(of))[len(of)/2] }

// server is the process, or the processes, that serve the ways.
type server struct {
	address string
	pids    []int
}

func startServer(b *testing.B, url string, environment ...string) (s *server, stop func()) {
	b.Helper()
	return startProcess(b, append(environment, serveVariable+"="+url)...)
}

// startProcess starts this program once more, to serve what TestMain finds in its environment.
func startProcess(b *testing.B, environment ...string) (s *server, stop func()) {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), environment...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	})
	b.Cleanup(stop)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal("the server did not start: ", err)
	}
	return &server{strings.TrimSpace(address), []int{command.Process.Pid}}, stop
}

// measure loads the server with a way's requests and looks at what that took.
func (s *server) measure(b *testing.B, pool *pgxpool.Pool, w way, for_ time.Duration) sample {
	b.Helper()
	mallocs := s.mallocs(b)
	m := s.timed(b, pool, w, for_)
	m.mallocs = s.mallocs(b) - mallocs
	return m
}

// timed is measure for a server that doesn't tell its allocations.
func (s *server) timed(b *testing.B, pool *pgxpool.Pool, w way, for_ time.Duration) sample {
	b.Helper()
	runtime.GC()
	server, database := s.processor(b), s.backends(b, pool)
	m := s.load(b, w, for_)
	after := s.backends(b, pool)
	m.server = s.processor(b) - server
	for pid := range maps.Keys(after) {
		m.database += after[pid] - database[pid]
	}
	return m
}

// load asks a way's requests on eight connections, each one after the other.
func (s *server) load(b *testing.B, w way, for_ time.Duration) sample {
	b.Helper()
	const connections = 8
	var mu sync.Mutex
	var group sync.WaitGroup
	var all sample
	start := time.Now()
	for i := range connections {
		group.Go(func() {
			one, err := s.ask(w, i, start.Add(for_))
			mu.Lock()
			defer mu.Unlock()
			all.requests, all.bytes, all.times = all.requests+one.requests, all.bytes+one.bytes, append(all.times, one.times...)
			if err != nil {
				b.Errorf("%s: %v", w.name, err)
			}
		})
	}
	group.Wait()
	all.took = time.Since(start)
	slices.Sort(all.times)
	return all
}

func (s *server) ask(w way, first int, until time.Time) (all sample, err error) {
	connection, err := net.Dial("tcp", s.address)
	if err != nil {
		return all, err
	}
	defer connection.Close()
	answers := bufio.NewReaderSize(connection, 64<<10)
	for now := time.Now(); now.Before(until); all.requests++ {
		if _, err := connection.Write(w.requests[(first*7+all.requests)%len(w.requests)]); err != nil {
			return all, err
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return all, err
		}
		size, err := io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if notModified := answer.StatusCode == http.StatusNotModified; err != nil || !notModified && (answer.StatusCode != http.StatusOK || size < 1_000) {
			return all, fmt.Errorf("status %d, %d bytes: %w", answer.StatusCode, size, err)
		}
		all.bytes += size
		began := now
		now = time.Now()
		all.times = append(all.times, now.Sub(began))
	}
	return all, nil
}

func (s *server) mallocs(b *testing.B) uint64 {
	b.Helper()
	answer, err := http.Get("http://" + s.address + "/mallocs")
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body) // else it is no number
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func (s *server) processor(b *testing.B) (all time.Duration) {
	b.Helper()
	for _, pid := range s.pids {
		all += processor(b, pid)
	}
	return all
}

// backends are the processor times of the database's processes that serve this one.
func (*server) backends(b *testing.B, pool *pgxpool.Pool) map[int]time.Duration {
	b.Helper()
	rows, err := pool.Query(context.Background(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	times := map[int]time.Duration{}
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			b.Fatal(err)
		}
		times[pid] = processor(b, pid)
	}
	return times
}

// processor is the time that a process has had, to a hundredth of a second.
func processor(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("processor times are read from Linux's /proc: ", err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

const (
	// peersVariable names the folder into which BenchmarkPeers writes its report, for `make bench-peers`. Without it nothing is measured:
	// the peers have to be installed.
	peersVariable = "MARQUEE_BENCH_PEERS"
	peersFolder   = "peers"
	peersEvents   = 50_000
	peersRounds   = 9
	// peersWarm is how long each is asked before it counts: their compilers, too, look at what runs often.
	peersWarm = 3 * time.Second
)

// A peer is another server over the same rows: a program of the folder peers.
type peer struct {
	name, version string
	command       []string
	environment   []string
	requests      [][]byte
}

const (
	askMercurius    = "query($from: DateTime!, $to: DateTime!) { events(first: 50, from: $from, to: $to) { nodes { " + plainFields + " } pageInfo { hasNextPage endCursor } } }"
	askPostGraphile = "query($from: Datetime!, $to: Datetime!) { events: allEvents(first: 50, condition: {listed: true, from: $from, to: $to}, orderBy: [STARTS_AT_ASC, ROW_ID_ASC]) { " +
		"nodes { id: rowId title startsAt endsAt minPrice { amount currency } maxPrice { amount currency } } pageInfo { hasNextPage endCursor } } }"
)

// A contender is a peer, or a way of Marquee, that is measured.
type contender struct {
	way

	version   string
	processes int
	server    *server
}

// BenchmarkPeers asks Marquee and its peers for the same pages, in turns of a second each.
func BenchmarkPeers(b *testing.B) {
	folder := os.Getenv(peersVariable)
	if folder == "" {
		b.Skip("peers are measured by make bench-peers, which installs them")
	}
	database := pgtest.URL(b)
	pool, err := pgxpool.New(b.Context(), database)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	fill(b, pool, peersEvents, 10)
	all := startContenders(b, pool, database)
	wanted := pages(b, all[0])
	for _, c := range all[1:] {
		for i, page := range pages(b, c) {
			if diff := cmp.Diff(wanted[i], page); diff != "" {
				b.Fatalf("%s answers window %d otherwise than Marquee does:\n%s", c.name, i, diff)
			}
		}
	}
	for _, c := range all {
		c.server.load(b, c.way, peersWarm)
	}
	measured := make([][]sample, len(all))
	for range peersRounds {
		for i, c := range all {
			measured[i] = append(measured[i], c.server.timed(b, pool, c.way, time.Second))
		}
	}
	b.ReportMetric(0, "ns/op")
	reportPeers(b, pool, folder, all, measured)
}

// startContenders starts all that are measured; the first is what the others are measured by.
func startContenders(b *testing.B, pool *pgxpool.Pool, database string) []contender {
	b.Helper()
	marquee, _ := startServer(b, database)
	starts := fmt.Sprintf(askPage, "STARTS_IN", plainFields)
	all := []contender{
		{way{name: "Marquee", requests: posts("/written/graphql", starts)}, "this", 1, marquee},
		{way{name: "Marquee, cached", requests: posts("/cached/graphql", starts)}, "this", 1, marquee},
	}
	for _, p := range peers(b) {
		for _, processes := range []int{1, 2} {
			c := contender{way{name: p.name, requests: p.requests}, p.version, processes, nil}
			c.server = startPeer(b, pool, p, processes)
			all = append(all, c)
		}
	}
	return all
}

// peers are those that are installed, with the versions that package.json or Debian has of them.
func peers(b *testing.B) []peer {
	b.Helper()
	node, err := filepath.Abs(filepath.Join(peersFolder, "node_modules", ".bin", "node"))
	if err != nil {
		b.Fatal(err)
	}
	engine := "Node.js " + strings.TrimPrefix(told(b, node, "--version"), "v")
	var manifest struct{ Dependencies map[string]string }
	text, err := os.ReadFile(filepath.Join(peersFolder, "package.json"))
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil {
		b.Fatal(err)
	}
	versions := func(names ...string) string {
		var all []string
		for _, name := range names {
			all = append(all, name+" "+manifest.Dependencies[name])
		}
		return strings.Join(append(all, engine), ", ")
	}
	all := []peer{
		{"Mercurius", versions("mercurius", "fastify", "pg"), []string{node, "mercurius.js"}, nil, posts("/graphql", askMercurius)},
		{"Mercurius, cached", versions("mercurius", "mercurius-cache", "fastify", "pg"), []string{node, "mercurius.js"}, []string{"CACHE_SECONDS=60"}, posts("/graphql", askMercurius)},
		{"PostGraphile", versions("postgraphile", "pg"), []string{node, "postgraphile.js"}, nil, posts("/graphql", askPostGraphile)},
	}
	// Debian's, which its packages are for, whatever else is on the path.
	const python = "/usr/bin/python3"
	const modules = "import fastapi, sqlalchemy, uvicorn, asyncpg, uvloop, httptools, ujson, platform; " +
		"print(f'fastapi {fastapi.__version__}, sqlalchemy {sqlalchemy.__version__}, asyncpg {asyncpg.__version__}, uvicorn {uvicorn.__version__}, Python {platform.python_version()}')"
	if err := exec.CommandContext(b.Context(), python, "-c", modules).Run(); err != nil {
		b.Log("FastAPI is left out, because Debian's packages of it are not installed: ", err)
		return all
	}
	return append(all, peer{
		"FastAPI with SQLAlchemy Core", told(b, python, "-c", modules),
		[]string{python, "fastapi_events.py"},
		nil, getWindows("/events?from=%s&to=%s"),
	})
}

func told(b *testing.B, command ...string) string {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), command[0], command[1:]...).Output()
	if err != nil {
		b.Fatalf("%s: %v", command[0], err)
	}
	return strings.TrimSpace(string(out))
}

// startPeer starts a peer on a free port and waits until it answers.
func startPeer(b *testing.B, pool *pgxpool.Pool, p peer, processes int) *server {
	b.Helper()
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(address) // it is one
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	command := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	database := pool.Config().ConnConfig
	command.Dir, command.Stdout, command.Stderr = peersFolder, os.Stderr, os.Stderr
	command.Env = append(append(os.Environ(), p.environment...),
		"PORT="+port, "PROCESSES="+strconv.Itoa(processes), "NODE_ENV=production", "GRAPHILE_ENV=production", "PYTHONDONTWRITEBYTECODE=1",
		"PGHOST="+database.Host, "PGPORT="+strconv.Itoa(int(database.Port)), "PGUSER="+database.User, "PGPASSWORD="+database.Password, "PGDATABASE="+database.Database)
	command.Cancel = func() error {
		for _, pid := range family(command.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGTERM) // a worker may have gone with its master
		}
		return nil
	}
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cancel()
		_ = command.Wait() // it was ended
	})
	s := &server{address: address}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := s.answer(p.requests[0])
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s doesn't answer: %v", p.name, err)
		}
	}
	s.pids = family(command.Process.Pid)
	return s
}

// family are a process and those that it started.
func family(pid int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // can't fail
	parents := map[int]int{}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(text), ") ")
		id, _ := strconv.Atoi(strings.Split(name, "/")[2])
		parents[id], _ = strconv.Atoi(strings.Fields(after)[1])
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		for id, parent := range parents {
			if parent == all[i] {
				all = append(all, id)
			}
		}
	}
	return all
}

// peerPage is what an answer says, however it writes it.
type peerPage struct {
	Nodes []struct {
		ID, Title          string
		StartsAt, EndsAt   time.Time
		MinPrice, MaxPrice struct {
			Amount   decimal
			Currency string
		}
	}
	PageInfo struct{ HasNextPage bool }
}

// decimal is a number as text, without zeros at its end, which the peers write as the database has them.
type decimal string

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *decimal) UnmarshalText(text []byte) error {
	whole, fraction, _ := strings.Cut(string(text), ".")
	*d = decimal(strings.TrimSuffix(whole+"."+strings.TrimRight(fraction, "0"), "."))
	return nil
}

// pages are the answers to all requests of a contender.
func pages(b *testing.B, c contender) (all []peerPage) {
	b.Helper()
	for _, request := range c.requests {
		page, err := c.server.answer(request)
		if err != nil {
			b.Fatalf("%s: %v", c.name, err)
		}
		all = append(all, page)
	}
	return all
}

// answer asks once.
func (s *server) answer(request []byte) (page peerPage, err error) {
	connection, err := net.Dial("tcp", s.address)
	if err != nil {
		return page, err
	}
	defer connection.Close()
	if _, err := connection.Write(request); err != nil {
		return page, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return page, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return page, err
	}
	var whole struct {
		Data     struct{ Events *peerPage }
		Errors   []any
		peerPage // of an API without GraphQL
	}
	if err := json.Unmarshal(text, &whole); err != nil {
		return page, fmt.Errorf("%w: %s", err, text)
	}
	switch {
	case whole.Data.Events != nil && whole.Errors == nil:
		return *whole.Data.Events, nil
	case whole.Nodes != nil:
		return whole.peerPage, nil
	}
	return page, errors.New(string(text))
}

const peersPreface = `# Marquee beside other servers

Made by ` + "`make bench-peers`" + ` (` + "`test/bench/peers`" + `), not edited by hand. %s (%s) and %s on a machine of %d processors, which servers, PostgreSQL, load
generator and whatever else runs there share.

All are asked for the same pages of one database with %s events, 10 offers each: the first 50 events that start in a day, a week or a month (96 windows), with
%q, and whether there are more. Before anything is measured their answers are compared: the same events in the same order, the same titles, times and prices.

They take turns in one run, a second each for %d rounds, on eight connections, after %s each that don't count; figures are medians of the rounds. *CPU* is the
processor time of all processes of the server and of PostgreSQL together for one request: the steady figure. The last two columns compare a round with the same round of Marquee without
its cache: the requests that Marquee answers by those of the server, and the processor time of the server by Marquee's (least and most of the rounds in brackets: the noise).

| | processes | req/s | CPU µs | p99 ms | bytes | Marquee's req/s by its | its CPU by Marquee's |
|---|---:|---:|---:|---:|---:|---:|---:|
`

const peersNotes = `
How each is set up (the programs are short, see ` + "`test/bench/peers`" + `):

- **Processes.** Marquee is one process that uses all processors. Node.js and Python use one for each process, so they are measured with one and with two, by Node's cluster and by
  sockets among which the kernel divides the connections. A server has eight connections to the database, which its processes share evenly.
- **Marquee** is the API with all that it has besides (limits, costs, ids of requests, metrics), as in [benchmarks.md](benchmarks.md). *Cached* keeps whole answers until the catalog changes.
- **Mercurius**: a schema and a resolver by hand, compiled queries (` + "`jit`" + `), one prepared statement for these columns, times and amounts left as the database writes them. *Cached* is mercurius-cache: what the
  resolver gave is kept for 60 seconds, whatever the database has by then.
- **PostGraphile** makes its schema from the table. The window is conditions of a plugin, a price with its currency one field more; what the database is asked is one prepared statement for these columns.
- **FastAPI** is no GraphQL: one route, a statement of SQLAlchemy Core on asyncpg, plain values written by ujson. It is Debian's, which is not the newest.

| | versions |
|---|---|
`

func reportPeers(b *testing.B, pool *pgxpool.Pool, folder string, all []contender, measured [][]sample) {
	b.Helper()
	var database string
	if err := pool.QueryRow(context.Background(), `SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)`).Scan(&database); err != nil {
		b.Fatal(err)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, peersPreface, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH, database, runtime.NumCPU(), thousands(peersEvents), plainFields, peersRounds, peersWarm)
	for i, c := range all {
		m := measured[i]
		faster, byCPU := ratios(measured[0], m, rate), ratios(m, measured[0], cpu)
		line := fmt.Sprintf("| %s | %d | %s | %s | %.2f | %s | %.2f | %.2f (%.2f to %.2f) |", c.name, c.processes,
			thousands(int(median(values(m, rate)))), thousands(int(median(values(m, cpu)))), median(values(m, slowest)), thousands(int(median(values(m, size)))),
			median(faster), median(byCPU), slices.Min(byCPU), slices.Max(byCPU))
		fmt.Fprintln(&text, line)
	}
	b.Log(text.String()) // a benchmark shows ten logs, no more
	text.WriteString(peersNotes)
	for i, c := range all {
		if i > 1 && c.processes == 1 { // once, and not Marquee
			fmt.Fprintf(&text, "| %s | %s |\n", c.name, c.version)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "peers.md"), text.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
}

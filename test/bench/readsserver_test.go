package bench_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/aledotdev/marquee/ent"
	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
	"github.com/aledotdev/marquee/test/bench/entql"
	"github.com/aledotdev/marquee/web"
)

// serveVariable holds the database's URL in the process that serves what BenchmarkReads asks: one of its own, so that
// its processor time is its own.
const serveVariable = "MARQUEE_BENCH_SERVE"

// mirrorVariable makes it keep the events in memory, in mirrorBytes at most.
const (
	mirrorVariable = "MARQUEE_BENCH_MIRROR"
	mirrorBytes    = 8 << 30 // room for every size
)

func TestMain(m *testing.M) {
	var err error
	switch url := os.Getenv(serveVariable); {
	case url != "":
		err = serveReads(url)
	case os.Getenv(feedVariable) != "":
		err = serveFeed()
	case os.Getenv(busyVariable) != "":
		err = keepBusy(os.Getenv(busyVariable))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveReads serves every variant on a port that it writes to standard output.
func serveReads(url string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	reads := catalog.New(pool, time.Now)
	if os.Getenv(mirrorVariable) != "" {
		reads.KeepMirror(mirrorBytes)
	}
	go reads.Watch(context.Background(), log)
	api := func(path string, c graph.Catalog, cacheBytes int) http.Handler {
		served := httpapi.New(httpapi.Options{
			Catalog: reads, GraphQL: gqlhttp.New(gqlhttp.Options{Engine: graph.NewEngine(c, log, graph.Limits{}), Snapshots: reads, CacheBytes: cacheBytes}),
			Pages: web.Handler(), SDL: graph.SDL(), Log: log,
		})
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // http.StripPrefix costs allocations
			r.URL.Path = r.URL.Path[len(path):]
			served.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/written/", api("/written", reads, 0))
	mux.Handle("/resolved/", api("/resolved", resolved{reads}, 0))
	mux.Handle("/cached/", api("/cached", reads, 64<<20))
	db := stdlib.OpenDBFromPool(pool)
	db.SetMaxIdleConns(0) // the pool keeps them
	mux.Handle("/ent/", entql.Handler(ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, db)))))
	mux.Handle("/floor/", floors(pool))
	mux.HandleFunc("/mallocs", func(w http.ResponseWriter, _ *http.Request) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		_, _ = w.Write(strconv.AppendUint(nil, m.Mallocs, 10))
	})
	if os.Getenv(mirrorVariable) != "" {
		if err := untilMirrored(reads); err != nil {
			return err
		}
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr()) //nolint:forbidigo // the parent reads it
	return http.Serve(listener, mux)
}

// untilMirrored waits until the events that are to be in memory are.
func untilMirrored(c *catalog.Catalog) error {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if c.Mirror().Events > 0 {
			return nil
		}
	}
	return errors.New("the events are not in memory")
}

// resolved is a catalog that writes no page: what gqlgen's resolvers make of the same rows.
type resolved struct{ graph.Catalog }

func (resolved) WriteEvents(context.Context, catalog.EventQuery, *catalog.Layout, []byte) ([]byte, error) {
	return nil, catalog.ErrUnwritten
}

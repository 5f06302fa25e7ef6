package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	entmigrate "github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/graph"
	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/httpapi"
	"github.com/aledotdev/marquee/internal/httpapi/gqlhttp"
	"github.com/aledotdev/marquee/internal/httpapi/ratelimit"
	"github.com/aledotdev/marquee/internal/migrate"
	"github.com/aledotdev/marquee/web"
)

// Bounds of the API's work.
const (
	readStatementTimeout = 10 * time.Second
	lingerTimeout        = 3 * time.Second // with finishTimeout under the 30 s that Kubernetes gives a pod by default
	finishTimeout        = 22 * time.Second
	goodbyeTimeout       = 3 * time.Second // for WebSockets to be closed in good form
)

type serveCommand struct {
	database
	ReplicaURL databaseURL `help:"A replica of the database. Reads go to the replica, and to the database itself while the replica is gone." name:"replica-url" placeholder:"URL"`
	answering
	tracing
	Listen      address `help:"The address that the API listens on." default:":8080"`
	AdminListen address `help:"The address for probes, metrics and profiles; not for the public." default:":9090"`
}

// Run serves until ctx is done.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	log := p.logger()
	url, err := c.url()
	if err != nil {
		return err
	}
	how, err := c.read() // before anything is waited for
	if err != nil {
		return err
	}
	traces, stopTraces, err := c.start(ctx, log)
	if err != nil {
		return err
	}
	defer stopTraces()
	how.traces = traces
	listener, err := listen(ctx, c.Listen, "--listen")
	if err != nil {
		return err
	}
	admin, err := listen(ctx, c.AdminListen, "--admin-listen")
	if err != nil {
		listener.Close()
		return err
	}
	pools, err := c.pools(ctx, log, how)
	if err != nil {
		listener.Close()
		admin.Close()
		return err
	}
	defer pools.Close()
	log.InfoContext(ctx, "serving", "listen", listener.Addr().String(), "admin", admin.Addr().String(), "database", url.String(), "version", version)
	return serveAPI(ctx, log, pools, url, how, listener, admin)
}

func (c *serveCommand) pools(ctx context.Context, log *slog.Logger, how *answers) (*pools, error) {
	primary, err := c.open(ctx, log, readStatementTimeout, how.tracers("primary")...)
	if err != nil {
		return nil, err
	}
	return withReplica(ctx, primary, c.ReplicaURL, c.DatabaseMaxConns, how.tracers("replica")...)
}

// answering is how the API answers.
type answering struct {
	CacheMiB  uint16 `help:"Memory for answers that are kept for whoever asks the same again, in MiB; 0: none is kept." name:"cache-mib" default:"64"`
	MirrorMiB uint16 `help:"Memory for a copy of all events, in MiB, from which pages of a window are answered without the database; up to twice that while the copy is read anew. 0: no copy." name:"mirror-mib" default:"128"`
	limits
	RateLimit        rateLimit            `help:"Points that one client may spend: a second, and at once. A page of 50 events costs about 50 points; an answer from the cache costs none. 0: no limit." default:"50000:100000"`
	APIKeys          string               `help:"A YAML file of the clients that have an API key, which they send in the header X-Api-Key: a list of name, sha256 (of the key) and rateLimit." name:"api-keys" type:"path" placeholder:"FILE"`
	TrustedProxies   networks             `help:"Networks of the proxies in front of the API, whose X-Forwarded-For is believed: 10.0.0.0/8,fd00::/8." placeholder:"NETWORK,…"`
	CORSOrigins      origins              `help:"Origins whose web pages may call the API: https://app.example,https://www.example; *: all." name:"cors-origins" placeholder:"ORIGIN,…"`
	Documents        gqlhttp.DocumentMode `help:"Which operations are answered. open: all. prefer: all, and some of those that are not trusted are logged. only: trusted ones." enum:"open,prefer,only" default:"open"`
	TrustedDocuments string               `help:"The manifest of trusted operations, as the tools of Apollo, graphql-codegen or Relay write it." type:"path" placeholder:"FILE"`
	MaxExports       uint8                `help:"Most exports (/events.ics, .csv, .jsonld) at a time, 1 to 255; each holds a database connection." default:"2"`
}

// answers are the settings of how the API answers, with what their files hold.
type answers struct {
	answering
	keys       map[ratelimit.KeyHash]ratelimit.Key
	trusted    map[string]string // documents by id
	statements statementMetrics
	traces     trace.TracerProvider // nil: nothing is traced
}

// read reads the files, and checks the settings that depend on each other.
func (a answering) read() (*answers, error) {
	if l := a.RateLimit; l.rate > 0 && l.burst < int(a.MaxCost) {
		return nil, configError("--rate-limit %s: want at least %d points at once, for that is what one operation may cost (--max-cost)", l, a.MaxCost)
	}
	trusted, err := a.documents()
	if err != nil {
		return nil, err
	}
	keys, err := readAPIKeys(a.APIKeys)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if key.Budget.Rate > 0 && key.Budget.Burst < int(a.MaxCost) {
			return nil, configError("--api-keys %s: %s: want at least %d points at once, for that is what one operation may cost (--max-cost)", a.APIKeys, key.Name, a.MaxCost)
		}
	}
	return &answers{answering: a, keys: keys, trusted: trusted, statements: newStatementMetrics()}, nil
}

// tracers trace and measure the statements that go to a server, primary or replica.
func (a *answers) tracers(server string) []pgx.QueryTracer {
	return append(statementSpans(a.traces), a.statements.of(server))
}

// documents reads the trusted documents; none without a file.
func (a answering) documents() (map[string]string, error) {
	if a.TrustedDocuments == "" {
		if a.Documents == gqlhttp.DocumentsOnly {
			return nil, configError("--documents only: want --trusted-documents, too, or nothing would be answered")
		}
		return nil, nil
	}
	text, err := os.ReadFile(a.TrustedDocuments)
	if err != nil {
		return nil, configError("--trusted-documents: %w", err)
	}
	all, err := gqlhttp.ParseManifest(text)
	if err != nil {
		return nil, configError("--trusted-documents %s: %w", a.TrustedDocuments, err)
	}
	return all, nil
}

// rateLimit is how much a client may ask for.
type rateLimit struct {
	rate  float64 // points a second; 0: no limit
	burst int     // points
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *rateLimit) UnmarshalText(text []byte) error {
	first, second, both := strings.Cut(string(text), ":")
	if first == "0" && !both {
		*l = rateLimit{}
		return nil
	}
	rate, err := strconv.ParseFloat(first, 64)
	burst, atoi := strconv.Atoi(second)
	if err != nil || atoi != nil || !(rate > 0 && rate <= 1e9) || burst < 1 || burst > 1e9 {
		return configError("%q: want points a second and points at once, such as 50000:100000; or 0", text)
	}
	*l = rateLimit{rate, burst}
	return nil
}

func (l rateLimit) budget() ratelimit.Budget { return ratelimit.Budget{Rate: l.rate, Burst: l.burst} }

// String is what UnmarshalText reads.
func (l rateLimit) String() string {
	if l.rate == 0 {
		return "0"
	}
	return strconv.FormatFloat(l.rate, 'f', -1, 64) + ":" + strconv.Itoa(l.burst)
}

// origins are separated by commas in the flag's text.
type origins []string

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *origins) UnmarshalText(text []byte) error {
	*o = nil
	for one := range strings.SplitSeq(string(text), ",") {
		one = strings.TrimSpace(one)
		if one != httpapi.AnyOrigin && http.NewCrossOriginProtection().AddTrustedOrigin(one) != nil {
			return configError("%q: want origins such as https://app.example, without a path, or *", one)
		}
		*o = append(*o, one)
	}
	return nil
}

// networks are separated by commas in the flag's text.
type networks []netip.Prefix

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *networks) UnmarshalText(text []byte) error {
	*n = nil
	for one := range strings.SplitSeq(string(text), ",") {
		network, err := netip.ParsePrefix(strings.TrimSpace(one))
		if err != nil {
			return configError("%q: want networks such as 10.0.0.0/8,fd00::/8", one)
		}
		*n = append(*n, network.Masked())
	}
	return nil
}

// serveAPI serves the API, and probes and metrics if admin is not nil, until ctx is done. It closes the listeners.
func serveAPI(ctx context.Context, log *slog.Logger, pools *pools, url databaseURL, how *answers, listener, admin net.Listener) error {
	migrator, err := migrate.New(string(url), entmigrate.Files(), migrate.Options{})
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	registry := prometheus.NewRegistry()
	reads := catalog.NewReplicated(pools.primary, pools.replica, time.Now)
	registry.MustRegister(&serverMetrics{reads}, &providerMetrics{reads: reads, log: log})
	registerMirror(registry, reads)
	reads.KeepMirror(int(how.MirrorMiB) << 20)
	defer watch(ctx, reads, log)()
	how.statements.registerPools(registry, pools)
	limiter := ratelimit.New(ratelimit.Options{Budget: how.RateLimit.budget(), Keys: how.keys, Trusted: how.TrustedProxies})
	operations := gqlhttp.New(gqlhttp.Options{
		Engine: graph.NewEngine(reads, log, how.graph()), Timeout: how.timeout(), MaxKiB: int(how.MaxRequestKiB), Live: how.live(),
		Snapshots: reads, CacheBytes: int(how.CacheMiB) << 20, Registry: registry, Traces: how.traces, Closing: ctx,
		Origins: how.CORSOrigins, DocumentMode: how.Documents, Trusted: how.trusted, Log: log,
		Limiter: limiter, Client: func(r *http.Request) (string, bool) {
			client, ok := limiter.Client(r)
			return client.String(), ok
		},
	})
	// The server does not wait for what has become a WebSocket.
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTimeout)
		defer cancel()
		operations.Wait(bounded)
	}()
	api := httpapi.New(httpapi.Options{
		Catalog:     reads,
		GraphQL:     operations,
		Pages:       web.Handler(),
		SDL:         graph.SDL(),
		SchemaCheck: func(ctx context.Context) error { return migrator.CheckOn(ctx, pools.primary) },
		Replica:     replicaNote(reads),
		Version:     programVersion(),
		Limiter:     limiter,
		Origins:     how.CORSOrigins,
		Exports:     int(how.MaxExports),
		Log:         log,
		Registry:    registry,
		Traces:      how.traces,
		Proxies:     how.TrustedProxies,
	})
	if admin == nil {
		return httpapi.Serve(ctx, log, listener, api, httpapi.Ending{Finish: finishTimeout}) // marquee dev: nobody is to wait
	}
	handler, err := httpapi.NewAdmin(api, registry)
	if err != nil {
		return err
	}
	// Probes and metrics are answered until the API has drained.
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- httpapi.Serve(adminCtx, log, admin, handler, httpapi.Ending{Finish: time.Second}) }()
	err = httpapi.Serve(ctx, log, listener, api, httpapi.Ending{Linger: lingerTimeout, Finish: finishTimeout})
	stopAdmin()
	return errors.Join(err, <-ended)
}

// listen takes an address, or says how to choose another.
func listen(ctx context.Context, at address, flag string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", string(at))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, configError("%s %s: another program listens there; choose another port, or port 0 for any free one", flag, at)
	}
	if err != nil {
		return nil, configError("%s %s: %w", flag, at, err)
	}
	return listener, nil
}

// reachable is where a listener is reached from this machine: at 127.0.0.1 if it listens on all addresses.
func reachable(listener net.Addr) string {
	at, ok := listener.(*net.TCPAddr)
	if !ok || !at.IP.IsUnspecified() {
		return listener.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(at.Port))
}

// serveFeed serves the demo provider, whose hanging answers end with ctx.
func serveFeed(ctx context.Context, listener net.Listener, feed http.Handler) error {
	server := &http.Server{
		Handler:           feed,
		ReadHeaderTimeout: 5 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the demo feed: %w", err)
	}
	return nil
}

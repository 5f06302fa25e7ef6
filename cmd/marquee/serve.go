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

	"github.com/prometheus/client_golang/prometheus"

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
	ReplicaURL databaseURL `help:"A replica of the database: reads go there, and to the database itself while it is gone." name:"replica-url" placeholder:"URL"`
	answering
	Listen      address `help:"Where the API listens." default:":8080"`
	AdminListen address `help:"Where probes, metrics and profiles are served." default:":9090"`
}

// Run serves until ctx is done.
func (c *serveCommand) Run(ctx context.Context, p *program) error {
	log := p.logger()
	url, err := c.url()
	if err != nil {
		return err
	}
	if _, err := c.trusted(); err != nil { // before anything is waited for
		return err
	}
	listener, err := listen(ctx, c.Listen, "--listen")
	if err != nil {
		return err
	}
	admin, err := listen(ctx, c.AdminListen, "--admin-listen")
	if err != nil {
		listener.Close()
		return err
	}
	pools, err := c.pools(ctx, log)
	if err != nil {
		listener.Close()
		admin.Close()
		return err
	}
	defer pools.Close()
	log.InfoContext(ctx, "serving", "listen", listener.Addr().String(), "admin", admin.Addr().String(), "database", url.String(), "version", version)
	return serveAPI(ctx, log, pools, url, c.answering, listener, admin)
}

func (c *serveCommand) pools(ctx context.Context, log *slog.Logger) (*pools, error) {
	primary, err := c.open(ctx, log, readStatementTimeout)
	if err != nil {
		return nil, err
	}
	return withReplica(ctx, primary, c.ReplicaURL, c.DatabaseMaxConns)
}

// answering is how the API answers.
type answering struct {
	CacheMiB         int                  `help:"How much memory answers may take that are kept for who asks the same, in MiB; 0: none is kept." name:"cache-mib" default:"64"`
	RateLimit        rateLimit            `help:"Points that one client may ask for, a second and at once; a page of 50 events costs about 50, one that was asked for just before nothing; 0: no limit." default:"50000:100000"`
	TrustedProxies   networks             `help:"Networks of proxies whose X-Forwarded-For says which client asks: 10.0.0.0/8,fd00::/8." placeholder:"NETWORK,…"`
	CORSOrigins      origins              `help:"Pages elsewhere that may ask: https://app.example,https://www.example; *: all." name:"cors-origins" placeholder:"ORIGIN,…"`
	Documents        gqlhttp.DocumentMode `help:"Operations that are answered: open, all; prefer, all, and those that are not trusted are logged now and then; only, trusted ones alone." enum:"open,prefer,only" default:"open"`
	TrustedDocuments string               `help:"A file of trusted operations by id, as Apollo's, graphql-codegen's or Relay's tools write it." placeholder:"FILE"`
	MaxExports       uint8                `help:"How many exports (/events.ics and its like) may be at work at a time, 1 to 255; each holds a database connection." default:"2"`
}

// trusted reads the trusted documents; none without a file.
func (a answering) trusted() (map[string]string, error) {
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
	least := graph.Limits{}.MaxCost()
	if err != nil || atoi != nil || !(rate > 0 && rate <= 1e9) || burst < least || burst > 1e9 {
		return configError("%q: want points a second and points at once, such as 50000:100000, the second at least %d, for that is what one operation may cost; or 0", text, least)
	}
	*l = rateLimit{rate, burst}
	return nil
}

// String is what UnmarshalText reads.
func (l rateLimit) String() string {
	if l.rate == 0 {
		return "0"
	}
	return strconv.FormatFloat(l.rate, 'f', -1, 64) + ":" + strconv.Itoa(l.burst)
}

// origins are some in one text, with commas between them.
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

// networks are some in one text, with commas between them.
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
func serveAPI(ctx context.Context, log *slog.Logger, pools *pools, url databaseURL, how answering, listener, admin net.Listener) error {
	migrator, err := migrate.New(string(url), entmigrate.Files(), migrate.Options{})
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	registry := prometheus.NewRegistry()
	reads := catalog.NewReplicated(pools.primary, pools.replica, time.Now)
	registry.MustRegister(&serverMetrics{reads}, &providerMetrics{reads: reads, log: log})
	defer watch(ctx, reads, log)()
	trusted, err := how.trusted()
	if err != nil {
		return err
	}
	limiter := ratelimit.New(ratelimit.Options{Rate: how.RateLimit.rate, Burst: how.RateLimit.burst, Trusted: how.TrustedProxies})
	options := gqlhttp.Options{
		Engine: graph.NewEngine(reads, log), Snapshots: reads, CacheBytes: how.CacheMiB << 20, Registry: registry, Closing: ctx.Done(),
		Origins: how.CORSOrigins, DocumentMode: how.Documents, Trusted: trusted, Log: log,
	}
	if limiter != nil {
		options.Limiter = limiter
	}
	operations := gqlhttp.New(options)
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
		Version:     httpapi.Version{Version: version},
		Limiter:     limiter,
		Origins:     how.CORSOrigins,
		Exports:     int(how.MaxExports),
		Log:         log,
		Registry:    registry,
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

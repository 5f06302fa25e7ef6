package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"text/tabwriter"
	"time"

	entmigrate "github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/migrate"
	"github.com/aledotdev/marquee/internal/pgdev"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/simulator"
)

type devCommand struct {
	Listen     address  `help:"The address that the API listens on." default:"127.0.0.1:8080"`
	DemoListen address  `help:"The address that the demo provider listens on; port 0: any free one." default:"127.0.0.1:0"`
	DemoFaults bool     `help:"Make the demo provider answer badly now and then."`
	Every      duration `help:"How often providers without a schedule of their own are synced." default:"60s"`
	providers
	retention
	answering
	tracing
	DataDir     string      `help:"Where the private PostgreSQL keeps its data." type:"path" placeholder:"DIR"`
	DatabaseURL databaseURL `help:"Use this PostgreSQL instead of a private one." name:"database-url"`
}

const (
	demoSlug = "demo"
	demoZone = "Europe/Madrid"
)

// Run starts everything in the order in which it is needed, and stops it in the opposite one.
func (c *devCommand) Run(ctx context.Context, p *program) (err error) {
	log := p.logger()
	how, err := c.read()
	if err != nil {
		return err
	}
	traces, stopTraces, err := c.start(ctx, log)
	if err != nil {
		return err
	}
	defer stopTraces()
	how.traces = traces
	// Ports first: a busy one is found before anything is started.
	listener, err := listen(ctx, c.Listen, "--listen")
	if err != nil {
		return err
	}
	defer listener.Close()
	demoListener, err := listen(ctx, c.DemoListen, "--demo-listen")
	if err != nil {
		return err
	}
	defer demoListener.Close()

	url, server, err := c.startDatabase(ctx, p, log)
	if err != nil {
		return err
	}
	if server != nil {
		defer func() { err = errors.Join(err, stopDatabase(ctx, server)) }()
	}
	migrator, err := migrate.New(string(url), entmigrate.Files(), migrate.Options{Logger: log})
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	if _, err := migrator.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	sources, err := c.sources(reachable(demoListener.Addr()))
	if err != nil {
		return err
	}
	var gone <-chan struct{}
	if server != nil {
		gone = server.Done()
	}
	err = c.serve(ctx, p, log, url, how, sources, gone, listener, demoListener)
	if server != nil && server.Err() != nil {
		// Whatever else failed, it is why.
		return &exitError{exitTemporary, fmt.Errorf("the private PostgreSQL is gone and does not stay up: %w; its log is %s", server.Err(), server.LogFile())}
	}
	return err
}

// serve runs demo provider, syncs and API until one of them fails, the database is gone or ctx is done.
func (c *devCommand) serve(ctx context.Context, p *program, log *slog.Logger, url databaseURL, how *answers, sources []*provider.Source, gone <-chan struct{}, listener, demoListener net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	writes, err := openPool(ctx, url, 0, 0, statementSpans(how.traces)...)
	if err != nil {
		return err
	}
	defer writes.Close()
	reads, err := openPool(ctx, url, 0, readStatementTimeout, how.tracers("primary")...)
	if err != nil {
		return err
	}
	defer reads.Close()

	var running sync.WaitGroup
	failures := make(chan error, 2)
	part := func(run func() error) {
		running.Go(func() {
			if err := run(); err != nil {
				failures <- err
				stop()
			}
		})
	}
	part(func() error { return serveFeed(ctx, demoListener, c.demo(log)) })
	part(func() error { return serveAPI(ctx, log, &pools{primary: reads}, url, how, listener, nil) })
	syncs := newSyncer(writes, log)
	syncs.Traces = how.traces
	syncs.Drain = time.Second // who presses Ctrl-C is waiting; what is cut off is synced again next time
	running.Go(func() { syncs.Loop(ctx, sources, time.Duration(c.Every)) })
	running.Go(func() { c.pruneHourly(ctx, log, writes) })
	running.Go(func() {
		select {
		case <-gone:
			stop()
		case <-ctx.Done():
		}
	})
	c.announce(p, url, reachable(listener.Addr()), reachable(demoListener.Addr()))

	running.Wait()
	close(failures)
	return <-failures
}

func (c *devCommand) demo(log *slog.Logger) http.Handler {
	zone, err := time.LoadLocation(demoZone)
	if err != nil {
		zone = time.UTC
	}
	options := simulator.Options{TimeZone: zone, Logger: log}
	if c.DemoFaults {
		options.Faults = &simulator.Faults{}
	}
	return simulator.New(options)
}

// sources are the demo provider and those of --providers.
func (c *devCommand) sources(demoAddress string) ([]*provider.Source, error) {
	// The demo provider is at hand: no use waiting long for it when it plays dead.
	demo, err := provider.New(provider.Config{
		Slug: demoSlug, Name: "Demo Tickets", URL: "http://" + demoAddress + simulator.FeedPath, Format: "planlist",
		TimeZone: demoZone, Currency: "EUR", AllowPrivateAddresses: true,
	}, fetch.New(fetch.Options{Limits: fetch.Limits{HeaderTime: 3 * time.Second, IdleTime: 3 * time.Second, Time: 10 * time.Second, Attempts: 1}}))
	if err != nil {
		return nil, fmt.Errorf("the demo provider: %w", err)
	}
	sources := []*provider.Source{demo}
	if c.Providers == "" {
		return sources, nil
	}
	more, err := c.load(fetch.New(fetch.Options{}))
	return append(sources, more...), err
}

// startDatabase gives the URL of the database, and its server if that is a private one.
func (c *devCommand) startDatabase(ctx context.Context, p *program, log *slog.Logger) (databaseURL, *pgdev.Server, error) {
	if c.DatabaseURL != "" {
		return c.DatabaseURL, nil, nil
	}
	options := pgdev.Options{Dir: c.DataDir, Logger: log}
	if c.DataDir != "" {
		options.Dir = filepath.Clean(c.DataDir)
	}
	server, err := pgdev.Start(ctx, options)
	if errors.Is(err, pgdev.ErrNoBinaries) {
		fmt.Fprintln(p.stderr, "PostgreSQL is not on this machine; installing it.")
		if err := pgdev.Install(ctx, p.stderr); err != nil {
			return "", nil, configError("%w", err)
		}
		server, err = pgdev.Start(ctx, options)
	}
	if errors.Is(err, pgdev.ErrInUse) || errors.Is(err, pgdev.ErrTooOld) || errors.Is(err, pgdev.ErrVersionMismatch) || errors.Is(err, pgdev.ErrUnreachable) {
		return "", nil, configError("%w", err)
	}
	if err != nil {
		return "", nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	const name = "marquee"
	if err := server.EnsureDatabase(ctx, name); err != nil {
		return "", nil, errors.Join(fmt.Errorf("making the database: %w", err), stopDatabase(ctx, server))
	}
	return databaseURL(server.URL(name)), server, nil
}

func stopDatabase(ctx context.Context, server *pgdev.Server) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := server.Stop(bounded); err != nil {
		return fmt.Errorf("stopping PostgreSQL: %w", err)
	}
	return nil
}

func (c *devCommand) announce(p *program, url databaseURL, api, demo string) {
	fmt.Fprintln(p.stdout, "\nMarquee is up. Ctrl-C stops it; its data is kept.")
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"GraphiQL", "http://" + api + "/graphiql"},
		{"GraphQL", "http://" + api + "/graphql"},
		{"REST docs", "http://" + api + "/docs"},
		{"REST search", "http://" + api + "/search"},
		{"Demo feed", "http://" + demo + simulator.FeedPath},
	} {
		fmt.Fprintf(table, "  %s\t%s\n", line[0], line[1])
	}
	if c.DatabaseURL == "" { // the private one has no password
		fmt.Fprintf(table, "  Database\tpsql '%s'\n", string(url))
	}
	_ = table.Flush() // stdout may be closed
	fmt.Fprintln(p.stdout)
}

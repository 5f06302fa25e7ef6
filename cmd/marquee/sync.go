package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/provider"
	"github.com/aledotdev/marquee/internal/store"
	"github.com/aledotdev/marquee/internal/syncer"
)

type syncCommand struct {
	Run     syncRunCommand     `cmd:"" default:"withargs" help:"Sync providers: those that are named, or all. The word run may be left out."`
	Runs    syncRunsCommand    `cmd:"" help:"List past runs, the latest first."`
	Approve syncApproveCommand `cmd:"" help:"Apply the snapshot of a run that the safety brake holds."`
	Reject  syncRejectCommand  `cmd:"" help:"Reject the snapshot of a run that the safety brake holds."`
}

// providers is where the provider files are.
type providers struct {
	Providers string `help:"The directory of the provider files." type:"path" placeholder:"DIR"`
}

type syncRunCommand struct {
	database
	providers
	retention
	traceTarget
	priority
	Every       duration `help:"Keep going: sync each provider by its own schedule, or else at this interval." optional:""`
	AdminListen address  `help:"With --every: the address for probes and metrics; none by default." placeholder:"HOST:PORT"`
	Now         bool     `help:"Sync even if a provider has asked not to be fetched yet."`
	Due         bool     `help:"Sync only providers that are due by their own schedule (or every 15m) and that no other process syncs, until none is due. The command succeeds even if a provider fails; the log and the provider's run say why." env:"-"`
	DryRun      bool     `help:"Print what a sync would change, and change nothing."`
	Slugs       []string `arg:"" optional:"" name:"slug" help:"Providers to sync; all if none is named."`
}

// Run syncs once, or until ctx is done.
func (c *syncRunCommand) Run(ctx context.Context, p *program, parsed *kong.Context) error {
	if err := c.checkModes(parsed); err != nil {
		return err
	}
	log := p.logger()
	interactive := onTerminal(p.stdout) && c.Every == 0 && !c.Due && !c.DryRun
	if interactive {
		log = slog.New(slog.DiscardHandler) // the progress and the summary say the same
	}
	c.lower(ctx, log)
	sources, err := c.load(fetch.New(fetch.Options{Logger: log}))
	if err != nil {
		return err
	}
	if sources, err = named(sources, c.Slugs); err != nil {
		return err
	}
	traces, stopTraces, err := c.start(ctx, log, 1)
	if err != nil {
		return err
	}
	defer stopTraces()
	pool, err := c.open(ctx, p.logger(), 0, statementSpans(traces)...) // that it waits for the database is to be seen on a terminal, too
	if err != nil {
		return err
	}
	defer pool.Close()
	s := newSyncer(pool, log)
	s.Force, s.Traces = c.Now, traces
	switch {
	case c.DryRun:
		return dryRun(ctx, p, s, sources)
	case c.Due:
		return c.due(ctx, log, pool, s, sources)
	case c.Every > 0:
		return c.loop(ctx, log, pool, s, sources)
	case interactive:
		defer showProgress(p.stdout, s, sources)()
	}
	failures := s.Once(ctx, sources)
	c.prune(ctx, log, pool)
	return worst(failures)
}

// checkModes refuses modes that exclude each other. An interval from the environment, which marquee dev reads, too, gives way to another mode.
func (c *syncRunCommand) checkModes(parsed *kong.Context) error {
	every := slices.ContainsFunc(parsed.Path, func(given *kong.Path) bool { return given.Flag != nil && given.Flag.Name == "every" })
	var modes []string
	for _, mode := range []struct {
		flag string
		on   bool
	}{{"--every", every}, {"--due", c.Due}, {"--dry-run", c.DryRun}} {
		if mode.on {
			modes = append(modes, mode.flag)
		}
	}
	if len(modes) > 1 {
		return &exitError{exitUsage, fmt.Errorf("%s: want one of them only", strings.Join(modes, " and "))}
	}
	return nil
}

// due syncs what is due. Each run holds a connection of the pool, and its sign of life wants another.
func (c *syncRunCommand) due(ctx context.Context, log *slog.Logger, pool *pgxpool.Pool, s *syncer.Syncer, sources []*provider.Source) error {
	synced, failed, err := s.Due(ctx, sources, int(min(4, pool.Config().MaxConns/2)))
	log.InfoContext(ctx, "nothing is due any more", "providers", len(sources), "synced", synced, "failed", failed)
	if err != nil {
		return &exitError{syncExit(err), fmt.Errorf("syncing what is due: %w", err)}
	}
	c.prune(ctx, log, pool)
	return nil
}

// loop syncs until ctx is done.
func (c *syncRunCommand) loop(ctx context.Context, log *slog.Logger, pool *pgxpool.Pool, s *syncer.Syncer, sources []*provider.Source) error {
	var beside sync.WaitGroup
	var served error
	// Metrics are answered until the last run has ended.
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAdmin()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if c.AdminListen != "" {
		listener, err := listen(ctx, c.AdminListen, "--admin-listen")
		if err != nil {
			return err
		}
		metrics := newSyncMetrics(sources)
		s.Progress = metrics.tell
		log.InfoContext(ctx, "probes and metrics", "listen", listener.Addr().String())
		beside.Go(func() {
			if served = metrics.serve(adminCtx, log, listener, pool); served != nil {
				stop()
			}
		})
	}
	var pruning sync.WaitGroup
	pruning.Go(func() { c.pruneHourly(ctx, log, pool) })
	s.Loop(ctx, sources, time.Duration(c.Every))
	pruning.Wait()
	stopAdmin()
	beside.Wait()
	return served
}

func newSyncer(pool *pgxpool.Pool, log *slog.Logger) *syncer.Syncer {
	writer := store.New(pool)
	return syncer.New(syncer.Options{
		Store: writer,
		Begin: func(ctx context.Context, run event.Run, now time.Time) (syncer.Tx, error) {
			return writer.Begin(ctx, run, now)
		},
		Owner: owner(),
		Clock: time.Now,
		Log:   log,
	})
}

// owner names this process to people who wonder who holds a lease.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// worst joins all failures, with the exit code of the worst; nil if there is none.
func worst(failures []error) error {
	code := exitOK
	for i, err := range failures {
		code = worse(code, syncExit(err))
		failures[i] = databaseError(err)
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code, errors.Join(failures...)}
}

// syncExit is the exit code of one provider's sync.
func syncExit(err error) int {
	switch {
	case err == nil, spared(err) != "":
		return exitOK
	case errors.Is(err, event.ErrHeld):
		return exitHeld
	case databaseAdvice(err) != "":
		return exitConfig
	}
	code, temporary := provider.Failure(err)
	switch {
	case temporary:
		return exitTemporary
	case code == provider.CodeInternal:
		return exitBug
	default:
		return exitData
	}
}

// spared says why a sync did not begin, if that is no failure: another process is at it, or it is not due. Else it is empty.
func spared(err error) string {
	switch {
	case errors.Is(err, event.ErrRunning):
		return "running already"
	case errors.Is(err, event.ErrNotDue):
		return "not due"
	default:
		return ""
	}
}

// worse picks the exit code that is more urgent for a person: a failure that passes by itself comes last.
func worse(a, b int) int {
	order := []int{exitBug, exitConfig, exitHeld, exitData, exitTemporary, exitOK}
	return order[min(slices.Index(order, a), slices.Index(order, b))]
}

func (p providers) load(client *fetch.Client) ([]*provider.Source, error) {
	if p.Providers == "" {
		return nil, configError("--providers (MARQUEE_PROVIDERS) is missing: want a directory of provider files")
	}
	sources, err := provider.LoadDir(p.Providers, os.LookupEnv, client)
	if err != nil {
		return nil, configError("%w", err)
	}
	if len(sources) == 0 {
		return nil, configError("--providers %s: no *.yaml there", p.Providers)
	}
	return sources, nil
}

// named picks sources by slug, each once; all if no slug is given.
func named(sources []*provider.Source, slugs []string) ([]*provider.Source, error) {
	if len(slugs) == 0 {
		return sources, nil
	}
	var picked []*provider.Source
	for _, slug := range slugs {
		i := slices.IndexFunc(sources, func(s *provider.Source) bool { return s.Provider().Slug == slug })
		if i < 0 {
			return nil, &exitError{exitUsage, errors.New("no provider " + slug)}
		}
		if !slices.Contains(picked, sources[i]) {
			picked = append(picked, sources[i])
		}
	}
	return picked, nil
}

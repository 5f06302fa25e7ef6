package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aledotdev/marquee/internal/simulator"
)

type providerSimulateCommand struct {
	Listen     address              `help:"The address to listen on; port 0: any free one." default:"127.0.0.1:8090" env:"-"`
	Script     string               `help:"A YAML file that says what is answered, in which order (docs/simulator.md)." type:"existingfile" placeholder:"FILE" env:"-"`
	Faults     bool                 `help:"Answer badly now and then." env:"-"`
	Generation simulator.Generation `help:"The form of the feed: planList, eventList, eventDate." default:"planList" env:"-"`
	TimeZone   string               `help:"The time zone of the venues." default:"Europe/Madrid" env:"-"`
	Seed       uint64               `help:"The seed of the invented world: the same seed gives the same events." env:"-"`
}

// Run serves a simulated provider until ctx is done.
func (c *providerSimulateCommand) Run(ctx context.Context, p *program) error {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return configError("--time-zone %q: want an IANA name such as Europe/Madrid", c.TimeZone)
	}
	options := simulator.Options{TimeZone: zone, Seed: c.Seed, Generation: c.Generation, Logger: p.logger()}
	if c.Faults {
		options.Faults = &simulator.Faults{}
	}
	feed := simulator.New(options)
	if c.Script != "" {
		if feed, err = scripted(c.Script, options); err != nil {
			return err
		}
	}
	listener, err := listen(ctx, c.Listen, "--listen")
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "A simulated provider answers at http://%s%s; Ctrl-C stops it.\n", reachable(listener.Addr()), simulator.FeedPath)
	return serveFeed(ctx, listener, feed)
}

// scripted reads a script; the files that it names lie beside it.
func scripted(path string, o simulator.Options) (http.Handler, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, configError("--script: %w", err)
	}
	defer file.Close()
	script, err := simulator.LoadScript(file, path, os.DirFS(filepath.Dir(path)))
	if err != nil {
		return nil, configError("--script: %w", err)
	}
	return script.Handler(o), nil
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/provider"
)

type providerCommand struct {
	List     providerListCommand     `cmd:"" help:"Check the provider files, and list the providers."`
	Check    providerCheckCommand    `cmd:"" help:"Check provider files. Needs no secrets, network or database."`
	Test     providerTestCommand     `cmd:"" help:"Show the events that come of a provider's feed. Needs no database."`
	Simulate providerSimulateCommand `cmd:"" help:"Serve a simulated provider, well-behaved or not, to test a client against."`
}

type providerListCommand struct {
	providers
}

// Run lists the providers.
func (c *providerListCommand) Run(p *program) error {
	sources, err := c.load(fetch.New(fetch.Options{}))
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SLUG\tNAME\tFORMAT\tTIME ZONE\tCURRENCY")
	for _, s := range sources {
		o := s.Provider()
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", o.Slug, o.Name, o.Format, o.TimeZone, o.Currency)
	}
	return table.Flush()
}

type providerCheckCommand struct {
	Files []string `arg:"" help:"Provider files, or directories of them." type:"path"`
}

// Run checks each file and directory, and reports all that are wrong. Variables for secrets need not be set.
func (c *providerCheckCommand) Run(p *program) error {
	getenv := func(name string) (string, bool) { return cmp.Or(os.Getenv(name), "unset"), true }
	var wrong []error
	for _, path := range c.Files {
		sources, err := loadPath(path, getenv)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		for _, s := range sources {
			fmt.Fprintln(p.stdout, "ok", s.Provider().Slug)
		}
	}
	if len(wrong) > 0 {
		return configError("%w", errors.Join(wrong...))
	}
	return nil
}

func loadPath(path string, getenv func(string) (string, bool)) ([]*provider.Source, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return provider.LoadDir(path, getenv, nil)
	}
	source, err := provider.LoadFile(path, getenv, nil)
	if err != nil {
		return nil, err
	}
	return []*provider.Source{source}, nil
}

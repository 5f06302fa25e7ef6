package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/aledotdev/marquee/internal/fetch"
)

type providerCommand struct {
	List     providerListCommand     `cmd:"" help:"List the provider files, checked."`
	Test     providerTestCommand     `cmd:"" help:"Show what would come of a provider's feed, without a database."`
	Simulate providerSimulateCommand `cmd:"" help:"Serve a simulated provider, well-behaved or not, to see how a client copes."`
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

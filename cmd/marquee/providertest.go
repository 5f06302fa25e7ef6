package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/provider"
)

type providerTestCommand struct {
	File string `arg:"" help:"The provider file." type:"existingfile"`
	Feed string `help:"Read this file instead of fetching the feed." type:"existingfile" placeholder:"FILE" env:"-"`
}

// Run shows the events and the quarantined records of a provider's feed.
func (c *providerTestCommand) Run(ctx context.Context, p *program) error {
	client := fetch.New(fetch.Options{Logger: p.logger()})
	getenv := os.LookupEnv
	if c.Feed != "" { // nothing is fetched: secrets need not be at hand
		getenv = func(name string) (string, bool) { return cmp.Or(os.Getenv(name), "unset"), true }
	}
	source, err := provider.LoadFile(c.File, getenv, client)
	if err != nil {
		return configError("%w", err)
	}
	snapshot, err := c.snapshot(ctx, client, source)
	if err != nil {
		return &exitError{syncExit(err), err}
	}
	defer snapshot.Close()
	body, err := source.Open(snapshot)
	if err != nil {
		return err
	}
	preview, err := source.Preview(ctx, body)
	if printErr := printPreview(p.stdout, preview); printErr != nil {
		return printErr
	}
	if err != nil {
		return &exitError{syncExit(err), fmt.Errorf("the snapshot would not be applied: %w", err)}
	}
	return nil
}

func (c *providerTestCommand) snapshot(ctx context.Context, client *fetch.Client, source *provider.Source) (*fetch.Snapshot, error) {
	if c.Feed != "" {
		return client.FromFile(c.Feed)
	}
	return source.Fetch(ctx, nil, nil)
}

// recordLine is a record as JSON lines show it: an event, in the API's words, or why it is none.
type recordLine struct {
	Key     event.Key      `json:"key"`
	ID      event.ID       `json:"id"`
	Event   *event.Event   `json:"event,omitempty"`
	Invalid string         `json:"invalid,omitempty"`
	Place   event.Position `json:"place"` // in the feed
	Excerpt string         `json:"excerpt,omitempty"`
}

func newRecordLine(r *event.Record) recordLine {
	line := recordLine{Key: r.Key, ID: r.Key.ID(), Place: r.Place, Excerpt: r.Excerpt}
	if r.Invalid != nil {
		line.Invalid = r.Invalid.Error()
	} else {
		line.Event = &r.Event
	}
	return line
}

// printPreview writes a table on a terminal, JSON lines elsewhere.
func printPreview(w io.Writer, p provider.Preview) error {
	if onTerminal(w) {
		previewTable(w, p)
		return nil
	}
	lines := jsonLines(w)
	for _, records := range [][]event.Record{p.Events, p.Quarantine} {
		for i := range records {
			if err := lines.Encode(newRecordLine(&records[i])); err != nil {
				return err
			}
		}
	}
	return nil
}

func previewTable(w io.Writer, p provider.Preview) {
	t := newTable(w)
	t.AppendHeader(table.Row{"event", "title", "starts", "ends", "zone", "min", "max", "place", "offers"})
	for i := range p.Events {
		e := &p.Events[i].Event
		starts, ends := e.Start.Local.String(), e.End.Local.String()
		if e.AllDay {
			starts = e.Start.Local.Date()
		}
		if e.AllDay && e.HasEnd() {
			ends = e.End.Local.Date()
		}
		t.AppendRow(row(
			event.Excerpt(e.Key.String(), 40), event.Excerpt(e.Title, 40), starts, ends, e.Zone,
			amount(e.MinPrice), amount(e.MaxPrice), event.Excerpt(placeName(e.Place), 30), len(e.Offers),
		))
	}
	if t.Length() > 0 {
		t.Render()
	}
	if len(p.Quarantine) > 0 {
		fmt.Fprintln(w, "\nQuarantined:")
		t := newTable(w)
		t.AppendHeader(table.Row{"event", "where", "why"})
		for _, r := range p.Quarantine {
			t.AppendRow(row(event.Excerpt(r.Key.String(), 40), r.Place, r.Invalid.Error()))
		}
		t.Render()
	}
	fmt.Fprintf(w, "\n%d records: %d events, %d of them on sale online; %d repeated; %d quarantined.\n",
		p.Records, p.Records-p.Repeated-p.Quarantined, p.Online, p.Repeated, p.Quarantined)
	if hidden := p.Records - p.Repeated - len(p.Events) - len(p.Quarantine); hidden > 0 {
		fmt.Fprintf(w, "The first %d of each are shown.\n", provider.MaxPreviewed)
	}
}

func amount(d *event.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}

func placeName(p event.Place) string {
	switch {
	case p.Name == "":
		return p.City
	case p.City == "":
		return p.Name
	default:
		return p.Name + ", " + p.City
	}
}

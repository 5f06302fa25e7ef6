package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/aledotdev/marquee/internal/catalog"
	"github.com/aledotdev/marquee/internal/event"
)

type syncRunsCommand struct {
	database
	Last  int      `help:"How many runs to list, 1 to 1000." default:"20"`
	Slugs []string `arg:"" optional:"" name:"slug" help:"Providers whose runs to list; all if none is named."`
}

// Run lists runs: as a table on a terminal, as JSON lines elsewhere.
func (c *syncRunsCommand) Run(ctx context.Context, p *program) error {
	if c.Last < 1 || c.Last > 1000 {
		return &exitError{exitUsage, fmt.Errorf("--last is %d, want 1 to 1000", c.Last)}
	}
	pool, err := c.open(ctx, p.logger(), readStatementTimeout)
	if err != nil {
		return err
	}
	defer pool.Close()
	runs, err := catalog.New(pool, time.Now).LatestRuns(ctx, c.Slugs, c.Last)
	if err != nil {
		return databaseError(err)
	}
	if !onTerminal(p.stdout) {
		lines := jsonLines(p.stdout)
		for _, r := range runs {
			if err := lines.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	t := newTable(p.stdout)
	t.AppendHeader(table.Row{"run", "provider", "started", "took", "outcome", "records", "added", "changed", "removed", "returned", "quarantined", "error"})
	for _, r := range runs {
		took := ""
		if r.FinishedAt != nil {
			took = r.FinishedAt.Sub(r.StartedAt).Round(time.Millisecond).String()
		}
		failure := ""
		if r.Error != nil {
			failure = *r.Error
		}
		t.AppendRow(table.Row{
			r.ID, r.Provider, r.StartedAt.Local().Format(time.DateTime), took, outcomeColor(r.Outcome).Sprint(r.Outcome),
			r.Records, r.Added, r.Changed, r.Removed, r.Returned, r.Quarantined, printable(text.Trim(failure, 60)),
		})
	}
	t.Render()
	return nil
}

// jsonLines writes values as JSON, one a line. <, > and & stay as they are, for the lines are no HTML.
func jsonLines(w io.Writer) *json.Encoder {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return lines
}

func outcomeColor(o event.Outcome) text.Colors {
	switch o {
	case event.OutcomeApplied:
		return text.Colors{text.FgGreen}
	case event.OutcomeFailed:
		return text.Colors{text.FgRed}
	case event.OutcomeHeld:
		return text.Colors{text.FgYellow}
	default:
		return nil
	}
}

func newTable(w io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder = false
	return t
}

// row is one of a table on a terminal, with texts of a feed.
func row(values ...any) table.Row {
	for i, value := range values {
		switch value.(type) {
		case string, fmt.Stringer:
			values[i] = printable(fmt.Sprint(value))
		}
	}
	return values
}

// printable is text that does nothing to a terminal: what does not print, or turns its direction around, is replaced.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aledotdev/marquee/internal/event"
	"github.com/aledotdev/marquee/internal/fetch"
	"github.com/aledotdev/marquee/internal/store"
	"github.com/aledotdev/marquee/internal/syncer"
)

type syncApproveCommand struct {
	database
	providers
	priority
	RunID int64 `arg:"" name:"run" help:"The number of the held run."`
}

// Run applies what the run holds.
func (c *syncApproveCommand) Run(ctx context.Context, p *program) error {
	c.lower(ctx, p.logger())
	sources, err := c.load(fetch.New(fetch.Options{}))
	if err != nil {
		return err
	}
	pool, err := c.open(ctx, p.logger(), 0)
	if err != nil {
		return err
	}
	defer pool.Close()
	held, err := store.New(pool).Held(ctx, c.RunID)
	if err != nil {
		return notHeld(err)
	}
	picked, err := named(sources, []string{held.Provider})
	if err != nil {
		return err
	}
	report, err := newSyncer(pool, p.logger()).Approve(ctx, held, picked[0])
	if err != nil {
		return notHeld(err)
	}
	done := report.Result.Counts
	fmt.Fprintf(p.stdout, "Applied as run %d: %d added, %d changed, %d removed, %d returned, %d quarantined.\n",
		report.RunID, done.Added, done.Changed, done.Removed, done.Returned, done.Quarantined)
	return nil
}

type syncRejectCommand struct {
	database
	RunID int64 `arg:"" name:"run" help:"The number of the held run."`
}

// Run rejects what the run holds.
func (c *syncRejectCommand) Run(ctx context.Context, p *program) error {
	pool, err := c.open(ctx, p.logger(), 0)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := store.New(pool).Reject(ctx, c.RunID); err != nil {
		return notHeld(err)
	}
	fmt.Fprintf(p.stdout, "Run %d is rejected; the same snapshot will not be asked about again.\n", c.RunID)
	return nil
}

// notHeld gives the exit code for a decision that could not be carried out.
func notHeld(err error) error {
	switch {
	case errors.Is(err, event.ErrNotHeld):
		return &exitError{exitUsage, err}
	case errors.Is(err, syncer.ErrMoreThanShown), errors.Is(err, syncer.ErrOtherSettings):
		return &exitError{exitHeld, err}
	case errors.Is(err, event.ErrRunning): // the decision was not carried out: this is no success
		return &exitError{exitTemporary, err}
	default:
		return &exitError{syncExit(err), err}
	}
}

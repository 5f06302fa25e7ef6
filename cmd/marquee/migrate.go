package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	entmigrate "github.com/aledotdev/marquee/ent/migrate"
	"github.com/aledotdev/marquee/internal/migrate"
)

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Apply the migrations that the database lacks, under a lock."`
	Status migrateStatusCommand `cmd:"" help:"List the migrations, and when each was applied."`
	Wait   migrateWaitCommand   `cmd:"" help:"Wait until the database has the schema that this program needs."`
}

type migrateUpCommand struct {
	database
	GrantTo     []string `help:"Roles to give the right to read and write the data, but not to change tables." placeholder:"ROLE"`
	GrantReadTo []string `help:"Roles to give the right to read the data." placeholder:"ROLE"`
}

// Run applies the migrations that the database lacks.
func (c *migrateUpCommand) Run(ctx context.Context, p *program) error {
	migrator, err := c.migrator(p)
	if err != nil {
		return err
	}
	pool, err := c.open(ctx, p.logger(), 0)
	if err != nil {
		return err
	}
	defer pool.Close()
	applied, err := migrator.Up(ctx)
	switch {
	case errors.Is(err, migrate.ErrPooler), errors.Is(err, migrate.ErrSchemaTooNew):
		return configError("%w", err)
	case errors.Is(err, migrate.ErrLockTimeout):
		return &exitError{exitTemporary, err}
	case err != nil:
		return databaseError(err)
	}
	if len(applied) == 0 {
		fmt.Fprintln(p.stdout, "Nothing to do: the schema is at its latest version.")
	}
	for _, m := range applied {
		fmt.Fprintln(p.stdout, "applied", m.Name)
	}
	for access, roles := range map[migrate.Access][]string{migrate.ReadWrite: c.GrantTo, migrate.ReadOnly: c.GrantReadTo} {
		for _, role := range roles {
			if err := migrator.Grant(ctx, role, access); err != nil {
				return configError("granting to %s: %w", role, err)
			}
		}
	}
	return nil
}

type migrateStatusCommand struct{ database }

// Run lists the migrations.
func (c *migrateStatusCommand) Run(ctx context.Context, p *program) error {
	migrator, err := c.migrator(p)
	if err != nil {
		return err
	}
	migrations, err := migrator.Status(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VERSION\tNAME\tAPPLIED")
	for _, m := range migrations {
		applied := "pending"
		if !m.Pending() {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		name := m.Name
		if name == "" {
			name = "(not of this program)"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\n", m.Version, name, applied)
	}
	return table.Flush()
}

type migrateWaitCommand struct {
	database
	Timeout duration `help:"How long to wait." default:"5m"`
}

// Run waits until the database has the schema of this program.
func (c *migrateWaitCommand) Run(ctx context.Context, p *program) error {
	migrator, err := c.migrator(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	err = migrator.Wait(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, migrate.ErrSchemaTooNew):
		return configError("%w", err)
	case errors.Is(err, context.DeadlineExceeded):
		return &exitError{exitTemporary, err}
	default:
		return databaseError(err)
	}
}

func (d database) migrator(p *program) (*migrate.Migrator, error) {
	url, err := d.url()
	if err != nil {
		return nil, err
	}
	migrator, err := migrate.New(string(url), entmigrate.Files(), migrate.Options{Logger: p.logger()})
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return migrator, nil
}

// Command diff writes the migration that brings a database at the latest migration to the ent schema:
//
//	go run ./ent/migrate/diff NAME
//
// It compares in a private PostgreSQL of its own. The file that it writes is a draft: read it, mend it
// (what locks a large table? what would an API of the version before make of it?) and commit it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"

	"github.com/aledotdev/marquee/ent/migrate/draft"
	"github.com/aledotdev/marquee/internal/pgdev"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "diff:", err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to undo
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 || !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(args[0]) {
		return fmt.Errorf("usage: diff NAME, with a name in lower case such as add_leases")
	}
	server, err := pgdev.Start(ctx, pgdev.Options{Ephemeral: true})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }() // it was a scratch one
	if err := server.EnsureDatabase(ctx, "diff"); err != nil {
		return err
	}
	written, err := draft.Write(ctx, server.URL("diff"), filepath.Join("ent", "migrate", "migrations"), args[0])
	if err != nil {
		return err
	}
	if written == "" {
		fmt.Println("The migrations already make the ent schema: nothing written.")
		return nil
	}
	fmt.Println("Written, for you to review:", written)
	return nil
}

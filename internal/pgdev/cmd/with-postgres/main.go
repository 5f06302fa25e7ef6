// Command with-postgres runs a command with a private PostgreSQL for its tests:
//
//	go run ./internal/pgdev/cmd/with-postgres -- go test ./...
//
// One server for all packages, named in MARQUEE_TEST_DATABASE_URL, gone when the
// command ends, however it ends. If the variable is set already, that server is
// used. Missing PostgreSQL programs are installed where that is possible (root
// on Debian). The exit code is the command's; 128 and the signal's number when a
// signal ended it; 64 without a command; 69 without a server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/aledotdev/marquee/internal/pgdev"
)

const (
	variable = "MARQUEE_TEST_DATABASE_URL"

	exitUsage       = 64 // EX_USAGE of sysexits.h
	exitUnavailable = 69 // EX_UNAVAILABLE
	exitNotFound    = 127
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

func run(args []string, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(stderr, "usage: with-postgres [--] COMMAND [ARGUMENT…]")
		return exitUsage
	}
	// Caught from the beginning, so that no signal ends us without the server.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)

	if os.Getenv(variable) != "" {
		return runCommand(args, os.Environ(), signals, stderr)
	}
	server, err := startServer(signals, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "with-postgres:", err)
		return exitUnavailable
	}
	code := runCommand(args, append(os.Environ(), variable+"="+server.URL("postgres")), signals, stderr)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		fmt.Fprintln(stderr, "with-postgres: stop PostgreSQL:", err)
	}
	return code
}

// startServer starts the server, installing it first if need be. A signal ends
// the attempt.
func startServer(signals <-chan os.Signal, stderr io.Writer) (*pgdev.Server, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	go func() {
		select {
		case sig := <-signals:
			cancel(fmt.Errorf("%v", sig))
		case <-ctx.Done():
		}
	}()
	o := pgdev.Options{Ephemeral: true, Settings: map[string]string{
		"max_connections": "300", // many packages, each with many parallel tests
	}}
	server, err := pgdev.Start(ctx, o)
	if errors.Is(err, pgdev.ErrNoBinaries) || errors.Is(err, pgdev.ErrTooOld) {
		fmt.Fprintln(stderr, "with-postgres: installing PostgreSQL")
		if err := pgdev.Install(ctx, stderr); err != nil {
			return nil, err
		}
		server, err = pgdev.Start(ctx, o)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return server, err
}

// runCommand runs the command in a process group of its own and passes it our
// signals. A Ctrl-C in the terminal reaches us alone, and the group once, by us.
func runCommand(args, env []string, signals <-chan os.Signal, stderr io.Writer) int {
	// On Linux the command is told when we are killed; that is tied to this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // signals end it, and its exit code is ours
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = commandAttributes()
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(stderr, "with-postgres:", err)
		return exitNotFound
	}
	ended := make(chan struct{})
	forwarded := make(chan struct{})
	go func() {
		defer close(forwarded)
		for {
			select {
			case sig := <-signals:
				if number, ok := sig.(syscall.Signal); ok {
					// An error means that it has ended by now.
					_ = syscall.Kill(-cmd.Process.Pid, number)
				}
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-forwarded
	return exitCode(err, stderr)
}

func exitCode(err error, stderr io.Writer) int {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			fmt.Fprintln(stderr, "with-postgres:", err)
			return 1
		}
		return 0
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

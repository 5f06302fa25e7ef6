// Command with-postgres runs a command with a private PostgreSQL for its tests:
//
//	go run ./internal/pgdev/cmd/with-postgres -- go test ./...
//
// There is one server for all packages. MARQUEE_TEST_DATABASE_URL names it, and
// it is gone when the command ends, however it ends. If the variable is set
// already, that server is used instead. Missing PostgreSQL programs are installed
// if that is possible (as root on Debian).
//
// The exit code is that of the command; 128 plus the signal's number if a signal
// ended it; 127 if the command cannot be started; 64 if none is given; 69 if
// there is no server.
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
	// Caught from the beginning, so that no signal ends us and leaves the server.
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

// startServer starts the server, and installs it first if necessary. A signal
// ends the attempt.
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

// runCommand runs the command in its own process group and passes our signals on
// to that group. So a Ctrl-C in the terminal reaches the command only once.
func runCommand(args, env []string, signals <-chan os.Signal, stderr io.Writer) int {
	// On Linux, the kernel signals the command when we are killed: when this thread
	// ends, to be exact.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // it ends by signals, and we return its exit code
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
					// An error means that the command has ended.
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

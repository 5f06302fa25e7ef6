// Command marquee syncs the listings of event providers into PostgreSQL and serves them over GraphQL and
// REST. See README.md, or marquee --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // images have no zone files

	"github.com/alecthomas/kong"
)

// Exit codes, those of sysexits.h where there is one.
const (
	exitOK        = 0
	exitUsage     = 64
	exitData      = 65 // the feed broke its contract
	exitHeld      = 69 // held by the safety brake
	exitBug       = 70
	exitTemporary = 75 // try again
	exitConfig    = 78
)

// version is set by the linker.
var version = "dev"

func main() {
	// The first signal asks for an orderly end, the second gets a quick one.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	error
}

// Unwrap returns the error without its exit code.
func (e *exitError) Unwrap() error { return e.error }

func configError(format string, args ...any) error {
	return &exitError{exitConfig, fmt.Errorf(format, args...)}
}

// program is what commands know of the outside: where to print, the flags, and the parser that knows them all.
type program struct {
	stdout io.Writer
	stderr io.Writer
	cli    *cli
	kong   *kong.Kong
}

// run is the program but for the process: everything that a test can call.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p := &program{stdout: stdout, stderr: stderr, cli: &cli{}}
	err := p.parseAndRun(ctx, args)
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		fmt.Fprintln(stderr, "marquee:", err)
		return exit.code
	default:
		fmt.Fprintln(stderr, "marquee:", err)
		return exitBug
	}
}

// errHelpShown stops the program after --help or --version.
var errHelpShown = errors.New("help shown")

func (p *program) parseAndRun(ctx context.Context, args []string) (err error) {
	if err := loadEnvFiles(); err != nil {
		return err
	}
	defer func() {
		// kong ends the program after --help by its exit function, which must not end a test.
		if r := recover(); r != nil {
			if r != errHelpShown { //nolint:errorlint // A panic's value, not a chain.
				panic(r)
			}
			err = nil
		}
	}()
	parser, err := kong.New(p.cli,
		kong.Name("marquee"),
		kong.Description("Event listings of many providers, one fast GraphQL API."),
		kong.DefaultEnvars("MARQUEE"),
		kong.Vars{"version": version},
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(int) { panic(errHelpShown) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		return fmt.Errorf("the program's own flags: %w", err)
	}
	p.kong = parser
	if err := p.checkEnvironment(); err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		if _, wrong := errors.AsType[*exitError](err); wrong { // a value that is wrong; kong's text names the flag
			return &exitError{exitConfig, err}
		}
		return &exitError{exitUsage, fmt.Errorf("%w; see marquee --help", err)}
	}
	return parsed.Run()
}

package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/joho/godotenv"
	"golang.org/x/term"

	"github.com/aledotdev/marquee/internal/httpapi"
)

// cli is every command and flag. A flag --some-name is also MARQUEE_SOME_NAME in the environment, in
// .env-local and in .env; the first of these that is set counts.
type cli struct {
	LogLevel  logLevel         `help:"Lowest level that is logged: debug, info, warn, error." default:"info"`
	LogFormat logFormat        `help:"Form of log lines: text, json, or auto: text on a terminal, else json." default:"auto"`
	Version   kong.VersionFlag `help:"Print the version." env:"-"`

	Dev      devCommand      `cmd:"" help:"Run everything on this machine: PostgreSQL, a demo provider, its syncs, the API."`
	Serve    serveCommand    `cmd:"" help:"Serve the API."`
	Sync     syncCommand     `cmd:"" help:"Sync providers: those that are named, or all."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database's schema up to date."`
	Provider providerCommand `cmd:"" help:"Check and try out provider files."`
	Query    queryCommand    `cmd:"" help:"Send one GraphQL query to an API and print the answer."`
	Config   configCommand   `cmd:"" help:"Print the configuration in force, without secrets."`
}

// database is where the catalog lives.
type database struct {
	DatabaseURL      databaseURL `help:"The database: postgres://user:password@host/name." name:"database-url"`
	DatabaseMaxConns poolSize    `help:"Most connections to the database, 1 to 1000; 0: as the URL says (pool_max_conns), else one for each core and at least 4." default:"0"`
}

// url is the database's URL, or an error that says how to give one.
func (d database) url() (databaseURL, error) {
	if d.DatabaseURL == "" {
		return "", configError("--database-url (MARQUEE_DATABASE_URL) is missing: want postgres://user:password@host/name")
	}
	return d.DatabaseURL, nil
}

// loadEnvFiles puts what .env-local and .env set into the environment, where it is not set already.
func loadEnvFiles() error {
	for _, name := range []string{".env-local", ".env"} {
		if err := godotenv.Load(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return configError("%s: %w", name, err)
		}
	}
	return nil
}

// open opens a pool (see openPool), and waits until the database answers and can be used (see awaitDatabase).
func (d database) open(ctx context.Context, log *slog.Logger, statementTimeout time.Duration, tracers ...pgx.QueryTracer) (*pgxpool.Pool, error) {
	url, err := d.url()
	if err != nil {
		return nil, err
	}
	pool, err := openPool(ctx, url, d.DatabaseMaxConns, statementTimeout, tracers...)
	if err != nil {
		return nil, err
	}
	if err := awaitDatabase(ctx, log, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

type logLevel struct{ slog.Level }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *logLevel) UnmarshalText(text []byte) error {
	if err := l.Level.UnmarshalText(text); err != nil {
		return configError("%q: want debug, info, warn or error", text)
	}
	return nil
}

type logFormat string

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *logFormat) UnmarshalText(text []byte) error {
	switch *f = logFormat(text); *f {
	case "auto", "text", "json":
		return nil
	}
	return configError("%q: want auto, text or json", text)
}

// databaseURL may hold a password: it never prints itself.
type databaseURL string

// UnmarshalText implements encoding.TextUnmarshaler.
func (u *databaseURL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return configError("empty: want postgres://user:password@host/name")
	}
	if _, err := pgxpool.ParseConfig(string(text)); err != nil {
		return configError("not a PostgreSQL URL: want postgres://user:password@host/name") // the cause may quote the password
	}
	*u = databaseURL(text)
	return nil
}

// String hides user, password and parameters.
func (u databaseURL) String() string { return redacted(string(u)) }

// poolSize is how many connections a pool may hold; 0 leaves it to the URL.
type poolSize int32

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *poolSize) UnmarshalText(text []byte) error {
	number, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil || number < 0 || number > 1000 {
		return configError("%q: want a number of connections from 1 to 1000, or 0 for the default", text)
	}
	*s = poolSize(number)
	return nil
}

type address string

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *address) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if number, atoi := strconv.Atoi(port); err != nil || atoi != nil || number < 0 || number > 65535 {
		return configError("%q: want host:port such as 127.0.0.1:8080 or :8080", text)
	}
	*a = address(text)
	return nil
}

type duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < time.Second || parsed > 30*24*time.Hour {
		return configError("%q: want a duration from 1s to 720h such as 60s or 15m", text)
	}
	*d = duration(parsed)
	return nil
}

// String is the form of the flag.
func (d duration) String() string { return time.Duration(d).String() }

// logger writes to stderr; stdout is for what a command prints.
func (p *program) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: p.cli.LogLevel.Level}
	format := p.cli.LogFormat
	if format == "auto" {
		format = "json"
		if onTerminal(p.stderr) {
			format = "text"
		}
	}
	if format == "text" {
		return slog.New(httpapi.RequestLog(slog.NewTextHandler(p.stderr, options)))
	}
	options.ReplaceAttr = withUnit
	return slog.New(httpapi.RequestLog(slog.NewJSONHandler(p.stderr, options)))
}

// withUnit has a duration say its unit, "61.8ms", as the text format does: slog's JSON has bare nanoseconds.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// onTerminal says whether a person sees what is written to w. /dev/null, where cron jobs send their output, is no terminal.
func onTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

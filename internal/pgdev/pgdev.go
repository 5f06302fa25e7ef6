// Package pgdev runs a private PostgreSQL for `marquee dev` and for the tests:
// a child process that listens on a Unix socket only, keeps its data in one
// directory and dies with the program that started it.
//
// PostgreSQL refuses to run as root. If the program runs as root, the server
// runs as the user that owns the data already or, for new data, as user postgres
// or, if there is none, nobody.
package pgdev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

var (
	// ErrNoBinaries means that no PostgreSQL server programs were found. Its
	// message says what to install.
	ErrNoBinaries = errors.New("no PostgreSQL server found; install it (Debian, Ubuntu: apt-get install postgresql; " +
		"Fedora: dnf install postgresql-server; macOS: brew install postgresql) or give the URL of a running one")
	// ErrTooOld means that only servers older than [MinVersion] were found.
	ErrTooOld = fmt.Errorf("PostgreSQL is too old, %d or later is needed", MinVersion)
	// ErrVersionMismatch means that the data was written by a major version of
	// PostgreSQL that is not installed.
	ErrVersionMismatch = errors.New("the data belongs to another major version of PostgreSQL")
	// ErrInUse means that another running program holds the directory.
	ErrInUse = errors.New("directory is in use")
	// ErrUnreachable means that the user as whom the server has to run cannot
	// enter the directory.
	ErrUnreachable = errors.New("directory is closed to the server's user")
)

const (
	superuser    = "postgres"
	port         = "5432"           // names the socket file; no TCP port is opened
	readyTimeout = 60 * time.Second // crash recovery can take a while
	stopGrace    = 5 * time.Second  // between one signal to stop a process and the next, harder one
	maxRestarts  = 5                // after crashes in a row, each within a minute of a start
)

// Options says where and how to run the server. With the zero value, its data is
// kept in [DefaultDir].
type Options struct {
	// Dir is the directory for data, socket, log and lock. Empty: [DefaultDir], or
	// for an ephemeral server a new directory, which Stop removes. If the program
	// is killed, the next start of an ephemeral server removes it.
	Dir string
	// BinDir is the directory with postgres and initdb. Empty: the one that
	// [FindBinaries] finds.
	BinDir string
	// Ephemeral is for tests: the server trades durability for speed, stops
	// without a checkpoint, and is not started again after a crash.
	Ephemeral bool
	// Settings are PostgreSQL settings that override those of this package.
	Settings map[string]string
	// Logger gets a line for starts, crashes and stops. Nil: nothing is logged.
	Logger *slog.Logger
}

// Server is a running private PostgreSQL. Its methods are safe for concurrent use.
type Server struct {
	place   *place
	bin     string
	account *account
	args    []string
	quick   bool // ephemeral: stop without a checkpoint, don't start again after a crash
	log     *slog.Logger

	ready    atomic.Bool   // it has answered once
	done     chan struct{} // closed when the process is gone for good
	released sync.Once

	mu       sync.Mutex
	process  *os.Process
	stopping bool
	err      error // why it is gone, if it was not stopped; to be read after done is closed
}

// Start starts the server and returns when it answers, for which it waits a minute.
// Errors: [ErrNoBinaries], [ErrTooOld], [ErrVersionMismatch], [ErrInUse],
// [ErrUnreachable], or one that has the server's last log lines in it.
func Start(ctx context.Context, o Options) (*Server, error) {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	// First of all, so that nothing is written if there are no binaries.
	if _, _, err := FindBinaries(o.BinDir); err != nil {
		return nil, err
	}
	who, err := serverAccount()
	if err != nil {
		return nil, err
	}
	where, err := openPlace(ctx, o, who, log)
	if err != nil {
		return nil, err
	}
	s := &Server{place: where, account: where.owner(who), quick: o.Ephemeral, log: log, done: make(chan struct{})}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL in %s: %w", where.dir, err), s.release())
	}
	return s, nil
}

// start does what Start has to do once the directory is locked.
func (s *Server) start(ctx context.Context, o Options) error {
	began := time.Now()
	var err error
	if s.bin, err = binariesFor(o.BinDir, s.place.data); err != nil {
		return err
	}
	if err := endOrphans(ctx, s.place.data, s.log); err != nil {
		return err
	}
	if err := s.place.prepare(s.account); err != nil {
		return err
	}
	if err := s.initialise(ctx); err != nil {
		return err
	}
	s.args = arguments(s.place, o)

	logStart, err := s.place.rotateLog()
	if err != nil {
		return err
	}
	go s.supervise() //nolint:gosec // G118: the server outlives the call that started it; Stop ends it
	if err := s.waitReady(ctx); err != nil {
		tail := s.place.logTail(logStart)
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		return errors.Join(fmt.Errorf("%w; its log ends:\n%s", err, tail), s.Stop(stopCtx))
	}
	s.log.InfoContext(ctx, "PostgreSQL is ready", "dir", s.place.dir, "bin", s.bin, "took", time.Since(began))
	return nil
}

// waitReady returns when a connection succeeds.
func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			s.ready.Store(true)
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-s.done:
			return fmt.Errorf("PostgreSQL ended before it could answer: %w", s.err)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w: %w", ctx.Err(), err)
		}
	}
}

// URL is the connection string of a database, for superuser postgres over the
// Unix socket. pgx and libpq both understand it.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(superuser),
		Path:     "/" + database,
		RawQuery: url.Values{"host": {s.place.run}, "port": {port}}.Encode(),
	}
	return u.String()
}

// Dir is the directory that holds everything of this server.
func (s *Server) Dir() string { return s.place.dir }

// Done is closed when the server is gone for good: because it was stopped, or
// has crashed too often to be started again.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is why the server is gone. It is nil until Done is closed, and if the
// server was stopped.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// LogFile is the path of the server's log.
func (s *Server) LogFile() string { return s.place.log }

// EnsureDatabase creates a database if it does not exist.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		return fmt.Errorf("look for database %s: %w", name, err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Stop shuts the server down (it closes connections and rolls transactions back)
// and waits until it is gone. If ctx ends first, the server is killed, and has to
// recover at its next start; no committed data is lost. Stop may be called more
// than once. The error is about files that could not be removed.
func (s *Server) Stop(ctx context.Context) error {
	gentle := syscall.SIGINT // PostgreSQL's "fast" shutdown
	if s.quick {
		gentle = syscall.SIGQUIT // "immediate": nobody will read this data again
	}
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	s.signal(gentle)
	select {
	case <-s.done:
	case <-ctx.Done():
		s.log.Warn("PostgreSQL does not stop in time; killing it")
		s.signal(syscall.SIGQUIT)
		select {
		case <-s.done:
		case <-time.After(stopGrace):
			s.signal(syscall.SIGKILL)
			<-s.done
		}
	}
	return s.release()
}

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		// An error means that the process has ended already.
		_ = s.process.Signal(sig)
	}
}

func (s *Server) release() (err error) {
	s.released.Do(func() { err = s.place.release() })
	return err
}

// DefaultDir is the directory of `marquee dev`: /var/lib/marquee/dev for root,
// else marquee/dev in the user's data folder (XDG Base Directory). The error is
// that there is no home directory.
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/marquee/dev", nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "marquee", "dev"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for data: %w", err)
	}
	return filepath.Join(home, ".local", "share", "marquee", "dev"), nil
}

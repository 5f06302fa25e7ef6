package pgdev

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// maxSocketPath is the longest socket path that fits sockaddr_un: 107 bytes
	// on Linux, 103 on macOS and the BSDs.
	maxSocketPath = 103
	maxLog        = 4 << 20 // bytes; a longer log is moved aside at the next start
	tailLog       = 4 << 10 // bytes of the log that an error quotes
)

// place is the directory of one server:
//
//	lock          locked with flock by the program that uses the directory; has its PID
//	data/         the cluster, owned by the server's user
//	run/          the socket (elsewhere if that path is too long); nobody but the
//	              server's user and root can enter, and nothing else guards the server
//	postgres.log  and postgres.log.1, the log before it
type place struct {
	dir, data, run, log string

	lock *os.File
	temp bool // release removes it
}

// openPlace makes and locks the directory.
func openPlace(ctx context.Context, o Options, who *account, log *slog.Logger) (*place, error) {
	if o.Dir == "" && o.Ephemeral {
		return openTemp(ctx, who, log)
	}
	dir := o.Dir
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := makeDir(dir, who); err != nil {
		return nil, err
	}
	return lockPlace(dir)
}

// openTemp makes and locks a new directory for an ephemeral server, and removes
// the directories of those whose program has died. One lock over all of them
// keeps another program from removing a directory that is made but not locked
// yet.
func openTemp(ctx context.Context, who *account, log *slog.Logger) (*place, error) {
	parent, err := tempParent(who)
	if err != nil {
		return nil, err
	}
	sweep, err := os.OpenFile(filepath.Join(parent, "sweep"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	defer sweep.Close() // unlocks
	if err := flock(sweep, syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", sweep.Name(), err)
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		old, err := lockPlace(filepath.Join(parent, e.Name()))
		if err != nil {
			continue // usually because it is in use
		}
		old.temp = true
		if err := errors.Join(endOrphans(ctx, old.data, log), old.release()); err != nil {
			log.WarnContext(ctx, "cannot remove the directory of a dead test server", "dir", old.dir, "error", err)
		}
	}
	dir, err := os.MkdirTemp(parent, strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, err
	}
	if err := passable(dir, who); err != nil {
		return nil, err
	}
	p, err := lockPlace(dir)
	if err != nil {
		return nil, err
	}
	p.temp = true
	return p, nil
}

// tempParent makes our own directory under the system's directory for temporary
// files, or under /tmp if the server's user cannot enter that.
func tempParent(who *account) (string, error) {
	name := "marquee-pg-" + strconv.Itoa(os.Geteuid())
	dir := filepath.Join(os.TempDir(), name)
	err := makeDir(dir, who)
	if errors.Is(err, ErrUnreachable) {
		dir = filepath.Join("/tmp", name)
		err = makeDir(dir, who)
	}
	if err != nil {
		return "", err
	}
	return dir, checkOwner(dir, uint32(os.Geteuid()))
}

// makeDir makes a directory that only we can read, and that the server's user
// can pass through. A directory that exists stays as it is. The error is
// [ErrUnreachable] if the server's user cannot get there.
func makeDir(dir string, who *account) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = passable(dir, who)
	}
	if err != nil && !os.IsExist(err) {
		return err
	}
	return checkReachable(dir, who)
}

// passable lets the server's user pass through a new directory, but not list it.
func passable(dir string, who *account) error {
	if who == nil {
		return nil
	}
	return os.Chmod(dir, 0o711)
}

// checkOwner refuses a path that is a link, that is not a directory, or that
// belongs to another user: in a directory to which everybody may write, another
// user may have made it before us.
func checkOwner(dir string, uid uint32) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if owner, _ := owners(info); owner != uid {
		return fmt.Errorf("%s belongs to another user (uid %d, want %d)", dir, owner, uid)
	}
	return nil
}

// checkReachable returns [ErrUnreachable] if the server's user cannot enter dir
// or a directory above it.
func checkReachable(dir string, who *account) error {
	if who == nil {
		return nil
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		bit := fs.FileMode(0o001)
		switch uid, gid := owners(info); {
		case uid == who.uid:
			bit = 0o100
		case gid == who.gid:
			bit = 0o010
		}
		if info.Mode()&bit == 0 {
			return fmt.Errorf("%w: user %s cannot enter %s (mode %v); choose another directory", ErrUnreachable, who.name, at, info.Mode().Perm())
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

func owners(info fs.FileInfo) (uid, gid uint32) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid, st.Gid
	}
	return 0, 0
}

// lockPlace locks the directory for this program. The error is [ErrInUse], with
// the process that has it, if another program has locked it.
func lockPlace(dir string) (*place, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(file, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		holder := "another program"
		if pid := readPID(file.Name()); pid > 0 {
			holder = fmt.Sprintf("process %d", pid)
		}
		return nil, fmt.Errorf("%w: %s is held by %s; stop it, or choose another directory", ErrInUse, dir, holder)
	}
	if err := file.Truncate(0); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := fmt.Fprintln(file, os.Getpid()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &place{
		dir:  dir,
		data: filepath.Join(dir, "data"),
		run:  socketDir(dir),
		log:  filepath.Join(dir, "postgres.log"),
		lock: file,
	}, nil
}

// flock calls flock(2), again if a signal interrupts it.
func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// socketDir is dir/run. If that path is too long for a socket, or has characters
// that mean something in a connection string (clients split hosts at commas), it
// is a separate directory with a short path.
func socketDir(dir string) string {
	fits := func(run string) bool {
		return len(run)+len("/.s.PGSQL.")+len(port) <= maxSocketPath && !strings.ContainsAny(run, " ,+%\"'\\")
	}
	if run := filepath.Join(dir, "run"); fits(run) {
		return run
	}
	short := fmt.Sprintf("marquee-%x", sha256.Sum256([]byte(dir)))[:len("marquee-")+16]
	if run := filepath.Join(os.TempDir(), short); fits(run) {
		return run
	}
	return filepath.Join("/tmp", short)
}

// owner is the account to run the server as: who or, if we are root, the user
// that owns the data already. The two differ if user postgres was created after
// the data was.
func (p *place) owner(who *account) *account {
	if who == nil {
		return nil
	}
	info, err := os.Lstat(p.data)
	if err != nil {
		return who
	}
	uid, gid := owners(info)
	if uid == 0 || uid == who.uid {
		return who
	}
	return &account{name: "uid " + strconv.Itoa(int(uid)), uid: uid, gid: gid}
}

// prepare makes the socket directory, and removes the socket that a dead server
// may have left there.
func (p *place) prepare(who *account) error {
	owner := uint32(os.Geteuid())
	if who != nil {
		owner = who.uid
	}
	if err := checkReachable(p.dir, who); err != nil {
		return err
	}
	err := os.Mkdir(p.run, 0o700)
	if err == nil && who != nil {
		err = os.Lchown(p.run, int(who.uid), int(who.gid))
	}
	if err != nil && !os.IsExist(err) {
		return err
	}
	if err := checkOwner(p.run, owner); err != nil {
		return err
	}
	if err := os.Chmod(p.run, 0o700); err != nil {
		return err
	}
	for _, name := range []string{".s.PGSQL." + port, ".s.PGSQL." + port + ".lock"} {
		if err := os.Remove(filepath.Join(p.run, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// rotateLog moves a long log aside, and returns the offset in bytes at which new
// entries will begin.
func (p *place) rotateLog() (int64, error) {
	info, err := os.Stat(p.log)
	switch {
	case os.IsNotExist(err):
		return 0, nil
	case err != nil:
		return 0, err
	case info.Size() > maxLog:
		return 0, os.Rename(p.log, p.log+".1")
	}
	return info.Size(), nil
}

func (p *place) openLog() (*os.File, error) {
	return os.OpenFile(p.log, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
}

// logTail is what was written to the log since an offset in bytes, at most the
// last tailLog bytes of it.
func (p *place) logTail(since int64) string {
	file, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		since = max(since, info.Size()-tailLog)
	}
	if _, err := file.Seek(since, io.SeekStart); err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(io.LimitReader(file, tailLog))
	if err != nil {
		return err.Error()
	}
	return strings.ToValidUTF8(strings.TrimSpace(string(text)), "?")
}

// release unlocks the directory, or removes it if it is temporary.
func (p *place) release() error {
	var err error
	if filepath.Dir(p.run) != p.dir {
		err = removeAll(p.run)
	}
	if p.temp {
		err = errors.Join(err, removeAll(p.dir))
	}
	return errors.Join(err, p.lock.Close())
}

// removeAll removes a directory. It tries several times, because the last
// process of a server may still be writing to it.
func removeAll(dir string) error {
	var err error
	for range 10 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		<-time.After(20 * time.Millisecond)
	}
	return err
}

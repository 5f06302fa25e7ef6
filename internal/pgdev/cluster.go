package pgdev

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
)

// initialise makes the cluster on the first start. It makes it in a temporary
// directory and moves that to its place when it is complete, so that a kill
// half-way leaves nothing that looks like data.
func (s *Server) initialise(ctx context.Context) error {
	data := s.place.data
	_, err := os.Stat(data)
	if err == nil { // binariesFor, too, takes a directory without PG_VERSION for no data
		if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil {
			return fmt.Errorf("%s exists, but has no PostgreSQL data in it: %w", data, err)
		}
		return nil
	}
	if !os.IsNotExist(err) {
		return err
	}
	halves, _ := filepath.Glob(data + ".new-*") // the only possible error is a malformed pattern
	for _, half := range halves {
		if err := os.RemoveAll(half); err != nil {
			return err
		}
	}
	fresh, err := os.MkdirTemp(s.place.dir, "data.new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh) // if all goes well, it has been moved by then
	if s.account != nil {
		if err := os.Lchown(fresh, int(s.account.uid), int(s.account.gid)); err != nil {
			return fmt.Errorf("give %s to user %s: %w", fresh, s.account.name, err)
		}
	}
	// C.UTF-8 sorts and folds by code point, in the same way on every machine.
	// Systems without it get C, which knows no letters outside ASCII.
	var output []byte
	for _, locale := range []string{"C.UTF-8", "C"} {
		if output, err = s.initdb(ctx, fresh, locale); err == nil {
			return os.Rename(fresh, data)
		}
		if ctx.Err() != nil || !bytes.Contains(output, []byte("locale")) {
			break
		}
	}
	return fmt.Errorf("initdb: %w:\n%s", err, bytes.TrimSpace(output[max(0, len(output)-tailLog):]))
}

func (s *Server) initdb(ctx context.Context, dir, locale string) ([]byte, error) {
	args := []string{
		"--pgdata=" + dir, "--username=" + superuser, "--encoding=UTF8", "--locale=" + locale,
		// Whoever can reach the socket is trusted: only the server's user and root can enter its directory. TCP is off; if it
		// is turned on by a setting, connections are still refused.
		"--auth-local=trust", "--auth-host=reject", "--no-instructions",
	}
	if s.quick {
		args = append(args, "--no-sync")
	} else {
		args = append(args, "--data-checksums")
	}
	// The kernel sends the death signal when this thread ends: see supervise.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return s.command(ctx, syscall.SIGKILL, "initdb", args...).CombinedOutput()
}

// arguments is the command line of the server. Settings are given here instead
// of in postgresql.conf, so that a new version of this program uses its own
// settings with old data.
func arguments(p *place, o Options) []string {
	settings := map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": p.run,
		"unix_socket_permissions": "0700",
		"port":                    port,
		"cluster_name":            "marquee",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"jit":                     "off", // for short queries it costs more than it saves
		"logging_collector":       "off",
		"log_destination":         "stderr",
	}
	if o.Ephemeral {
		maps.Copy(settings, map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
			"wal_level":          "minimal",
			"max_wal_senders":    "0",
			"shared_buffers":     "64MB",
			"max_connections":    "100",
		})
	}
	maps.Copy(settings, o.Settings)
	args := []string{"-D", p.data}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", key+"="+settings[key])
	}
	return args
}

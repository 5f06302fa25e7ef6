package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

// marquee runs the program as from a shell.
func marquee(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// alone keeps the settings of whoever runs the tests out of them, and leaves an empty directory to be in.
func alone(t *testing.T) {
	t.Helper()
	for _, name := range settings() {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	t.Cleanup(func() { // what an .env file has set
		for _, name := range settings() {
			os.Unsetenv(name)
		}
	})
	t.Setenv("MARQUEE_NICE", "0") // the process is that of all tests, and its priority does not come back
	t.Chdir(t.TempDir())
}

// settings are the variables of the program that are set.
func settings() []string {
	var names []string
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "MARQUEE_") && name != pgtest.Variable {
			names = append(names, name)
		}
	}
	return names
}

func TestMistakes(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, test := range []struct {
		name  string
		env   map[string]string
		files map[string]string
		args  []string
		code  int
		says  []string
	}{
		{name: "no such command", args: []string{"dance"}, code: exitUsage, says: []string{"dance", "--help"}},
		{name: "no such flag", args: []string{"serve", "--loud"}, code: exitUsage, says: []string{"--loud"}},
		{name: "a plan again and again", args: []string{"sync", "--dry-run", "--every=1m"}, code: exitUsage, says: []string{"--every and --dry-run"}},
		{name: "what is due again and again", args: []string{"sync", "run", "--due", "--every=1m"}, code: exitUsage, says: []string{"--every and --due"}},
		{name: "a plan of what is due", args: []string{"sync", "--due", "--dry-run"}, code: exitUsage, says: []string{"--due and --dry-run"}},
		{name: "a plan, where syncs have an interval", env: map[string]string{"MARQUEE_EVERY": "1m"}, args: []string{"sync", "--dry-run"}, code: exitConfig, says: []string{"--providers"}},
		{name: "wrong flag", args: []string{"dev", "--listen", "here"}, code: exitConfig, says: []string{"--listen", "here", "127.0.0.1:8080"}},
		{name: "wrong variable", env: map[string]string{"MARQUEE_EVERY": "often"}, args: []string{"dev"}, code: exitConfig, says: []string{"MARQUEE_EVERY", "often", "60s"}},
		{name: "wrong variable of another command", env: map[string]string{"MARQUEE_EVERY": "often"}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_EVERY"}},
		{name: "a variable that is no number", env: map[string]string{"MARQUEE_KEEP_DAYS": "abc"}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_KEEP_DAYS", "abc", "0 for ever"}},
		{name: "a number of another command that is none", env: map[string]string{"MARQUEE_LAST": "abc"}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_LAST", "abc"}},
		{name: "a size that is none", env: map[string]string{"MARQUEE_CACHE_MIB": "-1"}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_CACHE_MIB", "-1"}},
		{name: "a variable that is no boolean", env: map[string]string{"MARQUEE_NOW": "perhaps"}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_NOW", "perhaps"}},
		{name: "a variable that is none of its words", env: map[string]string{"MARQUEE_DOCUMENTS": "closed"}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_DOCUMENTS", "closed", "open,prefer,only"}},
		{name: "an empty variable", env: map[string]string{"MARQUEE_EVERY": ""}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_EVERY", "60s"}},
		{name: "days below 0", args: []string{"sync", "--keep-days=-3"}, code: exitConfig, says: []string{"--keep-days", "-3", "0 for ever"}},
		{name: "wrong in .env", files: map[string]string{".env": "MARQUEE_LOG_LEVEL=loud\n"}, args: []string{"config"}, code: exitConfig, says: []string{"MARQUEE_LOG_LEVEL", "loud", "debug"}},
		{name: "broken .env", files: map[string]string{".env": "what is this\n"}, args: []string{"config"}, code: exitConfig, says: []string{".env"}},
		{name: "no database", args: []string{"serve"}, code: exitConfig, says: []string{"--database-url", "MARQUEE_DATABASE_URL", "postgres://"}},
		{name: "bad database", args: []string{"serve", "--database-url", "postgres://u:sekret@h:port/x"}, code: exitConfig, says: []string{"--database-url"}},
		{name: "a manifest nowhere", args: []string{"serve", "--database-url=postgres://h/x", "--trusted-documents=~/nowhere.json"}, code: exitConfig, says: []string{"open /", "/nowhere.json"}},
		{name: "no providers", args: []string{"provider", "list"}, code: exitConfig, says: []string{"--providers"}},
		{name: "providers nowhere", args: []string{"provider", "list", "--providers", "/nonexistent"}, code: exitConfig, says: []string{"/nonexistent"}},
		{name: "busy port", args: []string{"dev", "--listen", busy.Addr().String()}, code: exitConfig, says: []string{"--listen", busy.Addr().String(), "another"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			alone(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			for name, content := range test.files {
				write(t, name, content)
			}
			code, _, stderr := marquee(t, test.args...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, want := range test.says {
				if !strings.Contains(stderr, want) {
					t.Errorf("%q does not say %q", stderr, want)
				}
			}
			if strings.Contains(stderr, "sekret") {
				t.Errorf("%q gives the password away", stderr)
			}
		})
	}
}

// TestConfig: the flag counts before the variable, that before .env-local, that before .env; secrets are hidden.
func TestConfig(t *testing.T) {
	alone(t)
	t.Setenv("MARQUEE_DATABASE_URL", "postgres://someone:sekret@db.example/marquee?password=sekret")
	t.Setenv("MARQUEE_REPLICA_URL", "postgres://someone:sekret@replica.example/marquee")
	t.Setenv("MARQUEE_OTLP_ENDPOINT", "https://someone:sekret@collector.example:4318/in?token=sekret")
	write(t, ".env", "MARQUEE_EVERY=1m\nMARQUEE_LISTEN=:1\nMARQUEE_LOG_LEVEL=warn\n")
	write(t, ".env-local", "MARQUEE_EVERY=2m\nMARQUEE_LISTEN=:2\n")
	t.Setenv("MARQUEE_LISTEN", ":3")
	code, stdout, stderr := marquee(t, "config")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{
		"MARQUEE_LISTEN=:3 ", "MARQUEE_EVERY=2m ", "MARQUEE_LOG_LEVEL=warn ", "MARQUEE_DATABASE_URL=postgres://db.example/marquee ",
		"MARQUEE_REPLICA_URL=postgres://replica.example/marquee ", "MARQUEE_OTLP_ENDPOINT=https://collector.example:4318/in ",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "sekret") || strings.Contains(stdout, "someone") {
		t.Errorf("a secret in:\n%s", stdout)
	}
}

// TestConfigIsAnEnvFile: what is printed, put into .env, is what was in force.
//
//nolint:paralleltest // alone changes the working directory.
func TestConfigIsAnEnvFile(t *testing.T) {
	alone(t)
	_, printed, _ := marquee(t, "config")
	write(t, ".env", printed)
	code, again, stderr := marquee(t, "config")
	printed, again = strings.ReplaceAll(printed, "# environment", "# default"), strings.ReplaceAll(again, "# environment", "# default")
	if code != exitOK || again != printed {
		t.Errorf("exit code %d, %s; %s", code, stderr, cmp.Diff(printed, again))
	}
}

const planList = `<planList><output><base_plan base_plan_id="1" sell_mode="online" title="The Lantern Parade">
	<plan plan_start_date="2099-06-30T21:00:00" plan_id="%d"><zone zone_id="1" price="5" capacity="2"/></plan></base_plan></output></planList>`

// TestSyncExit: what happened is in the exit code.
func TestSyncExit(t *testing.T) {
	alone(t)
	t.Setenv("MARQUEE_DATABASE_URL", pgtest.Raw(t))
	var body atomic.Value
	body.Store(fmt.Sprintf(planList, 1))
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, body.Load())
	}))
	defer feed.Close()
	t.Setenv("MARQUEE_PROVIDERS", t.TempDir())
	file := func(slug, url string) {
		write(t, filepath.Join(os.Getenv("MARQUEE_PROVIDERS"), slug+".yaml"), fmt.Sprintf(
			"slug: %s\nname: %s\nurl: %s\nformat: planlist\ntimeZone: Europe/Madrid\ncurrency: EUR\nallowPrivateAddresses: true\n", slug, slug, url))
	}
	file("acme", feed.URL)
	expect := func(want int, says string, args ...string) {
		t.Helper()
		code, stdout, stderr := marquee(t, args...)
		if code != want || !strings.Contains(stdout+stderr, says) {
			t.Errorf("marquee %s: exit code %d, want %d, and %q in:\n%s%s", strings.Join(args, " "), code, want, says, stdout, stderr)
		}
	}
	expect(exitConfig, "marquee migrate up", "sync")
	expect(exitConfig, "marquee migrate up", "sync", "runs")
	expect(exitOK, "initial", "migrate", "up")
	expect(exitOK, "Nothing to do", "migrate", "up")
	expect(exitOK, "initial", "migrate", "status")
	expect(exitOK, "", "migrate", "wait", "--timeout", "5s")
	expect(exitOK, "acme", "provider", "list")

	expect(exitOK, `"added":1`, "sync", "--dry-run")
	expect(exitOK, "APPLIED", "sync")
	expect(exitOK, "UNCHANGED", "sync", "acme")
	expect(exitUsage, "nobody", "sync", "nobody")
	expect(exitOK, `"outcome":"UNCHANGED"`, "sync", "runs", "--last", "1")

	body.Store(fmt.Sprintf(planList, 1)[:100])
	expect(exitData, "MALFORMED", "sync")
	body.Store("<planList></output>")
	expect(exitData, "MALFORMED", "sync")
	expect(exitOK, "</output>", "sync", "runs", "--last", "1")
	body.Store("")
	expect(exitTemporary, "EMPTY", "sync")
	body.Store(strings.Repeat(strings.Replace(fmt.Sprintf(planList, 1), "2099-06-30", "2099-06-31", 1), 1))
	expect(exitHeld, "HELD", "sync") // all its records can't be used
	expect(exitUsage, "not held", "sync", "approve", "1")
	expect(exitUsage, "not held", "sync", "reject", "1")

	// One bad provider does not stop the others, and the worst is told.
	body.Store(fmt.Sprintf(planList, 2))
	file("bravo", "http://127.0.0.1:1/")
	expect(exitTemporary, "APPLIED", "sync")
}

//nolint:paralleltest // The environment is one.
func TestHelp(t *testing.T) {
	alone(t)
	for _, args := range [][]string{{"--help"}, {"dev", "--help"}, {"sync", "--help"}, {"--version"}} {
		if code, stdout, stderr := marquee(t, args...); code != exitOK || stdout == "" || stderr != "" {
			t.Errorf("marquee %v: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

// TestWorse: the code that needs a person more counts.
func TestWorse(t *testing.T) {
	t.Parallel()
	for _, test := range [][3]int{
		{exitOK, exitOK, exitOK},
		{exitOK, exitTemporary, exitTemporary},
		{exitData, exitTemporary, exitData},
		{exitHeld, exitData, exitHeld},
		{exitHeld, exitBug, exitBug},
	} {
		if got := worse(test[0], test[1]); got != test[2] || worse(test[1], test[0]) != got {
			t.Errorf("worse(%d, %d) = %d, want %d", test[0], test[1], got, test[2])
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

package main

import (
	"context"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aledotdev/marquee/internal/pgdev/pgtest"
)

func TestReachable(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"[::]:80": "127.0.0.1:80", "0.0.0.0:80": "127.0.0.1:80", "127.0.0.2:80": "127.0.0.2:80", "[::1]:80": "[::1]:80",
	} {
		at, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(at); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// TestAddressesShown: what listens on all addresses is shown by one that can be opened.
func TestAddressesShown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		says string // when all is said
	}{
		{[]string{"provider", "simulate", "--listen=:0"}, "Ctrl-C"},
		{[]string{"dev", "--listen=:0", "--demo-listen=:0", "--database-url=" + pgtest.Raw(t)}, "Demo feed"},
	} {
		t.Run(test.args[0], func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var stdout, stderr journal
			ended := make(chan int, 1)
			go func() { ended <- run(ctx, test.args, &stdout, &stderr) }()
			for ctx.Err() == nil && !strings.Contains(stdout.String(), test.says) {
				time.Sleep(10 * time.Millisecond)
			}
			cancel()
			code, shown := <-ended, stdout.String()
			addresses := regexp.MustCompile(`http://\S+`).FindAllString(shown, -1)
			if code != exitOK || len(addresses) == 0 {
				t.Fatalf("exit code %d, %q: %s", code, shown, stderr.String())
			}
			for _, address := range addresses {
				if !strings.HasPrefix(address, "http://127.0.0.1:") {
					t.Errorf("shown is %s", address)
				}
			}
		})
	}
}

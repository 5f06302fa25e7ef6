package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"testing"

	"github.com/aledotdev/marquee/internal/simulator"
)

// feedVariable is set in the process that is the provider of the big feed: one of its own, so that its work, which in life is
// done elsewhere, is not among that of who reads.
const feedVariable = "MARQUEE_BENCH_FEED"

// serveFeed serves the big feed on a port that it writes to standard output, at the step of the last PUT.
func serveFeed() error {
	var body bytes.Buffer // who asks waits for one answer before the next
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /{step}", func(w http.ResponseWriter, r *http.Request) {
		step, err := strconv.Atoi(r.PathValue("step"))
		if err == nil {
			body.Reset()
			err = simulator.WriteLarge(&body, options(bigSeries, step))
		}
		runtime.GC() // not while it is measured
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(body.Bytes())
	})
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr()) //nolint:forbidigo // the parent reads it
	return http.Serve(listener, mux)
}

// startFeed starts the provider, and gives its address and what brings its feed to a step.
func startFeed(b *testing.B) (url string, to func(step int)) {
	b.Helper()
	provider, _ := startProcess(b, feedVariable+"=1")
	url = "http://" + provider.address + "/"
	return url, func(step int) {
		b.Helper()
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPut, url+strconv.Itoa(step), http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		if _ = response.Body.Close(); response.StatusCode != http.StatusOK {
			b.Fatal("step ", step, ": ", response.Status)
		}
	}
}

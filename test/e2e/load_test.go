package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// graphql asks the API, by its node port.
func graphql(ctx context.Context, client *http.Client, query string, into any) error {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+apiAddress+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	envelope := struct {
		Data   json.RawMessage   `json:"data"`
		Errors []json.RawMessage `json:"errors"`
	}{}
	if err := json.Unmarshal(answer, &envelope); err != nil || response.StatusCode != http.StatusOK || len(envelope.Errors) > 0 {
		return fmt.Errorf("%s: %.300s", response.Status, answer)
	}
	return json.Unmarshal(envelope.Data, into)
}

// load is a constant, bounded stream of requests to the API: what its users would notice.
type load struct {
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu     sync.Mutex
	took   []time.Duration
	failed []string
}

const (
	loadClients  = 8
	loadInterval = 40 * time.Millisecond // of each client: 200 requests a second together
)

// startLoad asks until stopped, for five minutes at most. A client keeps its connection, as clients do.
func startLoad(t *testing.T) *load {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	l := &load{cancel: cancel}
	for range loadClients {
		l.all.Go(func() { l.client(ctx) })
	}
	t.Cleanup(func() { cancel(); l.all.Wait() })
	return l
}

func (l *load) client(ctx context.Context) {
	transport := &http.Transport{MaxIdleConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	tick := time.NewTicker(loadInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		var answer struct {
			Events struct{ Nodes []struct{ Title string } }
		}
		err := graphql(ctx, client, `{events(first: 20) {nodes {title startsAt minPrice {amount}}}}`, &answer)
		if ctx.Err() != nil {
			return
		}
		l.mu.Lock()
		l.took = append(l.took, time.Since(began))
		if err != nil {
			l.failed = append(l.failed, fmt.Sprintf("%s: %v", began.Format(time.TimeOnly), err))
		}
		l.mu.Unlock()
	}
}

// stop ends the load and says how it went. It returns how many requests failed.
func (l *load) stop(t *testing.T) int {
	t.Helper()
	l.cancel()
	l.all.Wait()
	slices.Sort(l.took)
	if len(l.took) == 0 {
		t.Fatal("no request was answered")
	}
	t.Logf("load: %d requests, %d failed, median %s, p99 %s, longest %s", len(l.took), len(l.failed),
		l.took[len(l.took)/2].Round(100*time.Microsecond), l.took[len(l.took)*99/100].Round(100*time.Microsecond), l.took[len(l.took)-1].Round(time.Millisecond))
	for _, failure := range l.failed[:min(len(l.failed), 5)] {
		t.Logf("failed at %s", failure)
	}
	return len(l.failed)
}

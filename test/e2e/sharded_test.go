package e2e_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

const manyProviders = 300

// many are the values of a release whose providers are shared out between four pods, each due now, and then once a year.
func many() string {
	var b strings.Builder
	common, _, _ := strings.Cut(values, "providers:")
	b.WriteString(common)
	b.WriteString("providers:\n")
	for i := range manyProviders {
		fmt.Fprintf(&b, "- {slug: p%03d, name: Provider %[1]d, url: \"http://many/api/events?p=%[1]d\", format: planlist, timeZone: Europe/Madrid, currency: EUR, schedule: \"0 0 1 1 *\", allowPrivateAddresses: true}\n", i)
	}
	return b.String()
}

// sql asks the database itself.
func (r *release) sql(t *testing.T, text string) string {
	t.Helper()
	pod := r.kubectl(t, "get", "pods", "-l", "app.kubernetes.io/component=postgres", "-o", "name")
	return strings.TrimSpace(r.kubectl(t, "exec", strings.TrimSpace(pod), "--", "env", "PGPASSWORD=not-for-production",
		"psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "marquee", "-Atc", text))
}

// testSharded: one Job whose pods claim the due providers one after the other. One of the pods dies on the way.
func testSharded(t *testing.T, cluster *kindCluster, image string) {
	r := cluster.newRelease(t, "many", image)
	r.simulate(t, "many", "steps:\n  - body: {world: planList}\n    delay: 200ms\n")
	must(t, r.install(t, many(), image, 5*time.Minute, "sync.mode=sharded", "sync.shards=4", "sync.schedule=* * * * *"))
	done := func() int {
		n, err := strconv.Atoi(r.sql(t, `SELECT count(DISTINCT provider_id) FROM sync_runs WHERE outcome IN ('APPLIED', 'UNCHANGED')`))
		must(t, err)
		return n
	}
	eventually(t, 4*time.Minute, func() error {
		if n := done(); n < manyProviders/10 {
			return fmt.Errorf("%d providers are synced", n)
		}
		return nil
	})
	began := time.Now()
	pods := strings.Fields(r.kubectl(t, "get", "pods", "-l", "app.kubernetes.io/component=sync", "--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}"))
	if len(pods) != 4 {
		t.Errorf("%d pods are at work, want 4", len(pods))
	}
	r.kubectl(t, "delete", "pod", pods[0], "--grace-period=0", "--force")
	took := eventually(t, 10*time.Minute, func() error {
		if n := done(); n < manyProviders {
			return fmt.Errorf("%d of %d providers are synced", n, manyProviders)
		}
		return nil
	})
	if twice := r.sql(t, `SELECT count(*) FROM (SELECT FROM sync_runs WHERE outcome IN ('APPLIED', 'UNCHANGED') GROUP BY provider_id HAVING count(*) > 1) t`); twice != "0" {
		t.Errorf("%s providers were synced twice in their period", twice)
	}
	t.Logf("%d providers, 4 pods, one of which was killed: all synced %s after that (%s in all after the first tenth), none twice",
		manyProviders, took.Round(time.Second), since(began))
}

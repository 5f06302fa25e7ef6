package e2e_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMarquee is the life of one release. Its parts are in order: each begins where the one before it ended. A second
// release has many providers.
func TestMarquee(t *testing.T) { //nolint:paralleltest // One cluster, one release.
	cluster := newCluster(t)
	first := cluster.buildImage(t, "e2e-1", nil)
	cluster.loadPostgres(t)
	r := cluster.newRelease(t, "marquee", first)
	for _, part := range []struct {
		name string
		run  func(*testing.T, *release)
	}{
		{"Install", testInstall},
		{"CronJobsFireByThemselves", testCronJobsFire},
		{"HelmTest", testHelmTest},
		{"TwiceAtOnceOneApplies", testTwiceAtOnce},
		{"ProviderTurnsBad", testProviderTurnsBad},
		{"NetworkPolicy", testNetworkPolicy},
		{"UpgradeUnderLoad", testUpgradeUnderLoad},
		{"RollbackUnderLoad", testRollbackUnderLoad},
		{"BrokenMigration", testBrokenMigration},
		{"APIPodKilled", testAPIPodKilled},
		{"PostgresKilled", testPostgresKilled},
		{"NodeDrained", testNodeDrained},
		{"Uninstall", testUninstall},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(t, r) }) && part.name == "Install" {
			t.Fatal("all that follows builds on this")
		}
	}
	t.Run("ThreeHundredProvidersFourPods", func(t *testing.T) { testSharded(t, cluster, first) })
}

func testInstall(t *testing.T, r *release) {
	r.simulate(t, "alpha", answersWell)
	r.simulate(t, "beta", answersWell)
	began := time.Now()
	must(t, r.upgrade(t, r.image, 5*time.Minute))
	t.Logf("installed and ready in %s", since(began))
	version := query[struct{ Typename string }](t, `{typename: __typename}`)
	if version.Typename != "Query" {
		t.Errorf("got %+v", version)
	}
}

func testCronJobsFire(t *testing.T, r *release) {
	var have counts
	took := eventually(t, 4*time.Minute, func() (err error) {
		have, err = events(t.Context())
		if err == nil && (have.A.TotalCount == 0 || have.B.TotalCount == 0) {
			err = fmt.Errorf("events so far: %+v", have)
		}
		return err
	})
	t.Logf("both providers' events are there %s after the install: alpha %d, beta %d", took.Round(time.Second), have.A.TotalCount, have.B.TotalCount)
	// From here on syncs run when a test says so.
	r.set = append(r.set, "sync.suspend=true")
	must(t, r.upgrade(t, r.image, 2*time.Minute))
	eventually(t, 2*time.Minute, func() error {
		if active := r.kubectl(t, "get", "cronjobs", "-o", "jsonpath={.items[*].status.active}"); active != "" {
			return errors.New("still active: " + active)
		}
		return nil
	})
}

func testHelmTest(t *testing.T, r *release) {
	out, err := r.command(t.Context(), "", "helm", "test", "marquee", "--namespace", r.namespace, "--logs", "--timeout", "2m")
	must(t, err)
	t.Log(out)
}

// runs counts those on record of a provider. The database is asked: what the API says of runs may be half a minute old.
func (r *release) runs(t *testing.T, slug string) int {
	t.Helper()
	n, err := strconv.Atoi(r.sql(t, fmt.Sprintf(`SELECT count(*) FROM sync_runs r JOIN providers p ON p.id = r.provider_id WHERE p.slug = '%s'`, slug)))
	must(t, err)
	return n
}

func testTwiceAtOnce(t *testing.T, r *release) {
	r.simulate(t, "alpha", "steps:\n  - body: {world: planList}\n    delay: 15s\n")
	before := r.runs(t, "alpha")
	r.kubectl(t, "create", "job", "twice-1", "--from=cronjob/marquee-sync-alpha")
	r.kubectl(t, "create", "job", "twice-2", "--from=cronjob/marquee-sync-alpha")
	running := 0
	for _, name := range []string{"twice-1", "twice-2"} {
		reason, log := r.awaitJob(t, name)
		if reason != "" {
			t.Errorf("%s failed, %s:\n%s", name, reason, log)
		}
		if strings.Contains(log, "running already") {
			running++
		}
	}
	added := r.runs(t, "alpha") - before
	if running != 1 || added != 1 {
		t.Errorf("%d of two jobs found the provider being synced, and %d runs are on record; want 1 and 1", running, added)
	}
	t.Logf("two jobs at once: one run, the other ended at once and well")
	r.simulate(t, "alpha", answersWell)
}

func testProviderTurnsBad(t *testing.T, r *release) {
	before, err := events(t.Context())
	must(t, err)
	users := startLoad(t)
	r.simulate(t, "beta", answersError)
	if reason, log := r.runJob(t, "beta", "beta-500"); reason != "BackoffLimitExceeded" {
		t.Errorf("answers of 500: the job ended with %q, want BackoffLimitExceeded, for they may pass:\n%s", reason, log)
	}
	r.simulate(t, "beta", answersEmpty)
	if reason, log := r.runJob(t, "beta", "beta-empty"); reason != "PodFailurePolicy" {
		t.Errorf("an empty feed: the job ended with %q, want PodFailurePolicy: the brake holds it, and trying again helps nobody:\n%s", reason, log)
	}
	eventually(t, time.Minute, func() error {
		value, err := r.metric(t, `marquee_provider_held{provider="beta"}`)
		if err == nil && value != "1" {
			err = errors.New("the metric of a held run is " + value)
		}
		return err
	})
	after, err := events(t.Context())
	must(t, err)
	if after.B != before.B {
		t.Errorf("beta had %d events, and has %d after its bad answers", before.B.TotalCount, after.B.TotalCount)
	}
	if failed := users.stop(t); failed > 0 {
		t.Errorf("%d requests failed while a provider was bad", failed)
	}
	r.simulate(t, "beta", answersWell)
	if reason, log := r.runJob(t, "beta", "beta-well"); reason != "" {
		t.Errorf("a good answer after it: the job ended with %s:\n%s", reason, log)
	}
	t.Logf("500: failed after its tries; empty feed: held, failed at once, metric up; %d events of beta all the time", before.B.TotalCount)
}

func testUpgradeUnderLoad(t *testing.T, r *release) {
	second := r.buildImage(t, "e2e-2", map[string]string{"20990101000001_e2e.sql": "ALTER TABLE events ADD COLUMN e2e integer NOT NULL DEFAULT 0;"})
	users := startLoad(t)
	began := time.Now()
	err := r.upgrade(t, second, 4*time.Minute)
	t.Logf("upgraded with a migration in %s", since(began))
	if failed := users.stop(t); failed > 0 {
		t.Errorf("%d requests failed during the upgrade", failed)
	}
	must(t, err)
	if image := r.kubectl(t, "get", "deployment", "marquee", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != second {
		t.Errorf("runs %s, want %s", image, second)
	}
	if reason, log := r.runJob(t, "alpha", "alpha-after-upgrade"); reason != "" {
		t.Errorf("a sync after the upgrade ended with %s:\n%s", reason, log)
	}
}

func testRollbackUnderLoad(t *testing.T, r *release) {
	users := startLoad(t)
	began := time.Now()
	_, err := r.command(t.Context(), "", "helm", "rollback", "marquee", "--namespace", r.namespace, "--wait", "--timeout", "4m")
	t.Logf("rolled back, onto the newer schema, in %s", since(began))
	if failed := users.stop(t); failed > 0 {
		t.Errorf("%d requests failed during the rollback", failed)
	}
	must(t, err)
	if reason, log := r.runJob(t, "alpha", "alpha-after-rollback"); reason != "" {
		t.Errorf("a sync of the older version on the newer schema ended with %s:\n%s", reason, log)
	}
}

func testBrokenMigration(t *testing.T, r *release) {
	broken := r.buildImage(t, "e2e-3", map[string]string{
		"20990101000001_e2e.sql":    "ALTER TABLE events ADD COLUMN e2e integer NOT NULL DEFAULT 0;",
		"20990101000002_broken.sql": "ALTER TABLE events ADD COLUMN e2e_broken integer NOT NULL DEFAULT 1/0;",
	})
	users := startLoad(t)
	began := time.Now()
	if err := r.upgrade(t, broken, 45*time.Second); err == nil {
		t.Error("the upgrade succeeded, with a migration that cannot")
	} else {
		t.Logf("the upgrade failed after %s, as it should: %.200s", since(began), err)
	}
	if ready := r.kubectl(t, "get", "deployment", "marquee", "-o", "jsonpath={.status.availableReplicas}"); ready != "2" {
		t.Errorf("%s pods of the old version are available, want 2", ready)
	}
	if failed := users.stop(t); failed > 0 {
		t.Errorf("%d requests failed while a migration was broken", failed)
	}
	_, err := r.command(t.Context(), "", "helm", "rollback", "marquee", "--namespace", r.namespace, "--wait", "--timeout", "4m")
	must(t, err)
}

func testAPIPodKilled(t *testing.T, r *release) {
	users := startLoad(t)
	serving := "{{range .items}}{{if not .metadata.deletionTimestamp}}{{.metadata.name}} {{end}}{{end}}" // some of the release before may still be leaving
	pod := strings.Fields(r.kubectl(t, "get", "pods", "-l", "app.kubernetes.io/component=api", "-o", "go-template="+serving))[0]
	r.kubectl(t, "delete", "pod", pod, "--grace-period=0", "--force")
	r.kubectl(t, "rollout", "status", "deployment/marquee", "--timeout=2m")
	failed := users.stop(t)
	// Without a grace period what the pod was answering is lost, and what came to its address until that was known.
	if asked := len(users.took); failed > asked/20 {
		t.Errorf("%d of %d requests failed", failed, asked)
	}
}

func testPostgresKilled(t *testing.T, r *release) {
	before, err := events(t.Context())
	must(t, err)
	users := startLoad(t)
	r.kubectl(t, "delete", "pod", "-l", "app.kubernetes.io/component=postgres", "--grace-period=0", "--force")
	began := time.Now()
	r.kubectl(t, "rollout", "status", "statefulset", "-l", "app.kubernetes.io/component=postgres", "--timeout=3m")
	eventually(t, time.Minute, func() error { _, err := events(t.Context()); return err })
	t.Logf("answers again %s after PostgreSQL was killed", since(began))
	users.stop(t) // without a database some fail
	after, err := events(t.Context())
	must(t, err)
	if after != before {
		t.Errorf("had %+v, have %+v", before, after)
	}
	if reason, log := r.runJob(t, "alpha", "alpha-after-kill"); reason != "" {
		t.Errorf("a sync after it ended with %s:\n%s", reason, log)
	}
}

func testNodeDrained(t *testing.T, r *release) {
	home := r.kubectl(t, "get", "pods", "-l", "app.kubernetes.io/component=postgres", "-o", "jsonpath={.items[0].spec.nodeName}")
	var node string // the one without the database, whose volume is a node's own
	for _, n := range r.nodes {
		if n.String() != home {
			node = n.String()
		}
	}
	// Both of the API there: the budget has something to hold.
	r.kubectl(t, "cordon", home)
	r.kubectl(t, "rollout", "restart", "deployment/marquee")
	r.kubectl(t, "rollout", "status", "deployment/marquee", "--timeout=3m")
	r.kubectl(t, "uncordon", home)
	users := startLoad(t)
	began := time.Now()
	drained := make(chan error, 1)
	go func() {
		_, err := r.command(t.Context(), "", "kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=3m")
		drained <- err
	}()
	least := "2"
	for done := false; !done; {
		select {
		case err := <-drained:
			must(t, err)
			done = true
		case <-time.After(300 * time.Millisecond):
			ready := r.kubectl(t, "get", "deployment", "marquee", "-o", "jsonpath={.status.availableReplicas}")
			least = min(least, ready)
		}
	}
	t.Logf("node %s drained in %s; at least %s of 2 pods were available", node, since(began), least)
	failed := users.stop(t)
	r.kubectl(t, "uncordon", node)
	if least < "1" {
		t.Error("the budget did not hold: for a while no pod was available")
	}
	if failed > 0 {
		t.Errorf("%d requests failed while a node was drained", failed)
	}
	for _, name := range []string{"alpha", "beta"} {
		r.kubectl(t, "rollout", "status", "deployment/"+name, "--timeout=2m")
	}
}

func testUninstall(t *testing.T, r *release) {
	_, err := r.command(t.Context(), "", "helm", "uninstall", "marquee", "--namespace", r.namespace, "--wait", "--timeout", "2m")
	must(t, err)
	r.kubectl(t, "delete", "jobs", "--all")                                  // those that the tests made
	r.kubectl(t, "delete", "pods", "-l", "app.kubernetes.io/component=test") // helm leaves what tests made
	eventually(t, time.Minute, func() error {
		kinds := "all,configmaps,secrets,serviceaccounts,persistentvolumeclaims,networkpolicies,poddisruptionbudgets,ingresses"
		left := strings.Fields(r.kubectl(t, "get", kinds, "-l", "app.kubernetes.io/instance=marquee", "-o", "name"))
		if len(left) != 1 || !strings.HasPrefix(left[0], "persistentvolumeclaim/") {
			return fmt.Errorf("left: %v, want the volume alone", left)
		}
		t.Logf("an uninstall leaves %s", left[0])
		return nil
	})
}

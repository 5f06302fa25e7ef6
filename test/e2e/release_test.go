package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// release is the chart, installed in a namespace that enforces Pod Security's restricted.
type release struct {
	*kindCluster
	namespace string
	image     string   // of the first version
	set       []string // values over those of all releases, as of now
}

const (
	repository = "marquee.local/marquee"
	chart      = "../../charts/marquee"
)

// buildImage builds the image of a version and puts it on the nodes. Migrations are added to those that the version has.
func (c *kindCluster) buildImage(t *testing.T, version string, migrations map[string]string) string {
	t.Helper()
	began := time.Now()
	root, err := filepath.Abs("../..")
	must(t, err)
	args := []string{"--no-print-directory", "-C", root, "image", "VERSION=" + version, "IMAGE=" + repository + ":" + version}
	if len(migrations) > 0 {
		// The compiler takes these files for part of the tree, which stays as it is.
		replace := map[string]string{}
		for name, sql := range migrations {
			path := filepath.Join(t.TempDir(), name)
			must(t, os.WriteFile(path, []byte("-- +goose Up\n"+sql+"\n"), 0o600))
			replace[filepath.Join(root, "ent/migrate/migrations", name)] = path
		}
		overlay, err := json.Marshal(map[string]any{"Replace": replace})
		must(t, err)
		path := filepath.Join(t.TempDir(), "overlay.json")
		must(t, os.WriteFile(path, overlay, 0o600))
		args = append(args, "BUILDFLAGS=-overlay="+path)
	}
	cmd := exec.CommandContext(t.Context(), "make", args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make image: %v\n%s", err, out)
	}
	arch, err := exec.CommandContext(t.Context(), "go", "env", "GOARCH").Output()
	must(t, err)
	archive := filepath.Join(root, "bin/image", strings.TrimSpace(string(arch))+".tar")
	info, err := os.Stat(archive)
	must(t, err)
	if info.Size() > 40_000_000 {
		t.Errorf("the image has %d bytes, want less than 40 MB", info.Size())
	}
	c.load(t, archive)
	t.Logf("image %s: %.1f MB, built and on the nodes in %s", version, float64(info.Size())/1e6, since(began))
	return repository + ":" + version
}

// newRelease makes the namespace.
func (c *kindCluster) newRelease(t *testing.T, namespace, image string) *release {
	t.Helper()
	c.apply(t, fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: restricted}}}", namespace))
	r := &release{kindCluster: c, namespace: namespace, image: image}
	r.kubectl(t, "wait", "--for=create", "serviceaccount/default", "--timeout=60s")
	return r
}

// kubectl in the release's namespace.
func (r *release) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return r.kindCluster.kubectl(t, append([]string{"--namespace", r.namespace}, args...)...)
}

func (r *release) apply(t *testing.T, manifest string) {
	t.Helper()
	_, err := r.command(t.Context(), manifest, "kubectl", "--namespace", r.namespace, "apply", "-f", "-")
	must(t, err)
}

// values of every release here. Requests for the API come in by a node port, from outside of all networks of pods.
const values = `
image: {repository: marquee.local/marquee}
database: {mode: embedded}
api: {replicas: 2, resources: {requests: {cpu: 50m, memory: 64Mi}}}
service: {type: NodePort, nodePort: 30080}
networkPolicy:
  apiFrom: [{ipBlock: {cidr: 0.0.0.0/0}}]
  syncEgress: [{to: [{podSelector: {matchExpressions: [{key: simulates, operator: Exists}]}}]}]
# Jobs that a test made of a CronJob are counted with those that it made itself: enough are kept to look at them.
sync: {backoffLimit: 1, successfulJobsHistoryLimit: 20, failedJobsHistoryLimit: 20, resources: {requests: {cpu: 20m, memory: 64Mi}}}
migrations: {waitTimeout: 3m}
providers:
- &simulated
  slug: alpha
  name: Alpha Tickets
  url: http://alpha/api/events
  format: planlist
  timeZone: Europe/Madrid
  currency: EUR
  schedule: "* * * * *"
  allowPrivateAddresses: true
- {<<: *simulated, slug: beta, name: Beta Tickets, url: "http://beta/api/events"}
`

// upgrade installs the release or brings it to an image, and waits until all is as it should be, or for the timeout.
func (r *release) upgrade(t *testing.T, image string, timeout time.Duration) error {
	t.Helper()
	return r.install(t, values, image, timeout, r.set...)
}

func (r *release) install(t *testing.T, values, image string, timeout time.Duration, set ...string) error {
	t.Helper()
	_, tag, _ := strings.Cut(image, ":")
	args := []string{
		"upgrade", "--install", "marquee", chart, "--namespace", r.namespace, "--values", "-",
		"--set-string", "image.tag=" + tag, "--wait", "--timeout", timeout.String(),
	}
	if database, version, ok := strings.Cut(os.Getenv("KIND_POSTGRES_IMAGE"), ":"); ok {
		args = append(args, "--set-string", "database.embedded.image.repository="+database, "--set-string", "database.embedded.image.tag="+version)
	}
	for _, one := range set {
		args = append(args, "--set", one)
	}
	_, err := r.command(t.Context(), values, "helm", args...)
	return err
}

// runJob starts a job of a provider's CronJob and waits for its end, good or bad. It returns the reason of a failure, empty
// if there was none, and the log.
func (r *release) runJob(t *testing.T, slug, name string) (reason, log string) {
	t.Helper()
	r.kubectl(t, "create", "job", name, "--from=cronjob/marquee-sync-"+slug)
	return r.awaitJob(t, name)
}

func (r *release) awaitJob(t *testing.T, name string) (reason, log string) {
	t.Helper()
	eventually(t, 3*time.Minute, func() error {
		var job struct {
			Status struct {
				Conditions []struct{ Type, Status, Reason string }
			}
		}
		if err := json.Unmarshal([]byte(r.kubectl(t, "get", "job", name, "-o", "json")), &job); err != nil {
			return err
		}
		for _, c := range job.Status.Conditions {
			switch {
			case c.Status != "True":
			case c.Type == "Complete":
				reason = ""
				return nil
			case c.Type == "Failed":
				reason = c.Reason
				return nil
			}
		}
		return errors.New(name + " has not ended")
	})
	return reason, r.kubectl(t, "logs", "job/"+name, "--all-pods=true", "--prefix=false", "--tail=50")
}

// query asks the API, which has to answer.
func query[T any](t *testing.T, text string) T {
	t.Helper()
	var answer T
	must(t, graphql(t.Context(), http.DefaultClient, text, &answer))
	return answer
}

type counts struct {
	Events struct{ TotalCount int }
	A, B   struct{ TotalCount int }
}

// events counts those of all providers, of alpha and of beta.
func events(ctx context.Context) (counts, error) {
	var c counts
	err := graphql(ctx, http.DefaultClient, `{events {totalCount} a: events(where: {providers: ["alpha"]}) {totalCount} b: events(where: {providers: ["beta"]}) {totalCount}}`, &c)
	return c, err
}

// metric reads one sample of an API pod's admin port, by the name and labels that it begins with.
func (r *release) metric(t *testing.T, sample string) (string, error) {
	t.Helper()
	port, cancel := r.forward(t, "deployment/marquee", 9090)
	defer cancel()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%s/metrics", port), nil)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	return find(response.Body, sample)
}

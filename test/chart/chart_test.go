package chart

import (
	"cmp"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden manifests")

const providers = "testdata/values/providers.yaml"

// cases are values that users may have, each over those of the providers.
func cases() map[string][]string {
	return map[string][]string{
		"kind":       {providers, chartDir + "/values-kind.yaml"},
		"production": {providers, chartDir + "/values-production.yaml"},
		"full":       {providers, "testdata/values/full.yaml"},
		"sharded":    {providers, "testdata/values/sharded.yaml"},
		"cnpg":       {providers, "testdata/values/cnpg.yaml"},
		"init":       {providers, "testdata/values/init.yaml"},
		"elsewhere":  {providers, "testdata/values/elsewhere.yaml"},
		"none":       {chartDir + "/values-kind.yaml"}, // no provider yet
	}
}

// TestAdmitted: an API server whose namespace enforces restricted takes all that the chart makes, as it is; and it is
// what it was (-update writes it).
func TestAdmitted(t *testing.T) {
	t.Parallel()
	api, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := render(load(t), valuesOf(t, "", files...), capabilities(t, "postgresql.cnpg.io/v1"))
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, manifest := range out.each {
				id, err := api.admit(manifest)
				if err != nil {
					t.Errorf("%v\n%s", err, manifest)
				}
				if seen[id] {
					t.Errorf("%s is there twice", id)
				}
				seen[id] = true
			}
			if len(seen) < 5 {
				t.Errorf("only %d objects", len(seen))
			}
			golden := filepath.Join("testdata/golden", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(out.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(want) != out.text {
				t.Errorf("not as in %s: %s", golden, firstDifference(string(want), out.text))
			}
			if strings.TrimSpace(out.notes) == "" {
				t.Error("no notes")
			}
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "want " + w[i] + ", got " + g[i]
		}
	}
	return "one is longer"
}

// TestAdmitRefuses: the stand-in for the API server does refuse.
func TestAdmitRefuses(t *testing.T) {
	t.Parallel()
	api, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	out, err := render(load(t), valuesOf(t, "", cases()["kind"]...), capabilities(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]struct{ from, to, message string }{
		"typo":              {"replicas:", "replica:", "unknown field"},
		"not a number":      {"replicas: 1", "replicas: -1", "greater than or equal to 0"},
		"root":              {"runAsNonRoot: true", "runAsNonRoot: false", "pod security"},
		"privileges":        {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "pod security"},
		"writable":          {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "file system"},
		"token":             {"automountServiceAccountToken: false", "automountServiceAccountToken: true", "token"},
		"another API group": {"apiVersion: apps/v1", "apiVersion: apps/v9", "no kind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, manifest := range out.each {
				if !strings.Contains(manifest, "kind: Deployment") {
					continue
				}
				broken := strings.ReplaceAll(manifest, change.from, change.to)
				if broken == manifest {
					t.Fatalf("there is no %q in\n%s", change.from, manifest)
				}
				if _, err := api.admit(broken); err == nil || !strings.Contains(err.Error(), change.message) {
					t.Errorf("got %v, want %q", err, change.message)
				}
				return
			}
			t.Fatal("no Deployment")
		})
	}
}

// TestRefused: what can't be right fails the install, and the message says what to change.
func TestRefused(t *testing.T) {
	t.Parallel()
	const one = "{slug: alpha, name: Alpha, url: 'https://a.example', format: planlist, timeZone: Europe/Madrid, currency: EUR"
	embedded := "database: {mode: embedded}\n"
	sharded := embedded + "sync:\n  mode: sharded\n"
	for name, test := range map[string]struct {
		values   string
		messages []string
	}{
		"nothing said":               {"", []string{"database.external.existingSecret is missing", "kubectl create secret"}},
		"typo":                       {embedded + "api: {replica: 2}", []string{"api", "replica"}},
		"typo on top":                {embedded + "provider: []", []string{"provider"}},
		"latest":                     {embedded + "image: {tag: latest}", []string{"image", "tag"}},
		"wrong mode":                 {"database: {mode: sqlite}", []string{"mode"}},
		"no operator":                {"database: {mode: cnpg}", []string{"doesn't have CloudNativePG", "install its operator"}},
		"fewer at most than least":   {embedded + "api: {autoscaling: {enabled: true, minReplicas: 5, maxReplicas: 2}}", []string{"maxReplicas is less than minReplicas"}},
		"no time to end":             {embedded + "api: {terminationGracePeriodSeconds: 20}", []string{"terminationGracePeriodSeconds", "want at least 34"}},
		"more than the database has": {embedded + "api: {replicas: 50}", []string{"maxConnections"}},
		"more by a provider's own":   {embedded + "providers: [" + one + ", cronJob: {databaseMaxConns: 64}}]", []string{"maxConnections", "1 pods with 64 in all"}},
		"more side by side":          {embedded + "sync: {databaseMaxConns: 32, concurrencyPolicy: Allow}\nproviders: [" + one + "}]", []string{"maxConnections", "2 pods with 64 in all", "Allow"}},
		"replaced too early":         {embedded + "sync: {podReplacementPolicy: TerminatingOrFailed}", []string{"podReplacementPolicy"}},
		"a node port of no node":     {embedded + "service: {nodePort: 30080}", []string{"service.nodePort 30080", "set service.type to NodePort"}},
		"an interval of no unit":     {embedded + "serviceMonitor: {interval: '30'}", []string{"interval"}},
		"a seventh day":              {embedded + "providers: [" + one + ", schedule: '0 3 * * 7'}]", []string{"schedule"}},
		"a thirteenth month":         {embedded + "providers: [" + one + ", schedule: '0 3 * 13 *'}]", []string{"schedule"}},
		"a step of nothing":          {embedded + "providers: [" + one + ", schedule: '*/0 3 * * *'}]", []string{"schedule"}},
		"from evening to morning":    {embedded + "providers: [" + one + ", schedule: '0 18-8 * * *'}]", []string{"0 18-8 * * *", "from less to more"}},
		"two of one slug":            {embedded + "providers: [" + one + "}, " + one + "}]", []string{`two have the slug "alpha"`}},
		"a slug of 80":               {embedded + "providers: [" + strings.Replace(one, "alpha", strings.Repeat("a", 80), 1) + "}]", []string{"slug"}},
		"a provider without URL":     {embedded + "providers: [{slug: alpha, name: Alpha, format: planlist, timeZone: UTC, currency: EUR}]", []string{"url"}},
		"an unknown key":             {embedded + "providers: [" + one + ", colour: red}]", []string{"colour"}},
		"a schedule that is none":    {embedded + "providers: [" + one + ", schedule: 'at noon'}]", []string{"schedule"}},
		"schedule and every":         {embedded + "providers: [" + one + ", schedule: '0 * * * *', every: 15m}]", []string{"provider alpha", "not both"}},
		"every 7 minutes":            {embedded + "providers: [" + one + ", every: 7m}]", []string{"provider alpha", "every 7m", "choose one of these"}},
		"too late to start":          {embedded + "sync: {startingDeadlineSeconds: 5}", []string{"startingDeadlineSeconds"}},
		"longer than its period":     {embedded + "sync: {activeDeadlineSeconds: 1000}\nproviders: [" + one + ", every: 15m}]", []string{"activeDeadlineSeconds"}},
		"sharded, a limit of one's own": {sharded + "providers: [" + one + ", cronJob: {activeDeadlineSeconds: 60}}]", []string{
			"provider alpha", "cronJob.activeDeadlineSeconds", "set sync.activeDeadlineSeconds", "sync.mode perProvider",
		}},
		"sharded, one of the suspended": {sharded + "  suspend: true\nproviders: [" + one + ", cronJob: {suspend: false}}]", []string{"provider alpha", "cronJob.suspend", "sync.suspend"}},
		"sharded, one name for two": {
			sharded + "providers: [" + one + ", cronJob: {extraEnv: [{name: KEY, value: a}]}}, " + strings.Replace(one, "alpha", "beta", 1) + ", cronJob: {extraEnv: [{name: KEY, value: b}]}}]",
			[]string{"provider beta", "cronJob.extraEnv", "KEY", "provider alpha", "change the name"},
		},
		"an easy password": {"database: {mode: embedded, embedded: {password: 'a b'}}", []string{"password"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := render(load(t), valuesOf(t, test.values), capabilities(t))
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, message := range test.messages {
				if !strings.Contains(err.Error(), message) {
					t.Errorf("got %q, want %q", err, message)
				}
			}
		})
	}
}

// TestTaken: values that are easily got wrong make what an API server admits, and the notes say what is to be known.
func TestTaken(t *testing.T) {
	t.Parallel()
	api, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	const one = "{slug: alpha, name: Alpha, url: 'https://a.example', format: planlist, timeZone: Europe/Madrid, currency: EUR"
	embedded := "database: {mode: embedded}\n"
	for name, test := range map[string]struct {
		release, namespace string // marquee and events if they are empty
		values             string
		has, lacks         []string // in the manifests
		notes, noNotes     []string
	}{
		"sharded, all suspended": {
			values: embedded + "sync: {mode: sharded}\nproviders: [" + one + ", cronJob: {existingSecret: alpha-key, suspend: true}}]",
			has:    []string{"suspend: true", "sources: []"},
			lacks:  []string{"alpha-key"},
		},
		"labels of one's own": {
			values: embedded + "commonLabels: {app.kubernetes.io/part-of: platform, release: prometheus, marquee.dev/service: none}\nserviceMonitor: {enabled: true, labels: {release: prometheus-2}}",
			has:    []string{"app.kubernetes.io/part-of: platform", "release: prometheus\n", "release: prometheus-2\n", "marquee.dev/service: admin"},
			lacks:  []string{"app.kubernetes.io/part-of: marquee"},
		},
		"names that are numbers": {
			release: "123", namespace: "123",
			values: embedded + "fullnameOverride: events\nprometheusRule: {enabled: true}\nproviders: [" + strings.Replace(one, "alpha", "'101'", 1) + "}, " + strings.Replace(one, "alpha", "'1e5'", 1) + "}]",
			has:    []string{`namespace: "123"`, `app.kubernetes.io/instance: "123"`, `marquee.dev/provider: "101"`, `provider: "1e5"`},
		},
		"names that are not strings in YAML": {
			release: "on",
			values:  embedded + "prometheusRule: {enabled: true}\nproviders: [" + strings.Replace(one, "alpha", "'no'", 1) + "}, " + strings.Replace(one, "alpha", "'null'", 1) + "}]",
			has:     []string{`app.kubernetes.io/instance: "on"`, `marquee.dev/provider: "no"`, `provider: "null"`},
		},
		"a database's names that are numbers": {
			values: "database: {external: {existingSecret: '12345', urlKey: '1', apiUrlKey: '2', migrateUrlKey: '3', replicaUrlKey: '4', caSecret: '0x1', caKey: '5'}}\n" +
				"sync: {existingSecret: '6', priorityClassName: '7'}\napi: {apiKeysSecret: '8', priorityClassName: '9'}\nserviceAccount: {create: false, name: '10'}\n" +
				"imagePullSecrets: [{name: '11'}]\ningress: {enabled: true, className: '12', hosts: ['13']}\nproviders: [" + one + ", cronJob: {existingSecret: '14', priorityClassName: '15'}}]",
			has: []string{`secretKeyRef: {name: "12345", key: "2"}`, `secretKeyRef: {name: "12345", key: "4"}`, `secretName: "0x1"`},
		},
		"names of a database in the cluster that are numbers": {
			values: "database: {mode: embedded, embedded: {existingSecret: '1e3', storageClassName: '2'}}\nserviceAccount: {create: true, name: '3'}",
			has:    []string{`secretKeyRef: {name: "1e3", key: app}`},
		},
		"a name that is a boolean in YAML": {
			values: embedded + "fullnameOverride: 'on'\ningress: {enabled: true, hosts: [events.example]}\nhttpRoute: {enabled: true, parentRefs: [{name: gateway}], hostnames: [events.example]}\napi: {autoscaling: {enabled: true}}",
			has:    []string{`{name: "on", port: 80}`},
		},
		"a release with a dot": {
			release: "a.b",
			values:  embedded + "providers: [" + one + "}]",
			has:     []string{"name: a-b-marquee-admin", "app.kubernetes.io/instance: a.b"},
		},
		"a tag that is cut at a hyphen": {
			values: embedded + "image: {tag: " + strings.Repeat("a", 62) + "-b}",
			has:    []string{"app.kubernetes.io/version: " + strings.Repeat("a", 62) + "\n"},
		},
		"a name that is cut at a hyphen": {values: embedded + "nameOverride: " + strings.Repeat("a", 62) + "-b"},
		"no policy on failures": {
			values: embedded + "sync: {podFailurePolicy: {}}\nproviders: [" + one + "}]",
			lacks:  []string{"- 65", "podFailurePolicy: {}"},
		},
		"memory in bytes": {
			values: "database: {mode: embedded, embedded: {storageSize: 2147483648}}\napi: {resources: {limits: {memory: 1073741824}}}\nsync: {tmpSize: 2147483648}\nproviders: [" + one + "}]",
			has:    []string{`{name: GOMEMLIMIT, value: "966367641"}`},
		},
		"objects are taken as they are, strings as templates": {
			values: embedded + "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: '{{ $labels.pod }}'}}, \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: '{{ .Release.Name }}-two'}\"]",
			has:    []string{"{{ $labels.pod }}", "marquee-two"},
		},
		"a balancer's node port": {
			values: embedded + "service: {type: LoadBalancer, nodePort: 30080}",
			has:    []string{"nodePort: 30080"},
		},
		"schedules as CronJobs take them": {
			values: embedded + "providers: [" + one + ", schedule: '5/15 08-18 ? Jan-DEC,3 MON-5/2'}]",
			has:    []string{"schedule: 5/15 08-18 ? Jan-DEC,3 MON-5/2"},
		},
		"nodes that can't be drained": {
			values: embedded + "api: {podDisruptionBudget: {maxUnavailable: 0}}",
			notes:  []string{"WARNING: api.podDisruptionBudget.maxUnavailable is 0"},
		},
		"one pod has no budget": {
			values:  embedded + "api: {replicas: 1, podDisruptionBudget: {maxUnavailable: 0}}",
			noNotes: []string{"maxUnavailable"},
		},
		"sharded, rarely looked for": {
			values: embedded + "sync: {mode: sharded, schedule: '0 * * * *'}\nprometheusRule: {enabled: true}\nproviders: [" + one + "}]",
			has:    []string{`{provider="alpha"}) > 9000`},
		},
		"metrics nobody may read": {
			values: embedded + "serviceMonitor: {enabled: true}",
			notes:  []string{"WARNING: serviceMonitor.enabled, and networkPolicy.metricsFrom is empty"},
		},
		"metrics that Prometheus may read": {
			values:  embedded + "serviceMonitor: {enabled: true}\nnetworkPolicy: {metricsFrom: [{namespaceSelector: {}}]}",
			noNotes: []string{"metricsFrom"},
		},
		"metrics without policies": {
			values:  embedded + "serviceMonitor: {enabled: true}\nnetworkPolicy: {enabled: false}",
			noNotes: []string{"metricsFrom"},
		},
		"roles without rights": {
			values: "database: {external: {existingSecret: database, migrateUrlKey: migrate}}",
			notes:  []string{"WARNING: database.external.migrateUrlKey", "migrations.grantTo"},
		},
		"roles with rights": {
			values:  "database: {external: {existingSecret: database, migrateUrlKey: migrate}}\nmigrations: {grantTo: [marquee_app]}",
			noNotes: []string{"migrations.grantTo"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := *api
			api.namespace = cmp.Or(test.namespace, api.namespace)
			out, err := renderAs(cmp.Or(test.release, "marquee"), api.namespace, load(t), valuesOf(t, test.values), capabilities(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, manifest := range out.each {
				if _, err := api.admit(manifest); err != nil {
					t.Errorf("%v\n%s", err, manifest)
				}
			}
			for _, want := range test.has {
				if !strings.Contains(out.text, want) {
					t.Errorf("there is no %q in\n%s", want, out.text)
				}
			}
			for _, unwanted := range test.lacks {
				if strings.Contains(out.text, unwanted) {
					t.Errorf("there is %q in\n%s", unwanted, out.text)
				}
			}
			for _, want := range test.notes {
				if !strings.Contains(out.notes, want) {
					t.Errorf("there is no %q in\n%s", want, out.notes)
				}
			}
			for _, unwanted := range test.noNotes {
				if strings.Contains(out.notes, unwanted) {
					t.Errorf("there is %q in\n%s", unwanted, out.notes)
				}
			}
		})
	}
}

// TestConnectionsOfClusters: a Cluster has the connections that the chart counts with.
func TestConnectionsOfClusters(t *testing.T) {
	t.Parallel()
	for _, cluster := range []string{"parameters: {max_connections: '500'}", "spec: {postgresql: {parameters: {max_connections: '500'}}}"} {
		_, err := render(load(t), valuesOf(t, "database: {mode: cnpg, cnpg: {"+cluster+"}}"), capabilities(t, "postgresql.cnpg.io/v1"))
		if err == nil || !strings.Contains(err.Error(), "max_connections comes from database.maxConnections") {
			t.Errorf("%s: got %v", cluster, err)
		}
	}
}

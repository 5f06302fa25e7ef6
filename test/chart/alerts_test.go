package chart

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigyaml "sigs.k8s.io/yaml"
)

// TestAlerts has promtool run the unit tests of the rules, those in the file and those that the chart adds.
func TestAlerts(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing: make chart-test installs it (Debian: prometheus)")
	}
	dir := t.TempDir()
	put := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string) []byte {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	put("alerts.yaml", file(chartDir+"/files/alerts.yaml"))
	put("alerts_test.yaml", file("alerts_test.yaml"))
	for name, values := range map[string]map[string]any{
		"missed":  valuesOf(t, "prometheusRule: {enabled: true}", cases()["kind"]...),
		"release": valuesOf(t, "prometheusRule: {enabled: true}\nserviceMonitor: {enabled: true}", cases()["kind"]...),
		"uneven":  valuesOf(t, "", "testdata/values/uneven.yaml"),
	} {
		put(name+"_test.yaml", file(name+"_test.yaml"))
		put(name+".yaml", rulesOf(t, values))
	}
	cmd := exec.CommandContext(t.Context(), promtool, "test", "rules", "alerts_test.yaml", "missed_test.yaml", "release_test.yaml", "uneven_test.yaml")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// rulesOf are those of the PrometheusRule that the chart makes, as Prometheus reads them.
func rulesOf(t *testing.T, values map[string]any) []byte {
	t.Helper()
	out, err := render(load(t), values, capabilities(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, manifest := range out.each {
		var object unstructured.Unstructured
		if err := sigyaml.Unmarshal([]byte(manifest), &object.Object); err != nil {
			t.Fatal(err)
		}
		if object.GetKind() == "PrometheusRule" {
			rules, err := sigyaml.Marshal(object.Object["spec"])
			if err != nil {
				t.Fatal(err)
			}
			return rules
		}
	}
	t.Fatal("no PrometheusRule")
	return nil
}

// TestMetricsAreThere: what alerts and dashboard ask for is what the program has.
func TestMetricsAreThere(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for _, pattern := range []string{"../../cmd/marquee/*.go", "../../internal/httpapi/*.go", "../../internal/httpapi/gqlhttp/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	looked := 0
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		text, err := os.ReadFile(filepath.Join(chartDir, "files", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`marquee_[a-z_]+`).FindAllString(string(text), -1) {
			looked++
			name = regexp.MustCompile(`_(count|bucket|sum)$`).ReplaceAllString(name, "")
			if own := strings.TrimPrefix(name, "marquee_provider_"); !strings.Contains(source.String(), `"`+name+`"`) && !strings.Contains(source.String(), `m.gauge("`+own+`"`) {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	}
	if looked < 20 {
		t.Errorf("only %d metrics looked at", looked)
	}
}

// TestDashboard: its panels show the namespaces that are chosen, all of them at first, also where metrics have none.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var board struct {
		Templating struct {
			List []struct {
				Name, Query, AllValue string
				Multi, IncludeAll     bool
			}
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	text, err := os.ReadFile(chartDir + "/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &board); err != nil || len(board.Panels) < 10 {
		t.Fatalf("%d panels, %v", len(board.Panels), err)
	}
	found := false
	for _, v := range board.Templating.List {
		found = found || v.Name == "namespace" && v.Query == "label_values(marquee_catalog_version, namespace)" && v.Multi && v.IncludeAll && v.AllValue == ".*"
	}
	if !found {
		t.Errorf("no variable of namespaces in %+v", board.Templating.List)
	}
	metric := regexp.MustCompile(`\b(?:marquee|pgxpool|process)_[a-z_]+`)
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			asked := metric.FindAllStringIndex(target.Expr, -1)
			if len(asked) == 0 {
				t.Errorf("%s: %s asks for none of our metrics", panel.Title, target.Expr)
			}
			for _, at := range asked {
				if !strings.HasPrefix(target.Expr[at[1]:], `{namespace=~"$namespace"`) {
					t.Errorf("%s: %s asks for %s of all namespaces", panel.Title, target.Expr, target.Expr[at[0]:at[1]])
				}
			}
		}
	}
}

package chart

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigyaml "sigs.k8s.io/yaml"
)

const chartDir = "../../charts/marquee"

// rendered is what the chart makes of some values.
type rendered struct {
	text  string   // all manifests, in the order of their files
	each  []string // the same, each alone
	notes string
}

// capabilities are those of the cluster that CI makes, with the operators' kinds that the values ask for.
func capabilities(t *testing.T, apis ...string) *common.Capabilities {
	t.Helper()
	c := common.DefaultCapabilities.Copy()
	version, err := common.ParseKubeVersion("v1.37.2")
	if err != nil {
		t.Fatal(err)
	}
	c.KubeVersion = *version
	c.APIVersions = append(slices.Clone(c.APIVersions), apis...)
	return c
}

func load(t *testing.T) *chartv2.Chart {
	t.Helper()
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// valuesOf reads values from files, the later over the earlier, and from a text over all of them.
func valuesOf(t *testing.T, text string, files ...string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, file := range files {
		bytes, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = loader.MergeMaps(all, parse(t, file, bytes))
	}
	return loader.MergeMaps(all, parse(t, "the test's values", []byte(text)))
}

func parse(t *testing.T, name string, bytes []byte) map[string]any {
	t.Helper()
	values := map[string]any{}
	if err := sigyaml.UnmarshalStrict(bytes, &values); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return values
}

// render is `helm template marquee charts/marquee --namespace events`.
func render(c *chartv2.Chart, values map[string]any, with *common.Capabilities) (rendered, error) {
	return renderAs("marquee", "events", c, values, with)
}

// renderAs is the same of a release that is named otherwise.
func renderAs(release, namespace string, c *chartv2.Chart, values map[string]any, with *common.Capabilities) (rendered, error) {
	options := common.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(c, values, options, with)
	if err != nil {
		return rendered{}, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return rendered{}, err
	}
	var out rendered
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) == ".txt" {
			out.notes = files[name]
			continue
		}
		manifests := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(files[name])))
		for {
			manifest, err := manifests.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return rendered{}, fmt.Errorf("%s: %w", name, err)
			}
			if one := strings.TrimSpace(strings.TrimPrefix(string(manifest), "---")); one != "" {
				out.each = append(out.each, one)
				fmt.Fprintf(&text, "---\n# %s\n%s\n", strings.TrimPrefix(name, "marquee/"), one)
			}
		}
	}
	out.text = text.String()
	return out, nil
}

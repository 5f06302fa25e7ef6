package chart

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigyaml "sigs.k8s.io/yaml"
)

// TestExamples: the values in the folder deploy install, and the notes have nothing to warn of.
func TestExamples(t *testing.T) {
	t.Parallel()
	api, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../deploy/cloud.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "```yaml\n")
	block, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("deploy/cloud.md has no values")
	}
	for name, values := range map[string]map[string]any{
		"argocd": inManifest(t, "../../deploy/argocd/application.yaml", "Application", "spec", "source", "helm", "valuesObject"),
		"flux":   inManifest(t, "../../deploy/flux/marquee.yaml", "HelmRelease", "spec", "values"),
		"cloud":  loader.MergeMaps(valuesOf(t, "", chartDir+"/values-production.yaml"), parse(t, "cloud.md", []byte(block))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := render(load(t), values, capabilities(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, manifest := range out.each {
				if _, err := api.admit(manifest); err != nil {
					t.Errorf("%v\n%s", err, manifest)
				}
			}
			if strings.Contains(out.notes, "WARNING") || strings.Contains(out.notes, "NOTE:") {
				t.Error(out.notes)
			}
		})
	}
}

// inManifest is what the object of a kind has at a path.
func inManifest(t *testing.T, file, kind string, path ...string) map[string]any {
	t.Helper()
	text, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	manifests := yaml.NewYAMLReader(bufio.NewReader(text))
	for {
		manifest, err := manifests.Read()
		if errors.Is(err, io.EOF) {
			t.Fatalf("%s: no %s", file, kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		var object unstructured.Unstructured
		if err := sigyaml.UnmarshalStrict(manifest, &object.Object); err != nil {
			t.Fatal(err)
		}
		if object.GetKind() != kind {
			continue
		}
		values, found, err := unstructured.NestedMap(object.Object, path...)
		if err != nil || !found {
			t.Fatalf("%s: %s: found %v, %v", file, strings.Join(path, "."), found, err)
		}
		return values
	}
}

// Package e2e_test installs the chart into a real cluster that kind makes, and looks at what users and operators of
// it would see. It wants a container engine, kubectl and helm:
//
//	MARQUEE_E2E=1 go test -v -count=1 -timeout 40m ./test/e2e
//
// KIND_NODE_IMAGE chooses the nodes' image, kind's own if it is not set; KIND_POSTGRES_IMAGE that of PostgreSQL, with
// KIND_POSTGRES_ARCHIVE a file to load it from where no registry is reached. MARQUEE_E2E_KEEP=1 leaves the cluster, and
// takes the one that is there.
package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/cluster/nodes"
	"sigs.k8s.io/kind/pkg/cluster/nodeutils"
)

const (
	clusterName = "marquee-e2e"
	// What the API's node port is reached by from here, and in the cluster.
	apiAddress  = "127.0.0.1:18080"
	apiNodePort = 30080
)

// kindCluster is a cluster of two nodes that both take pods.
type kindCluster struct {
	provider   *cluster.Provider
	kubeconfig string
	nodes      []nodes.Node
}

// newCluster makes the cluster, which goes with the test; its logs stay if the test failed.
func newCluster(t *testing.T) *kindCluster {
	t.Helper()
	if os.Getenv("MARQUEE_E2E") == "" {
		t.Skip("wants a container engine, kubectl and helm: set MARQUEE_E2E=1")
	}
	for _, tool := range []string{"docker", "kubectl", "helm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatal(err)
		}
	}
	keep := os.Getenv("MARQUEE_E2E_KEEP") != ""
	c := &kindCluster{provider: cluster.NewProvider(cluster.ProviderWithDocker()), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	running, err := c.provider.List()
	must(t, err)
	if slices.Contains(running, clusterName) {
		if !keep {
			must(t, c.provider.Delete(clusterName, c.kubeconfig))
		} else {
			must(t, c.provider.ExportKubeConfig(clusterName, c.kubeconfig, false))
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			dir := filepath.Join(os.TempDir(), clusterName+"-logs")
			t.Logf("logs of the nodes and pods are in %s: %v", dir, c.provider.CollectLogs(clusterName, dir))
		}
		if !keep {
			must(t, c.provider.Delete(clusterName, c.kubeconfig))
		}
	})
	if !keep || !slices.Contains(running, clusterName) {
		began := time.Now()
		options := []cluster.CreateOption{
			cluster.CreateWithV1Alpha4Config(clusterConfig()), cluster.CreateWithKubeconfigPath(c.kubeconfig),
			cluster.CreateWithWaitForReady(3 * time.Minute), cluster.CreateWithDisplayUsage(false), cluster.CreateWithDisplaySalutation(false),
		}
		if image := os.Getenv("KIND_NODE_IMAGE"); image != "" {
			options = append(options, cluster.CreateWithNodeImage(image))
		}
		must(t, c.provider.Create(clusterName, options...))
		t.Logf("the cluster was ready in %s", since(began))
	}
	c.nodes, err = c.provider.ListInternalNodes(clusterName)
	must(t, err)
	c.kubectl(t, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
	return c
}

func clusterConfig() *v1alpha4.Cluster {
	return &v1alpha4.Cluster{
		TypeMeta: v1alpha4.TypeMeta{Kind: "Cluster", APIVersion: "kind.x-k8s.io/v1alpha4"},
		Networking: v1alpha4.Networking{
			IPFamily: v1alpha4.IPv4Family, APIServerAddress: "127.0.0.1",
		},
		Nodes: []v1alpha4.Node{
			{
				Role: v1alpha4.ControlPlaneRole,
				ExtraPortMappings: []v1alpha4.PortMapping{
					{ContainerPort: apiNodePort, HostPort: 18080, ListenAddress: "127.0.0.1", Protocol: v1alpha4.PortMappingProtocolTCP},
				},
				// It takes pods: with it there are two nodes to lose one of.
				KubeadmConfigPatches: []string{"kind: InitConfiguration\nnodeRegistration:\n  taints: []\n"},
			},
			{Role: v1alpha4.WorkerRole},
		},
	}
}

// load puts an image from an archive on every node.
func (c *kindCluster) load(t *testing.T, archive string) {
	t.Helper()
	for _, node := range c.nodes {
		file, err := os.Open(archive)
		must(t, err)
		err = nodeutils.LoadImageArchive(node, file)
		file.Close()
		must(t, err)
	}
}

// loadPostgres puts PostgreSQL's image on the nodes, where there is no registry to pull it from.
func (c *kindCluster) loadPostgres(t *testing.T) {
	t.Helper()
	if archive := os.Getenv("KIND_POSTGRES_ARCHIVE"); archive != "" {
		c.load(t, archive)
	}
}

// command runs a program against the cluster and gives what it printed.
func (c *kindCluster) command(ctx context.Context, stdin string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

func (c *kindCluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.command(t.Context(), "", "kubectl", args...)
	must(t, err)
	return out
}

func (c *kindCluster) apply(t *testing.T, manifest string) {
	t.Helper()
	_, err := c.command(t.Context(), manifest, "kubectl", "apply", "-f", "-")
	must(t, err)
}

// eventually asks until it is told nil, and says what it was told last if that takes longer than patience.
func eventually(t *testing.T, patience time.Duration, ask func() error) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		err := ask()
		if err == nil {
			return time.Since(began)
		}
		if time.Since(began) > patience {
			t.Fatalf("not within %s: %v", patience, err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(errors.Join(t.Context().Err(), err))
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func since(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }

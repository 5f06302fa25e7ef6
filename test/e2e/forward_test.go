package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// forward makes a port of a pod one of this machine's, until cancelled. Not even a policy of the network is in its way.
func (r *release) forward(t *testing.T, target string, port int) (local string, cancel func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "kubectl", "--namespace", r.namespace, "port-forward", target, fmt.Sprintf(":%d", port))
	cmd.Env = append(os.Environ(), "KUBECONFIG="+r.kubeconfig)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	_, address, _ := strings.Cut(line, "127.0.0.1:")
	local, _, _ = strings.Cut(address, " ")
	return local, func() {
		stop()
		_ = cmd.Wait() // it was stopped
	}
}

// find gives the value of the sample that begins so, in Prometheus' text format.
func find(metrics io.Reader, sample string) (string, error) {
	lines := bufio.NewScanner(io.LimitReader(metrics, 8<<20))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), sample); ok {
			return strings.TrimSpace(rest), nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	return "", fmt.Errorf("no sample %s", sample)
}

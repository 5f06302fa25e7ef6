package e2e_test

import (
	"strings"
	"testing"
)

// prober tries to reach the database from a pod with some labels, with the credentials of a pod that may.
const prober = `
apiVersion: v1
kind: Pod
metadata: {name: NAME, labels: {LABELS}}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: probe
    image: IMAGE
    imagePullPolicy: IfNotPresent
    args: [migrate, wait, "--timeout=15s"]
    env: ENV
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`

func (r *release) reaches(t *testing.T, name, labels string) (ok bool, log string) {
	t.Helper()
	env := r.kubectl(t, "get", "cronjob", "marquee-sync-alpha", "-o", "jsonpath={.spec.jobTemplate.spec.template.spec.containers[0].env}")
	r.apply(t, strings.NewReplacer("NAME", name, "LABELS", labels, "IMAGE", r.image, "ENV", env).Replace(prober))
	r.kubectl(t, "wait", "pod/"+name, "--for=jsonpath={.status.containerStatuses[0].state.terminated}", "--timeout=90s")
	code := r.kubectl(t, "get", "pod", name, "-o", "jsonpath={.status.containerStatuses[0].state.terminated.exitCode}")
	log = "exit code " + code + "\n" + r.kubectl(t, "logs", name)
	r.kubectl(t, "delete", "pod", name, "--wait=false")
	return code == "0", log
}

func testNetworkPolicy(t *testing.T, r *release) {
	if ok, log := r.reaches(t, "insider", "app.kubernetes.io/name: marquee, app.kubernetes.io/instance: marquee, app.kubernetes.io/component: sync"); !ok {
		t.Fatalf("a pod of the release does not reach the database:\n%s", log)
	}
	if ok, _ := r.reaches(t, "stranger", "app: stranger"); ok {
		t.Skip("Skipped: this cluster's network does not enforce NetworkPolicies: a stranger reaches the database.")
	}
	t.Log("a pod of the release reaches the database, a stranger in the namespace does not")
}

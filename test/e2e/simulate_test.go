package e2e_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

// What a simulated provider answers from now on.
const (
	answersWell  = "steps:\n  - body: {world: planList}\n"
	answersError = "steps:\n  - status: 500\n    body: {inline: broken}\n"
	answersEmpty = "steps:\n  - body: {inline: \"<planList><output></output></planList>\"}\n"
)

// simulate makes a provider of that name in the namespace of the release, or changes what it answers.
func (r *release) simulate(t *testing.T, name, script string) {
	t.Helper()
	r.apply(t, strings.NewReplacer(
		"NAME", name, "IMAGE", r.image, "HASH", fmt.Sprintf("%x", sha256.Sum256([]byte(script)))[:12],
		"SCRIPT", strings.ReplaceAll(strings.TrimSpace(script), "\n", "\n    "),
	).Replace(`
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data:
  script.yaml: |
    SCRIPT
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {simulates: NAME}, ports: [{port: 80, targetPort: 8090}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {simulates: NAME}}
  template:
    metadata:
      labels: {simulates: NAME}
      annotations: {script: "HASH"}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
      volumes: [{name: script, configMap: {name: NAME}}]
      containers:
      - name: provider
        image: IMAGE
        imagePullPolicy: IfNotPresent
        args: [provider, simulate, "--listen=:8090", --script=/script/script.yaml]
        volumeMounts: [{name: script, mountPath: /script}]
        readinessProbe: {httpGet: {path: "/", port: 8090}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
`))
	r.kubectl(t, "rollout", "status", "deployment/"+name, "--timeout=90s")
}

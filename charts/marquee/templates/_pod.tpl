{{/*
The spec of every pod that runs the program. Takes
  root, component
  name, args       of the container
  role             as which it connects to the database: owner, app, api or none
  wait             whether an init container waits for the schema or, with migrations.mode init, migrates it
  conns            most connections to the database
  settings         resources, extraEnv, nodeSelector… as under .Values.api or .Values.sync
  env, envFrom     more environment variables
  volumes, mounts  more of these, as lists
  container        more of the container's spec (ports, probes), as a map
  pod              more of the pod's spec (restartPolicy), as a map
*/}}
{{- define "marquee.podSpec" -}}
{{- $root := .root -}}
{{- $s := .settings -}}
{{- $main := dict "root" $root "name" .name "args" .args "role" .role "conns" .conns "resources" $s.resources
    "env" (concat (default list .env) (default list $s.extraEnv)) "envFrom" (concat (default list .envFrom) (default list $s.extraEnvFrom))
    "mounts" (concat (default list .mounts) (default list $s.extraVolumeMounts)) "more" (default dict .container) -}}
serviceAccountName: {{ include "marquee.serviceAccountName" $root | quote }}
automountServiceAccountToken: false
# Kubernetes' variables for Services (MARQUEE_PORT=tcp://…) would be taken for settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $s.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $s.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $s.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $s.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod }}
{{ toYaml . }}
{{- end }}
{{- if .wait }}
initContainers:
  {{- $init := eq $root.Values.migrations.mode "init" }}
  {{- $args := list "migrate" "wait" "--timeout" $root.Values.migrations.waitTimeout }}
  {{- if $init }}{{ $args = concat (list "migrate" "up") (fromJsonArray (include "marquee.grantArgs" $root)) }}{{ end }}
  - {{ include "marquee.container" (dict "root" $root "name" "schema" "args" $args "role" (ternary "owner" .role $init) "resources" $root.Values.migrations.resources) | nindent 4 | trim }}
{{- end }}
containers:
  - {{ include "marquee.container" $main | nindent 4 | trim }}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: {{ default "64Mi" $s.tmpSize }}}
  {{- if and (eq $root.Values.database.mode "external") $root.Values.database.external.caSecret }}
  - name: database-ca
    secret:
      secretName: {{ $root.Values.database.external.caSecret | quote }}
      items: [{key: {{ $root.Values.database.external.caKey | quote }}, path: ca.crt}]
  {{- else if eq $root.Values.database.mode "cnpg" }}
  - name: database-ca
    secret:
      secretName: {{ include "marquee.database" $root }}-ca
      items: [{key: ca.crt, path: ca.crt}]
  {{- end }}
  {{- with concat (default list .volumes) (default list $s.extraVolumes) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* One container that runs the program: see marquee.podSpec. */}}
{{- define "marquee.container" -}}
name: {{ .name }}
image: {{ include "marquee.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ toJson .args }}
env:
  - {name: MARQUEE_LOG_LEVEL, value: {{ .root.Values.logLevel | quote }}}
  - {name: MARQUEE_LOG_FORMAT, value: json}
  {{- with include "marquee.databaseEnv" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with ((.resources).limits).memory }}
  - {name: GOMEMLIMIT, value: {{ include "marquee.goMemLimit" . | quote }}}
  {{- end }}
  {{- if ((.resources).limits).cpu }}
  - name: GOMAXPROCS
    valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: "1"}}
  {{- end }}
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources:
  {{- toYaml .resources | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if or (eq .root.Values.database.mode "cnpg") (and (eq .root.Values.database.mode "external") .root.Values.database.external.caSecret) }}
  - {name: database-ca, mountPath: /etc/marquee/database, readOnly: true}
  {{- end }}
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .more }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* 90 % of a memory quantity, in bytes. */}}
{{- define "marquee.goMemLimit" -}}
{{- $text := toString . -}}
{{- /* toString writes a number of a values file as 1.073741824e+09. */ -}}
{{- if kindIs "float64" . }}{{ $text = printf "%.0f" . }}{{ end -}}
{{- $number := regexFind "^[0-9]+(\\.[0-9]+)?" $text | float64 -}}
{{- $unit := regexReplaceAll "^[0-9.]+" $text "" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- if not (hasKey $units $unit) -}}
{{- fail (printf "memory limit %q: want a quantity such as 512Mi or 1Gi" $text) -}}
{{- end -}}
{{- mulf $number (float64 (get $units $unit)) 0.9 | int64 -}}
{{- end }}

{{/* The name of the release's objects, short enough for suffixes such as -admin. */}}
{{- define "marquee.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- /* The name of a release may have dots, that of a Service may not. */ -}}
{{- $full | replace "." "-" | trunc 40 | trimAll "-" -}}
{{- end }}

{{- define "marquee.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "marquee.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* A CronJob's name, 52 characters at most: a longer one is cut and ends in its hash. Takes root and slug. */}}
{{- define "marquee.cronJobName" -}}
{{- $name := printf "%s-sync-%s" (include "marquee.fullname" .root) .slug -}}
{{- if gt (len $name) 52 -}}
{{- $name = printf "%s-%s" ($name | trunc 43 | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{- define "marquee.image" -}}
{{- with .Values.image -}}
{{- $tag := default $.Chart.AppVersion .tag -}}
{{- ternary (printf "%s@%s" .repository .digest) (printf "%s:%s" .repository $tag) (ne .digest "") -}}
{{- end -}}
{{- end }}

{{/* Text as a label's value: at most 63 characters, the first and the last a letter or digit. */}}
{{- define "marquee.label" -}}
{{- . | replace "+" "_" | trunc 63 | trimAll "-_." -}}
{{- end }}

{{/* The labels that select the pods of a component. Takes root and component. By toYaml, which quotes names such as 123 and on. */}}
{{- define "marquee.selector" -}}
{{- toYaml (dict
  "app.kubernetes.io/name" (include "marquee.label" (default .root.Chart.Name .root.Values.nameOverride))
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/component" .component) -}}
{{- end }}

{{/* The labels of an object. Its own labels override commonLabels. Takes root, component and, optionally, labels. */}}
{{- define "marquee.labels" -}}
{{- toYaml (merge (include "marquee.selector" . | fromYaml) (default dict .labels) .root.Values.commonLabels (dict
  "app.kubernetes.io/part-of" "marquee"
  "app.kubernetes.io/version" (include "marquee.label" (default .root.Chart.AppVersion .root.Values.image.tag))
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (include "marquee.label" (printf "%s-%s" .root.Chart.Name .root.Chart.Version)))) -}}
{{- end }}

{{/* The labels of pods: none that a new version would change, for that would replace all pods. Takes root, component and labels. */}}
{{- define "marquee.podLabels" -}}
{{- toYaml (merge (include "marquee.selector" . | fromYaml) (default dict .labels) .root.Values.commonLabels) -}}
{{- end }}

{{/* Copies what the map `from` has into the map `into`, at any depth. merge and its like would ignore false, 0 and "". */}}
{{- define "marquee.overlay" -}}
{{- $into := .into -}}
{{- range $key, $value := .from -}}
{{- if and (kindIs "map" $value) (kindIs "map" (get $into $key)) -}}
{{- include "marquee.overlay" (dict "into" (get $into $key) "from" $value) -}}
{{- else -}}
{{- $_ := set $into $key $value -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* An object's metadata. Takes root, component, name and, optionally, labels and annotations. */}}
{{- define "marquee.metadata" -}}
{{- $metadata := dict "name" .name "namespace" .root.Release.Namespace "labels" (include "marquee.labels" . | fromYaml) -}}
{{- with merge dict (default dict .annotations) .root.Values.commonAnnotations }}{{ $_ := set $metadata "annotations" . }}{{ end -}}
{{- toYaml $metadata -}}
{{- end }}

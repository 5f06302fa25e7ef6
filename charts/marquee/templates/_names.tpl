{{/* All names leave room for what is put after them. */}}
{{- define "marquee.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- /* A release may be named a.b, a Service may not. */ -}}
{{- $full | replace "." "-" | trunc 40 | trimAll "-" -}}
{{- end }}

{{- define "marquee.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "marquee.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* A CronJob's name, 52 characters at most: what is too long ends in a hash of all of it. Of (root, slug). */}}
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

{{/* A label's value: 63 characters that begin and end with a letter or digit. */}}
{{- define "marquee.label" -}}
{{- . | replace "+" "_" | trunc 63 | trimAll "-_." -}}
{{- end }}

{{/* What selects the pods of a component. Of (root, component). Names such as 123 and on want the quotes that toYaml gives them. */}}
{{- define "marquee.selector" -}}
{{- toYaml (dict
  "app.kubernetes.io/name" (include "marquee.label" (default .root.Chart.Name .root.Values.nameOverride))
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/component" .component) -}}
{{- end }}

{{/* Labels of a component's objects: the object's own come before those of all. Of (root, component), and perhaps labels. */}}
{{- define "marquee.labels" -}}
{{- toYaml (merge (include "marquee.selector" . | fromYaml) (default dict .labels) .root.Values.commonLabels (dict
  "app.kubernetes.io/part-of" "marquee"
  "app.kubernetes.io/version" (include "marquee.label" (default .root.Chart.AppVersion .root.Values.image.tag))
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (include "marquee.label" (printf "%s-%s" .root.Chart.Name .root.Chart.Version)))) -}}
{{- end }}

{{/* Labels of a component's pods: nothing that changes without them. Of (root, component, labels). */}}
{{- define "marquee.podLabels" -}}
{{- toYaml (merge (include "marquee.selector" . | fromYaml) (default dict .labels) .root.Values.commonLabels) -}}
{{- end }}

{{/* Sets what `from` has in the map `into`, at any depth. merge and its kin take false, 0 and "" for nothing. */}}
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

{{/* An object's metadata. Of (root, component, name), and perhaps labels and annotations. */}}
{{- define "marquee.metadata" -}}
{{- $metadata := dict "name" .name "namespace" .root.Release.Namespace "labels" (include "marquee.labels" . | fromYaml) -}}
{{- with merge dict (default dict .annotations) .root.Values.commonAnnotations }}{{ $_ := set $metadata "annotations" . }}{{ end -}}
{{- toYaml $metadata -}}
{{- end }}

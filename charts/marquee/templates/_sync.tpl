{{/* The provider file of a provider. Takes root and provider. */}}
{{- define "marquee.providerFile" -}}
{{- $file := omit .provider "cronJob" -}}
{{- if not (or $file.schedule $file.every) }}{{ $file = merge (dict "every" .root.Values.sync.every) $file }}{{ end -}}
{{- toYaml $file -}}
{{- end }}

{{/*
A CronJob that syncs. Takes root, name, slug (if it is one provider's), schedule, settings (.Values.sync, overridden by a provider's cronJob),
secrets (names of Secrets whose keys become environment variables), args, volumes and, optionally, job, which is more of the Job's spec.
*/}}
{{- define "marquee.syncCronJob" -}}
{{- $s := .settings -}}
{{- $period := include "marquee.period" .schedule | int -}}
{{- $deadline := $s.activeDeadlineSeconds -}}
{{- if kindIs "invalid" $deadline }}{{ $deadline = min 3600 (div (mul $period 9) 10) }}{{ end -}}
{{- if ge (int $deadline) $period -}}
{{- fail (printf "%s: activeDeadlineSeconds %d: want less than the %d s between two starts of %q" .name (int $deadline) $period .schedule) -}}
{{- end -}}
{{- $late := $s.startingDeadlineSeconds -}}
{{- if kindIs "invalid" $late }}{{ $late = min 600 (max 60 (div $period 3)) }}{{ end -}}
{{- $labels := dict -}}
{{- with .slug }}{{ $_ := set $labels "marquee.dev/provider" . }}{{ end -}}
{{- $policy := $s.podFailurePolicy -}}
{{- if kindIs "invalid" $policy -}}
{{- $policy = dict "rules" (list
  (dict "action" "FailJob" "onExitCodes" (dict "operator" "In" "values" (list 65 69 78)))
  (dict "action" "Ignore" "onPodConditions" (list (dict "type" "DisruptionTarget")))) -}}
{{- end -}}
{{- $envFrom := list -}}
{{- range compact (uniq .secrets) }}{{ $envFrom = append $envFrom (dict "secretRef" (dict "name" .)) }}{{ end -}}
{{- $mounts := list (dict "name" "providers" "mountPath" "/etc/marquee/providers" "readOnly" true) -}}
{{- $template := dict
  "metadata" (dict "labels" (include "marquee.podLabels" (dict "root" .root "component" "sync" "labels" (merge dict $labels $s.podLabels)) | fromYaml))
  "spec" (include "marquee.podSpec" (dict "root" .root "component" "sync" "name" "sync" "role" "app" "wait" true "conns" $s.databaseMaxConns
    "args" (concat .args (list "--providers=/etc/marquee/providers") $s.extraArgs) "settings" $s "envFrom" $envFrom "mounts" $mounts "volumes" .volumes
    "pod" (dict "restartPolicy" "Never")) | fromYaml) -}}
{{- with $s.podAnnotations }}{{ $_ := set $template.metadata "annotations" . }}{{ end -}}
{{- $job := merge (dict
  "activeDeadlineSeconds" $deadline
  "ttlSecondsAfterFinished" $s.ttlSecondsAfterFinished
  "podReplacementPolicy" $s.podReplacementPolicy
  "template" $template) (default dict .job) -}}
{{- with $policy }}{{ $_ := set $job "podFailurePolicy" . }}{{ end -}}
{{- if not $job.backoffLimitPerIndex }}{{ $_ := set $job "backoffLimit" $s.backoffLimit }}{{ end -}}
{{- $spec := dict
  "schedule" .schedule
  "timeZone" $s.timeZone
  "concurrencyPolicy" $s.concurrencyPolicy
  "startingDeadlineSeconds" $late
  "successfulJobsHistoryLimit" $s.successfulJobsHistoryLimit
  "failedJobsHistoryLimit" $s.failedJobsHistoryLimit
  "suspend" $s.suspend
  "jobTemplate" (dict "metadata" (dict "labels" (include "marquee.labels" (dict "root" .root "component" "sync" "labels" $labels) | fromYaml)) "spec" $job) -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  {{- include "marquee.metadata" (dict "root" .root "component" "sync" "name" .name "labels" $labels) | nindent 2 }}
spec:
  {{- include "marquee.overlay" (dict "into" $spec "from" $s.spec) }}
  {{- toYaml $spec | nindent 2 }}
{{- end }}

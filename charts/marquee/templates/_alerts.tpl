{{/*
The groups of files/alerts.yaml, and one of the providers that are synced, each by its own schedule. With a ServiceMonitor of
ours it is known how this release's metrics are labelled: all are asked for by that, or another release would hide what is
wrong with this one.
*/}}
{{- define "marquee.alerts" -}}
{{- $watched := list -}}
{{- $apart := list -}}
{{- range .Values.providers -}}
{{- $gaps := include "marquee.providerGaps" (dict "root" $ "provider" .) | fromJson -}}
{{- $suspended := dig "suspend" $.Values.sync.suspend (default dict .cronJob) -}}
{{- if or $suspended (gt (int $gaps.most) 86400) }}{{ $apart = append $apart .slug }}{{ end -}}
{{- if not $suspended }}{{ $watched = append $watched (merge (dict "slug" .slug) $gaps) }}{{ end -}}
{{- end -}}
{{- $alerts := .Files.Get "files/alerts.yaml" -}}
{{- /* A day without a sync is as it should be for these. */ -}}
{{- if $apart }}{{ $alerts = replace "marquee_provider_last_success_timestamp_seconds" (printf "marquee_provider_last_success_timestamp_seconds{provider!~%q}" (join "|" $apart)) $alerts }}{{ end -}}
{{- $alerts = printf "%s%s" (trim $alerts) (include "marquee.missedAlerts" $watched) -}}
{{- if .Values.serviceMonitor.enabled -}}
{{- $ours := printf "namespace=%q,job=%q" .Release.Namespace (printf "%s-admin" (include "marquee.fullname" .)) -}}
{{- $alerts = regexReplaceAll "\\b((?:marquee|pgxpool)_[a-z_]+)([^a-z_{])" $alerts "${1}{}${2}" -}}
{{- $alerts = regexReplaceAll "\\b((?:marquee|pgxpool)_[a-z_]+){" $alerts (printf "${1}{%s," $ours) | replace ",}" "}" -}}
{{- end -}}
{{- $alerts -}}
{{- end }}

{{/* Of a list of providers that are synced: slug, and least and most as marquee.providerGaps has them. */}}
{{- define "marquee.missedAlerts" -}}
{{- with . }}
  # A CronJob that is gone, or never starts, fails nothing: what it should have brought is missed instead.
  - name: marquee-providers
    rules:
      {{- range . }}
      {{- /* The greatest gap, and time for two runs to fail; an hour more where nights are, one of which has it each year. */}}
      {{- $late := add .most (max (mul 2 .least) (min .most 3600)) 900 }}
      - alert: MarqueeProviderMissed
        expr: time() - max by (namespace, job) (marquee_provider_last_success_timestamp_seconds{provider={{ quote .slug }}}) > {{ $late }}
        for: 15m
        labels: {severity: warning, provider: {{ quote .slug }}}
        annotations:
          summary: {{ printf "%s should be synced again after %d s at the latest, and is long overdue: see its CronJob." .slug (int .most) | quote }}
      - alert: MarqueeProviderMissed
        expr: absent(marquee_provider_last_success_timestamp_seconds{provider={{ quote .slug }}})
        for: {{ add .most 900 }}s
        labels: {severity: warning, provider: {{ quote .slug }}}
        annotations:
          summary: {{ printf "%s was never synced well, and should be within %d s: see its CronJob." .slug (int .most) | quote }}
      {{- end }}
{{- end }}
{{- end }}

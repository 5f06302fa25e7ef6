{{/*
The groups of files/alerts.yaml, and one more with rules for each provider that is not suspended, by its own schedule. If the chart
makes the ServiceMonitor, the labels of this release's metrics are known: all rules then ask for these alone, since the metrics of
another release could hide what is wrong with this one.
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
{{- /* These may go without a sync for more than a day: MarqueeProviderStale leaves them out. */ -}}
{{- if $apart }}{{ $alerts = replace "marquee_provider_last_success_timestamp_seconds" (printf "marquee_provider_last_success_timestamp_seconds{provider!~%q}" (join "|" $apart)) $alerts }}{{ end -}}
{{- $alerts = printf "%s%s" (trim $alerts) (include "marquee.missedAlerts" $watched) -}}
{{- if .Values.serviceMonitor.enabled -}}
{{- $ours := printf "namespace=%q,job=%q" .Release.Namespace (printf "%s-admin" (include "marquee.fullname" .)) -}}
{{- $alerts = regexReplaceAll "\\b((?:marquee|pgxpool)_[a-z_]+)([^a-z_{])" $alerts "${1}{}${2}" -}}
{{- $alerts = regexReplaceAll "\\b((?:marquee|pgxpool)_[a-z_]+){" $alerts (printf "${1}{%s," $ours) | replace ",}" "}" -}}
{{- end -}}
{{- $alerts -}}
{{- end }}

{{/* The group for providers. Takes a list of them: slug, and least and most of marquee.providerGaps. */}}
{{- define "marquee.missedAlerts" -}}
{{- with . }}
  # A CronJob that is gone or never starts does not fail. These find it by the syncs that don't come.
  - name: marquee-providers
    rules:
      {{- range . }}
      {{- /* The longest gap between two syncs, and time for two runs to fail. A gap may be up to an hour longer on the night when clocks go back. */}}
      {{- $late := add .most (max (mul 2 .least) (min .most 3600)) 900 }}
      - alert: MarqueeProviderMissed
        expr: time() - max by (namespace, job) (marquee_provider_last_success_timestamp_seconds{provider={{ quote .slug }}}) > {{ $late }}
        for: 15m
        labels: {severity: warning, provider: {{ quote .slug }}}
        annotations:
          summary: {{ printf "%s is long overdue: its schedule has a sync at least every %d s. See its CronJob." .slug (int .most) | quote }}
      - alert: MarqueeProviderMissed
        expr: absent(marquee_provider_last_success_timestamp_seconds{provider={{ quote .slug }}})
        for: {{ add .most 900 }}s
        labels: {severity: warning, provider: {{ quote .slug }}}
        annotations:
          summary: {{ printf "%s was never synced successfully, and its schedule has a sync at least every %d s. See its CronJob." .slug (int .most) | quote }}
      {{- end }}
{{- end }}
{{- end }}

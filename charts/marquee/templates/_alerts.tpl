{{/* The groups of files/alerts.yaml, and one of the providers that are synced, each by its own schedule. */}}
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
{{- trim $alerts }}
{{- with $watched }}
  # A CronJob that is gone, or never starts, fails nothing: what it should have brought is missed instead.
  - name: marquee-providers
    rules:
      {{- range . }}
      {{- /* The greatest gap, and time for two runs to fail; an hour more where nights are, one of which has it each year. */}}
      {{- $late := add .most (max (mul 2 .least) (min .most 3600)) 900 }}
      - alert: MarqueeProviderMissed
        expr: time() - max(marquee_provider_last_success_timestamp_seconds{provider={{ quote .slug }}}) > {{ $late }}
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

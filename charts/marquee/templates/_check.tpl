{{/* Checks that values.schema.json can't make. Each message says what to change. */}}
{{- define "marquee.check" -}}
{{- $db := .Values.database -}}
{{- if and (eq $db.mode "external") (not $db.external.existingSecret) -}}
{{- fail "database.external.existingSecret is missing: make a Secret with the database's URL (kubectl create secret generic marquee-database --from-literal=url=postgres://user:password@host/name) and name it there; or try with database.mode=embedded" -}}
{{- end -}}
{{- if and (eq $db.mode "cnpg") (not (.Capabilities.APIVersions.Has "postgresql.cnpg.io/v1")) -}}
{{- fail "database.mode cnpg: this cluster doesn't have CloudNativePG (postgresql.cnpg.io/v1): install its operator first; with helm template add --api-versions postgresql.cnpg.io/v1" -}}
{{- end -}}
{{- if and (eq $db.mode "cnpg") (or (hasKey $db.cnpg.parameters "max_connections") (dig "postgresql" "parameters" "max_connections" "" $db.cnpg.spec)) -}}
{{- fail "database.cnpg.parameters: max_connections comes from database.maxConnections: set it there" -}}
{{- end -}}
{{- if and .Values.api.autoscaling.enabled (lt (int .Values.api.autoscaling.maxReplicas) (int .Values.api.autoscaling.minReplicas)) -}}
{{- fail "api.autoscaling.maxReplicas is less than minReplicas" -}}
{{- end -}}
{{- if lt (int .Values.api.terminationGracePeriodSeconds) (add (int .Values.api.preStopSleepSeconds) 29 | int) -}}
{{- fail (printf "api.terminationGracePeriodSeconds %d: want at least %d: preStopSleepSeconds, 25 s for requests under way, and 4 more" (int .Values.api.terminationGracePeriodSeconds) (add (int .Values.api.preStopSleepSeconds) 29 | int)) -}}
{{- end -}}
{{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") -}}
{{- fail (printf "service.nodePort %d: a Service of type ClusterIP has none: set service.type to NodePort or LoadBalancer, or take the port away" (int .Values.service.nodePort)) -}}
{{- end -}}
{{- $slugs := dict -}}
{{- $names := dict -}}
{{- range .Values.providers -}}
{{- if hasKey $slugs .slug -}}
{{- fail (printf "providers: two have the slug %q; a slug names one provider" .slug) -}}
{{- end -}}
{{- $_ := set $slugs .slug true -}}
{{- $name := include "marquee.cronJobName" (dict "root" $ "slug" .slug) -}}
{{- if hasKey $names $name }}{{ fail (printf "providers: %s and %s would both have a CronJob named %s; change a slug" .slug (get $names $name) $name) }}{{ end -}}
{{- $_ := set $names $name .slug -}}
{{- if and .schedule .every }}{{ fail (printf "provider %s: want schedule or every, not both" .slug) }}{{ end -}}
{{- end -}}
{{- if eq .Values.sync.mode "sharded" }}{{ include "marquee.checkSharded" . }}{{ end -}}
{{- include "marquee.checkConnections" . -}}
{{- end }}

{{/* With sync.mode sharded all providers are synced by the same pods, and `cronJob` can only add to their environment, or suspend its provider. */}}
{{- define "marquee.checkSharded" -}}
{{- $env := dict -}}
{{- range .Values.sync.extraEnv }}{{ $_ := set $env .name (dict "by" "sync.extraEnv" "is" (toJson .)) }}{{ end -}}
{{- range $provider := .Values.providers -}}
{{- $own := default dict .cronJob -}}
{{- range $key, $_ := omit $own "existingSecret" "extraEnv" "extraEnvFrom" "suspend" -}}
{{- fail (printf "provider %s: cronJob.%s: with sync.mode sharded no provider has a CronJob of its own: set sync.%s for all of them, or use sync.mode perProvider" $provider.slug $key $key) -}}
{{- end -}}
{{- if and $.Values.sync.suspend (hasKey $own "suspend") (not $own.suspend) -}}
{{- fail (printf "provider %s: cronJob.suspend false: with sync.mode sharded sync.suspend is for all of them: take one of the two away, or use sync.mode perProvider" .slug) -}}
{{- end -}}
{{- range $own.extraEnv -}}
{{- $was := default dict (get $env .name) -}}
{{- if and $was (ne $was.is (toJson .)) -}}
{{- fail (printf "provider %s: cronJob.extraEnv: %s has another value in %s, but with sync.mode sharded all providers share one environment: change the name, or use sync.mode perProvider" $provider.slug .name $was.by) -}}
{{- end -}}
{{- $_ := set $env .name (dict "by" (printf "provider %s" $provider.slug) "is" (toJson .)) -}}
{{- end -}}
{{- end -}}
{{- end }}

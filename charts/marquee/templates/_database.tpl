{{/* The name of the database that the chart creates: of its objects, and of its host. */}}
{{- define "marquee.database" -}}
{{ include "marquee.fullname" . }}-postgres
{{- end }}

{{- define "marquee.embeddedSecret" -}}
{{- default (include "marquee.database" .) .Values.database.embedded.existingSecret -}}
{{- end }}

{{/* The environment variables by which a role (owner, app, api, none) connects to the database. Takes root, role, conns. */}}
{{- define "marquee.databaseEnv" -}}
{{- $db := .root.Values.database -}}
{{- $name := include "marquee.database" .root -}}
{{- if ne .role "none" }}
{{- if eq $db.mode "external" }}
{{- $external := $db.external }}
{{- $keys := dict "app" $external.urlKey "owner" (default $external.urlKey $external.migrateUrlKey) "api" (default $external.urlKey $external.apiUrlKey) }}
- name: MARQUEE_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ $external.existingSecret | quote }}, key: {{ get $keys .role | quote }}}}
{{- if and (eq .role "api") $external.replicaUrlKey }}
- name: MARQUEE_REPLICA_URL
  valueFrom: {secretKeyRef: {name: {{ $external.existingSecret | quote }}, key: {{ $external.replicaUrlKey | quote }}}}
{{- end }}
- {name: PGSSLMODE, value: {{ $external.sslmode }}}
{{- if $external.caSecret }}
- {name: PGSSLROOTCERT, value: /etc/marquee/database/ca.crt}
{{- end }}
{{- else if eq $db.mode "cnpg" }}
{{- $pooled := and $db.cnpg.pooler.enabled (ne .role "owner") }}
- {name: MARQUEE_DATABASE_URL, value: "postgres://{{ $name }}-{{ ternary "pooler" "rw" $pooled }}:5432/marquee"}
{{- if and (eq .role "api") (gt (int $db.cnpg.instances) 1) }}
- {name: MARQUEE_REPLICA_URL, value: "postgres://{{ $name }}-ro:5432/marquee"}
{{- end }}
- name: PGUSER
  valueFrom: {secretKeyRef: {name: {{ $name }}-app, key: username}}
- name: PGPASSWORD
  valueFrom: {secretKeyRef: {name: {{ $name }}-app, key: password}}
# The pooler presents the server's certificate, which has another host name.
- {name: PGSSLMODE, value: {{ ternary "verify-ca" "verify-full" $pooled }}}
- {name: PGSSLROOTCERT, value: /etc/marquee/database/ca.crt}
{{- else }}
{{- $owner := eq .role "owner" }}
- {name: MARQUEE_DATABASE_URL, value: "postgres://{{ $name }}:5432/marquee"}
- {name: PGUSER, value: {{ ternary "marquee_owner" "marquee_app" $owner }}}
- name: PGPASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "marquee.embeddedSecret" .root | quote }}, key: {{ ternary "owner" "app" $owner }}}}
- {name: PGSSLMODE, value: disable}
{{- end }}
{{- with .conns }}
- {name: MARQUEE_DATABASE_MAX_CONNS, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{/* The flags of marquee migrate up that grant rights, as a JSON list. */}}
{{- define "marquee.grantArgs" -}}
{{- $args := list -}}
{{- range .Values.migrations.grantTo }}{{ $args = append $args (printf "--grant-to=%s" .) }}{{ end -}}
{{- range .Values.migrations.grantReadTo }}{{ $args = append $args (printf "--grant-read-to=%s" .) }}{{ end -}}
{{- if eq .Values.database.mode "embedded" }}{{ $args = append $args "--grant-to=marquee_app" }}{{ end -}}
{{- toJson $args -}}
{{- end }}

{{/* Most pods of the API at a time, with the one that an update adds. */}}
{{- define "marquee.apiPods" -}}
{{- with .Values.api -}}
{{- add 1 (ternary .autoscaling.maxReplicas .replicas .autoscaling.enabled) -}}
{{- end -}}
{{- end }}

{{/* Fails if all pods together could open more connections than the database accepts. */}}
{{- define "marquee.checkConnections" -}}
{{- $v := .Values -}}
{{- $apiPods := include "marquee.apiPods" . | int -}}
{{- $api := mul $apiPods $v.api.databaseMaxConns -}}
{{- $syncPods := 0 -}}
{{- $sync := 0 -}}
{{- /* A run is stopped within its period: so with Allow there are two at a time, at most. */ -}}
{{- if eq $v.sync.mode "sharded" -}}
{{- $syncPods = mul $v.sync.shards (ternary 2 1 (eq $v.sync.concurrencyPolicy "Allow")) -}}
{{- $sync = mul $syncPods $v.sync.databaseMaxConns -}}
{{- else -}}
{{- range $v.providers -}}
{{- $settings := merge (pick (default dict .cronJob) "databaseMaxConns" "concurrencyPolicy") $v.sync -}}
{{- $pods := ternary 2 1 (eq $settings.concurrencyPolicy "Allow") -}}
{{- $syncPods = add $syncPods $pods -}}
{{- $sync = add $sync (mul $pods $settings.databaseMaxConns) -}}
{{- end -}}
{{- end -}}
{{- $migrate := 3 -}}
{{- $have := sub $v.database.maxConnections $v.database.reservedConnections | int -}}
{{- $want := add $api $sync $migrate | int -}}
{{- $sum := printf "API %d pods of %d, syncs %d pods with %d in all, migrations 3" $apiPods (int $v.api.databaseMaxConns) (int $syncPods) (int $sync) -}}
{{- $replicas := and (eq $v.database.mode "cnpg") (gt (int $v.database.cnpg.instances) 1) -}}
{{- $pooled := and (eq $v.database.mode "cnpg") $v.database.cnpg.pooler.enabled -}}
{{- if $pooled -}}
{{- $want = add (mul $v.database.cnpg.pooler.instances $v.database.cnpg.pooler.poolSize) $migrate | int -}}
{{- $sum = printf "pooler %d pods of %d, migrations 3" (int $v.database.cnpg.pooler.instances) (int $v.database.cnpg.pooler.poolSize) -}}
{{- end -}}
{{- if gt $want $have -}}
{{- fail (printf "all pods together may open %d connections to the database (%s), but it accepts %d (database.maxConnections %d less database.reservedConnections %d): lower api.databaseMaxConns, the databaseMaxConns of sync and of cronJobs, or the number of pods (sync.mode sharded needs few; with concurrencyPolicy Allow each pod counts twice), or raise the database's max_connections, and database.maxConnections with it" $want $sum $have (int $v.database.maxConnections) (int $v.database.reservedConnections)) -}}
{{- end -}}
{{- if and $replicas (gt (int $api) $have) -}}
{{- fail (printf "the API may open %d connections to a replica, but it accepts %d: lower api.databaseMaxConns or raise database.maxConnections" (int $api) $have) -}}
{{- end -}}
{{- end }}

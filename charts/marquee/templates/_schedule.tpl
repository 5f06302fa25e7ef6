{{/* A number that a slug always has, for spreading: of a hash's digits. */}}
{{- define "marquee.spread" -}}
{{- regexReplaceAll "[^0-9]" (sha256sum .) "" | trunc 9 | trimPrefix "0" | trimPrefix "0" | trimPrefix "0" | default "0" -}}
{{- end }}

{{/* Seconds of a duration such as 15m or 1h30m. */}}
{{- define "marquee.seconds" -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $number := regexFind "[0-9]+" . | atoi -}}
{{- $sum = add $sum (mul $number (get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end }}

{{/*
A cron expression for `every`, whose start is the slug's own. Of (slug, every). Cron starts anew each hour and each day,
so that only what divides them comes at even times.
*/}}
{{- define "marquee.everyCron" -}}
{{- $seconds := include "marquee.seconds" .every | int -}}
{{- $minutes := div $seconds 60 | int -}}
{{- $hours := div $minutes 60 | int -}}
{{- $spread := include "marquee.spread" .slug | atoi -}}
{{- if and (eq (mod $seconds 60) 0) (gt $minutes 0) (le $minutes 60) (eq (mod 60 (max $minutes 1)) 0) -}}
{{- if eq $minutes 1 -}}
* * * * *
{{- else if eq $minutes 60 -}}
{{ mod $spread 60 }} * * * *
{{- else -}}
{{ mod $spread $minutes }}-59/{{ $minutes }} * * * *
{{- end -}}
{{- else if and (eq (mod $seconds 3600) 0) (gt $hours 0) (le $hours 24) (eq (mod 24 (max $hours 1)) 0) -}}
{{- $hour := mod (div $spread 60) $hours -}}
{{ mod $spread 60 }} {{ if eq $hours 24 }}{{ $hour }}{{ else }}{{ $hour }}-23/{{ $hours }}{{ end }} * * *
{{- else -}}
{{- fail (printf "provider %s: every %s: a CronJob can start every 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30 minutes, and every 1, 2, 3, 4, 6, 8, 12 or 24 hours; choose one of these, or use schedule, or sync.mode sharded" .slug .every) -}}
{{- end -}}
{{- end }}

{{/* Seconds between two starts of a cron expression, at least: exact for common ones, a minute if it can't be told. */}}
{{- define "marquee.period" -}}
{{- $fields := splitList " " (regexReplaceAll "\\s+" (trim .) " ") -}}
{{- $minute := index $fields 0 -}}
{{- $hour := index $fields 1 -}}
{{- $within := include "marquee.gap" (dict "field" $minute "size" 60) | int -}}
{{- if lt $within 60 -}}
{{- mul $within 60 -}}
{{- else -}}
{{- mul 3600 (include "marquee.gap" (dict "field" $hour "size" 24) | int) -}}
{{- end -}}
{{- end }}

{{/* The least distance of two values of a field, around the clock of `size`; 1 if that can't be told. */}}
{{- define "marquee.gap" -}}
{{- $size := int .size -}}
{{- $values := list -}}
{{- if regexMatch "^[0-9]+(,[0-9]+)*$" .field -}}
{{- range splitList "," .field }}{{ $values = append $values (atoi .) }}{{ end -}}
{{- else if regexMatch "^([*]|[0-9]+-[0-9]+)/[0-9]+$" .field -}}
{{- $range := first (splitList "/" .field) -}}
{{- $step := max 1 (atoi (last (splitList "/" .field))) | int -}}
{{- $from := 0 -}}{{- $to := sub $size 1 | int -}}
{{- if ne $range "*" }}{{ $from = atoi (first (splitList "-" $range)) }}{{ $to = min $to (atoi (last (splitList "-" $range))) | int }}{{ end -}}
{{- range untilStep $from (add1 $to | int) $step }}{{ $values = append $values . }}{{ end -}}
{{- end -}}
{{- $gap := ternary $size 1 (eq (len $values) 1) -}}
{{- if gt (len $values) 1 -}}
{{- $gap = $size -}}
{{- range $a := $values -}}{{- range $b := $values -}}
{{- if lt $a $b }}{{ $gap = min $gap (sub $b $a) (sub (add $a $size) $b) | int }}{{ end -}}
{{- end -}}{{- end -}}
{{- end -}}
{{- $gap -}}
{{- end }}

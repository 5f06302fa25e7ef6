{{/* A number that is always the same for a slug, to spread start times by: digits of its hash. */}}
{{- define "marquee.spread" -}}
{{- regexReplaceAll "[^0-9]" (sha256sum .) "" | trunc 9 | trimPrefix "0" | trimPrefix "0" | trimPrefix "0" | default "0" -}}
{{- end }}

{{/* A duration such as 15m or 1h30m in seconds. */}}
{{- define "marquee.seconds" -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[hms]" . -1 -}}
{{- $number := regexFind "[0-9]+" . | atoi -}}
{{- $sum = add $sum (mul $number (get (dict "h" 3600 "m" 60 "s" 1) (regexFind "[hms]" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end }}

{{/*
A cron expression for `every`, with start minutes of the slug's own. Takes slug and every. Cron counts anew in each hour and each day:
only periods that divide these come at equal distances.
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

{{/* The shortest time between two starts of a cron expression, in seconds. */}}
{{- define "marquee.period" -}}
{{- (include "marquee.cronGaps" . | fromJson).least | int -}}
{{- end }}

{{/*
The shortest (least) and the longest (most) time between two starts of a cron expression, in seconds, as JSON. least is computed within
a day. most assumes the worst of the calendar: that all months have 31 days, and that days after the 28th never come.
*/}}
{{- define "marquee.cronGaps" -}}
{{- $fields := splitList " " (regexReplaceAll "\\s+" (trim .) " ") -}}
{{- $minute := include "marquee.cronField" (dict "field" (index $fields 0) "from" 0 "to" 59) | fromJson -}}
{{- $hour := include "marquee.cronField" (dict "field" (index $fields 1) "from" 0 "to" 23) | fromJson -}}
{{- $day := include "marquee.cronField" (dict "field" (index $fields 2) "from" 1 "to" 28) | fromJson -}}
{{- $month := include "marquee.cronField" (dict "field" (index $fields 3) "from" 1 "to" 12 "names" (list "jan" "feb" "mar" "apr" "may" "jun" "jul" "aug" "sep" "oct" "nov" "dec")) | fromJson -}}
{{- $weekday := include "marquee.cronField" (dict "field" (index $fields 4) "from" 0 "to" 6 "names" (list "sun" "mon" "tue" "wed" "thu" "fri" "sat")) | fromJson -}}
{{- if not (and $minute $hour $month $weekday) }}{{ fail (printf "schedule %q: want ranges from less to more, as in 8-18" .) }}{{ end -}}
{{- $least := mul 60 $minute.least -}}
{{- if eq (int $minute.least) 60 }}{{ $least = mul 3600 $hour.least }}{{ end -}}
{{- /* From the last start in a year, month, week, day or hour to the first in the next. */ -}}
{{- $months := max $month.most (sub (add 12 $month.first) $month.last) -}}
{{- $days := add (mul 31 (sub $months 1)) (max $weekday.most (sub (add 7 $weekday.first) $weekday.last)) -}}
{{- if not (regexMatch "^[*?]$" (index $fields 2)) -}}
{{- $ofMonth := mul 31 (add 1 $months) -}}
{{- if $day }}{{ $ofMonth = max $day.most (sub (add (mul 31 $months) $day.first) $day.last) }}{{ end -}}
{{- /* If day of month and day of week are both given, cron starts on either. */ -}}
{{- $days = ternary $ofMonth (min $days $ofMonth) (regexMatch "^[*?]$" (index $fields 4)) -}}
{{- end -}}
{{- $hours := max $hour.most (sub (add (mul 24 $days) $hour.first) $hour.last) -}}
{{- $most := max $minute.most (sub (add (mul 60 $hours) $minute.first) $minute.last) -}}
{{- toJson (dict "least" $least "most" (mul 60 $most)) -}}
{{- end }}

{{/*
About the values of a cron field, which may be from..to, as JSON: the first and the last one, the least step from one to the next (also from
the last to the first of the next round), and the greatest (without that one). {} if the field has no values. 5/15 goes on to the end, as
in the CronJob controller.
*/}}
{{- define "marquee.cronField" -}}
{{- if has .field (list "*" "?") -}}
{{- toJson (dict "first" .from "last" .to "least" 1 "most" 1) -}}
{{- else -}}
{{- $field := lower .field -}}
{{- range $i, $name := .names }}{{ $field = replace $name (toString (add $.from $i)) $field }}{{ end -}}
{{- $is := dict -}}
{{- range splitList "," $field -}}
{{- $halves := splitList "/" . -}}
{{- $ends := splitList "-" (first $halves) -}}
{{- $from := atoi (first $ends) -}}{{- $to := atoi (last $ends) -}}
{{- if has (first $halves) (list "*" "?") }}{{ $from = $.from }}{{ $to = $.to -}}
{{- else if and (eq (len $halves) 2) (eq (len $ends) 1) }}{{ $to = $.to }}{{ end -}}
{{- $step := 1 }}{{ if eq (len $halves) 2 }}{{ $step = max 1 (atoi (last $halves)) | int }}{{ end -}}
{{- range untilStep $from (min $to $.to | add1 | int) $step }}{{ $_ := set $is (printf "%02d" .) . }}{{ end -}}
{{- end -}}
{{- $values := list }}{{ range sortAlpha (keys $is) }}{{ $values = append $values (get $is .) }}{{ end -}}
{{- if $values -}}
{{- $last := last $values -}}
{{- $least := sub (add1 (sub .to .from)) (sub $last (first $values)) -}}
{{- $most := 0 -}}
{{- $before := first $values -}}
{{- range rest $values -}}
{{- $least = min $least (sub . $before) -}}{{- $most = max $most (sub . $before) -}}{{- $before = . -}}
{{- end -}}
{{- toJson (dict "first" (first $values) "last" $last "least" $least "most" $most) -}}
{{- else }}{}{{ end -}}
{{- end -}}
{{- end }}

{{/* The shortest (least) and the longest (most) time between two syncs of a provider, in seconds, as JSON. Takes root and provider. */}}
{{- define "marquee.providerGaps" -}}
{{- $sync := .root.Values.sync -}}
{{- $every := default $sync.every .provider.every -}}
{{- if eq $sync.mode "sharded" -}}
{{- $gaps := dict -}}
{{- if .provider.schedule }}{{ $gaps = include "marquee.cronGaps" .provider.schedule | fromJson -}}
{{- else }}{{ $seconds := include "marquee.seconds" $every | int }}{{ $gaps = dict "least" $seconds "most" $seconds }}{{ end -}}
{{- /* A provider that is due waits for the next start of the CronJob. */ -}}
{{- toJson (dict "least" $gaps.least "most" (add $gaps.most (include "marquee.cronGaps" $sync.schedule | fromJson).most)) -}}
{{- else -}}
{{- include "marquee.cronGaps" (default (include "marquee.everyCron" (dict "slug" .provider.slug "every" $every)) .provider.schedule) -}}
{{- end -}}
{{- end }}

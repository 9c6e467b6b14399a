{{/* The prefix of every name: the release's, with the chart's unless it is in there. */}}
{{- define "gridlease.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of one service. Takes (dict "root" $ "service" name). */}}
{{- define "gridlease.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .service }}
{{- end -}}

{{/* The labels of everything. Takes (dict "root" $ "service" name). */}}
{{- define "gridlease.labels" -}}
{{ include "gridlease.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The image, by digest where one is given. */}}
{{- define "gridlease.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What every pod may and may not do. */}}
{{- define "gridlease.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser }}
runAsGroup: {{ .Values.runAsUser }}
fsGroup: {{ .Values.runAsUser }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What every container may and may not do. */}}
{{- define "gridlease.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* Refuses values that contradict each other, in one place. */}}
{{- define "gridlease.check" -}}
{{- $all := list .Values.settings -}}
{{- range $name, $service := .Values.services -}}
{{- $all = append $all $service.settings -}}
{{- end -}}
{{- range $settings := $all -}}
{{- if and $.Values.production (eq (get $settings "CLOCK__TEST" | toString) "true") -}}
{{- fail "production and a test clock (settings CLOCK__TEST) exclude each other" -}}
{{- end -}}
{{- if and $.Values.production (hasKey $settings "AUTH__DEVELOPMENT_KEY_FILE") -}}
{{- fail "production and development tokens (settings AUTH__DEVELOPMENT_KEY_FILE) exclude each other" -}}
{{- end -}}
{{- range $key := list "DATABASE__URL_FILE" "SERVER__LISTEN" "PEERS__INVENTORY" "PEERS__LEASING" -}}
{{- if hasKey $settings $key -}}
{{- fail (printf "settings %s is the chart's own; use the value that stands for it" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

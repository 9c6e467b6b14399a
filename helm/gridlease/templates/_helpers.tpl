{{/* The prefix of every name: the release's, with the chart's unless it is in there. */}}
{{- define "gridlease.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name of one part. Takes (dict "root" $ "service" name). */}}
{{- define "gridlease.name" -}}
{{- printf "%s-%s" (include "gridlease.fullname" .root) .service -}}
{{- end -}}

{{/* What selects every pod of the release. */}}
{{- define "gridlease.release" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What selects the pods of one service. Takes (dict "root" $ "service" name). */}}
{{- define "gridlease.selector" -}}
{{ include "gridlease.release" .root }}
app.kubernetes.io/component: {{ .service }}
{{- end -}}

{{/* The labels of everything. Takes (dict "root" $ "service" name). */}}
{{- define "gridlease.labels" -}}
{{ include "gridlease.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Name, namespace and labels of an object. Takes (dict "root" $ "service" name). */}}
{{- define "gridlease.metadata" -}}
name: {{ include "gridlease.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "gridlease.labels" . | nindent 2 }}
{{- end -}}

{{/* The image, by digest where one is given. */}}
{{- define "gridlease.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What every pod of ours has in common: who it is, where it may run, what it may not do. Takes (dict "root" $ "service" name). */}}
{{- define "gridlease.pod" -}}
serviceAccountName: {{ include "gridlease.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .root.Values.runAsUser }}
  runAsGroup: {{ .root.Values.runAsUser }}
  fsGroup: {{ .root.Values.runAsUser }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{/* What every container may not do. */}}
{{- define "gridlease.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end -}}

{{/* A Secret's one key as a file `path`, readable by the group of the pod. Takes (dict "secret" "key" "path"). */}}
{{- define "gridlease.secretFile" -}}
secret:
  secretName: {{ .secret }}
  defaultMode: 0440
  items:
    - key: {{ .key }}
      path: {{ .path }}
{{- end -}}

{{/* The Secret with the authorities of Postgres: the one that is named, or that of the cluster made here. */}}
{{- define "gridlease.databaseCa" -}}
{{- with .Values.database.ca.secret -}}{{ . }}{{- else -}}
{{- if .Values.database.cluster.enabled -}}{{ include "gridlease.cluster" . }}-ca{{- end -}}
{{- end -}}
{{- end -}}

{{/* Secrets with authorities, by the name under which they are mounted, as YAML. */}}
{{- define "gridlease.authorities" -}}
{{- with .Values.auth.jwks.caSecret }}
jwks-ca: {{ . }}
{{- end }}
{{- with .Values.telemetry.otlp.caSecret }}
otlp-ca: {{ . }}
{{- end }}
{{- end -}}

{{/*
How a pod is asked how it fares: by gRPC, or with TLS, which the kubelet does not speak, by the admin port's HTTP.
Takes (dict "root" $ "service" name of health "path" path of the admin port).
*/}}
{{- define "gridlease.probe" -}}
{{- if .root.Values.tls.enabled -}}
httpGet:
  path: {{ .path }}
  port: admin
{{- else -}}
grpc:
  port: {{ .root.Values.server.port }}
  {{- with .service }}
  service: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* The services as data: see files/services.yaml. */}}
{{- define "gridlease.services" -}}
{{- .Files.Get "files/services.yaml" -}}
{{- end -}}

{{/* The name of the CloudNativePG cluster. */}}
{{- define "gridlease.cluster" -}}
{{- printf "%s-postgres" (include "gridlease.fullname" .) -}}
{{- end -}}

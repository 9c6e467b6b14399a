{{/*
One service: its ConfigMap, Service, PodDisruptionBudget and Deployment.
Takes (dict "root" $ "service" name "peers" (list names)): peers are the services it calls.
*/}}
{{- define "gridlease.service" -}}
{{- $values := index .root.Values.services .service -}}
{{- $name := printf "%s-%s" (include "gridlease.fullname" .root) .service -}}
{{- $needsToken := not (empty .peers) -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "gridlease.labels" . | nindent 4 }}
data:
  {{- range $key, $value := include "gridlease.settings" . | fromYaml }}
  {{ printf "GRIDLEASE_%s__%s" (upper $.service) $key }}: {{ $value | quote }}
  {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "gridlease.labels" . | nindent 4 }}
spec:
  type: ClusterIP
  selector:
    {{- include "gridlease.selector" . | nindent 4 }}
  ports:
    - name: grpc
      port: {{ .root.Values.server.port }}
      targetPort: grpc
      protocol: TCP
      appProtocol: kubernetes.io/h2c
{{- if gt (int $values.replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "gridlease.labels" . | nindent 4 }}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      {{- include "gridlease.selector" . | nindent 6 }}
{{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "gridlease.labels" . | nindent 4 }}
spec:
  replicas: {{ $values.replicas }}
  selector:
    matchLabels:
      {{- include "gridlease.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        {{- include "gridlease.labels" . | nindent 8 }}
        {{- with .root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        # A changed setting rolls the pods.
        gridlease/settings: {{ include "gridlease.settings" . | sha256sum }}
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ add .root.Values.server.lingerSeconds .root.Values.server.drainSeconds 10 }}
      securityContext:
        {{- include "gridlease.podSecurity" .root | nindent 8 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "gridlease.selector" . | nindent 14 }}
      containers:
        - name: {{ .service }}
          image: {{ include "gridlease.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: [{{ .service | quote }}]
          envFrom:
            - configMapRef:
                name: {{ $name }}
          ports:
            - name: grpc
              containerPort: {{ .root.Values.server.port }}
              protocol: TCP
          startupProbe:
            grpc:
              port: {{ .root.Values.server.port }}
              service: liveness
            periodSeconds: 2
            failureThreshold: 30
          # Ready follows what the service needs; alive is only that it answers, so that no restart is wasted on a lost
          # database.
          readinessProbe:
            grpc:
              port: {{ .root.Values.server.port }}
            periodSeconds: 3
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe:
            grpc:
              port: {{ .root.Values.server.port }}
              service: liveness
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- include "gridlease.containerSecurity" .root | nindent 12 }}
          volumeMounts:
            - name: database
              mountPath: /etc/gridlease/database
              readOnly: true
            - name: jwks
              mountPath: /etc/gridlease/jwks
              readOnly: true
            {{- if $needsToken }}
            - name: token
              mountPath: /etc/gridlease/token
              readOnly: true
            {{- end }}
      volumes:
        - name: database
          secret:
            secretName: {{ required (printf "services.%s.databaseSecret names the Secret with its database URL" .service) $values.databaseSecret }}
            defaultMode: 0440
            items:
              - key: {{ .root.Values.database.urlKey }}
                path: url
        - name: jwks
          configMap:
            name: {{ required "auth.jwks.configMap names the ConfigMap with the token keys" .root.Values.auth.jwks.configMap }}
            items:
              - key: {{ .root.Values.auth.jwks.key }}
                path: jwks.json
        {{- if $needsToken }}
        - name: token
          secret:
            secretName: {{ required (printf "services.%s.tokenSecret names the Secret with its token" .service) $values.tokenSecret }}
            defaultMode: 0440
            items:
              - key: token
                path: token
        {{- end }}
{{- end -}}

{{/* The settings of one service as YAML: the chart's own, then the common ones, then the service's. */}}
{{- define "gridlease.settings" -}}
{{- $own := dict
  "PRODUCTION" (toString .root.Values.production)
  "SERVER__LISTEN" (printf "0.0.0.0:%d" (int .root.Values.server.port))
  "SERVER__LINGER" (printf "%ds" (int .root.Values.server.lingerSeconds))
  "SERVER__DRAIN" (printf "%ds" (int .root.Values.server.drainSeconds))
  "AUTH__ISSUER" (required "auth.issuer is the issuer of tokens" .root.Values.auth.issuer)
  "AUTH__AUDIENCE" .root.Values.auth.audience
  "AUTH__JWKS_FILE" "/etc/gridlease/jwks/jwks.json"
  "DATABASE__URL_FILE" "/etc/gridlease/database/url"
  "TELEMETRY__FORMAT" .root.Values.telemetry.format
  "TELEMETRY__FILTER" .root.Values.telemetry.filter
-}}
{{- range $peer := .peers -}}
{{- $address := printf "http://%s-%s:%d" (include "gridlease.fullname" $.root) $peer (int $.root.Values.server.port) -}}
{{- $own = set $own (printf "PEERS__%s" (upper $peer)) $address -}}
{{- end -}}
{{- if .peers -}}
{{- $own = set $own "AUTH__TOKEN_FILE" "/etc/gridlease/token/token" -}}
{{- end -}}
{{- $values := index .root.Values.services .service -}}
{{- mergeOverwrite $own (deepCopy .root.Values.settings) (deepCopy $values.settings) | toYaml -}}
{{- end -}}

{{/*
One service: its ServiceAccount, ConfigMap, Service, PodDisruptionBudget, HorizontalPodAutoscaler and Deployment.
Takes (dict "root" $ "service" name "calls" (list names)): calls are the services it calls.
*/}}
{{- define "gridlease.service" -}}
{{- $root := .root -}}
{{- $values := index .root.Values.services .service -}}
{{- $name := include "gridlease.name" . -}}
{{- $least := ternary $values.autoscaling.minReplicas $values.replicas $values.autoscaling.enabled | int -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "gridlease.metadata" . | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "gridlease.metadata" . | nindent 2 }}
data:
  {{- range $key, $value := include "gridlease.settings" . | fromYaml }}
  {{ printf "GRIDLEASE_%s__%s" (upper $.service) $key }}: {{ $value | quote }}
  {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "gridlease.metadata" . | nindent 2 }}
spec:
  type: ClusterIP
  selector:
    {{- include "gridlease.selector" . | nindent 4 }}
  ports:
    - name: grpc
      port: {{ .root.Values.server.port }}
      targetPort: grpc
      protocol: TCP
      appProtocol: {{ ternary "https" "kubernetes.io/h2c" .root.Values.tls.enabled }}
    - name: admin
      port: {{ .root.Values.admin.port }}
      targetPort: admin
      protocol: TCP
      appProtocol: http
{{- if gt $least 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "gridlease.metadata" . | nindent 2 }}
spec:
  minAvailable: {{ .root.Values.disruption.minAvailable }}
  # A pod that is not ready serves nobody: it never keeps a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "gridlease.selector" . | nindent 6 }}
{{- end }}
{{- with $values.autoscaling }}
{{- if .enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "gridlease.metadata" $ | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ $name }}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .cpuPercent }}
  behavior:
    # Up at once, down slowly: connections last up to ten minutes and follow new replicas only then.
    scaleDown:
      stabilizationWindowSeconds: 600
      policies:
        - type: Pods
          value: 1
          periodSeconds: 120
{{- end }}
{{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "gridlease.metadata" . | nindent 2 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
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
      {{- include "gridlease.pod" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ add .root.Values.server.lingerSeconds .root.Values.server.drainSeconds 10 }}
      topologySpreadConstraints:
        {{- range $key, $when := .root.Values.spread }}
        - maxSkew: 1
          topologyKey: {{ $key }}
          whenUnsatisfiable: {{ $when }}
          matchLabelKeys:
            - pod-template-hash
          labelSelector:
            matchLabels:
              {{- include "gridlease.selector" $ | nindent 14 }}
        {{- end }}
      containers:
        - name: {{ .service }}
          image: {{ include "gridlease.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          command: [{{ printf "/usr/local/bin/%s" .service | quote }}]
          envFrom:
            - configMapRef:
                name: {{ $name }}
          ports:
            - name: grpc
              containerPort: {{ .root.Values.server.port }}
              protocol: TCP
            - name: admin
              containerPort: {{ .root.Values.admin.port }}
              protocol: TCP
          startupProbe:
            {{- include "gridlease.probe" (dict "root" .root "service" "liveness" "path" "/healthz") | nindent 12 }}
            periodSeconds: 2
            failureThreshold: 30
          # Ready follows what the service needs; alive is only that it answers, so that no restart is wasted on a lost
          # database.
          readinessProbe:
            {{- include "gridlease.probe" (dict "root" .root "service" "" "path" "/readyz") | nindent 12 }}
            periodSeconds: 3
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe:
            {{- include "gridlease.probe" (dict "root" .root "service" "liveness" "path" "/healthz") | nindent 12 }}
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
            {{- if include "gridlease.databaseCa" .root }}
            - name: database-ca
              mountPath: /etc/gridlease/database-ca
              readOnly: true
            {{- end }}
            {{- if .root.Values.auth.jwks.configMap }}
            - name: jwks
              mountPath: /etc/gridlease/jwks
              readOnly: true
            {{- end }}
            {{- range $name, $secret := include "gridlease.authorities" .root | fromYaml }}
            - name: {{ $name }}
              mountPath: /etc/gridlease/{{ $name }}
              readOnly: true
            {{- end }}
            {{- if .root.Values.tls.enabled }}
            - name: tls
              mountPath: /etc/gridlease/tls
              readOnly: true
            {{- end }}
            {{- if .calls }}
            - name: token
              mountPath: /etc/gridlease/token
              readOnly: true
            {{- end }}
            {{- if .root.Values.pageTokens.secret }}
            - name: pages
              mountPath: /etc/gridlease/pages
              readOnly: true
            {{- end }}
      volumes:
        - name: database
          {{- include "gridlease.secretFile" (dict "secret" $values.databaseSecret "key" .root.Values.database.urlKey "path" "url") | nindent 10 }}
        {{- with include "gridlease.databaseCa" .root }}
        - name: database-ca
          {{- include "gridlease.secretFile" (dict "secret" . "key" $root.Values.database.ca.key "path" "ca.crt") | nindent 10 }}
        {{- end }}
        {{- with .root.Values.auth.jwks.configMap }}
        - name: jwks
          configMap:
            name: {{ . }}
            items:
              - key: {{ $root.Values.auth.jwks.key }}
                path: jwks.json
        {{- end }}
        {{- range $name, $secret := include "gridlease.authorities" .root | fromYaml }}
        - name: {{ $name }}
          {{- include "gridlease.secretFile" (dict "secret" $secret "key" "ca.crt" "path" "ca.crt") | nindent 10 }}
        {{- end }}
        {{- if .root.Values.tls.enabled }}
        - name: tls
          secret:
            secretName: {{ $values.tlsSecret }}
            defaultMode: 0440
        {{- end }}
        {{- if .calls }}
        - name: token
          {{- include "gridlease.secretFile" (dict "secret" $values.tokenSecret "key" "token" "path" "token") | nindent 10 }}
        {{- end }}
        {{- with .root.Values.pageTokens.secret }}
        - name: pages
          {{- include "gridlease.secretFile" (dict "secret" . "key" $root.Values.pageTokens.key "path" "secret") | nindent 10 }}
        {{- end }}
{{- end -}}

{{/* The settings of one service as YAML: the chart's own, then the common ones, then the service's. */}}
{{- define "gridlease.settings" -}}
{{- $values := .root.Values -}}
{{- $own := dict
  "PRODUCTION" (toString $values.production)
  "SERVER__LISTEN" (printf "0.0.0.0:%d" (int $values.server.port))
  "SERVER__LINGER" (printf "%ds" (int $values.server.lingerSeconds))
  "SERVER__DRAIN" (printf "%ds" (int $values.server.drainSeconds))
  "ADMIN__LISTEN" (printf "0.0.0.0:%d" (int $values.admin.port))
  "AUTH__ISSUER" $values.auth.issuer
  "AUTH__AUDIENCE" $values.auth.audience
  "DATABASE__URL_FILE" "/etc/gridlease/database/url"
  "TELEMETRY__FORMAT" $values.telemetry.format
  "TELEMETRY__FILTER" $values.telemetry.filter
-}}
{{- with $values.auth.jwks -}}
{{- if .configMap -}}
{{- $_ := set $own "AUTH__JWKS_FILE" "/etc/gridlease/jwks/jwks.json" -}}
{{- else -}}
{{- $_ := set $own "AUTH__JWKS_URL" .url -}}
{{- end -}}
{{- if .caSecret -}}
{{- $_ := set $own "AUTH__JWKS_CA_FILE" "/etc/gridlease/jwks-ca/ca.crt" -}}
{{- end -}}
{{- end -}}
{{- with $values.telemetry.otlp -}}
{{- if .endpoint -}}
{{- $_ := set $own "TELEMETRY__OTLP_ENDPOINT" .endpoint -}}
{{- $_ := set $own "TELEMETRY__TRACE_ONE_IN" (toString .oneIn) -}}
{{- end -}}
{{- if .caSecret -}}
{{- $_ := set $own "TELEMETRY__OTLP_CA_FILE" "/etc/gridlease/otlp-ca/ca.crt" -}}
{{- end -}}
{{- end -}}
{{- with $values.server.webOrigins -}}
{{- $_ := set $own "SERVER__WEB_ORIGINS" (join "," .) -}}
{{- end -}}
{{- if $values.tls.enabled -}}
{{- $_ := set $own "SERVER__TLS_CERT_FILE" "/etc/gridlease/tls/tls.crt" -}}
{{- $_ := set $own "SERVER__TLS_KEY_FILE" "/etc/gridlease/tls/tls.key" -}}
{{- $_ := set $own "SERVER__CLIENT_CA_FILE" "/etc/gridlease/tls/ca.crt" -}}
{{- if .calls -}}
{{- $_ := set $own "PEERS__CA_FILE" "/etc/gridlease/tls/ca.crt" -}}
{{- $_ := set $own "PEERS__TLS_CERT_FILE" "/etc/gridlease/tls/tls.crt" -}}
{{- $_ := set $own "PEERS__TLS_KEY_FILE" "/etc/gridlease/tls/tls.key" -}}
{{- end -}}
{{- end -}}
{{- $scheme := ternary "https" "http" $values.tls.enabled -}}
{{- range $peer := .calls -}}
{{- $address := printf "%s://%s-%s:%d" $scheme (include "gridlease.fullname" $.root) $peer (int $values.server.port) -}}
{{- $_ := set $own (printf "PEERS__%s" (upper $peer)) $address -}}
{{- end -}}
{{- if .calls -}}
{{- $_ := set $own "AUTH__TOKEN_FILE" "/etc/gridlease/token/token" -}}
{{- end -}}
{{- if $values.pageTokens.secret -}}
{{- $_ := set $own (printf "%s__PAGE_SECRET_FILE" (upper .service)) "/etc/gridlease/pages/secret" -}}
{{- end -}}
{{- if include "gridlease.databaseCa" .root -}}
{{- $_ := set $own "DATABASE__CA_FILE" "/etc/gridlease/database-ca/ca.crt" -}}
{{- end -}}
{{- $service := index $values.services .service -}}
{{- mergeOverwrite $own (deepCopy $values.settings) (deepCopy $service.settings) | toYaml -}}
{{- end -}}

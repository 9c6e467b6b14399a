{{/*
Refuses values that contradict each other, all at once; each line says what would be valid. What one value alone may be is
in values.schema.json.
*/}}
{{- define "gridlease.check" -}}
{{- $v := .Values -}}
{{- $problems := list -}}

{{- $own := dict
  "SERVER__LISTEN" "server.port"
  "ADMIN__LISTEN" "admin.port"
  "SERVER__LINGER" "server.lingerSeconds"
  "SERVER__DRAIN" "server.drainSeconds"
  "PRODUCTION" "production"
  "AUTH__ISSUER" "auth.issuer"
  "AUTH__AUDIENCE" "auth.audience"
  "AUTH__JWKS_FILE" "auth.jwks.configMap"
  "AUTH__JWKS_URL" "auth.jwks.url"
  "AUTH__JWKS_CA_FILE" "auth.jwks.caSecret"
  "AUTH__TOKEN_FILE" "services.*.tokenSecret"
  "DATABASE__URL_FILE" "services.*.databaseSecret"
  "DATABASE__CA_FILE" "database.ca.secret"
  "PEERS__INVENTORY" "nothing: the chart knows the address"
  "PEERS__LEASING" "nothing: the chart knows the address"
  "TELEMETRY__FORMAT" "telemetry.format"
  "TELEMETRY__FILTER" "telemetry.filter"
  "TELEMETRY__OTLP_ENDPOINT" "telemetry.otlp.endpoint"
  "TELEMETRY__OTLP_CA_FILE" "telemetry.otlp.caSecret"
  "TELEMETRY__TRACE_ONE_IN" "telemetry.otlp.oneIn"
  "SERVER__WEB_ORIGINS" "server.webOrigins"
  "SERVER__TLS_CERT_FILE" "tls.enabled"
  "SERVER__TLS_KEY_FILE" "tls.enabled"
  "SERVER__CLIENT_CA_FILE" "tls.enabled"
  "PEERS__CA_FILE" "tls.enabled"
  "PEERS__TLS_CERT_FILE" "tls.enabled"
  "PEERS__TLS_KEY_FILE" "tls.enabled"
-}}
{{- $all := dict "settings" $v.settings -}}
{{- range $name, $service := $v.services -}}
{{- $_ := set $all (printf "services.%s.settings" $name) $service.settings -}}
{{- end -}}
{{- range $where, $settings := $all -}}
{{- range $key, $value := $settings -}}
{{- if and $v.production (eq $key "CLOCK__TEST") (eq $value "true") -}}
{{- $problems = append $problems (printf "%s.CLOCK__TEST is a test clock, which production refuses: leave it out, or set production: false" $where) -}}
{{- else if and $v.production (eq $key "AUTH__DEVELOPMENT_KEY_FILE") -}}
{{- $problems = append $problems (printf "%s.AUTH__DEVELOPMENT_KEY_FILE makes development tokens, which production refuses: leave it out, or set production: false" $where) -}}
{{- else if hasKey $own $key -}}
{{- $problems = append $problems (printf "%s.%s is set by the chart: use %s" $where $key (get $own $key)) -}}
{{- else if hasSuffix "PAGE_SECRET_FILE" $key -}}
{{- $problems = append $problems (printf "%s.%s is set by the chart: use pageTokens.secret" $where $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if not $v.auth.issuer -}}
{{- $problems = append $problems "auth.issuer is empty: give the `iss` of your tokens, as https://login.example.com" -}}
{{- end -}}
{{- with $v.auth.jwks -}}
{{- if eq (empty .configMap) (empty .url) -}}
{{- $problems = append $problems (ternary "auth.jwks.configMap is empty, and so is auth.jwks.url: name the ConfigMap with the public keys of tokens, or the issuer's URL of them" "auth.jwks.configMap and auth.jwks.url are both given: leave one of them out" (empty .url)) -}}
{{- end -}}
{{- if and .caSecret (not .url) -}}
{{- $problems = append $problems "auth.jwks.caSecret is for auth.jwks.url, which is empty: give the URL, or leave the Secret out" -}}
{{- end -}}
{{- if and .url $v.networkPolicy.enabled (not .cidrs) -}}
{{- $problems = append $problems "networkPolicy.enabled shuts every service off from auth.jwks.url: give the issuer's addresses in auth.jwks.cidrs, as [203.0.113.7/32], or set networkPolicy.enabled: false" -}}
{{- end -}}
{{- end -}}
{{- with $v.telemetry.otlp -}}
{{- if and .endpoint $v.networkPolicy.enabled (not .peers) -}}
{{- $problems = append $problems "networkPolicy.enabled shuts every service off from telemetry.otlp.endpoint: give the collector's telemetry.otlp.peers, as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: observability}}}], or set networkPolicy.enabled: false" -}}
{{- end -}}
{{- if and .caSecret (not (hasPrefix "https://" .endpoint)) -}}
{{- $problems = append $problems "telemetry.otlp.caSecret is for a collector at https://: give its telemetry.otlp.endpoint, or leave the Secret out" -}}
{{- end -}}
{{- end -}}
{{- range $v.server.webOrigins -}}
{{- if and $v.production (not (hasPrefix "https://" .)) -}}
{{- $problems = append $problems (printf "server.webOrigins has %s, which production refuses: give origins at https://, or set production: false" .) -}}
{{- end -}}
{{- end -}}
{{- if and $v.tls.enabled $v.ingress.enabled (eq (get $v.ingress.annotations "nginx.ingress.kubernetes.io/backend-protocol") "GRPC") -}}
{{- $problems = append $problems "ingress.annotations make the controller speak plain gRPC, and tls.enabled refuses that: set nginx.ingress.kubernetes.io/backend-protocol: GRPCS" -}}
{{- end -}}
{{- if and $v.production (not $v.image.digest) -}}
{{- $problems = append $problems "image.digest is empty, and a tag may change under a running release: give the digest as sha256:..., or set production: false" -}}
{{- end -}}
{{- if and $v.migrations.enabled (not $v.database.migrationSecret) -}}
{{- $problems = append $problems "database.migrationSecret is empty: name the Secret with the owner's URL, or set migrations.enabled: false and migrate yourself" -}}
{{- end -}}
{{- if eq (int $v.server.port) (int $v.admin.port) -}}
{{- $problems = append $problems (printf "server.port and admin.port are both %d: give two ports, as 50051 and 9090" (int $v.server.port)) -}}
{{- end -}}

{{- $peers := include "gridlease.services" . | fromYaml -}}
{{- range $name, $service := $v.services -}}
{{- $least := ternary $service.autoscaling.minReplicas $service.replicas $service.autoscaling.enabled | int -}}
{{- if not $service.databaseSecret -}}
{{- $problems = append $problems (printf "services.%s.databaseSecret is empty: name the Secret with the URL of its login" $name) -}}
{{- end -}}
{{- if and (get $peers $name).calls (not $service.tokenSecret) -}}
{{- $problems = append $problems (printf "services.%s.tokenSecret is empty: name the Secret with its token for %s" $name (join " and " (get $peers $name).calls)) -}}
{{- end -}}
{{- if and $v.tls.enabled (not $service.tlsSecret) -}}
{{- $problems = append $problems (printf "services.%s.tlsSecret is empty: name the Secret with its certificate, or set tls.enabled: false" $name) -}}
{{- else if and $service.tlsSecret (not $v.tls.enabled) -}}
{{- $problems = append $problems (printf "services.%s.tlsSecret is given and tls.enabled is false: set it to true, or leave the Secret out" $name) -}}
{{- end -}}
{{- if and $service.autoscaling.enabled (gt (int $service.autoscaling.minReplicas) (int $service.autoscaling.maxReplicas)) -}}
{{- $problems = append $problems (printf "services.%s.autoscaling has minReplicas %d over maxReplicas %d: give at most %d" $name (int $service.autoscaling.minReplicas) (int $service.autoscaling.maxReplicas) (int $service.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and (gt $least 1) (not $v.pageTokens.secret) -}}
{{- $problems = append $problems (printf "services.%s has %d replicas and pageTokens.secret is empty, so that a page token of one is refused by the other: name a Secret, or run one replica" $name $least) -}}
{{- end -}}
{{- if and (gt $least 1) (ge (int $v.disruption.minAvailable) $least) -}}
{{- $problems = append $problems (printf "disruption.minAvailable %d of %d replicas of %s lets no node be drained: give at most %d" (int $v.disruption.minAvailable) $least $name (sub $least 1)) -}}
{{- end -}}
{{- if and $v.production (lt $least 2) -}}
{{- $problems = append $problems (printf "services.%s has %d replicas, and production survives the loss of a node: give at least 2, or set production: false" $name $least) -}}
{{- end -}}
{{- end -}}

{{- with $v.database.cluster -}}
{{- if .enabled -}}
{{- if gt (int .synchronousReplicas) (sub (int .instances) 1 | int) -}}
{{- $problems = append $problems (printf "database.cluster.synchronousReplicas %d of %d instances leaves no primary that may commit: give at most %d" (int .synchronousReplicas) (int .instances) (sub (int .instances) 1)) -}}
{{- end -}}
{{- if and $v.production (or (lt (int .instances) 3) (lt (int .synchronousReplicas) 1)) -}}
{{- $problems = append $problems (printf "database.cluster has %d instances and %d synchronous replicas, and production loses no acknowledged booking: give at least 3 and 1, or set production: false" (int .instances) (int .synchronousReplicas)) -}}
{{- end -}}
{{- if and $v.production (not .backup.objectStore) -}}
{{- $problems = append $problems "database.cluster.backup.objectStore is empty, and production is backed up: name an ObjectStore of the Barman Cloud plugin, or set production: false" -}}
{{- end -}}
{{- if and .recovery.targetTime (not .recovery.objectStore) -}}
{{- $problems = append $problems "database.cluster.recovery.targetTime is given without recovery.objectStore: name the ObjectStore to restore from, or leave the time out" -}}
{{- end -}}
{{- $cluster := include "gridlease.cluster" $ -}}
{{- if and .recovery.objectStore (eq .recovery.objectStore .backup.objectStore) (eq (.recovery.serverName | default $cluster) (.backup.serverName | default $cluster)) -}}
{{- $problems = append $problems "database.cluster would write its backups over those it is restored from: give backup.serverName another name" -}}
{{- end -}}
{{- if $v.database.cidrs -}}
{{- $problems = append $problems "database.cidrs names a Postgres elsewhere, and database.cluster.enabled makes one here: leave one of them out" -}}
{{- end -}}
{{- else if and $v.networkPolicy.enabled (not $v.database.cidrs) -}}
{{- $problems = append $problems "networkPolicy.enabled shuts every service off from Postgres: give its addresses in database.cidrs, as [10.0.0.5/32], or set database.cluster.enabled: true or networkPolicy.enabled: false" -}}
{{- end -}}
{{- end -}}

{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.clients) (or $v.gateway.enabled $v.ingress.enabled) -}}
{{- $problems = append $problems "networkPolicy.clients is empty, so that the gateway reaches no service: give the peers that may call, as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateway}}}]" -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.monitoring) $v.monitoring.serviceMonitor.enabled -}}
{{- $problems = append $problems "networkPolicy.monitoring is empty, so that Prometheus reaches no service: give its peers, as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]" -}}
{{- end -}}
{{- if and $v.gateway.enabled (not $v.gateway.parentRefs) -}}
{{- $problems = append $problems "gateway.parentRefs is empty: name the Gateway, as [{name: public, namespace: gateway}]" -}}
{{- end -}}
{{- if and $v.gateway.enabled (not $v.gateway.hostnames) -}}
{{- $problems = append $problems "gateway.hostnames is empty: give the names that clients call, as [api.example.com]" -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.host) -}}
{{- $problems = append $problems "ingress.host is empty: give the name that clients call, as api.example.com" -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.tlsSecret) -}}
{{- $problems = append $problems "ingress.tlsSecret is empty, and ingress controllers speak gRPC over TLS only: name the Secret with the certificate" -}}
{{- end -}}

{{- if $problems -}}
{{- fail (printf "\n%d of the values cannot hold together:\n  - %s" (len $problems) (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}

{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{- define "contrace.name" -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "contrace.selector" -}}
app.kubernetes.io/name: contrace
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "contrace.labels" -}}
{{ include "contrace.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{/* contraced.yaml: the chart's, with what `config` says in front. */}}
{{- define "contrace.config" -}}
{{- $sd := dict "role" "pod" }}
{{- if .Values.namespaces }}{{ $_ := set $sd "namespaces" (dict "names" .Values.namespaces) }}{{ end }}
{{- $jobs := list (dict "job_name" "pods" "kubernetes_sd_configs" (list $sd)) }}
{{- $config := dict
    "global" (dict "shutdown_timeout" (printf "%vs" .Values.shutdownSeconds))
    "scrape_configs" (.Values.scrapeConfigs | default $jobs)
    "storage" (dict "path" "/var/lib/contrace/spool" "max_bytes" .Values.storage.maxBytes "min_free" "15%")
    "inspect" (dict "max_memory" "192MiB")
    "web" (dict "listen_address" ":7465" "bearer_token_file" "/run/secrets/contrace-web/token") }}
{{- if .Values.uploadUrl }}{{ $_ := set $config "upload" (dict "url" .Values.uploadUrl) }}{{ end }}
{{- mergeOverwrite $config (deepCopy .Values.config) | toYaml }}
{{- end }}

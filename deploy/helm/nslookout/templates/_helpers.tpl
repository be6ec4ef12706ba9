{{- define "nslookout.name" -}}
{{- if contains "nslookout" .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-nslookout" .Release.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "nslookout.selector" -}}
app.kubernetes.io/name: nslookout
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "nslookout.labels" -}}
{{ include "nslookout.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "nslookout.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "nslookout.address" -}}
{{- .Values.metrics.address | default (ternary "127.0.0.1" "0.0.0.0" (and .Values.hostNetwork (not .Values.metrics.serviceMonitor.enabled))) }}
{{- end }}

{{- /* Whom the kubelet asks; the pod's own address unless given. */ -}}
{{- define "nslookout.probeHost" -}}
{{- $address := include "nslookout.address" . }}
{{- if not (has $address (list "0.0.0.0" "::")) }}{{ $address }}{{ end }}
{{- end }}

{{- define "nslookout.config" -}}
{{- $rules := list "/usr/share/nslookout/rules" }}
{{- if .Values.rules }}{{ $rules = append $rules "/rules" }}{{ end }}
{{- $config := dict "rules" $rules "proc" "/host/proc" "mode" .Values.mode }}
{{- if .Values.runtime.socket }}{{ $_ := set $config "cri_sockets" (list .Values.runtime.socket) }}{{ else }}{{ $_ := set $config "no_runtime_sockets" true }}{{ end }}
{{- if .Values.kubelet.enabled }}{{ $_ := set $config "kubelet" .Values.kubelet.url }}{{ if .Values.kubelet.insecure }}{{ $_ := set $config "kubelet_insecure" true }}{{ end }}{{ end }}
{{- if .Values.metrics.enabled }}
{{- $address := include "nslookout.address" . }}
{{- $_ := set $config "metrics" (printf (ternary "[%s]:%d" "%s:%d" (contains ":" $address)) $address (int .Values.metrics.port)) }}
{{- end }}
{{- toYaml (mergeOverwrite $config (deepCopy .Values.config)) }}
{{- end }}

{{- define "nslookout.capabilities" -}}
{{- $add := list "BPF" "PERFMON" "NET_ADMIN" }}
{{- if .Values.capabilities.oldKernels }}{{ $add = append $add "SYS_RESOURCE" }}{{ end }}
{{- if .Values.capabilities.olderProcesses }}{{ $add = concat $add (list "SYS_PTRACE" "DAC_READ_SEARCH") }}{{ end }}
{{- if and (eq .Values.mode "enforce") .Values.capabilities.answers }}{{ $add = concat $add (list "NET_RAW" "SYS_ADMIN") }}{{ end }}
{{- toYaml $add }}
{{- end }}

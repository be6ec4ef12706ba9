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

{{- /* Ports, probes, mounts, capabilities and the token follow the values: the same said elsewhere would not reach them. */ -}}
{{- define "nslookout.oneplace" -}}
{{- $places := dict
  "mode" (list "--mode" "capabilities follow the value mode")
  "metrics" (list "--metrics" "ports and probes follow the values metrics.enabled, metrics.port and metrics.address")
  "proc" (list "--proc" "the chart mounts the node's /proc and says where")
  "cri_sockets" (list "--cri-socket" "the mount follows the value runtime.socket")
  "kubelet" (list "--kubelet" "the token follows the values kubelet.enabled and kubelet.url") }}
{{- range $key, $place := $places }}
{{- $variable := printf "NSLOOKOUT_%s" (upper $key) }}
{{- $option := index $place 0 }}
{{- $said := list }}
{{- if hasKey $.Values.config $key }}{{ $said = append $said (printf "config.%s" $key) }}{{ end }}
{{- range $.Values.extraEnv }}{{ if eq .name $variable }}{{ $said = append $said (printf "extraEnv %s" $variable) }}{{ end }}{{ end }}
{{- range $.Values.extraArgs }}
{{- if or (eq . $option) (hasPrefix (printf "%s=" $option) .) }}{{ $said = append $said (printf "extraArgs %s" $option) }}{{ end }}
{{- end }}
{{- with $said }}{{ fail (printf "%s: leave it out, %s" (first .) (index $place 1)) }}{{ end }}
{{- end }}
{{- end }}

{{- /* 127.0.0.1 is the pod's own where it has a network namespace of its own. */ -}}
{{- define "nslookout.kubelet" -}}
{{- .Values.kubelet.url | default (ternary "https://127.0.0.1:10250" "https://$(HOST_IP):10250" .Values.hostNetwork) }}
{{- end }}

{{- /* What Kubernetes before 1.30 has in place of securityContext.appArmorProfile. */ -}}
{{- define "nslookout.appArmorAnnotation" -}}
{{- with .Values.appArmorProfile }}
{{- if eq .type "Localhost" }}localhost/{{ .localhostProfile }}{{ else }}{{ ternary "unconfined" "runtime/default" (eq .type "Unconfined") }}{{ end }}
{{- end }}
{{- end }}

{{- define "nslookout.config" -}}
{{- include "nslookout.oneplace" . }}
{{- $rules := list "/usr/share/nslookout/rules" }}
{{- if .Values.rules }}{{ $rules = append $rules "/rules" }}{{ end }}
{{- $config := dict "rules" $rules "proc" "/host/proc" "mode" .Values.mode }}
{{- if .Values.runtime.socket }}{{ $_ := set $config "cri_sockets" (list .Values.runtime.socket) }}{{ else }}{{ $_ := set $config "no_runtime_sockets" true }}{{ end }}
{{- if and .Values.kubelet.enabled .Values.kubelet.insecure }}{{ $_ := set $config "kubelet_insecure" true }}{{ end }}
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

#include "sigma/fields.h"

#include <array>

namespace nslookout::sigma {
namespace {

struct FieldName {
  std::string_view name;
  Field field;
};

constexpr auto field_names = std::to_array<FieldName>({
    {"query", Field::query},
    {"QueryName", Field::query},
    {"QNAME", Field::query},
    {"dns.question.name", Field::query},
    {"record_type", Field::record_type},
    {"QueryType", Field::record_type},
    {"qtype_name", Field::record_type},
    {"qtype", Field::record_type},
    {"dns.question.type", Field::record_type},
    {"answer", Field::answer},
    {"answers", Field::answer},
    {"QueryResults", Field::answer},
    {"dns.answers.data", Field::answer},
    {"rcode", Field::rcode},
    {"rcode_name", Field::rcode},
    {"QueryStatus", Field::rcode},
    {"dns.response_code", Field::rcode},
    {"dns.response.code", Field::rcode},
    {"query_length", Field::query_length},
    {"question_length", Field::query_length},
    {"query_etld_plus_one", Field::query_etld_plus_one},
    {"dns.question.registered_domain", Field::query_etld_plus_one},
    {"parent_domain", Field::parent_domain},
    {"subdomain", Field::subdomain},
    {"dns.question.subdomain", Field::subdomain},
    {"Z", Field::reserved_flags},
    {"RD", Field::recursion_desired},
    {"Image", Field::image},
    {"process.executable", Field::image},
    {"CommandLine", Field::command_line},
    {"process.command_line", Field::command_line},
    {"ParentImage", Field::parent_image},
    {"process.parent.executable", Field::parent_image},
    {"ParentCommandLine", Field::parent_command_line},
    {"process.parent.command_line", Field::parent_command_line},
    {"CurrentDirectory", Field::current_directory},
    {"process.working_directory", Field::current_directory},
    {"User", Field::user},
    {"user.name", Field::user},
    {"ProcessId", Field::process_id},
    {"process.pid", Field::process_id},
    {"ParentProcessId", Field::parent_process_id},
    {"process.parent.pid", Field::parent_process_id},
    {"ContainerId", Field::container_id},
    {"container.id", Field::container_id},
    {"ContainerName", Field::container_name},
    {"container.name", Field::container_name},
    {"ContainerImage", Field::container_image},
    {"container.image.name", Field::container_image},
    {"PodName", Field::pod_name},
    {"kubernetes.pod.name", Field::pod_name},
    {"k8s.pod.name", Field::pod_name},
    {"PodNamespace", Field::pod_namespace},
    {"kubernetes.namespace", Field::pod_namespace},
    {"k8s.namespace.name", Field::pod_namespace},
    {"server_ip", Field::server_address},
    {"dst_ip", Field::server_address},
    {"DestinationIp", Field::server_address},
    {"destination.ip", Field::server_address},
    {"id.resp_h", Field::server_address},
    {"server_port", Field::server_port},
    {"dst_port", Field::server_port},
    {"DestinationPort", Field::server_port},
    {"destination.port", Field::server_port},
    {"id.resp_p", Field::server_port},
    {"src_ip", Field::source_address},
    {"SourceIp", Field::source_address},
    {"source.ip", Field::source_address},
    {"id.orig_h", Field::source_address},
    {"src_port", Field::source_port},
    {"SourcePort", Field::source_port},
    {"source.port", Field::source_port},
    {"id.orig_p", Field::source_port},
    {"UtcTime", Field::time},
    {"ts", Field::time},
    {"@timestamp", Field::time},
});

}  // namespace

Field field_from_name(std::string_view name) {
  for (const FieldName& known : field_names) {
    if (known.name == name) return known.field;
  }
  return Field::other;
}

bool is_observed(Field field) { return field != Field::other; }

bool is_response(Field field) { return field == Field::answer || field == Field::rcode; }

bool is_name(Field field) {
  return field == Field::query || field == Field::query_etld_plus_one || field == Field::parent_domain ||
         field == Field::subdomain;
}

bool is_derived(Field field) {
  return field == Field::query_length || field == Field::query_etld_plus_one || field == Field::parent_domain ||
         field == Field::subdomain;
}

bool is_circumstance(Field field) { return field >= Field::image && field <= Field::time; }

bool is_told_by_runtime(Field field) {
  return field == Field::container_name || field == Field::container_image || field == Field::pod_name ||
         field == Field::pod_namespace;
}

bool is_address(Field field) {
  return field == Field::answer || field == Field::server_address || field == Field::source_address;
}

}  // namespace nslookout::sigma

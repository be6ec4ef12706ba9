#include "encode/ocsf.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

#include <fmt/format.h>

#include "base/ip_address.h"
#include "base/rcode.h"
#include "encode/fields.h"
#include "encode/summary.h"

namespace nslookout::encode {
namespace {

constexpr int class_uid = 4003;
constexpr int activity_query = 1;
constexpr int activity_response = 2;
constexpr int activity_other = 99;

struct Choice {
  int id;
  const char* name;
};

Choice activity(const event::Event& event) {
  if (event.bypass) return {activity_other, "Bypass"};
  if (!event.dns) return {activity_other, "Loss"};
  return event.dns->rcode ? Choice{activity_response, "Response"} : Choice{activity_query, "Query"};
}

Choice severity_choice(const event::Event& event) {
  constexpr std::array<Choice, 6> choices = {
      {{1, "Informational"}, {1, "Informational"}, {2, "Low"}, {3, "Medium"}, {4, "High"}, {5, "Critical"}}};
  return choices.at(static_cast<std::size_t>(severity(event)));
}

// OCSF has names of its own for the codes; those that it lacks are 99, "Other", and keep DNS's name.
void put_rcode(json& out, std::uint16_t rcode) {
  constexpr std::array<const char*, 12> names = {"NoError", "FormError", "ServError", "NXDomain",
                                                 "NotImp",  "Refused",   "YXDomain",  "YXRRSet",
                                                 "NXRRSet", "NotAuth",   "NotZone",   "DSOTYPENI"};
  const bool named = rcode < names.size();
  out["rcode_id"] = named ? rcode : 99;
  out["rcode"] = named ? std::string(names[rcode]) : rcode_name(rcode);
}

json user(const event::Process& process) {
  json out;
  put(out, "name", process.user);
  if (process.uid) out["uid"] = std::to_string(*process.uid);
  return out;
}

json process_fields(const event::Event& event, const event::Process& process) {
  json out{{"pid", process.pid}};
  put(out, "name", process.comm.empty() ? file_name(process.executable) : process.comm);
  put(out, "path", process.executable);
  put(out, "cmd_line", command_line_text(process.command_line));
  put(out, "working_directory", process.cwd);
  if (process.start_time) out["created_time"] = milliseconds(*process.start_time);
  put(out, "uid", process_entity(event, process));
  if (process.tid != 0) out["tid"] = process.tid;
  if (process.namespace_pid != 0) out["namespace_pid"] = process.namespace_pid;
  put_object(out, "user", user(process));
  if (process.session) out["session"] = {{"uid", std::to_string(*process.session)}};
  if (!process.executable.empty()) {
    out["file"] = {{"name", text(file_name(process.executable))}, {"path", text(process.executable)}, {"type_id", 1}};
    if (process.executable_deleted) out["file"]["is_deleted"] = true;
  }
  return out;
}

// A static pod's uid is a hash, which OCSF's field does not take; it is in `unmapped` anyway.
bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool right = dash ? text[i] == '-' : std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
    if (!right) return false;
  }
  return true;
}

json container(const event::Event& event) {
  const event::Container& container = *event.container;
  json out;
  put(out, "uid", container.id);
  put(out, "name", container.name);
  put(out, "runtime", container.runtime);
  if (!container.image.empty()) {
    const ImageName image = image_name(container.image);
    out["image"]["uid"] = text(container.image);
    put(out["image"], "name", image.name);
    put(out["image"], "tag", image.tag);
  }
  if (event.pod && is_uuid(event.pod->uid)) put(out, "pod_uuid", event.pod->uid);
  return out;
}

// Each one's parent inside it, as deep as OCSF's consumers are likely to read; all of them are in `unmapped`.
json with_parents(const event::Event& event) {
  constexpr std::size_t depth = 4;
  const event::Process& process = *event.process;
  json chain;
  for (std::size_t i = std::min(process.ancestors.size(), depth); i-- > 0;) {
    json ancestor = process_fields(event, process.ancestors[i]);
    if (!chain.empty()) ancestor["parent_process"] = std::move(chain);
    chain = std::move(ancestor);
  }
  json out = process_fields(event, process);
  if (!chain.empty()) out["parent_process"] = std::move(chain);
  if (event.container) put_object(out, "container", container(event));
  return out;
}

json endpoint(const event::Endpoint& endpoint) {
  json out;
  put(out, parse_ip_address(endpoint.ip) ? "ip" : "name", endpoint.ip);
  if (endpoint.port != 0) out["port"] = endpoint.port;
  return out;
}

json connection(const event::Dns& dns) {
  json out{{"direction_id", 2}, {"direction", "Outbound"}};
  put(out, "protocol_name", dns.transport);
  if (dns.transport == "udp" || dns.transport == "tcp") out["protocol_num"] = dns.transport == "udp" ? 17 : 6;
  if (dns.server) out["protocol_ver_id"] = dns.server->ip.find(':') == std::string::npos ? 4 : 6;
  return out;
}

void put_dns(const event::Event& event, json& out) {
  const event::Dns& dns = *event.dns;
  json& query = out["query"];
  query["hostname"] = text(dns.query);
  put(query, "type", dns.record_type);
  if (dns.id) query["packet_uid"] = *dns.id;
  out["query_time"] = milliseconds(event.time);
  if (dns.rcode) put_rcode(out, *dns.rcode);
  if (dns.rcode && !dns.answers.empty()) {
    for (const std::string& answer : dns.answers) out["answers"].push_back({{"rdata", text(answer)}});
  }
  if (dns.latency) {
    out["response_time"] = milliseconds(event.time + *dns.latency);
    out["duration"] = std::chrono::duration_cast<std::chrono::milliseconds>(*dns.latency).count();
  }
  out["connection_info"] = connection(dns);
  if (dns.source) out["src_endpoint"] = endpoint(*dns.source);
  if (dns.server) out["dst_endpoint"] = endpoint(*dns.server);
  if (!dns.server) out["dst_endpoint"]["name"] = text(dns.transport);  // a resolver's Unix socket has no address
  out["dst_endpoint"]["svc_name"] = "dns";
}

void put_verdict(const event::Event& event, json& out) {
  const bool blocked = event.action == event::Action::blocked;
  const bool alert = event.alert.value_or(false);
  out["action_id"] = blocked ? 2 : 3;
  out["action"] = blocked ? "Denied" : "Observed";
  out["disposition_id"] = blocked ? 2 : alert ? 19 : 17;
  out["disposition"] = blocked ? "Blocked" : alert ? "Alert" : "Logged";
  out["is_alert"] = alert;
  if (const event::Rule* rule = gravest_rule(event); rule != nullptr) {
    put(out["firewall_rule"], "uid", rule->id);
    put(out["firewall_rule"], "name", rule->title);
    put(out["firewall_rule"], "category", rule->level);
    if (out["firewall_rule"].empty()) out.erase("firewall_rule");
  }
  for (const std::string& id : techniques(event)) {
    const std::string technique = id.substr(0, id.find('.'));
    json attack{{"technique", {{"uid", technique}}}};
    if (technique != id) attack["sub_technique"] = {{"uid", id}};
    out["attacks"].push_back(std::move(attack));
  }
}

json device(const event::Host& host) {
  json out{{"type_id", 0}, {"type", "Unknown"}};
  put(out, "hostname", host.name);
  out["os"] = {{"name", "Linux"}, {"type_id", 200}, {"type", "Linux"}};
  put(out["os"], "kernel_release", host.kernel);
  put(out, "boot_uid", host.boot_id);
  return out;
}

json metadata(const event::Event& event) {
  json product{{"name", "nslookout"}, {"vendor_name", "nslookout"}};
  if (event.sensor) put(product, "version", event.sensor->version);
  json out{
      {"version", "1.8.0"}, {"product", std::move(product)}, {"profiles", {"host", "container", "security_control"}}};
  put(out, "uid", event.event_id);
  put(out, "correlation_uid", event.duplicate_of);
  out["event_code"] = kind_word(event.kind);
  if (event.sequence <= INT64_MAX && event.sequence != 0) out["sequence"] = event.sequence;
  return out;
}

void observe(json& out, const char* name, int type_id, const char* type, const json& value) {
  out["observables"].push_back({{"name", name}, {"type_id", type_id}, {"type", type}, {"value", value}});
}

void put_observables(const event::Event& event, json& out) {
  if (event.dns) observe(out, "query.hostname", 1, "Hostname", out["query"]["hostname"]);
  if (event.dns && event.dns->server && out["dst_endpoint"].contains("ip")) {
    observe(out, "dst_endpoint.ip", 2, "IP Address", out["dst_endpoint"]["ip"]);
  }
  if (event.process && out["actor"]["process"].contains("name")) {
    observe(out, "actor.process.name", 9, "Process Name", out["actor"]["process"]["name"]);
  }
}

// What OCSF has a field for; the rest is `unmapped`. Its times are milliseconds, which is no latency.
constexpr std::array mapped = {"/event_id",
                               "/time",
                               "/sequence",
                               "/alert",
                               "/duplicate_of",
                               "/kind",
                               "/dns/query",
                               "/dns/record_type",
                               "/dns/id",
                               "/dns/transport",
                               "/dns/server",
                               "/dns/source",
                               "/dns/rcode",
                               "/dns/answers",
                               "/process/pid",
                               "/process/tid",
                               "/process/start_time",
                               "/process/comm",
                               "/process/executable",
                               "/process/command_line",
                               "/process/cwd",
                               "/process/uid",
                               "/process/user",
                               "/process/session",
                               "/process/executable_deleted",
                               "/process/namespace_pid",
                               "/container",
                               "/host",
                               "/sensor/version"};

}  // namespace

json to_ocsf(const event::Event& event) {
  const Choice done = activity(event);
  const Choice severe = severity_choice(event);
  json out{{"activity_id", done.id},
           {"activity_name", done.name},
           {"category_uid", 4},
           {"category_name", "Network Activity"},
           {"class_uid", class_uid},
           {"class_name", "DNS Activity"},
           {"type_uid", class_uid * 100 + done.id},
           {"type_name", fmt::format("DNS Activity: {}", done.name)},
           {"severity_id", severe.id},
           {"severity", severe.name},
           {"time", milliseconds(event.time)},
           {"message", summary(event)},
           {"metadata", metadata(event)}};
  if (event.dns) put_dns(event, out);
  if (event.bypass && event.bypass->address) out["dst_endpoint"] = endpoint(*event.bypass->address);
  if (event.process) {
    out["actor"]["process"] = with_parents(event);
    put_object(out["actor"], "user", user(*event.process));
  }
  if (event.host) out["device"] = device(*event.host);
  if (!event.dns) out["src_endpoint"]["hostname"] = event.host ? text(event.host->name) : json("localhost");
  put_verdict(event, out);
  put_observables(event, out);
  put_object(out, "unmapped", native_rest(event, mapped));
  return out;
}

}  // namespace nslookout::encode

#include "encode/ecs.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/public_suffix.h"
#include "base/rcode.h"
#include "encode/fields.h"
#include "encode/summary.h"

namespace nslookout::encode {
namespace {

bool is_ip(const std::string& text) {
  std::array<unsigned char, 16> octets{};
  return ::inet_pton(AF_INET, text.c_str(), octets.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), octets.data()) == 1;
}

json question(const event::Dns& dns) {
  json question;
  put(question, "name", dns.query);
  put(question, "type", dns.record_type);
  const std::string_view registered = registrable_domain(dns.query);
  put(question, "registered_domain", registered);
  if (!registered.empty()) {
    put(question, "top_level_domain", presentation_labels(dns.query).back());
    // With the dot between the two.
    if (dns.query.size() > registered.size() + 1) {
      put(question, "subdomain", std::string_view(dns.query).substr(0, dns.query.size() - registered.size() - 1));
    }
  }
  return question;
}

json dns_fields(const event::Event& event) {
  const event::Dns& dns = *event.dns;
  json out{{"type", dns.rcode ? "answer" : "query"}, {"question", question(dns)}};
  if (dns.id) out["id"] = std::to_string(*dns.id);
  if (dns.rcode) out["response_code"] = rcode_name(*dns.rcode);
  json answers = json::array();
  json addresses = json::array();
  for (const std::string& answer : dns.answers) {
    answers.push_back({{"data", text(answer)}});
    if (is_ip(answer)) addresses.push_back(answer);
  }
  put_object(out, "answers", std::move(answers));
  put_object(out, "resolved_ip", std::move(addresses));
  return out;
}

json endpoint(const event::Endpoint& endpoint) {
  json out;
  put(out, "address", endpoint.ip);
  if (is_ip(endpoint.ip)) out["ip"] = endpoint.ip;
  if (endpoint.port != 0) out["port"] = endpoint.port;
  return out;
}

json network(const event::Dns& dns) {
  json out{{"protocol", "dns"}, {"direction", "egress"}};
  if (dns.transport == "udp" || dns.transport == "tcp") {
    out["transport"] = dns.transport;
    out["iana_number"] = dns.transport == "udp" ? "17" : "6";
  }
  if (dns.server && is_ip(dns.server->ip)) {
    out["type"] = dns.server->ip.find(':') == std::string::npos ? "ipv4" : "ipv6";
  }
  return out;
}

json process_fields(const event::Event& event, const event::Process& process) {
  json out{{"pid", process.pid}};
  put(out, "name", process.comm.empty() ? file_name(process.executable) : process.comm);
  put(out, "executable", process.executable);
  if (!process.command_line.empty()) {
    out["args"] = texts(process.command_line);
    out["args_count"] = process.command_line.size();
    put(out, "command_line", command_line_text(process.command_line));
  }
  put(out, "working_directory", process.cwd);
  if (process.start_time) out["start"] = iso_time(*process.start_time);
  put(out, "entity_id", process_entity(event, process));
  json user;
  if (process.uid) user["id"] = std::to_string(*process.uid);
  put(user, "name", process.user);
  put_object(out, "user", std::move(user));
  return out;
}

json sender(const event::Event& event) {
  const event::Process& process = *event.process;
  json out = process_fields(event, process);
  if (process.tid != 0) out["thread"]["id"] = process.tid;
  if (!process.thread_comm.empty()) out["thread"]["name"] = text(process.thread_comm);
  if (!process.ancestors.empty()) {
    out["parent"] = process_fields(event, process.ancestors.front());
  } else if (process.parent_pid.value_or(0) != 0) {
    out["parent"]["pid"] = *process.parent_pid;
  }
  return out;
}

json rule_fields(const event::Rule& rule) {
  json out;
  put(out, "id", rule.id);
  put(out, "name", rule.title);
  put(out, "ruleset", rule.file);
  if (!rule.references.empty()) put(out, "reference", rule.references.front());
  return out;
}

// ATT&CK's numbers; a sub-technique has a dot in it.
json threat(const event::Event& event) {
  json out;
  json whole = json::array();
  json sub = json::array();
  for (const std::string& id : techniques(event)) {
    const std::string technique = id.substr(0, id.find('.'));
    if (std::find(whole.begin(), whole.end(), technique) == whole.end()) whole.push_back(technique);
    if (technique != id) sub.push_back(id);
  }
  if (whole.empty()) return out;
  out["framework"] = "MITRE ATT&CK";
  out["technique"]["id"] = std::move(whole);
  if (!sub.empty()) out["technique"]["subtechnique"]["id"] = std::move(sub);
  return out;
}

json container(const event::Container& container) {
  json out;
  put(out, "id", container.id);
  put(out, "name", container.name);
  put(out, "runtime", container.runtime);
  const ImageName image = image_name(container.image);
  if (!image.name.empty()) out["image"]["name"] = text(image.name);
  if (!image.tag.empty()) out["image"]["tag"] = json::array({text(image.tag)});
  return out;
}

json orchestrator(const event::Pod& pod) {
  json resource{{"type", "pod"}};
  put(resource, "name", pod.name);
  put(resource, "id", pod.uid);
  std::vector<std::string> labels;
  for (const auto& [key, value] : pod.labels) labels.push_back(fmt::format("{}={}", key, value));
  put(resource, "label", labels);
  json out{{"type", "kubernetes"}, {"resource", std::move(resource)}};
  put(out, "namespace", pod.namespace_name);
  return out;
}

json host(const event::Host& host) {
  json out{{"os", {{"type", "linux"}}}};
  put(out, "name", host.name);
  put(out, "hostname", host.name);
  put(out["os"], "kernel", host.kernel);
  if (!host.boot_id.empty()) out["boot"]["id"] = text(host.boot_id);
  return out;
}

std::string_view outcome(const event::Event& event) {
  if (event.action == event::Action::blocked) return "failure";
  if (event.dns && event.dns->rcode) return *event.dns->rcode == 0 ? "success" : "failure";
  return "unknown";
}

json event_fields(const event::Event& event) {
  constexpr std::array<int, 6> severities = {0, 1, 21, 47, 73, 99};  // as Elastic's own rules have them
  const bool of_rule = !event.rules.empty();
  json out{{"kind", event.alert.value_or(false) && of_rule ? "alert" : "event"},
           {"module", "nslookout"},
           {"dataset", "nslookout.dns"},
           {"outcome", outcome(event)},
           {"severity", severities.at(static_cast<std::size_t>(severity(event)))}};
  put(out, "id", event.event_id);
  const bool lookup = event.kind != event::Kind::loss && event.kind != event::Kind::bypass;
  out["action"] = lookup ? fmt::format("dns_{}", kind_word(event.kind)) : std::string(kind_word(event.kind));
  out["category"] = of_rule ? json{"network", "intrusion_detection"} : json{"network"};
  out["type"] = lookup ? json{"protocol", "info"} : json{"info"};
  if (event.action == event::Action::blocked) out["type"].push_back("denied");
  if (event.sequence != 0) out["sequence"] = event.sequence;
  if (event.dns && event.dns->latency) out["duration"] = event.dns->latency->count();
  return out;
}

json related(const event::Event& event) {
  json out;
  json hosts = json::array();
  json addresses = json::array();
  if (event.dns && !event.dns->query.empty()) hosts.push_back(text(event.dns->query));
  const auto add = [&](const std::string& address) {
    if (is_ip(address) && std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  };
  if (event.dns) {
    if (event.dns->source) add(event.dns->source->ip);
    if (event.dns->server) add(event.dns->server->ip);
    for (const std::string& answer : event.dns->answers) add(answer);
  }
  put_object(out, "hosts", std::move(hosts));
  put_object(out, "ip", std::move(addresses));
  if (event.process && !event.process->user.empty()) out["user"] = json::array({text(event.process->user)});
  return out;
}

void put_dns(const event::Event& event, json& out) {
  const event::Dns& dns = *event.dns;
  out["dns"] = dns_fields(event);
  out["network"] = network(dns);
  if (dns.source) out["source"] = endpoint(*dns.source);
  if (dns.server) out["destination"] = endpoint(*dns.server);
}

void put_process(const event::Event& event, json& out) {
  const event::Process& process = *event.process;
  out["process"] = sender(event);
  if (out["process"].contains("user")) out["user"] = out["process"]["user"];
  json group;
  if (process.gid) group["id"] = std::to_string(*process.gid);
  put(group, "name", process.group);
  put_object(out, "group", std::move(group));
}

// What ECS has a field for, whole; the rest is under a name of its own. Of a transport ECS knows UDP and TCP alone, of an
// image no digest.
constexpr std::array mapped = {"/event_id",
                               "/time",
                               "/sequence",
                               "/dns/query",
                               "/dns/record_type",
                               "/dns/id",
                               "/dns/server",
                               "/dns/source",
                               "/dns/rcode",
                               "/dns/answers",
                               "/dns/latency",
                               "/process/pid",
                               "/process/tid",
                               "/process/start_time",
                               "/process/comm",
                               "/process/thread_comm",
                               "/process/executable",
                               "/process/command_line",
                               "/process/cwd",
                               "/process/uid",
                               "/process/user",
                               "/process/gid",
                               "/process/group",
                               "/container/id",
                               "/container/name",
                               "/container/runtime",
                               "/pod",
                               "/host",
                               "/sensor/version"};

}  // namespace

json to_ecs(const event::Event& event) {
  json out{{"@timestamp", iso_time(event.time)},
           {"ecs", {{"version", "9.4.0"}}},
           {"message", summary(event)},
           {"event", event_fields(event)}};
  if (event.dns) put_dns(event, out);
  if (event.bypass && event.bypass->address) out["destination"] = endpoint(*event.bypass->address);
  if (event.process) put_process(event, out);
  if (const event::Rule* rule = gravest_rule(event); rule != nullptr) {
    put_object(out, "rule", rule_fields(*rule));
    put(out, "tags", rule->tags);
  }
  put_object(out, "threat", threat(event));
  put_object(out, "related", related(event));
  if (event.container) put_object(out, "container", container(*event.container));
  if (event.pod) out["orchestrator"] = orchestrator(*event.pod);
  if (event.host) out["host"] = host(*event.host);
  if (event.origin && event.origin->package) {
    const event::Package& package = *event.origin->package;
    put(out["package"], "name", package.name);
    put(out["package"], "version", package.version);
    put(out["package"], "type", package.manager);
    put(out["package"], "path", package.path);
    if (out["package"].empty()) out.erase("package");
  }
  out["agent"]["type"] = "nslookout";
  if (event.sensor) put(out["agent"], "version", event.sensor->version);
  out["nslookout"] = native_rest(event, mapped);
  return out;
}

}  // namespace nslookout::encode

#include "agent/needs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/dns_name.h"
#include "base/ip_address.h"
#include "sink/spec.h"

namespace nslookout::agent {
namespace {

struct Service {
  const char* variable;  // a URL, or a host
  const char* whose;
};

constexpr std::array<Service, 14> services = {{
    {"GITHUB_SERVER_URL", "GitHub, where the job's sources are"},
    {"GITHUB_API_URL", "GitHub's API, which actions ask"},
    {"ACTIONS_RUNTIME_URL", "the service of the GitHub runner"},
    {"ACTIONS_RESULTS_URL", "the service that takes the GitHub job's logs and artifacts"},
    {"ACTIONS_CACHE_URL", "the cache of the GitHub job"},
    {"ACTIONS_ID_TOKEN_REQUEST_URL", "the service of the GitHub job's tokens"},
    {"CI_SERVER_HOST", "GitLab, where the job's sources are and its log goes"},
    {"CI_REGISTRY", "GitLab's registry"},
    {"BUILDKITE_AGENT_ENDPOINT", "the service of the Buildkite agent"},
    {"SYSTEM_COLLECTIONURI", "Azure Pipelines"},
    {"JENKINS_URL", "Jenkins"},
    {"CIRCLE_REPOSITORY_URL", "where the CircleCI job's sources are"},
    {"GITEA_SERVER_URL", "Gitea"},
    {"DRONE_SYSTEM_HOST", "Drone"},
}};

// By the kernel's name of the process, of 15 octets at most.
constexpr std::array<std::string_view, 6> recursing = {"unbound", "named",         "pdns_recursor",
                                                       "kresd",   "knot-resolver", "dnscrypt-proxy"};

// "https://user@host:443/path", "git@host:path", "host:9092", "[::1]:80" to the host.
std::string host_of(std::string_view place) {
  if (const auto scheme = place.find("://"); scheme != std::string_view::npos) place.remove_prefix(scheme + 3);
  place = place.substr(0, place.find('/'));
  if (const auto user = place.rfind('@'); user != std::string_view::npos) place.remove_prefix(user + 1);
  if (place.starts_with('[')) return std::string(place.substr(1, place.find(']') - 1));
  return ascii_lower(std::string(place.substr(0, place.find(':'))));
}

void add(std::vector<Need>& needs, std::string_view place, const std::string& whose) {
  std::string name = host_of(place);
  if (name.ends_with('.')) name.pop_back();
  if (name.find('.') == std::string::npos || parse_ip_address(name) || !presentation_to_wire(name)) return;
  if (std::ranges::find(needs, name, &Need::name) != needs.end()) return;
  needs.push_back({std::move(name), whose});
}

void add_output(std::vector<Need>& needs, const std::string& text) {
  const auto spec = sink::parse_spec(text);
  if (!spec || !spec->over_network()) return;
  const std::string whose = "the output " + sink::spec_name(text);
  add(needs, spec->host, whose);
  add(needs, spec->url, whose);
  for (std::string_view brokers = spec->brokers; !brokers.empty();) {
    const auto end = std::min(brokers.find(','), brokers.size());
    add(needs, brokers.substr(0, end), whose);
    brokers.remove_prefix(std::min(end + 1, brokers.size()));
  }
}

}  // namespace

std::vector<std::string_view> service_variables() {
  std::vector<std::string_view> names;
  names.reserve(services.size());
  for (const Service& service : services) names.emplace_back(service.variable);
  return names;
}

std::vector<Need> needs_of(const std::vector<std::string>& outputs, const std::string& kubelet_url,
                           const Environment& environment) {
  std::vector<Need> needs;
  for (const std::string& output : outputs) add_output(needs, output);
  add(needs, kubelet_url, "the kubelet");
  for (const Service& service : services) {
    if (const char* place = environment(service.variable); place != nullptr) add(needs, place, service.whose);
  }
  return needs;
}

std::vector<RunningResolver> recursing_resolvers(const std::string& proc_root) {
  std::vector<RunningResolver> running;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(proc_root, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string folder = entry->path().filename().string();
    std::uint32_t pid = 0;
    const auto number = std::from_chars(folder.data(), folder.data() + folder.size(), pid);
    if (number.ec != std::errc{} || number.ptr != folder.data() + folder.size()) continue;
    std::string comm;
    std::getline(std::ifstream(entry->path() / "comm"), comm);  // gone meanwhile: empty
    if (std::ranges::find(recursing, comm) != recursing.end()) running.push_back({std::move(comm), pid});
  }
  std::ranges::sort(running, {}, &RunningResolver::pid);
  return running;
}

std::vector<Need> not_allowed(const compile::Blocking& blocking, std::vector<Need> needs) {
  if (!blocking.only_allowed) return {};
  std::erase_if(needs, [&](const Need& need) {
    const auto wire = presentation_to_wire(need.name);
    return wire && std::ranges::any_of(blocking.allowed, [&](const lists::NameList& list) {
             return !list.table.covering(*wire).wire.empty();
           });
  });
  return needs;
}

}  // namespace nslookout::agent

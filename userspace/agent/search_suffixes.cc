#include "agent/search_suffixes.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "agent/small_files.h"
#include "base/clock.h"
#include "base/dns_name.h"
#include "identity/kernel_process.h"
#include "identity/proc_process.h"

namespace nslookout::agent {
namespace {

constexpr std::string_view usual_cluster_domain = "cluster.local";

const std::vector<SearchSuffix> no_suffixes;

void add_once(std::vector<SearchSuffix>& suffixes, SearchSuffix suffix) {
  if (std::ranges::find(suffixes, suffix) == suffixes.end()) suffixes.push_back(std::move(suffix));
}

void add_text(std::vector<SearchSuffix>& suffixes, std::string_view text) {
  if (Result<SearchSuffix> suffix = parse_search_suffix(text)) add_once(suffixes, std::move(*suffix));
}

// "clusterDomain: cluster.local" of a KubeletConfiguration, which is flat there. Empty without one.
std::string cluster_domain_in(const std::string& kubelet_config) {
  std::istringstream lines(kubelet_config);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("clusterDomain:")) continue;
    std::string value = line.substr(line.find(':') + 1);
    std::erase_if(value, [](char c) { return c == ' ' || c == '"' || c == '\'' || c == '\r'; });
    return value;
  }
  return {};
}

// A pod's list has "NAMESPACE.svc.DOMAIN" and "svc.DOMAIN".
std::string cluster_domain_in(const std::vector<SearchSuffix>& suffixes) {
  for (const SearchSuffix& suffix : suffixes) {
    const std::string text = search_suffix_text(suffix);
    if (text.starts_with("svc.")) return text.substr(std::string_view("svc.").size());
  }
  return {};
}

}  // namespace

ResolverFiles resolver_files_of_host() {
  ResolverFiles files;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  files.in_pod = std::getenv("KUBERNETES_SERVICE_HOST") != nullptr;
  return files;
}

std::vector<SearchSuffix> search_suffixes_of_host(const ResolverFiles& files) {
  std::vector<SearchSuffix> suffixes;
  for (SearchSuffix& suffix : nslookout::search_suffixes_of(read_small_file(files.resolv_conf))) {
    add_once(suffixes, std::move(suffix));
  }
  const std::string kubelet_config = read_small_file(files.kubelet_config);
  std::string domain = cluster_domain_in(kubelet_config);
  if (domain.empty()) domain = cluster_domain_in(suffixes);
  if (domain.empty() && (files.in_pod || !kubelet_config.empty())) domain = usual_cluster_domain;
  if (domain.empty()) return suffixes;
  add_text(suffixes, "*.svc." + domain);
  add_text(suffixes, "svc." + domain);
  add_text(suffixes, domain);
  return suffixes;
}

Result<std::vector<SearchSuffix>> search_suffixes_of(const std::vector<std::string>& values,
                                                     const ResolverFiles& files) {
  std::vector<SearchSuffix> suffixes;
  for (const std::string& value : values) {
    if (value == "none") continue;
    if (value == "auto") {
      for (SearchSuffix& suffix : search_suffixes_of_host(files)) add_once(suffixes, std::move(suffix));
      continue;
    }
    Result<SearchSuffix> suffix = parse_search_suffix(value);
    if (!suffix) return fail(ErrorClass::usage, "{}", suffix.error().message);
    add_once(suffixes, std::move(*suffix));
  }
  return suffixes;
}

SenderSearchSuffixes::SenderSearchSuffixes(std::string proc, std::size_t capacity, std::chrono::nanoseconds lifetime)
    : proc_(std::move(proc)),
      capacity_(std::max<std::size_t>(capacity, 1)),
      own_namespace_(mount_namespace("self")),
      lifetime_(lifetime) {}

std::string SenderSearchSuffixes::mount_namespace(const std::string& process) const {
  std::array<char, 64> text{};
  const ssize_t length = ::readlink((proc_ + "/" + process + "/ns/mnt").c_str(), text.data(), text.size());
  return length <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(length));
}

bool SenderSearchSuffixes::is_last(const nsl_sender& sender) const {
  return identity::same_process(last_.process, sender.process) && last_.cgroup_id == sender.cgroup_id;
}

const std::vector<SearchSuffix>& SenderSearchSuffixes::of(const nsl_sender& sender, std::uint64_t boottime) {
  if (sender.process.tgid == 0) return no_suffixes;
  const auto now = static_cast<std::uint64_t>(boot_now().count());
  const bool again = is_last(sender);
  if (again && of_last_ != nullptr && now < of_last_->until) return of_last_->suffixes;
  if (again && boottime <= last_look_) return of_last_ == nullptr ? no_suffixes : of_last_->suffixes;
  last_ = sender;
  of_last_ = nullptr;
  last_look_ = now;
  const std::string pid = std::to_string(sender.process.tgid);
  const std::string mounts = mount_namespace(pid);
  if (mounts.empty() || mounts == own_namespace_) return no_suffixes;
  const Container container(mounts, sender.cgroup_id);
  auto found = kept_.find(container);
  if (found == kept_.end() || now >= found->second.until) {
    const auto file = read_in_root(proc_ + "/" + pid + "/root", "etc/resolv.conf");
    if (!file) return no_suffixes;  // the next lookup tries again
    // The number may be another process's by now.
    if (!identity::ProcProcess::open(proc_, sender.process) || mount_namespace(pid) != mounts) return no_suffixes;
    if (found == kept_.end() && kept_.size() >= capacity_) kept_.clear();
    Kept kept{nslookout::search_suffixes_of(*file), now + static_cast<std::uint64_t>(lifetime_.count())};
    found = kept_.insert_or_assign(container, std::move(kept)).first;
  }
  of_last_ = &found->second;
  return found->second.suffixes;
}

}  // namespace nslookout::agent

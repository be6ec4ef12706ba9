#include "identity/runtime_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace nslookout::identity {
namespace {

constexpr std::size_t max_id = 128;
constexpr std::size_t max_text = 512;  // the longest name of an image is 255 octets, with a registry and a digest
constexpr std::size_t max_labels = 64;
constexpr std::size_t max_label_octets = 8192;  // of all together; Kubernetes: 317 for a key, 63 for a value

void cut(std::string& text, std::size_t limit) {
  if (text.size() > limit) text.resize(limit);
}

}  // namespace

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::uint32_t owner_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_uid : 0;
}

ContainerFacts bounded(ContainerFacts facts) {
  cut(facts.name, max_text);
  cut(facts.image, max_text);
  cut(facts.runtime, max_id);
  if (!facts.pod) return facts;
  event::Pod& pod = *facts.pod;
  cut(pod.namespace_name, max_text);
  cut(pod.name, max_text);
  cut(pod.uid, max_id);
  std::size_t labels = 0;
  std::size_t octets = 0;
  std::erase_if(pod.labels, [&](const auto& label) {
    octets += label.first.size() + label.second.size();
    return ++labels > max_labels || octets > max_label_octets;
  });
  return facts;
}

bool is_container_id(std::string_view text) {
  return !text.empty() && text.size() <= max_id &&
         std::all_of(
             text.begin(), text.end(),
             [](unsigned char c) { return (std::isalnum(c) != 0 && c < 0x80) || c == '_' || c == '.' || c == '-'; }) &&
         text != "." && text != "..";
}

std::optional<event::Pod> pod_of_labels(const std::map<std::string, std::string>& labels) {
  const auto text_of = [&](const char* key) {
    const auto found = labels.find(key);
    return found == labels.end() ? std::string() : found->second;
  };
  event::Pod pod;
  pod.namespace_name = text_of("io.kubernetes.pod.namespace");
  pod.name = text_of("io.kubernetes.pod.name");
  pod.uid = text_of("io.kubernetes.pod.uid");
  if (pod.name.empty() && pod.uid.empty()) return std::nullopt;
  return pod;
}

}  // namespace nslookout::identity

#include "cli/doctor_report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string yes_no(std::optional<bool> value) {
  if (!value) return "unknown";
  return *value ? "yes" : "no";
}

std::string number_text(std::optional<int> value) { return value ? std::to_string(*value) : "unknown"; }

std::string memlock_text(const kernel::Memlock& memlock) {
  switch (memlock.kind) {
    case kernel::MemlockKind::unknown:
      return "unknown";
    case kernel::MemlockKind::unlimited:
      return "unlimited";
    case kernel::MemlockKind::limited:
      return fmt::format("{} octets", memlock.octets);
  }
  return "unknown";
}

std::string capability_text(const std::vector<kernel::Capability>& capabilities) {
  if (capabilities.empty()) return "unknown";
  std::string present;
  std::string absent;
  for (const auto& capability : capabilities) {
    auto& list = capability.effective ? present : absent;
    list += list.empty() ? "" : " ";
    list += capability.name;
  }
  if (absent.empty()) return present;
  return fmt::format("{}; missing {}", present.empty() ? "none" : present, absent);
}

// Words that fit after indent, wrapped at 100 columns.
std::string wrapped(std::string_view text, std::size_t indent) {
  constexpr std::size_t columns = 100;
  std::string result;
  std::size_t used = indent;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (used > indent && used + 1 + end > columns) {
      result += '\n' + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      result += ' ';
      ++used;
    }
    result += text.substr(0, end);
    used += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

constexpr std::size_t label_columns = 28;

std::string fact(std::string_view label, const std::string& value) {
  return fmt::format("  {:<{}}{}\n", label, label_columns - 2, wrapped(escape_controls(value), label_columns));
}

std::string facts_text(const kernel::HostFacts& facts) {
  return "Host\n" + fact("kernel", facts.kernel_release.value_or("unknown")) +
         fact("BTF", facts.btf ? "yes" : "no (/sys/kernel/btf/vmlinux is missing)") +
         fact("lockdown", facts.lockdown == kernel::Lockdown::unknown ? "unknown (securityfs is not mounted)"
                                                                      : std::string(lockdown_name(facts.lockdown))) +
         fact("capabilities", capability_text(facts.capabilities)) +
         fact("root cgroup2", facts.root_cgroup2 ? *facts.root_cgroup2 : facts.root_cgroup2.error().message) +
         fact("BPF LSM", yes_no(facts.bpf_lsm)) + fact("perf_event_paranoid", number_text(facts.perf_event_paranoid)) +
         fact("unprivileged_bpf_disabled", number_text(facts.unprivileged_bpf_disabled)) +
         fact("initial pid namespace", yes_no(facts.initial_pid_namespace)) +
         fact("initial user namespace", yes_no(facts.initial_user_namespace)) +
         fact("locked memory limit", memlock_text(facts.memlock));
}

std::string backends_text(const kernel::Diagnosis& diagnosis) {
  const auto* chosen = diagnosis.chosen();
  std::string text = "\nBackends, in the order in which --backend auto tries them\n";
  for (const auto& probe : diagnosis.backends) {
    std::string_view verdict = probe.usable ? "usable" : "no";
    if (&probe == chosen) verdict = "chosen";
    text += fact(probe.name, fmt::format("{}: {}", verdict, probe.reason));
  }
  if (chosen == nullptr) text += "  No backend is usable: `nslookout run` cannot start here.\n";
  return text;
}

std::string unix_clients_text(const kernel::BackendProbe& probe) {
  return "\nPrograms that ask systemd-resolved or nscd over its Unix socket\n" +
         fact(probe.name, fmt::format("{}: {}", probe.usable ? "seen" : "hidden", probe.reason));
}

std::string bypasses_text(const kernel::BackendProbe& probe) {
  return "\nEncrypted DNS, other resolvers, raw and packet sockets, programs taken off their hooks (KIND_BYPASS)\n" +
         fact(probe.name, fmt::format("{}: {}", probe.usable ? "told" : "not told", probe.reason));
}

std::string blind_spots_text(const std::vector<kernel::BlindSpot>& spots) {
  std::string text = "\nWhat is not seen here, or seen under another process\n";
  for (const auto& spot : spots) {
    const bool found = spot.certainty == kernel::Certainty::found;
    text += fmt::format("  {} ({})\n", spot.id, found ? escape_controls(spot.evidence) : "always possible");
    text += fmt::format("      {}.\n", wrapped(escape_controls(spot.consequence), 6));
    text += fmt::format("      {}.\n", wrapped("To do: " + escape_controls(spot.remedy), 6));
  }
  return text;
}

template <typename T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json facts_json(const kernel::HostFacts& facts) {
  Json capabilities = Json::object();
  for (const auto& capability : facts.capabilities) capabilities[std::string(capability.name)] = capability.effective;
  Json memlock = nullptr;
  if (facts.memlock.kind == kernel::MemlockKind::unlimited) memlock = "unlimited";
  if (facts.memlock.kind == kernel::MemlockKind::limited) memlock = facts.memlock.octets;
  Json json = {{"kernel", value_or_null(facts.kernel_release)},
               {"btf", facts.btf},
               {"lockdown", lockdown_name(facts.lockdown)},
               {"capabilities", facts.capabilities.empty() ? Json(nullptr) : capabilities},
               {"root_cgroup2", facts.root_cgroup2 ? Json(*facts.root_cgroup2) : Json(nullptr)},
               {"bpf_lsm", value_or_null(facts.bpf_lsm)},
               {"perf_event_paranoid", value_or_null(facts.perf_event_paranoid)},
               {"unprivileged_bpf_disabled", value_or_null(facts.unprivileged_bpf_disabled)},
               {"initial_pid_namespace", value_or_null(facts.initial_pid_namespace)},
               {"initial_user_namespace", value_or_null(facts.initial_user_namespace)},
               {"memlock_octets", memlock}};
  if (!facts.root_cgroup2) json["root_cgroup2_error"] = facts.root_cgroup2.error().message;
  return json;
}

}  // namespace

std::string doctor_text(const kernel::Diagnosis& diagnosis) {
  return facts_text(diagnosis.facts) + backends_text(diagnosis) + unix_clients_text(diagnosis.unix_clients) +
         bypasses_text(diagnosis.bypasses) + blind_spots_text(diagnosis.blind_spots);
}

std::string doctor_json(const kernel::Diagnosis& diagnosis) {
  const auto* chosen = diagnosis.chosen();
  Json backends = Json::array();
  for (const auto& probe : diagnosis.backends) {
    backends.push_back({{"name", probe.name}, {"usable", probe.usable}, {"reason", probe.reason}});
  }
  Json spots = Json::array();
  for (const auto& spot : diagnosis.blind_spots) {
    spots.push_back({{"id", spot.id},
                     {"certainty", spot.certainty == kernel::Certainty::found ? "found" : "possible"},
                     {"evidence", spot.evidence},
                     {"consequence", spot.consequence},
                     {"remedy", spot.remedy}});
  }
  const Json json = {
      {"usable", chosen != nullptr},
      {"backend", chosen != nullptr ? Json(chosen->name) : Json(nullptr)},
      {"host", facts_json(diagnosis.facts)},
      {"backends", backends},
      {"bypasses", {{"usable", diagnosis.bypasses.usable}, {"reason", diagnosis.bypasses.reason}}},
      {"unix_clients", {{"usable", diagnosis.unix_clients.usable}, {"reason", diagnosis.unix_clients.reason}}},
      {"blind_spots", spots}};
  return ascii_json(json, 2) + "\n";
}

}  // namespace nslookout::cli

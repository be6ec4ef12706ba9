#include "kernel/doctor.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <sstream>
#include <tuple>
#include <utility>

#include "base/resolver_sockets.h"
#include "kernel/name_service.h"
#include "kernel/trim.h"

namespace nslookout::kernel {
namespace {

constexpr std::string_view resolved_socket = resolver_sockets.front();
constexpr std::string_view node_local_address = "169.254.20.10";

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::vector<std::string> lines_of(const std::optional<std::string>& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text.value_or(""));
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

// The names of systemd's truth values, as parse_boolean() of systemd takes them.
std::string normalised_tls_value(std::string_view value) {
  std::string text = lower(value);
  constexpr std::array<std::string_view, 6> yes = {"1", "yes", "y", "true", "t", "on"};
  constexpr std::array<std::string_view, 6> no = {"0", "no", "n", "false", "f", "off"};
  if (std::ranges::find(yes, text) != yes.end()) return "yes";
  if (std::ranges::find(no, text) != no.end()) return "no";
  return text;
}

// The last DNSOverTLS= of the [Resolve] section; an empty value is an assignment too.
std::optional<std::string> tls_setting(const std::optional<std::string>& content) {
  std::optional<std::string> setting;
  bool in_resolve = false;
  for (const auto& raw : lines_of(content)) {
    const auto line = trimmed(raw);
    if (line.starts_with('[')) in_resolve = line == "[Resolve]";
    const auto equals = line.find('=');
    if (!in_resolve || equals == std::string_view::npos || trimmed(line.substr(0, equals)) != "DNSOverTLS") continue;
    setting = normalised_tls_value(trimmed(line.substr(equals + 1)));
  }
  return setting;
}

// Where systemd looks for configuration, the most important first (systemd.unit(5) has the same order).
constexpr std::array<std::string_view, 4> systemd_folders = {"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd",
                                                             "/usr/lib/systemd"};

// The files that make up resolved's configuration in the order in which they apply: the first main file there is,
// then the drop-ins of all folders by name, where a name hides the same name of a less important folder.
std::vector<std::string> resolved_files(const Host& host) {
  std::vector<std::string> files;
  for (const auto folder : systemd_folders) {
    auto main_file = fmt::format("{}/resolved.conf", folder);
    if (!host.exists(main_file)) continue;
    files.push_back(std::move(main_file));
    break;
  }
  std::map<std::string, std::string> drop_ins;
  for (const auto folder : systemd_folders) {
    const auto directory = fmt::format("{}/resolved.conf.d", folder);
    for (const auto& name : host.list_directory(directory, ".conf")) {
      drop_ins.emplace(name, fmt::format("{}/{}", directory, name));
    }
  }
  for (auto& [name, path] : drop_ins) files.push_back(std::move(path));
  return files;
}

bool lists(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// What an event looks like whose client is not known.
constexpr std::string_view hidden_mark = "its events say ROLE_FORWARDER and client_hidden";

void find_nss_spots(const Host& host, const BackendProbe& unix_clients, std::vector<BlindSpot>& spots) {
  const auto sources = nss_hosts_sources(host);
  if (lists(sources, "resolve") && !unix_clients.usable) {
    spots.push_back(
        {"nss-resolve", Certainty::found, "/etc/nsswitch.conf: `resolve` in the hosts line",
         fmt::format(
             "while systemd-resolved runs, programs that use the C library's resolver (curl, getent, ssh) hand "
             "their names to it over a Unix socket and send no DNS query of their own, and this kernel does not "
             "show who does ({}): what is seen is systemd-resolved's query, under its process ({}), and nothing "
             "when it answers from its cache or over TLS",
             unix_clients.reason, hidden_mark),
         "take `resolve` out of the hosts line and leave `dns`, with 127.0.0.53 as nameserver in /etc/resolv.conf: "
         "each program then sends its own query to the stub, and resolved works as before"});
  }
  const auto mdns = std::ranges::find_if(sources, [](const auto& s) { return s.starts_with("mdns"); });
  if (mdns != sources.end()) {
    spots.push_back({"nss-mdns", Certainty::found, fmt::format("/etc/nsswitch.conf: `{}` in the hosts line", *mdns),
                     "names below .local are asked by avahi-daemon over multicast DNS on behalf of the program",
                     "nothing, unless names below .local matter: then take it out of the hosts line"});
  }
  if (lists(sources, "sss")) {
    spots.push_back({"nss-sss", Certainty::found, "/etc/nsswitch.conf: `sss` in the hosts line",
                     "host names known to sssd are looked up by sssd under its own process",
                     "take `sss` out of the hosts line where no host names come from the directory"});
  }
}

// Whether nscd's clients read cached names in its memory, which is Debian's and glibc's default.
bool nscd_shares_hosts(const Host& host) {
  bool shares = true;
  for (const auto& line : lines_of(host.read_file("/etc/nscd.conf"))) {
    const auto words = words_of(line.substr(0, line.find('#')));
    if (words.size() >= 3 && words[0] == "shared" && words[1] == "hosts") shares = words[2] != "no";
  }
  return shares;
}

void find_nscd_spot(const Host& host, const BackendProbe& unix_clients, std::vector<BlindSpot>& spots) {
  for (const std::string_view socket : {"/run/nscd/socket", "/var/run/nscd/socket"}) {
    if (!host.exists(socket)) continue;
    if (nscd_skips_hosts(host) || (unix_clients.usable && !nscd_shares_hosts(host))) return;
    if (unix_clients.usable) {
      spots.push_back({"nscd-shared", Certainty::found, fmt::format("{} is there", socket),
                       "programs read names that the name service cache already knows in its memory, without asking "
                       "anybody: such a lookup is not seen; the others are, under the program's process",
                       "set `shared hosts no` in /etc/nscd.conf and restart nscd"});
      return;
    }
    spots.push_back(
        {"nscd", Certainty::found, fmt::format("{} is there", socket),
         fmt::format("programs ask the name service cache over a Unix socket and send no DNS query of their own, and "
                     "this kernel does not show who does ({}): what is seen is nscd's query, under its process ({}), "
                     "and only when the name is not in its cache",
                     unix_clients.reason, hidden_mark),
         "set `enable-cache hosts no` in /etc/nscd.conf and restart nscd, or remove nscd"});
    return;
  }
}

void find_resolved_spots(const Host& host, const BackendProbe& unix_clients, std::vector<BlindSpot>& spots) {
  if (host.exists(resolved_socket) && unix_clients.usable) {
    spots.push_back(
        {"resolved-dbus", Certainty::found, fmt::format("{} is there", resolved_socket),
         fmt::format("a program may ask systemd-resolved over D-Bus (busctl, resolvectl): what is seen is "
                     "systemd-resolved's query, under its process ({}), and nothing when it answers from its cache; "
                     "who asks over its Unix socket is seen",
                     hidden_mark),
         "`resolvectl monitor` shows the names; D-Bus policy can keep programs from org.freedesktop.resolve1"});
  } else if (host.exists(resolved_socket)) {
    spots.push_back(
        {"resolved-varlink", Certainty::found, fmt::format("{} is there", resolved_socket),
         "a program may ask systemd-resolved over its Unix socket or D-Bus (resolvectl, nss-resolve) instead of by "
         "DNS: what is seen is systemd-resolved's query, under its process",
         "read an event of systemd-resolved that says client_hidden as such a lookup; `resolvectl monitor` shows the "
         "names"});
  }
  const auto tls = resolved_dns_over_tls(host);
  if (tls && tls->value != "no") {
    spots.push_back(
        {"resolved-tls", Certainty::found, fmt::format("{}: DNSOverTLS={}", tls->file, tls->value),
         "systemd-resolved's own queries are encrypted and not seen; the queries that programs send to its stub "
         "(127.0.0.53) still are, but lookups over its socket or D-Bus leave no trace at all",
         "make programs ask the stub (no `resolve` in the hosts line), or set DNSOverTLS=no"});
  }
}

void find_forwarder_spots(const Host& host, std::vector<BlindSpot>& spots) {
  const auto servers = nameservers(host);
  const auto loopback = std::ranges::find_if(
      servers, [](const auto& address) { return address.starts_with("127.") || address == "::1"; });
  if (loopback != servers.end()) {
    const bool resolved = *loopback == "127.0.0.53" || *loopback == "127.0.0.54";
    spots.push_back({"local-forwarder", Certainty::found, fmt::format("/etc/resolv.conf: nameserver {}", *loopback),
                     fmt::format("programs ask {} on this host, which asks again under its own process: one lookup "
                                 "is two queries, and the first is the program's",
                                 resolved ? "systemd-resolved's stub" : "a DNS forwarder"),
                     "nothing: the program's query is seen, and the forwarder's is marked as its copy (ROLE_FORWARDER, "
                     "no alert of its own)"});
  }
  const auto addresses = host.read_file("/proc/net/fib_trie").value_or("");
  std::string evidence;
  if (lists(servers, node_local_address)) {
    evidence = fmt::format("/etc/resolv.conf: nameserver {}", node_local_address);
  } else if (host.exists("/sys/class/net/nodelocaldns")) {
    evidence = "the interface nodelocaldns is there";
  } else if (addresses.find(fmt::format("-- {}\n", node_local_address)) != std::string::npos) {
    evidence = fmt::format("/proc/net/fib_trie: {}", node_local_address);
  }
  if (evidence.empty()) return;
  spots.push_back({"node-local-dns", Certainty::found, evidence,
                   "the node's DNS cache asks the cluster's DNS again (usually over TCP) under its own process: one "
                   "lookup of a pod is two queries, and the first is the pod's",
                   "nothing: the pod's query is seen, and the cache's is marked as its copy where the pod asked the "
                   "node's address over UDP"});
}

void find_packet_socket_spot(const Host& host, std::vector<BlindSpot>& spots) {
  const auto lines = lines_of(host.read_file("/proc/net/packet"));
  const std::size_t open = lines.empty() ? 0 : lines.size() - 1;  // the first is the heading
  spots.push_back({"packet-sockets", open > 0 ? Certainty::found : Certainty::possible,
                   open > 0 ? fmt::format("/proc/net/packet: {} open", open) : "",
                   "a process with CAP_NET_RAW can write whole frames to a device (AF_PACKET, AF_XDP) past every hook "
                   "of the sensor; DHCP clients and packet captures hold such sockets without sending DNS",
                   "drop CAP_NET_RAW from containers and services; an event of KIND_BYPASS names who holds one for two "
                   "seconds or longer"});
}

void add_encrypted_spot(std::vector<BlindSpot>& spots) {
  spots.push_back({"encrypted-dns", Certainty::possible, "",
                   "programs that do their own DNS over HTTPS, TLS or QUIC (browsers first of all) send no readable "
                   "question; the lookup of the server's own name is seen, and an event of KIND_BYPASS names who "
                   "connects to port 853 or to a public resolver that is listed",
                   "switch it off by policy (Firefox: DNSOverHTTPS, Chrome: DnsOverHttpsMode=off), block port 853, "
                   "and give --resolvers a list of your own"});
  spots.push_back({"bpf-detach", Certainty::possible, "",
                   "a process with CAP_SYS_ADMIN can detach the sensor's programs by bpf(2), change its tables or kill "
                   "it; the first is told within two seconds, and the agent is not ready from then on",
                   "give CAP_SYS_ADMIN and CAP_BPF to nothing that runs foreign code; watch /readyz and the gaps in "
                   "`sequence` from another machine"});
}

void add_namespace_spot(const HostFacts& facts, std::vector<BlindSpot>& spots) {
  if (facts.initial_pid_namespace.value_or(true)) return;
  spots.push_back({"pid-namespace", Certainty::found, "/proc/self/ns/pid is not the host's",
                   "the pids of events are the host's, and /proc here does not show those processes: what the kernel "
                   "recorded is all there is about a process",
                   "run in the host's pid namespace (docker run --pid=host, hostPID: true)"});
}

void add_seeding_spot(const BackendProbe* chosen, std::vector<BlindSpot>& spots) {
  if (chosen == nullptr || chosen->seeding_refused.empty()) return;
  spots.push_back({"older-processes", Certainty::found, chosen->seeding_refused,
                   "processes that ran before the agent are described from /proc: one that has ended is missing among "
                   "the ancestors of those it started",
                   "start the agent at boot; run a kernel of 5.8 or later that takes task iterators"});
}

void add_backend_spot(const BackendProbe* chosen, std::vector<BlindSpot>& spots) {
  if (chosen == nullptr || chosen->name == "cgroup") return;
  spots.push_back({"tcp", Certainty::found, fmt::format("the backend in use would be {}", chosen->name),
                   "it sees UDP alone: DNS over TCP and queries from raw sockets are not seen",
                   "choose --backend cgroup, where it is usable, if those matter more"});
}

}  // namespace

std::vector<std::string> nss_hosts_sources(const Host& host) {
  std::vector<std::string> names;
  for (HostsSource& source : hosts_sources(host)) names.push_back(std::move(source.name));
  return names;
}

std::vector<std::string> nameservers(const Host& host) {
  std::vector<std::string> servers;
  for (const auto& line : lines_of(host.read_file("/etc/resolv.conf"))) {
    const auto words = words_of(line);
    if (words.size() >= 2 && words[0] == "nameserver") servers.push_back(words[1]);
  }
  return servers;
}

std::optional<DnsOverTls> resolved_dns_over_tls(const Host& host) {
  std::optional<DnsOverTls> last;
  for (const auto& file : resolved_files(host)) {
    auto value = tls_setting(host.read_file(file));
    if (!value) continue;
    // An empty assignment takes back what came before it.
    last = value->empty() ? std::nullopt : std::optional<DnsOverTls>({*value, file});
  }
  return last;
}

HostFacts read_facts(const Host& host) {
  return {.kernel_release = host.kernel_release(),
          .btf = host.has_btf(),
          .lockdown = host.lockdown(),
          .capabilities = host.capabilities(),
          .bpf_lsm = host.has_bpf_lsm(),
          .perf_event_paranoid = host.perf_event_paranoid(),
          .unprivileged_bpf_disabled = host.unprivileged_bpf_disabled(),
          .initial_pid_namespace = host.in_initial_pid_namespace(),
          .initial_user_namespace = host.in_initial_user_namespace(),
          .memlock = host.memlock(),
          .root_cgroup2 = host.root_cgroup2()};
}

std::vector<BlindSpot> find_blind_spots(const Host& host, const BackendProbe& unix_clients) {
  std::vector<BlindSpot> spots;
  find_nss_spots(host, unix_clients, spots);
  find_nscd_spot(host, unix_clients, spots);
  find_resolved_spots(host, unix_clients, spots);
  find_forwarder_spots(host, spots);
  find_packet_socket_spot(host, spots);
  add_encrypted_spot(spots);
  return spots;
}

const BackendProbe* Diagnosis::chosen() const {
  const auto first = std::ranges::find_if(backends, [](const auto& probe) { return probe.usable; });
  return first == backends.end() ? nullptr : &*first;
}

Diagnosis diagnose(const Host& host, std::vector<BackendProbe> backends, BackendProbe unix_clients,
                   BackendProbe bypasses) {
  Diagnosis diagnosis{read_facts(host), std::move(backends), find_blind_spots(host, unix_clients),
                      std::move(unix_clients), std::move(bypasses)};
  add_namespace_spot(diagnosis.facts, diagnosis.blind_spots);
  add_backend_spot(diagnosis.chosen(), diagnosis.blind_spots);
  add_seeding_spot(diagnosis.chosen(), diagnosis.blind_spots);
  std::ranges::sort(diagnosis.blind_spots, {}, [](const BlindSpot& spot) { return std::tie(spot.certainty, spot.id); });
  return diagnosis;
}

}  // namespace nslookout::kernel

#include "health/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <utility>

namespace nslookout::health {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// The families in the order in which they are added.
class Families {
 public:
  Families& family(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
    return *this;
  }
  Families& counter(const std::string& name, std::string help) {
    return family("nslookout_" + name + "_total", std::move(help), MetricType::Counter);
  }
  Families& gauge(const std::string& name, std::string help) {
    return family("nslookout_" + name, std::move(help), MetricType::Gauge);
  }

  // A value of the family that was added last.
  Families& value(double value, Labels labels = {}) {
    MetricFamily& family = families_.back();
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
    return *this;
  }

  void by_word(const std::string& name, std::string help, const char* label, const std::vector<Count>& counts) {
    counter(name, std::move(help));
    for (const Count& count : counts) value(static_cast<double>(count.count), {{label, count.of}});
  }

  void histogram(std::string name, std::string help, const Histogram& histogram) {
    family(std::move(name), std::move(help), MetricType::Histogram);
    ClientMetric metric;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
      sum += histogram.counts()[i];
      const double limit =
          i < Histogram::limits.size() ? Histogram::limits[i] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({sum, limit});
    }
    metric.histogram.sample_count = sum;
    metric.histogram.sample_sum = histogram.sum();
    families_.back().metric.push_back(std::move(metric));
  }

  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

void add_identity(Families& families, const Snapshot& snapshot) {
  families.gauge("build_info", "1; the version and revision of the agent")
      .value(1, {{"version", snapshot.version}, {"revision", snapshot.revision}});
  families
      .gauge("backend_info",
             "1; how the kernel's sends are watched, and why so, and what becomes of lookups that are blocked")
      .value(1, {{"backend", snapshot.backend}, {"mode", snapshot.mode}, {"reason", snapshot.backend_reason}});
}

void add_generation(Families& families, const Snapshot& snapshot) {
  const GenerationState& generation = snapshot.generation;
  families.gauge("generation", "number of the rule set in use, from 1").value(generation.number);
  families.gauge("generation_loaded_timestamp_seconds", "when it came into use")
      .value(seconds(generation.loaded.time_since_epoch()));
  families.gauge("generation_load_seconds", "how long it took to read, compile and publish it")
      .value(seconds(generation.load_time));
  families.counter("reloads", "rule sets that took the place of the one before")
      .value(static_cast<double>(generation.reloads));
  families.counter("reload_failures", "rule sets that were broken; the one before stayed in use")
      .value(static_cast<double>(generation.reload_failures));
  families.gauge("reload_refused", "1 while the last rule set was broken, until one is taken again")
      .value(generation.last_refusal.empty() ? 0 : 1);
  families.gauge("rules", "rules and correlations loaded")
      .value(static_cast<double>(snapshot.rules.size() + snapshot.correlations.size()));
  families.gauge("lists", "lists of names loaded").value(static_cast<double>(snapshot.lists.size()));
}

void add_events(Families& families, const Snapshot& snapshot) {
  families.by_word("lost", "what was lost for good, by the stage that lost it", "stage", snapshot.lost);
  families.by_word("rule_hits", "hits of rules, correlations and lists, by their level", "level", snapshot.hits);
  families.by_word("events", "events written, by kind", "kind", snapshot.events);
  families.counter("candidates_verified", "candidates that the verifier decided on")
      .value(static_cast<double>(snapshot.verified));
  families.counter("candidates_refused", "candidates for which the verifier found no rule and no list true")
      .value(static_cast<double>(snapshot.refused));
  families.gauge("events_waiting", "events that wait for the name of a container, or lookups for their response")
      .value(static_cast<double>(snapshot.waiting));
  families.counter("events_incomplete", "events written without the name of their container, since nobody told it")
      .value(static_cast<double>(snapshot.incomplete));
  families
      .counter("environment_lost",
               "looks at a sender in which variables of it or an ancestor had left the kernel's table and /proc")
      .value(static_cast<double>(snapshot.lost_variables));
  families.counter("output_events", "events that an output delivered");
  for (const OutputState& output : snapshot.outputs) {
    families.value(static_cast<double>(output.written), {{"output", output.output}});
  }
  families.gauge("output_waiting", "events that wait in an output's queue and spool");
  for (const OutputState& output : snapshot.outputs) {
    families.value(static_cast<double>(output.waiting), {{"output", output.output}});
  }
  families.counter("output_lost", "events that an output lost");
  for (const OutputState& output : snapshot.outputs) {
    families.value(static_cast<double>(output.lost), {{"output", output.output}});
  }
  families.histogram("nslookout_event_latency_seconds",
                     "from the lookup in the kernel to the outputs, waiting for names and responses included",
                     snapshot.latency);
}

void add_kernel(Families& families, const Snapshot& snapshot) {
  for (const CounterValue& counter : snapshot.counters) {
    families.counter(counter.name, counter.help).value(static_cast<double>(counter.count));
  }
  families.gauge("table_entries", "entries in use of a table of the kernel side");
  for (const TableSize& table : snapshot.tables) {
    if (table.entries) families.value(static_cast<double>(*table.entries), {{"table", table.table}});
  }
  families.gauge("table_capacity", "entries for which a table of the kernel side has room");
  for (const TableSize& table : snapshot.tables) {
    families.value(static_cast<double>(table.capacity), {{"table", table.table}});
  }
  if (snapshot.programs.empty()) return;
  families.counter("program_run_seconds", "time in a kernel program; there while kernel.bpf_stats_enabled is on");
  for (const ProgramRuns& program : snapshot.programs) {
    families.value(seconds(program.time), {{"program", program.program}});
  }
  families.counter("program_runs", "runs of a kernel program; there while kernel.bpf_stats_enabled is on");
  for (const ProgramRuns& program : snapshot.programs) {
    families.value(static_cast<double>(program.runs), {{"program", program.program}});
  }
}

double resident_octets() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// The names that every client library of Prometheus has for these.
void add_process(Families& families, const Snapshot& snapshot) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto time_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  families.family("process_start_time_seconds", "when the agent started", MetricType::Gauge)
      .value(seconds(snapshot.started.time_since_epoch()));
  families.family("process_cpu_seconds_total", "CPU time of the agent, user and system", MetricType::Counter)
      .value(time_of(usage.ru_utime) + time_of(usage.ru_stime));
  families.family("process_resident_memory_bytes", "memory of the agent that is resident", MetricType::Gauge)
      .value(resident_octets());
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot) {
  Families families;
  add_identity(families, snapshot);
  add_generation(families, snapshot);
  add_events(families, snapshot);
  add_kernel(families, snapshot);
  add_process(families, snapshot);
  return families.text();
}

}  // namespace nslookout::health

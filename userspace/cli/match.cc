#include <cerrno>
#include <fstream>
#include <iostream>
#include <vector>

#include "agent/search_suffixes.h"
#include "agent/sources.h"
#include "base/log.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/match_events.h"
#include "cli/match_report.h"
#include "cli/report.h"
#include "cli/rule_arguments.h"
#include "compile/plan.h"
#include "match/correlator.h"
#include "match/numbers.h"
#include "match/verifier.h"
#include "sigma/load.h"

namespace nslookout::cli {
namespace {

constexpr std::size_t output_chunk = 64U << 10;

struct MatchArguments {
  std::vector<std::string> rules;
  std::vector<std::string> lists;
  std::vector<std::string> fields;
  std::vector<std::string> names;
  std::string events;  // a file; "-" is stdin, empty none
  RuleArguments rule_arguments;
  std::string format = "text";
};

Result<compile::Plan> load_plan(const MatchArguments& arguments) {
  if (arguments.rules.empty() && arguments.lists.empty()) {
    return fail(ErrorClass::usage, "there is nothing to match against: give --rules PATH or --list SPEC");
  }
  sigma::RuleSet set;
  if (!arguments.rules.empty()) {
    set = sigma::load_rules(arguments.rules, arguments.rule_arguments.options());
    if (auto usable = set.usable(arguments.rule_arguments.keep_going); !usable) return fail(usable.error());
    warn_of(set);
  }
  auto lists = agent::load_lists(arguments.lists);
  if (!lists) return fail(lists.error());
  auto suffixes = agent::search_suffixes_of(arguments.rule_arguments.search_suffixes, agent::resolver_files_of_host());
  if (!suffixes) return fail(suffixes.error());
  auto plan = compile::make_plan(std::move(set.rules), std::move(*lists), std::move(set.correlations));
  for (const auto& warning : plan.warnings()) log::warning("{}", warning);
  plan.set_search_suffixes(std::move(*suffixes));
  return plan;
}

Result<match::Query> make_query(const std::string& name, const std::vector<std::string>& fields) {
  auto query = match::Query::of_name(name);
  if (!query) {
    return fail(ErrorClass::usage, "'{}' is no name that can be looked up: {}", name, query.error().message);
  }
  for (const auto& field : fields) {
    const auto equals = field.find('=');
    query->set_named(field.substr(0, equals), std::string_view(field).substr(equals + 1));
  }
  return query;
}

Result<std::vector<match::Query>> make_queries(const MatchArguments& arguments) {
  std::vector<match::Query> queries;
  for (const auto& name : arguments.names) {
    auto query = make_query(name, arguments.fields);
    if (!query) return fail(query.error());
    queries.push_back(std::move(*query));
  }
  return queries;
}

Result<void> match_names(const MatchArguments& arguments, const std::vector<match::Query>& queries,
                         const compile::Plan& plan, const match::Verifier& verifier) {
  std::string text;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    auto query = queries[i];
    query.read_also(readings_of(query.wire(), plan.search_suffixes()));
    const auto hits = verifier.matches(query);
    text += arguments.format == "json" ? match_json(arguments.names[i], hits) : match_text(arguments.names[i], hits);
  }
  return print(text);
}

// Of an event without a time: that of the event before it.
match::Correlator::Time time_of(const match::Query& query, match::Correlator::Time before) {
  const match::FieldText* text = query.value(sigma::Field::time);
  const auto seconds = text == nullptr ? std::nullopt : match::seconds_in(text->text);
  return seconds ? std::chrono::duration_cast<match::Correlator::Time>(*seconds) : before;
}

Result<void> match_events(std::istream& input, const std::string& file, const compile::Plan& plan) {
  const match::Verifier verifier(plan);
  match::Correlator correlator(plan);
  match::Correlator::Time time{0};
  std::string text;
  std::string line;
  std::size_t index = 0;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto query = query_of_event(line);
    if (!query) {
      // What was read before the bad line is still told.
      if (auto printed = print(text); !printed) return printed;
      return fail(query.error().context(fmt::format("{}:{}", file, number)));
    }
    query->read_also(readings_of(query->wire(), plan.search_suffixes()));
    auto hits = verifier.matches(*query);
    time = time_of(*query, time);
    correlator.apply(hits, *query, time);
    text += event_json(index++, hits);
    if (text.size() < output_chunk) continue;
    if (auto printed = print(text); !printed) return printed;
    text.clear();
  }
  if (input.bad()) return fail(ErrorClass::runtime, "{} cannot be read: {}", file, errno_text(errno));
  return print(text);
}

Result<void> match_all(const MatchArguments& arguments) {
  if (arguments.names.empty() && arguments.events.empty()) {
    return fail(ErrorClass::usage, "there is nothing to match: give NAME or --events FILE");
  }
  if (!arguments.fields.empty() && arguments.names.empty()) {
    return fail(ErrorClass::usage, "--field belongs to a NAME; the events of a file have fields of their own");
  }
  const auto queries = make_queries(arguments);
  if (!queries) return fail(queries.error());
  std::ifstream file;
  if (!arguments.events.empty() && arguments.events != "-") {
    file.open(arguments.events, std::ios::binary);
    if (!file || file.peek() == std::ifstream::traits_type::eof()) {
      // A folder opens, and only reading it fails.
      if (!file.is_open() || file.bad()) {
        return fail(ErrorClass::runtime, "{} cannot be read: {}", arguments.events, errno_text(errno));
      }
      file.clear();
    }
  }
  const auto plan = load_plan(arguments);
  if (!plan) return fail(plan.error());
  const match::Verifier verifier(*plan);
  if (auto matched = match_names(arguments, *queries, *plan, verifier); !matched || arguments.events.empty())
    return matched;
  return match_events(arguments.events == "-" ? std::cin : file, arguments.events, *plan);
}

int run_match(const MatchArguments& arguments) {
  const auto outcome = match_all(arguments);
  return outcome ? exit_ok : report(outcome.error());
}

void add_match_options(CLI::App& command, MatchArguments& arguments) {
  command.add_option("--rules", arguments.rules, "Sigma rules: a file or a directory of them; may be repeated")
      ->check(check_not_empty)
      ->type_name("PATH")
      ->allow_extra_args(false);
  command.add_option("--list", arguments.lists, "Names: exact:FILE or suffix:FILE, as for run; may be repeated")
      ->check(check_list_spec)
      ->type_name("SPEC")
      ->allow_extra_args(false);
  command
      .add_option("--field", arguments.fields,
                  "A further field of the lookup as a rule names it, such as record_type=TXT; may be repeated")
      ->check(check_assignment)
      ->type_name("K=V")
      ->allow_extra_args(false);
  command.add_option("--format", arguments.format, "text, for people, or json, one line a name")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command
      .add_option("--events", arguments.events,
                  "One JSON object of Sigma fields a line, - for stdin: a line of JSON is printed for each")
      ->check(check_not_empty)
      ->type_name("FILE");
  add_rule_arguments(command, arguments.rule_arguments);
  add_keep_going(command, arguments.rule_arguments);
  add_search_suffixes(command, arguments.rule_arguments, {"none"});
  command.add_option("NAME", arguments.names, "The names to hold against the rules")->type_name("");
}

}  // namespace

void add_match(CLI::App& app, Command& chosen) {
  auto* command =
      app.add_subcommand("match", "Say which rules and lists match names or recorded events, without any lookup");
  const auto arguments = std::make_shared<MatchArguments>();
  add_match_options(*command, *arguments);
  command->footer(
      "Exit code 0 whether or not a rule matches.\n\nExample:\n  nslookout match --rules rules/ --field "
      "record_type=A sfrclak.com www.sfrclak.com");
  command->callback([&chosen, arguments] { chosen = [arguments] { return run_match(*arguments); }; });
}

}  // namespace nslookout::cli

#include "sigma/load.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/walk_folder.h"
#include "sigma/collection.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_all(int fd) {
  std::string text;
  while (true) {
    const std::size_t had = text.size();
    text.resize(had + (64U << 10));
    const ssize_t got = ::read(fd, text.data() + had, text.size() - had);
    if (got < 0 && errno == EINTR) {
      text.resize(had);
      continue;
    }
    if (got < 0) return fail(ErrorClass::invalid, "cannot be read: {}", errno_text(errno));
    text.resize(had + static_cast<std::size_t>(got));
    if (got == 0) return text;
    if (text.size() > max_rule_file_octets) {
      return fail(ErrorClass::invalid, "the file is larger than {} MiB, the limit of a rule file; split it",
                  max_rule_file_octets >> 20);
    }
  }
}

Result<std::string> read_rule_file(const std::string& path) {
  // Not blocking, so that a FIFO without a writer is refused below instead of waited for.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return fail(ErrorClass::invalid, "cannot be read: {}", errno_text(errno));
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return fail(ErrorClass::invalid, "cannot be read: {}", errno_text(errno));
  if (!S_ISREG(status.st_mode)) return fail(ErrorClass::invalid, "is not a regular file");
  return read_all(fd.get());
}

void append(RuleSet& to, RuleSet from) {
  for (Document& document : from.documents) {
    if (document.rule) *document.rule += to.rules.size();
  }
  std::ranges::move(from.documents, std::back_inserter(to.documents));
  std::ranges::move(from.filters, std::back_inserter(to.filters));
  std::ranges::move(from.correlations, std::back_inserter(to.correlations));
  std::ranges::move(from.rules, std::back_inserter(to.rules));
  std::ranges::move(from.findings, std::back_inserter(to.findings));
  to.files += from.files;
}

void add_file_error(RuleSet& set, const std::string& path, const std::string& what) {
  set.findings.push_back({FindingKind::broken, path, 0, {}, what});
}

std::string text_of(const YamlNode& document, std::string_view key) {
  const YamlNode* node = document.find(key);
  return node != nullptr && node->kind == YamlNode::Kind::scalar ? node->text : "";
}

void parse_document(RuleSet& set, const YamlNode& document, std::size_t number, const RuleOptions& options,
                    VariantBudget& variants, Findings& findings) {
  Document made{findings.file(), number, document.place, text_of(document, "id"), text_of(document, "title"), {}, {}};
  if (document.find("correlation") != nullptr) {
    made.kind = Document::Kind::correlation;
    if (auto correlation = parse_correlation(document, number, findings)) {
      set.correlations.push_back(std::move(*correlation));
    }
  } else if (document.find("filter") != nullptr) {
    made.kind = Document::Kind::filter;
    if (auto filter = parse_filter(document, number, options, variants, findings))
      set.filters.push_back(std::move(*filter));
  } else if (auto rule = parse_rule(document, number, options, variants, findings)) {
    made.rule = set.rules.size();
    set.rules.push_back(std::move(*rule));
  }
  set.documents.push_back(std::move(made));
}

// What is about other documents, which may be in other files.
void finish(RuleSet& set) {
  apply_filters(set.filters, set.rules, set.findings);
  resolve_correlations(set.correlations, set.rules, set.findings);
}

// Without filters and correlations finished.
RuleSet parse_file(std::string_view text, const std::string& file, const RuleOptions& options) {
  RuleSet set;
  set.files = 1;
  Findings findings(file);
  Collection collection;
  VariantBudget variants;
  std::size_t number = 0;
  for (const YamlNode& document : parse_yaml(text, findings)) {
    findings.at_document(++number);
    const std::size_t errors = findings.error_count();
    if (const std::optional<YamlNode> made = collection.next(document, findings)) {
      parse_document(set, *made, number, options, variants, findings);
    } else if (document.refused || findings.error_count() > errors) {
      set.documents.push_back(
          {file, number, document.place, text_of(document, "id"), text_of(document, "title"), {}, {}});
    }
  }
  if (number == 0 && findings.error_count() == 0) findings.broken({}, "the file holds no rule");
  set.findings = findings.all();
  // Those about the tree were found first; a person reads them in the order of the documents.
  std::ranges::stable_sort(set.findings, {}, &Finding::document);
  return set;
}

void load_file(RuleSet& set, std::set<std::string>& seen, const std::string& path, const RuleOptions& options) {
  std::error_code unknown;
  const std::string canonical = fs::weakly_canonical(path, unknown).native();
  // A file reached twice (a folder and a file in it) is one file, or each of its rules would be there twice.
  if (!unknown && !seen.insert(canonical).second) return;
  const Result<std::string> text = read_rule_file(path);
  if (!text) {
    add_file_error(set, path, text.error().message);
    return;
  }
  append(set, parse_file(*text, path, options));
}

// The rule files below a folder, sorted; an unreadable sub-folder is an error, not a gap.
std::set<std::string> rule_files(RuleSet& set, const std::string& folder) {
  std::set<std::string> files;
  const auto unread = walk_folder(folder, [&](const fs::path& path, bool is_folder) {
    if (path.filename().native().starts_with('.')) return false;
    if (!is_folder && (path.extension() == ".yml" || path.extension() == ".yaml")) files.insert(path.native());
    return true;
  });
  for (const UnreadFolder& one : unread) {
    add_file_error(set, one.path, fmt::format("the folder cannot be read: {}", one.error.message()));
  }
  return files;
}

// Whether the path is a folder without a rule file.
bool load_path(RuleSet& set, std::set<std::string>& seen, const std::string& path, const RuleOptions& options) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    load_file(set, seen, path, options);
    return false;
  }
  const std::size_t errors_before = set.findings.size();
  const std::set<std::string> files = rule_files(set, path);
  for (const std::string& file : files) load_file(set, seen, file, options);
  return files.empty() && set.findings.size() == errors_before;
}

}  // namespace

std::size_t RuleSet::error_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(findings, [](const Finding& finding) { return finding.kind != FindingKind::warning; }));
}

Result<void> RuleSet::usable(bool keep_going) const {
  const Finding* first = nullptr;
  std::size_t errors = 0;
  for (const Finding& finding : findings) {
    if (finding.kind == FindingKind::warning || finding.kind == FindingKind::other_source) continue;
    if (first == nullptr) first = &finding;
    ++errors;
  }
  if (keep_going && !rules.empty()) return {};
  if (first != nullptr && errors == 1) return fail(ErrorClass::invalid, "{}", first->text());
  if (first != nullptr) return fail(ErrorClass::invalid, "{} (and {} more)", first->text(), errors - 1);
  if (!rules.empty()) return {};
  if (findings.empty()) return fail(ErrorClass::invalid, "no rule was given; name a rule file or a folder of them");
  return fail(ErrorClass::invalid, "no rule about lookups on Linux was found: {}", findings.front().text());
}

RuleSet parse_rules(std::string_view text, const std::string& file, const RuleOptions& options) {
  RuleSet set = parse_file(text, file, options);
  finish(set);
  return set;
}

RuleSet load_rules(const std::vector<std::string>& paths, const RuleOptions& options) {
  RuleSet set;
  std::set<std::string> seen;
  std::vector<std::string> empty;
  for (const std::string& path : paths) {
    if (load_path(set, seen, path, options)) empty.push_back(path);
  }
  // A folder for rules that are still to come is no mistake as long as there are others.
  if (seen.empty()) {
    for (const std::string& path : empty) add_file_error(set, path, "the folder holds no rule file (*.yml, *.yaml)");
  }
  finish(set);
  return set;
}

Result<std::vector<Rule>> load_rule_file(const std::string& path, const RuleOptions& options) {
  RuleSet set = load_rules({path}, options);
  if (Result<void> usable = set.usable(); !usable) return fail(usable.error());
  return std::move(set.rules);
}

}  // namespace nslookout::sigma

// One lookup as the rules see it: the values of each field.
//
// A path has a backslash only where a caller sets one. In what describe returns each is U+FFFD: Linux allows one in the
// name of a file, and rules for Windows must not match such a file by accident (compile/firing.h relies on it).
//
// Texts are kept as they came and folded (base/case_fold.h), because Sigma compares without case unless a rule says
// otherwise. The name is in presentation form (base/dns_name.h). A field is missing, or present with any number of
// values; null is present with none. Fields that follow from the name (query_length and the like) are in derived.h
// unless they were set. Thread rule: a value; one thread for a query that describes
// its sender when asked.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/search_suffix.h"
#include "sigma/fields.h"

namespace nslookout::match {

struct FieldText {
  std::string text;
  std::string folded;  // of a record type, response code or address: of its usual form
};

class Query {
 public:
  // wire: well formed, any case, as sent.
  [[nodiscard]] static Query of_wire(std::string_view wire);

  // A name typed by a person: presentation form, a trailing dot allowed, labels outside ASCII as A-labels. Error:
  // invalid, what is wrong with the name.
  [[nodiscard]] static Result<Query> of_name(std::string_view name);

  void set_record_type(std::uint16_t number);
  void set_rcode(std::uint16_t number);
  void set_flags(std::uint16_t flags);  // of the query's header, as in nsl_candidate.dns_flags

  // The one value of a known field; for the name, the record type and the response code the functions above are the
  // ones to use, since a name set here is only text and costs the verifier its index.
  void set(sigma::Field field, std::string_view text);

  // The circumstances are dear to find out, and most rules do not ask for them: describe is called when the first of them
  // is asked for, once.
  using Circumstances = std::vector<std::pair<sigma::Field, std::string>>;
  void describe_with(std::function<Circumstances()> describe) { describe_ = std::move(describe); }

  [[nodiscard]] bool is_described() const { return !describe_; }  // or nothing is to be described

  // One more value of a known field, such as a record of the answer.
  void add(sigma::Field field, std::string_view text);

  // The name may also be read without a search suffix. Rules are held against the name alone and then, for each reading,
  // against both: `query` has two values, so that a test finds either and a negated test excludes either. Called once,
  // when all but the circumstances is set.
  void read_also(const std::vector<NameReading>& readings);
  [[nodiscard]] const std::vector<Query>& read_otherwise() const { return read_otherwise_; }

  // The same lookup, of another name and of it alone. wire: well formed.
  [[nodiscard]] Query with_name(std::string_view wire) const;

  // By the name that a rule would use, for lookups from elsewhere than the kernel. Given again, an answer and a field
  // that this sensor lacks have one more value, another field has the new one.
  void set_named(std::string_view field_name, std::string_view text);

  // The name as it was written elsewhere, with letters outside ASCII: one more value for rules. of_name made the query.
  void add_spelling(std::string_view name);

  // Exactly these values; none: null.
  void set_values(std::string_view field_name, const std::vector<std::string>& texts);

  // name is looked at for Field::other alone.
  [[nodiscard]] bool present(sigma::Field field, std::string_view name = {}) const;
  [[nodiscard]] std::span<const FieldText> values(sigma::Field field, std::string_view name = {}) const;
  [[nodiscard]] const FieldText* value(sigma::Field field) const;  // the first one, or none

  // Every value of every field that was set.
  void each_value(const std::function<void(sigma::Field, const FieldText&)>& visit) const;

  // Whether a field is set that no lookup from the kernel has, or a value, or one that follows from the name: what the
  // kernel's tables promise does not hold for this query.
  [[nodiscard]] bool beyond_the_sensor() const { return beyond_the_sensor_; }
  [[nodiscard]] std::optional<std::uint16_t> record_type() const { return record_type_; }
  [[nodiscard]] std::optional<std::uint16_t> flags() const { return flags_; }  // if they were set as such

  // Whether anybody has asked for a field that a container runtime tells: what was found then holds for these values of
  // it alone. (Of the fields that are not asked for, none matters.)
  [[nodiscard]] bool asked_of_runtime() const;

  // The name in wire form, lower case; empty where there is no name or it was set as text only. Of a query that is read
  // otherwise, the name before the search suffix.
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  struct Slot {
    bool present = false;
    std::vector<FieldText> values;
  };
  struct OtherSlot {
    std::string name;
    Slot slot;
  };

  void note(sigma::Field field, std::string_view text);
  Slot& writable(sigma::Field field, std::string_view name);
  void describe() const;
  [[nodiscard]] const Slot* find(sigma::Field field, std::string_view name) const;

  // Mutable for the circumstances alone.
  mutable std::array<Slot, sigma::field_count> slots_;
  mutable std::function<Circumstances()> describe_;
  std::vector<OtherSlot> others_;
  std::optional<std::uint16_t> record_type_;
  std::optional<std::uint16_t> flags_;
  std::string wire_;
  bool beyond_the_sensor_ = false;
  mutable bool asked_of_runtime_ = false;
  std::vector<Query> read_otherwise_;
};

}  // namespace nslookout::match

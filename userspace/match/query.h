// One lookup as the rules see it: the value of each field, or none.
//
// Texts are kept as they came and folded to lower case (ASCII), because Sigma compares without case unless a rule says
// otherwise; letters outside ASCII keep their case. The name is in presentation form (base/dns_name.h).
// Thread rule: a value; one thread for a query that describes its sender when asked.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sigma/fields.h"

namespace nslookout::match {

struct FieldText {
  std::string text;
  std::string folded;
};

class Query {
 public:
  // wire: well formed, any case, as sent.
  [[nodiscard]] static Query of_wire(std::string_view wire);

  // A name typed by a person: presentation form, a trailing dot allowed, labels outside ASCII as A-labels. Error:
  // invalid, what is wrong with the name.
  [[nodiscard]] static Result<Query> of_name(std::string_view name);

  void set_record_type(std::uint16_t number);

  // A value for a known field; for the name and the record type the setters above are the ones to use, since a name
  // set here is only text and costs the verifier its index.
  void set(sigma::Field field, std::string_view text);

  // What is known of the sender is dear to find out, and most rules do not ask for it: describe is called when the first
  // field that is not on the wire is asked for, once.
  using SenderFields = std::vector<std::pair<sigma::Field, std::string>>;
  void describe_sender_with(std::function<SenderFields()> describe) { describe_sender_ = std::move(describe); }

  // By the name a rule would use. A field this sensor lacks may be given any number of times and then has several
  // values; offline use only, since the kernel's tables know nothing of it.
  void set_named(std::string_view field_name, std::string_view text);

  [[nodiscard]] const FieldText* value(sigma::Field field) const;
  [[nodiscard]] std::vector<const FieldText*> other_values(std::string_view field_name) const;
  [[nodiscard]] bool has_other_values() const { return !others_.empty(); }
  [[nodiscard]] std::optional<std::uint16_t> record_type() const { return record_type_; }

  // The name in wire form, lower case; empty where there is no name or it was set as text only.
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  struct OtherValue {
    std::string name;
    FieldText value;
  };

  // Mutable for the description of the sender alone.
  mutable std::array<std::optional<FieldText>, sigma::field_count> values_;
  mutable std::function<SenderFields()> describe_sender_;
  std::vector<OtherValue> others_;
  std::optional<std::uint16_t> record_type_;
  std::string wire_;
};

}  // namespace nslookout::match

// The JSON mapping of protobuf (https://protobuf.dev/programming-guides/proto3/#json) of a message, written straight from it.
//
// protobuf's own writer, as Debian 12 has it (3.21), encodes the message first and reads that again by a description of its
// type: at 5 kB an event that was most of what the agent did. The text is the same, octet by octet; tests and a fuzzer
// hold one against the other. Names of fields are those of the .proto file; fields without a value are left out.
//
// Covered is what event.proto uses: scalars but floating-point numbers, enumerations, messages, lists, maps from string to
// string, Timestamp and Duration.
// Invariants: strings are UTF-8 (protobuf's rule); the text is one line, and has no character that a terminal or a reader of
// lines takes for more than itself: those are escaped. Thread rule: any thread.
#pragma once

#include <string>

#include <google/protobuf/message.h>

namespace nslookout::event {

void append_json(const google::protobuf::Message& message, std::string& out);

}  // namespace nslookout::event

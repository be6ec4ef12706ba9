// The files of page/ as the build put them into the program (cmake/embed_page.cmake).
#pragma once

#include <string_view>

namespace nslookout::report::page_files {

extern const std::string_view html;
extern const std::string_view style;
extern const std::string_view script;         // model.js, then view.js
extern const std::string_view style_sha256;   // base64, as a Content-Security-Policy has it
extern const std::string_view script_sha256;  // base64

}  // namespace nslookout::report::page_files

# cmake -DPAGE=DIR -DOUT=FILE.cc -P embed_page.cmake: the files of userspace/report/page as C++ text, and the hashes that a
# Content-Security-Policy names them by. CMake alone does it, so that the build needs no other tool.

# The digest of `text` in base64 (RFC 4648 section 4).
function(sha256_base64 text out)
  string(SHA256 hex "${text}")
  set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(base64 "")
  # 32 octets: ten groups of three, and one of two that a zero fills.
  foreach(group RANGE 10)
    math(EXPR at "${group} * 6")
    string(SUBSTRING "${hex}00" ${at} 6 digits)
    math(EXPR bits "0x${digits}")
    foreach(shift 18 12 6 0)
      math(EXPR index "(${bits} >> ${shift}) & 63")
      string(SUBSTRING ${alphabet} ${index} 1 character)
      string(APPEND base64 ${character})
    endforeach()
  endforeach()
  string(SUBSTRING ${base64} 0 43 base64)
  set(${out} "${base64}=" PARENT_SCOPE)
endfunction()

function(append_text name text)
  string(HEX "${text}" hex)
  string(REGEX REPLACE "(..)" "0x\\1," octets "${hex}")
  string(APPEND code "const unsigned char ${name}_octets[] = {${octets}};\n")
  set(code "${code}" PARENT_SCOPE)
  string(APPEND views
    "const std::string_view ${name}{reinterpret_cast<const char*>(${name}_octets), sizeof(${name}_octets)};\n")
  set(views "${views}" PARENT_SCOPE)
endfunction()

foreach(name page.html page.css model.js view.js)
  file(READ ${PAGE}/${name} ${name})
endforeach()
set(script "${model.js}${view.js}")
sha256_base64("${script}" script_sha256)
sha256_base64("${page.css}" style_sha256)

set(code "")
set(views "")
append_text(html "${page.html}")
append_text(style "${page.css}")
append_text(script "${script}")
append_text(style_sha256 "${style_sha256}")
append_text(script_sha256 "${script_sha256}")
file(WRITE ${OUT} "// Made by cmake/embed_page.cmake.
#include \"report/page_files.h\"
namespace nslookout::report::page_files {
namespace {
${code}}  // namespace
${views}}  // namespace nslookout::report::page_files
")

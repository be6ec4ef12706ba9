# nslookout_library(NAME SOURCES… [PUBLIC libs…] [PRIVATE libs…])
# One static library per folder of userspace/. Headers are included from the root of userspace/ ("sigma/ast.h") and
# from the root of the tree for what both sides share ("bpf/abi.h").
function(nslookout_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(nslookout_${name} STATIC ${ARG_SOURCES})
  target_include_directories(nslookout_${name} PUBLIC ${PROJECT_SOURCE_DIR}/userspace ${PROJECT_SOURCE_DIR})
  target_link_libraries(nslookout_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

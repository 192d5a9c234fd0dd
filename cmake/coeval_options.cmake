# Warnings, floating-point rules, sanitizers and the compiler cache, the same for every target.

add_library(coeval_options INTERFACE)
target_include_directories(coeval_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(coeval_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wno-sign-conversion
  # False alarms: g++ 12 on std::string's assignment (GCC bug 105651), and libstdc++ 12's own
  # std::stable_sort as clang sees it.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # What a file of a group keeps to itself is not seen elsewhere, though the compiler cannot know.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${COEVAL_UNITY}>>:-Wno-subobject-linkage>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  # semantics: A6. The same bits from every path and on every machine.
  -ffp-contract=off -fno-fast-math
  # Paths of the build folder must not enter the objects: two clones share one cache.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

set(COEVAL_TEST_OPTIONS $<$<CONFIG:RelWithDebInfo>:-O1>)
if(COEVAL_SANITIZE MATCHES undefined)
  set(COEVAL_TEST_OPTIONS -fno-sanitize=undefined)
endif()
if(COEVAL_SANITIZE MATCHES fuzzer)
  list(APPEND COEVAL_TEST_OPTIONS -fno-sanitize=fuzzer-no-link)
endif()

if(COEVAL_SANITIZE)
  target_compile_options(coeval_options INTERFACE
    -fsanitize=${COEVAL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(coeval_options INTERFACE -fsanitize=${COEVAL_SANITIZE})
endif()

find_program(COEVAL_MOLD mold)
if(COEVAL_MOLD)
  target_link_options(coeval_options INTERFACE -fuse-ld=mold)
endif()

find_program(COEVAL_CCACHE ccache)
if(COEVAL_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
    ${COEVAL_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# Sources are compiled in groups, each as one file, where that changes nothing (tools/unity_groups.py): half of the
# time of compiling a file goes to its headers. Groups are made when the project is configured; a name that comes to
# clash with a neighbour's since then is an error of the compiler until `./dev build` or cmake configures again.
# -DCOEVAL_UNITY=OFF compiles each file alone, as the preset `dev` does.
if(COEVAL_UNITY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/unity_groups.py)
  execute_process(COMMAND_ERROR_IS_FATAL ANY
    COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/unity_groups.py 10 ${CMAKE_BINARY_DIR}/unity)
endif()

# Replaces the sources named in LIST by their groups. KIND: modules or tests.
function(coeval_in_groups LIST KIND)
  if(COEVAL_UNITY)
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
    file(STRINGS ${CMAKE_BINARY_DIR}/unity/${folder}/${KIND}.txt groups)
    set(${LIST} ${groups} PARENT_SCOPE)
  endif()
endfunction()

# doctest itself, once, optimised and without sanitizers: tests make millions of checks.
if(COEVAL_TESTS)
  add_library(coeval_doctest_main OBJECT ${CMAKE_SOURCE_DIR}/tests/doctest_main.cc)
  target_compile_options(coeval_doctest_main PRIVATE -O2)
endif()

# coeval_module(NAME DEPENDS targets… LIBS imported…), TEST_SECONDS of the tests that take long
# One static library from FOLDER/*.cc, and one test program from FOLDER/*_test.cc, so that a module can
# be built and tested alone: `ninja coeval_define_test`.
function(coeval_module NAME)
  cmake_parse_arguments(ARG "" "TEST_SECONDS" "DEPENDS;LIBS;TEST_DEPENDS;TEST_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  list(REMOVE_ITEM sources ${tests} ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
  list(TRANSFORM ARG_DEPENDS PREPEND coeval_)
  list(TRANSFORM ARG_TEST_DEPENDS PREPEND coeval_)
  if(sources)
    coeval_in_groups(sources modules)
    add_library(coeval_${NAME} STATIC ${sources})
    target_link_libraries(coeval_${NAME} PUBLIC coeval_options ${ARG_DEPENDS} PRIVATE ${ARG_LIBS})
  endif()
  if(tests AND COEVAL_TESTS)
    coeval_in_groups(tests tests)
    add_executable(coeval_${NAME}_test ${tests} $<TARGET_OBJECTS:coeval_doctest_main>)
    # What is tested is the module: the tests themselves are compiled quickly.
    target_compile_options(coeval_${NAME}_test PRIVATE ${COEVAL_TEST_OPTIONS})
    target_link_libraries(coeval_${NAME}_test PRIVATE coeval_options ${ARG_DEPENDS} ${ARG_TEST_DEPENDS}
      ${ARG_LIBS} ${ARG_TEST_LIBS})
    if(sources)
      target_link_libraries(coeval_${NAME}_test PRIVATE coeval_${NAME})
    endif()
    target_compile_definitions(coeval_${NAME}_test PRIVATE
      COEVAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}" COEVAL_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME ${NAME} COMMAND coeval_${NAME}_test)
    if(ARG_TEST_SECONDS)  # the longest start first
      set_tests_properties(${NAME} PROPERTIES COST ${ARG_TEST_SECONDS})
    endif()
  endif()
endfunction()

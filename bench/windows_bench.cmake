add_executable(windows_bench ${CMAKE_CURRENT_LIST_DIR}/windows_bench.cc
  ${CMAKE_CURRENT_LIST_DIR}/windows/shapes.cc ${CMAKE_CURRENT_LIST_DIR}/windows/history_rows.cc
  ${CMAKE_CURRENT_LIST_DIR}/windows/server_rows.cc)
target_include_directories(windows_bench PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(windows_bench PRIVATE coeval_options coeval_replay)

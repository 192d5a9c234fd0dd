add_executable(snapshot_bench ${CMAKE_CURRENT_LIST_DIR}/snapshot_bench.cc)
target_link_libraries(snapshot_bench PRIVATE coeval_options coeval_serving ${CMAKE_DL_LIBS})
target_compile_definitions(snapshot_bench PRIVATE COEVAL_BINARY_DIR="${CMAKE_BINARY_DIR}")

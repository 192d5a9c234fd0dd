add_executable(runs_bench ${CMAKE_CURRENT_LIST_DIR}/runs_bench.cc)
target_link_libraries(runs_bench PRIVATE coeval_options coeval_stores)

add_executable(serving_bench ${CMAKE_CURRENT_LIST_DIR}/serving_bench.cc)
target_link_libraries(serving_bench PRIVATE coeval_options coeval_serving)
target_compile_definitions(serving_bench PRIVATE COEVAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

add_executable(state_store_bench ${CMAKE_CURRENT_LIST_DIR}/state_store_bench.cc)
target_link_libraries(state_store_bench PRIVATE coeval_options coeval_stores ${CMAKE_DL_LIBS})
target_compile_definitions(state_store_bench PRIVATE COEVAL_BINARY_DIR="${CMAKE_BINARY_DIR}")

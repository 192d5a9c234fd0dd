add_executable(forest_bench ${CMAKE_CURRENT_LIST_DIR}/forest_bench.cc)
target_link_libraries(forest_bench PRIVATE coeval_options coeval_models ${CMAKE_DL_LIBS})
target_include_directories(forest_bench PRIVATE ${CMAKE_CURRENT_LIST_DIR})
target_compile_definitions(forest_bench PRIVATE COEVAL_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

add_executable(profile_bench ${CMAKE_CURRENT_LIST_DIR}/profile_bench.cc)
target_link_libraries(profile_bench PRIVATE coeval_options coeval_quality)

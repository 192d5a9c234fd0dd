# Arrow and Parquet from the pyarrow wheel, as tools/setup.sh unpacks it: the targets arrow::arrow and
# arrow::parquet. The wheel has no CMake files of its own, and libraries with a version in their names.
# COEVAL_THIRD_PARTY may point elsewhere.

set(COEVAL_THIRD_PARTY ${CMAKE_SOURCE_DIR}/third_party CACHE PATH "What tools/setup.sh unpacks")

set(ArrowWheel_ROOT ${COEVAL_THIRD_PARTY}/arrow)
find_path(ArrowWheel_INCLUDE arrow/api.h PATHS ${ArrowWheel_ROOT}/include NO_DEFAULT_PATH)
find_file(ArrowWheel_ARROW libarrow.so.2600 PATHS ${ArrowWheel_ROOT}/lib NO_DEFAULT_PATH)
find_file(ArrowWheel_PARQUET libparquet.so.2600 PATHS ${ArrowWheel_ROOT}/lib NO_DEFAULT_PATH)
mark_as_advanced(ArrowWheel_INCLUDE ArrowWheel_ARROW ArrowWheel_PARQUET)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ArrowWheel
  REQUIRED_VARS ArrowWheel_ARROW ArrowWheel_PARQUET ArrowWheel_INCLUDE
  REASON_FAILURE_MESSAGE "run ./dev setup, or configure with -DCOEVAL_ARROW=OFF")

if(ArrowWheel_FOUND AND NOT TARGET arrow::arrow)
  add_library(arrow::arrow SHARED IMPORTED)
  set_target_properties(arrow::arrow PROPERTIES
    IMPORTED_LOCATION ${ArrowWheel_ARROW}
    INTERFACE_INCLUDE_DIRECTORIES ${ArrowWheel_INCLUDE})
  add_library(arrow::parquet SHARED IMPORTED)
  set_target_properties(arrow::parquet PROPERTIES
    IMPORTED_LOCATION ${ArrowWheel_PARQUET}
    INTERFACE_INCLUDE_DIRECTORIES ${ArrowWheel_INCLUDE}
    INTERFACE_LINK_LIBRARIES arrow::arrow)
endif()

# coeval_zone_tables(SOURCE) packs the IANA tables that tools/setup.sh unpacks, for the source file that takes
# them into the program. COEVAL_THIRD_PARTY may point elsewhere.

set(COEVAL_THIRD_PARTY ${CMAKE_SOURCE_DIR}/third_party CACHE PATH "What tools/setup.sh unpacks")

function(coeval_zone_tables SOURCE)
  set(tzdata ${COEVAL_THIRD_PARTY}/tzdata)
  set(packed ${CMAKE_CURRENT_BINARY_DIR}/zone_tables.bin)
  if(NOT EXISTS ${tzdata}/zones)
    message(FATAL_ERROR "There are no time zone tables in ${tzdata}: run ./dev setup")
  endif()
  add_custom_command(OUTPUT ${packed}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/pack_zones.py ${tzdata} ${packed}
    DEPENDS ${CMAKE_SOURCE_DIR}/tools/pack_zones.py ${tzdata}/zones ${tzdata}/zoneinfo/tzdata.zi
    COMMENT "Packing the time zone tables" VERBATIM)
  set_source_files_properties(${SOURCE} PROPERTIES
    OBJECT_DEPENDS ${packed} COMPILE_DEFINITIONS COEVAL_ZONE_TABLES="${packed}")
endfunction()

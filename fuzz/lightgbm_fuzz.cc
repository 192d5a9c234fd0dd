// Any bytes as a model file: an error or a forest that can be walked; never a crash, a hang or
// memory out of proportion. Seeds: LightGBM's text of src/models/testdata.

#include <cstddef>
#include <cstdint>

#include "any_forest.h"
#include "models/forest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_forest({reinterpret_cast<const char*>(data), size});
  return 0;
}

// Any bytes as an ONNX file: an error with a reason, or what it takes and gives; never a crash, a
// hang or memory out of proportion. ONNX Runtime itself is not fuzzed. Seeds: src/models/testdata.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "models/onnx_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coeval::models;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto file = read_onnx(bytes);
  if (!file) return 0;
  for (const auto& input : file->inputs) static_cast<void>(input.description());
  for (const auto& output : file->outputs) static_cast<void>(output.description());
  const auto signature = onnx_signature(*file);
  // What is accepted has columns and a bounded number of rows a call.
  if (signature && (signature->width == 0 || signature->fixed_rows > 4096)) __builtin_trap();
  return 0;
}

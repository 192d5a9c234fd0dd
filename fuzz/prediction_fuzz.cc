#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "stores/prediction_record.h"

// Whatever bytes decode as a prediction are the bytes that it encodes to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto record = coeval::stores::decode_prediction(bytes);
  if (record) COEVAL_CHECK(coeval::stores::encode(*record) == bytes);
  return 0;
}

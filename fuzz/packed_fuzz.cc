// Any bytes as a packed file: the same bytes or the same error, however many are asked for at a
// time, and never more than what they can hold.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "stores/byte_source.h"

namespace {

using namespace coeval;

constexpr std::size_t kEnough = std::size_t{1} << 20;  // of what a small bomb unpacks to

// The text, or the code of the error.
std::string unpack(std::string_view packed, const std::string& name, std::size_t at_once) {
  auto source = stores::unpacked(stores::bytes_of_text(name, packed));
  if (!source) return code_name(source.error().code);
  std::string text;
  std::vector<char> piece(at_once);
  while (text.size() < kEnough) {
    const auto got = (*source)->read(piece);
    if (!got) return code_name(got.error().code);
    if (*got == 0) break;
    if (*got > piece.size()) std::abort();
    text.append(piece.data(), *got);
  }
  return text.substr(0, kEnough);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view packed(reinterpret_cast<const char*>(bytes), size);
  for (const char* name : {"t", "t.gz", "t.zst"})
    if (unpack(packed, name, 4096) != unpack(packed, name, 61)) std::abort();
  return 0;
}

#include "serving/prediction_id.h"

#include <algorithm>
#include <array>

namespace coeval::serving {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kIdLength = 26;  // 130 bits, of which the first two are zero
constexpr int kSaltBits = 16;

using Wide = unsigned __int128;

}  // namespace

std::string make_prediction_id(std::int64_t ms, std::uint64_t position, std::uint16_t salt) {
  const auto clamped = static_cast<std::uint64_t>(std::clamp<std::int64_t>(ms, 0, (1ll << 48) - 1));
  Wide bits =
      (static_cast<Wide>(clamped) << 80) | (static_cast<Wide>(position) << kSaltBits) | salt;
  std::string id(kIdLength, '0');
  for (std::size_t i = kIdLength; i-- > 0; bits >>= 5) {
    id[i] = kDigits[static_cast<std::size_t>(bits & 31)];
  }
  return id;
}

std::optional<Position> position_of(std::string_view id) {
  if (id.size() != kIdLength || id[0] > '7') return std::nullopt;
  Wide bits = 0;
  for (const char digit : id) {
    const std::size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 5) | value;
  }
  return Position{static_cast<std::uint64_t>(bits >> kSaltBits)};
}

}  // namespace coeval::serving

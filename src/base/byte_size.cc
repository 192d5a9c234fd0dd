#include "base/byte_size.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <string>

namespace coeval {

Result<std::int64_t> parse_bytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t bytes;
  };
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"B", 1},
                                    {"KB", 1'000},
                                    {"MB", 1'000'000},
                                    {"GB", 1'000'000'000},
                                    {"TB", 1'000'000'000'000},
                                    {"KiB", 1LL << 10},
                                    {"MiB", 1LL << 20},
                                    {"GiB", 1LL << 30},
                                    {"TiB", 1LL << 40}};
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto unit = std::ranges::find(kUnits, name, &Unit::name);
  if (failed == std::errc() && unit != std::end(kUnits) && number > 0 &&
      number <= std::numeric_limits<std::int64_t>::max() / unit->bytes)
    return number * unit->bytes;
  return fail(Code::usage, "'" + std::string(text) + "' is no size in bytes",
              "write a whole number and KB, MB, GB or TB (of 1000), or KiB, MiB, GiB or TiB (of "
              "1024), such as 4GB or 512MiB");
}

}  // namespace coeval

// The packed tables. Numbers are u32, little-endian; a range is a number for its begin, counted
// from the first byte of all, and a number for its size.
//
//   magic    8 bytes, "coevalTZ"
//   version  range of text
//   count    number of zones
//   zones    count times: range of the name, range of the TZif file; names ascend by bytes
//   the texts and files that the ranges point to; aliases share a file
#include "base/zone_tables.h"

#include <algorithm>

namespace coeval {

namespace {

constexpr std::string_view kMagic = "coevalTZ";
constexpr std::size_t kNumberSize = 4, kZoneSize = 16;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(Code::bad_file, "the packed time zone tables are damaged: " + std::string(what));
}

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads the directory in order and the ranges anywhere. Past an end it yields nothing and says so
// in ok().
class Directory {
 public:
  explicit Directory(std::span<const std::uint8_t> bytes) : all_(bytes), rest_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return rest_.size(); }

  std::span<const std::uint8_t> take(std::size_t size) {
    if (size > rest_.size()) return nothing();
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::size_t number() {
    std::size_t value = 0, shift = 0;
    for (const std::uint8_t byte : take(kNumberSize)) {
      value |= std::size_t{byte} << shift;
      shift += 8;
    }
    return value;
  }

  std::span<const std::uint8_t> range() {
    const std::size_t begin = number(), size = number();
    if (begin > all_.size() || size > all_.size() - begin) return nothing();
    return all_.subspan(begin, size);
  }

 private:
  std::span<const std::uint8_t> nothing() {
    ok_ = false;
    return {};
  }

  std::span<const std::uint8_t> all_, rest_;
  bool ok_ = true;
};

std::string in_small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view city_of(std::string_view name) { return name.substr(name.rfind('/') + 1); }

// How long the longer one is without the beginning and the end that both have. A slip of the finger
// leaves one or two letters.
std::size_t unshared(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  std::size_t begin = 0, end = 0;
  while (begin < a.size() && a[begin] == b[begin]) ++begin;
  while (end < a.size() - begin && a[a.size() - 1 - end] == b[b.size() - 1 - end]) ++end;
  return b.size() - begin - end;
}

constexpr std::size_t kLongestName = 64;

}  // namespace

Result<ZoneTables> ZoneTables::open(std::span<const std::uint8_t> bytes) {
  Directory directory(bytes);
  if (text_of(directory.take(kMagic.size())) != kMagic) return damaged("they do not begin as such");
  ZoneTables tables;
  tables.version_ = text_of(directory.range());
  const std::size_t count = directory.number();
  if (!directory.ok() || count > directory.left() / kZoneSize) return damaged("they are cut off");
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = text_of(directory.range());
    const auto file = directory.range();
    if (!directory.ok()) return damaged("a zone lies outside of them");
    if (name.empty() || (i > 0 && name <= tables.zones_.back().name))
      return damaged("the names do not ascend");
    tables.zones_.push_back({name, file});
  }
  return tables;
}

std::optional<std::size_t> ZoneTables::find(std::string_view name) const {
  const auto zone = std::ranges::lower_bound(zones_, name, {}, &Zone::name);
  if (zone == zones_.end() || zone->name != name) return std::nullopt;
  return static_cast<std::size_t>(zone - zones_.begin());
}

std::optional<std::string_view> ZoneTables::nearest(std::string_view text) const {
  if (text.size() > kLongestName) return std::nullopt;
  const std::string wanted = in_small_letters(text);
  const std::string_view wanted_city = city_of(wanted);
  std::optional<std::string_view> best;
  std::size_t least = kLongestName;
  const auto consider = [&](std::string_view name, std::string_view a, std::string_view b,
                            std::size_t handicap) {
    const std::size_t slips = unshared(a, b);
    if (slips > a.size() / 4 || slips + handicap >= least) return;
    least = slips + handicap;
    best = name;
  };
  for (const Zone& zone : zones_) {
    const std::string name = in_small_letters(zone.name);
    consider(zone.name, wanted, name, 0);
    consider(zone.name, wanted_city, city_of(name), 1);
  }
  return best;
}

}  // namespace coeval

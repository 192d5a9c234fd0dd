#include "base/tzif.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace coeval {

namespace {

std::unexpected<Error> damaged(const std::string& what) {
  return fail(Code::bad_file, "not a TZif file with 64-bit data: " + what);
}

// A big-endian cursor. Past the end it yields zeros and says so in ok().
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return rest_.size(); }

  std::span<const std::uint8_t> take(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(width)) value = value << 8U | byte;
    return value;
  }

 private:
  std::span<const std::uint8_t> rest_;
  bool ok_ = true;
};

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The six counts, in the file's order. Each is below 2^32, so their sums below never overflow.
struct Header {
  char version = 0;
  std::uint64_t ut_flags = 0, standard_flags = 0, leaps = 0, times = 0, types = 0, characters = 0;

  std::uint64_t data_size(std::uint64_t time_width) const {
    return times * (time_width + 1) + types * 6 + characters + leaps * (time_width + 4) +
           standard_flags + ut_flags;
  }
};

bool read_header(Bytes& file, Header& header) {
  if (text_of(file.take(4)) != "TZif") return false;
  header.version = static_cast<char>(file.number(1));
  file.take(15);
  for (auto* count : {&header.ut_flags, &header.standard_flags, &header.leaps, &header.times,
                      &header.types, &header.characters})
    *count = file.number(4);
  return file.ok();
}

// Offsets that RFC 9636 allows: between −25 h and 26 h, both excluded.
bool is_offset(std::int32_t seconds) { return seconds > -25 * 3600 && seconds < 26 * 3600; }

Result<std::vector<std::int32_t>> read_offsets(Bytes types, std::uint64_t count) {
  std::vector<std::int32_t> offsets;
  for (std::uint64_t i = 0; i < count; ++i) {
    offsets.push_back(static_cast<std::int32_t>(types.number(4)));
    types.take(2);  // is it summer time, and which abbreviation
    if (!is_offset(offsets.back())) return damaged("an offset is out of range");
  }
  return offsets;
}

Status read_changes(Bytes times, Bytes indices, std::uint64_t count,
                    const std::vector<std::int32_t>& offsets, std::vector<ZoneChange>& changes) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto at_s = static_cast<std::int64_t>(times.number(8));
    const std::uint64_t index = indices.number(1);
    if (index >= offsets.size()) return damaged("a change is to a type that is not there");
    if (!changes.empty() && at_s <= changes.back().at_s)
      return damaged("the changes do not ascend");
    changes.push_back({at_s, offsets[index]});
  }
  return {};
}

Status read_footer(Bytes file, Tzif& tzif) {
  const std::string_view footer = text_of(file.take(file.left()));
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n')
    return damaged("the footer is missing");
  const std::string_view text = footer.substr(1, footer.size() - 2);
  if (text.empty()) return {};
  COEVAL_ASSIGN(tzif.rule, parse_zone_rule(text));
  return {};
}

}  // namespace

Result<Tzif> parse_tzif(std::span<const std::uint8_t> bytes) {
  Bytes file(bytes);
  Header header;
  if (!read_header(file, header) || header.version < '2' || header.version > '4')
    return damaged("the header is not that of version 2 to 4");
  file.take(header.data_size(4));  // the 32-bit data, for readers of version 1
  if (!read_header(file, header)) return damaged("the second header is missing");
  if (header.data_size(8) > file.left()) return damaged("it is cut off");
  if (header.types == 0) return damaged("there is no local time type");
  if (header.leaps != 0) return damaged("it counts leap seconds");

  const Bytes times(file.take(header.times * 8)), indices(file.take(header.times));
  COEVAL_ASSIGN(const auto offsets, read_offsets(Bytes(file.take(header.types * 6)), header.types));
  file.take(header.characters + header.standard_flags + header.ut_flags);
  Tzif tzif;
  tzif.first_offset_s = offsets.front();
  COEVAL_TRY(read_changes(times, indices, header.times, offsets, tzif.changes));
  COEVAL_TRY(read_footer(file, tzif));
  return tzif;
}

}  // namespace coeval

#include "quality/code_points.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace coeval::quality {

namespace {

using Range = CodePoints::Range;

/// The last code points of one, two, three and four bytes.
constexpr std::array<std::uint32_t, 4> kLastOfLength = {0x7F, 0x7FF, 0xFFFF, CodePoints::kLast};

std::size_t utf8_length(std::uint32_t point) {
  std::size_t length = 1;
  while (point > kLastOfLength[length - 1]) ++length;
  return length;
}

// Of surrogates too, which no text should hold.
std::array<std::uint8_t, 4> utf8_bytes(std::uint32_t point, std::size_t length) {
  if (length == 1) return {static_cast<std::uint8_t>(point)};
  constexpr std::array<std::uint8_t, 5> kLead = {0, 0, 0xC0, 0xE0, 0xF0};
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = length; i-- > 1; point >>= 6)
    bytes[i] = static_cast<std::uint8_t>(0x80 | (point & 0x3F));
  bytes[0] = static_cast<std::uint8_t>(kLead[length] | point);
  return bytes;
}

// A range whose code points have equally many bytes is cut until it is a product: until the bytes
// after the first that differs run over all their values.
void product_ranges(Range range, const std::function<void(std::span<const ByteRange>)>& take) {
  const std::size_t length = utf8_length(range.first);
  for (std::size_t i = 1; i < length; ++i) {
    const std::uint32_t low = (1u << (6 * i)) - 1;
    if ((range.first & ~low) == (range.last & ~low)) continue;
    if ((range.first & low) != 0) {
      product_ranges({range.first, range.first | low}, take);
      return product_ranges({(range.first | low) + 1, range.last}, take);
    }
    if ((range.last & low) != low) {
      product_ranges({range.first, (range.last & ~low) - 1}, take);
      return product_ranges({range.last & ~low, range.last}, take);
    }
  }
  const auto first = utf8_bytes(range.first, length), last = utf8_bytes(range.last, length);
  std::array<ByteRange, 4> bytes;
  for (std::size_t i = 0; i < length; ++i) bytes[i] = {first[i], last[i]};
  take(std::span(bytes).first(length));
}

void beyond_ascii(const std::function<void(std::span<const ByteRange>)>& take) {
  constexpr ByteRange kFollowing{0x80, 0xBF};
  constexpr std::array<ByteRange, 3> kLead = {{{0xC2, 0xDF}, {0xE0, 0xEF}, {0xF0, 0xF4}}};
  for (std::size_t i = 0; i < kLead.size(); ++i) {
    const std::array<ByteRange, 4> bytes = {kLead[i], kFollowing, kFollowing, kFollowing};
    take(std::span(bytes).first(i + 2));
  }
}

std::string every_code_point() {
  std::string text;
  text.reserve(4'500'000);
  for (std::uint32_t point = 0; point <= CodePoints::kLast; ++point) {
    const std::size_t length = utf8_length(point);
    const auto bytes = utf8_bytes(point, length);
    text.append(reinterpret_cast<const char*>(bytes.data()), length);
  }
  return text;
}

// The code point at an offset of every_code_point().
std::uint32_t point_at(std::size_t offset) {
  std::size_t first = 0;
  for (std::size_t length = 1;; ++length) {
    const std::size_t count = kLastOfLength[length - 1] + 1 - first;
    if (length == 4 || offset < count * length)
      return static_cast<std::uint32_t>(first + offset / length);
    offset -= count * length;
    first += count;
  }
}

CodePoints members(const std::string& expression, const std::string& every) {
  CodePoints found;
  const RE2 run("(?:" + expression + ")+", RE2::Quiet);
  re2::StringPiece at;
  const re2::StringPiece text(every);
  for (std::size_t from = 0;
       run.ok() && run.Match(text, from, every.size(), RE2::UNANCHORED, &at, 1);) {
    const auto begin = static_cast<std::size_t>(at.data() - every.data());
    from = begin + at.size();
    if (at.empty()) break;
    found.add({point_at(begin), point_at(from) - 1});
  }
  return found;
}

}  // namespace

CodePoints::CodePoints(std::initializer_list<Range> ranges) {
  for (const Range range : ranges) add(range);
}

void CodePoints::add(Range range) {
  if (ranges_.empty() || range.first > ranges_.back().last + 1) {
    ranges_.push_back(range);
    return;
  }
  // Those that it touches become part of it.
  const auto begin = std::ranges::find_if(
      ranges_, [&](const Range& other) { return other.last + 1 >= range.first; });
  auto end = begin;
  for (; end != ranges_.end() && end->first <= range.last + 1; ++end) {
    range.first = std::min(range.first, end->first);
    range.last = std::max(range.last, end->last);
  }
  ranges_.insert(ranges_.erase(begin, end), range);
}

void CodePoints::add(const CodePoints& others) {
  for (const Range range : others.ranges_) add(range);
}

CodePoints CodePoints::inverse() const {
  CodePoints others;
  std::uint32_t next = 0;
  for (const Range range : ranges_) {
    if (range.first > next) others.add({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) others.add({next, kLast});
  return others;
}

bool CodePoints::contains(std::uint32_t point) const {
  return std::ranges::any_of(
      ranges_, [&](Range range) { return range.first <= point && point <= range.last; });
}

void utf8_ranges(const CodePoints& points,
                 const std::function<void(std::span<const ByteRange>)>& take) {
  for (const Range range : points.ranges()) {
    std::uint32_t first = range.first;
    if (first <= 0x80 && range.last == CodePoints::kLast) {
      if (first < 0x80) product_ranges({first, 0x7F}, take);
      beyond_ascii(take);
      continue;
    }
    for (const std::uint32_t last_of_length : kLastOfLength) {
      if (first > range.last || first > last_of_length) continue;
      const std::uint32_t last = std::min(range.last, last_of_length);
      product_ranges({first, last}, take);
      first = last + 1;
    }
  }
}

const CodePoints* UnicodeClasses::matching(const std::string& expression) {
  if (const auto known = known_.find(expression); known != known_.end()) return &known->second;
  if (known_.size() == kMaxQuestions) return nullptr;
  if (every_.empty()) every_ = every_code_point();
  return &known_.emplace(expression, members(expression, every_)).first->second;
}

}  // namespace coeval::quality

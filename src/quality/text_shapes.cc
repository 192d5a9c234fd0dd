#include "quality/text_shapes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "data/hash.h"
#include "exact/byte_codec.h"

namespace coeval::quality {

namespace {

/// Characters that a shape has signs for; kMore is one more.
constexpr std::size_t kMostCharacters = 32;
// Signs that are not ASCII characters.
constexpr char kForeign = '\x01', kMore = '\x02', kControl = '\x03', kRun = '\x04';
constexpr int kPlaceBits = 8;

struct Signs {
  std::array<char, 256> of{};
  // 0 for a byte that goes on with a character.
  constexpr Signs() {
    for (int byte = 0; byte < 256; ++byte) {
      char sign = static_cast<char>(byte);
      if (byte >= 'a' && byte <= 'z')
        sign = 'a';
      else if (byte >= 'A' && byte <= 'Z')
        sign = 'A';
      else if (byte >= '0' && byte <= '9')
        sign = '9';
      else if (byte < 0x20 || byte == 0x7F)
        sign = kControl;
      else if (byte >= 0xC0)
        sign = kForeign;
      else if (byte >= 0x80)
        sign = 0;
      of[static_cast<std::size_t>(byte)] = sign;
    }
  }
};
constexpr Signs kSigns;

// Up to kMostCharacters and kMore. A byte that goes on with a character is written over.
std::size_t write_signs(std::string_view text, std::array<char, kMostCharacters + 1>& signs) {
  std::size_t size = 0;
  for (const char c : text) {
    const char sign = kSigns.of[static_cast<unsigned char>(c)];
    if (size == kMostCharacters) [[unlikely]] {
      if (sign == 0) continue;
      signs[size] = kMore;
      return size + 1;
    }
    signs[size] = sign;
    size += sign != 0 ? 1 : 0;
  }
  signs[size] = 0;
  return size;
}

std::string runs_of(std::string_view signs) {
  std::string runs;
  for (std::size_t i = 0; i < signs.size(); ++i) {
    if (i > 0 && signs[i] == signs[i - 1]) {
      if (runs.back() != kRun) runs.push_back(kRun);
      continue;
    }
    runs.push_back(signs[i]);
  }
  return runs;
}

char class_of(char sign) {
  switch (sign) {
    case 'A':
    case 'a':
    case '9':
    case ' ':
    case kForeign:
    case kMore:
    case kControl:
      return sign;
    default:
      return '.';
  }
}

std::string classes_of(std::string_view runs) {
  std::string classes;
  for (const char wanted : {'A', 'a', '9', ' ', '.', kForeign, kControl, kMore})
    for (const char sign : runs)
      if (sign != kRun && class_of(sign) == wanted) {
        classes.push_back(wanted);
        break;
      }
  return classes;
}

std::string at_level(std::string_view signs, ShapeLevel level) {
  if (level == ShapeLevel::characters) return std::string(signs);
  const std::string runs = runs_of(signs);
  return level == ShapeLevel::runs ? runs : classes_of(runs);
}

std::string spelled(std::string_view shape) {
  std::string text;
  for (const char sign : shape) {
    if (sign == kForeign)
      text += "é";
    else if (sign == kMore)
      text += "…";
    else if (sign == kControl)
      text += "␀";
    else if (sign == kRun)
      text += "⁺";
    else
      text += sign;
  }
  return text;
}

}  // namespace

void TextShapes::add(std::string_view text, std::int64_t times) {
  std::array<char, kMostSigns> signs{};
  const std::size_t size = write_signs(text, signs);
  const std::string_view shape(signs.data(), size);
  // Most texts look like one that was there lately.
  if (places_.empty()) places_.resize(std::size_t{1} << kPlaceBits);
  Place& place = places_[data::xxh3_64(shape) >> (64 - kPlaceBits)];
  if (place.count != nullptr && place.size == size && place.signs == signs) {
    *place.count += times;
    return;
  }
  const auto found = shapes_.try_emplace(at_level(shape, level_), 0).first;
  found->second += times;
  place = {signs, static_cast<std::uint8_t>(size), &found->second};
  if (shapes_.size() > kMostShapes) coarsen();
}

void TextShapes::count(std::string_view shape, std::int64_t times) {
  shapes_.try_emplace(std::string(shape), 0).first->second += times;
  if (shapes_.size() > kMostShapes) coarsen();
}

// One level up, and on while there are too many; classes are always few enough.
void TextShapes::coarsen() {
  while (shapes_.size() > kMostShapes) {
    const auto finer = std::exchange(shapes_, {});
    const bool to_runs = level_ == ShapeLevel::characters;
    level_ = to_runs ? ShapeLevel::runs : ShapeLevel::classes;
    for (const auto& [shape, times] : finer)
      shapes_[to_runs ? runs_of(shape) : classes_of(shape)] += times;
  }
  places_.clear();
}

void TextShapes::merge(const TextShapes& other) {
  places_.clear();
  if (other.level_ > level_) {
    const auto finer = std::exchange(shapes_, {});
    const ShapeLevel before = std::exchange(level_, other.level_);
    for (const auto& [shape, times] : finer)
      shapes_[before == ShapeLevel::characters ? at_level(shape, level_) : classes_of(shape)] +=
          times;
  }
  for (const auto& [shape, times] : other.shapes_) {
    if (other.level_ == level_)
      count(shape, times);
    else if (other.level_ == ShapeLevel::characters)
      count(at_level(shape, level_), times);
    else
      count(classes_of(shape), times);
  }
}

std::vector<ProfilePattern> TextShapes::most_frequent(std::size_t most) const {
  std::vector<ProfilePattern> patterns;
  for (const auto& [shape, times] : shapes_) patterns.push_back({spelled(shape), times});
  std::sort(patterns.begin(), patterns.end(), [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : a.shape < b.shape;
  });
  if (patterns.size() > most) patterns.resize(most);
  return patterns;
}

// u8 level, how many; then of each, ascending, its length, signs and count.
void TextShapes::append_bytes(std::string& out) const {
  out.push_back(static_cast<char>(level_));
  exact::append_count(out, distinct());
  for (const auto& [shape, times] : shapes_) {
    exact::append_count(out, static_cast<std::int64_t>(shape.size()));
    out += shape;
    exact::append_count(out, times);
  }
}

bool TextShapes::read_bytes(std::string_view& bytes) {
  TextShapes read;
  std::uint8_t level = 0;
  std::int64_t shapes = 0;
  if (!exact::read_u8(bytes, level) || level > static_cast<std::uint8_t>(ShapeLevel::classes) ||
      !exact::read_count(bytes, shapes) || shapes > static_cast<std::int64_t>(kMostShapes))
    return false;
  read.level_ = static_cast<ShapeLevel>(level);
  for (std::int64_t i = 0; i < shapes; ++i) {
    std::int64_t size = 0, times = 0;
    if (!exact::read_count(bytes, size) || size > static_cast<std::int64_t>(2 * kMostSigns) ||
        bytes.size() < static_cast<std::size_t>(size))
      return false;
    std::string shape(bytes.substr(0, static_cast<std::size_t>(size)));
    bytes.remove_prefix(shape.size());
    if (!exact::read_count(bytes, times) || times == 0) return false;
    if (!read.shapes_.empty() && !(read.shapes_.rbegin()->first < shape)) return false;
    read.shapes_.emplace_hint(read.shapes_.end(), std::move(shape), times);
  }
  *this = std::move(read);
  return true;
}

}  // namespace coeval::quality

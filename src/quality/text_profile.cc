#include "quality/text_profile.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/hash.h"
#include "data/utf8.h"
#include "exact/byte_codec.h"

namespace coeval::quality {

namespace {

// Bytes that do not go on with a character: those that do are 10xxxxxx. Eight at a time.
std::int64_t code_points(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  auto count = static_cast<std::int64_t>(text.size());
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    count -= static_cast<std::int64_t>(((word >> 7 & ~(word >> 6) & kOnes) * kOnes) >> 56);
  }
  for (; at < text.size(); ++at) count -= static_cast<signed char>(text[at]) <= -65 ? 1 : 0;
  return count;
}

}  // namespace

void TextProfile::Spread::add(exact::Key128 hash, std::int64_t length, std::string_view text,
                              std::int64_t times) {
  shapes.add(text, times);
  if (times != 1) {
    distinct.add(hash);
    return lengths.add_times(length, times);
  }
  waiting.push_back(length);
  hashes.push_back(hash);
  if (waiting.size() == NumberProfile<std::int64_t>::kBlock) settle();
}

void TextProfile::Spread::settle() {
  lengths.add(waiting);
  distinct.add_all(hashes);
  waiting.clear();
  hashes.clear();
}

void TextProfile::settle() {
  if (spread_) spread_->settle();
}

void TextProfile::add(std::string_view text, std::int64_t times) {
  const data::Hash128 hash = data::xxh3_128(text);
  count({hash.high, hash.low}, code_points(text), text, times);
}

void TextProfile::count(exact::Key128 hash, std::int64_t length, std::string_view text,
                        std::int64_t times) {
  if (spread_) return spread_->add(hash, length, text, times);
  Entry& entry = find_or_place(hash);
  if (entry.count == 0) {
    entry.length = length;
    entry.text = data::utf8_prefix(text, kProfileTextBytes);
  }
  entry.count += times;
  if (entries_.size() > kMostCounted) spread_out();
}

TextProfile::Entry& TextProfile::find_or_place(exact::Key128 hash) {
  if (2 * entries_.size() >= places_.size()) grow();
  std::size_t at = hash.low & (places_.size() - 1);
  for (; places_[at] != 0; at = (at + 1) & (places_.size() - 1)) {
    Entry& entry = entries_[places_[at] - 1];
    if (entry.hash == hash) return entry;
  }
  entries_.push_back({hash, 0, 0, {}});
  places_[at] = static_cast<std::uint32_t>(entries_.size());
  return entries_.back();
}

void TextProfile::grow() {
  places_.assign(std::max<std::size_t>(64, 2 * places_.size()), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = entries_[i].hash.low & (places_.size() - 1);
    while (places_[at] != 0) at = (at + 1) & (places_.size() - 1);
    places_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

void TextProfile::spread_out() {
  spread_ = std::make_unique<Spread>();
  for (const Entry& entry : std::exchange(entries_, {}))
    spread_->add(entry.hash, entry.length, entry.text, entry.count);
  places_ = {};
}

void TextProfile::merge(const TextProfile& other) {
  if (other.spread_ && !spread_) spread_out();
  for (const Entry& entry : other.entries_)
    count(entry.hash, entry.length, entry.text, entry.count);
  settle();
  if (!other.spread_) return;
  spread_->distinct.merge(other.spread_->distinct);
  spread_->lengths.merge(other.spread_->lengths);
  spread_->shapes.merge(other.spread_->shapes);
}

std::int64_t TextProfile::count() const {
  if (spread_) return spread_->lengths.count();
  std::int64_t count = 0;
  for (const Entry& entry : entries_) count += entry.count;
  return count;
}

std::vector<const TextProfile::Entry*> TextProfile::ascending() const {
  std::vector<const Entry*> all;
  for (const Entry& entry : entries_) all.push_back(&entry);
  std::sort(all.begin(), all.end(), [](const Entry* a, const Entry* b) {
    return a->text != b->text ? a->text < b->text : a->hash < b->hash;
  });
  return all;
}

std::optional<std::vector<ProfileValue>> TextProfile::values() const {
  if (spread_) return std::nullopt;
  std::vector<ProfileValue> values;
  for (const Entry* entry : ascending()) values.push_back({entry->text, entry->count});
  return values;
}

void TextProfile::summarise(ColumnSummary& summary) const {
  summary.distinct_exact = spread_ == nullptr;
  NumberProfile<std::int64_t> lengths;
  TextShapes shapes;
  if (spread_) {
    summary.distinct = spread_->distinct.count();
    lengths.merge(spread_->lengths);
    shapes.merge(spread_->shapes);
  } else {
    summary.distinct = static_cast<std::int64_t>(entries_.size());
    for (const Entry& entry : entries_) {
      lengths.add_times(entry.length, entry.count);
      shapes.add(entry.text, entry.count);
    }
    summary.top_values = *values();
    std::stable_sort(
        summary.top_values.begin(), summary.top_values.end(),
        [](const ProfileValue& a, const ProfileValue& b) { return a.count > b.count; });
    if (summary.top_values.size() > kMostTopValues) summary.top_values.resize(kMostTopValues);
  }
  ColumnSummary of_lengths;
  lengths.summarise(of_lengths, 1);
  TextSummary& text = summary.text.emplace();
  text.empty = of_lengths.zeros;
  if (const auto* least = std::get_if<std::int64_t>(&of_lengths.min)) text.min_length = *least;
  if (const auto* most = std::get_if<std::int64_t>(&of_lengths.max)) text.max_length = *most;
  text.mean_length = of_lengths.mean.value_or(0);
  text.lengths = std::move(of_lengths.histogram);
  text.level = shapes.level();
  text.patterns = shapes.most_frequent(kMostTopValues);
  text.patterns_distinct = shapes.distinct();
}

// u8 whether texts are spread; then how many texts and each, ascending, with its hash, length and
// count, or distinct texts, lengths and shapes.
void TextProfile::append_bytes(std::string& out) const {
  out.push_back(spread_ ? 1 : 0);
  if (spread_) {
    spread_->distinct.append_bytes(out);
    spread_->lengths.append_bytes(out);
    return spread_->shapes.append_bytes(out);
  }
  exact::append_count(out, static_cast<std::int64_t>(entries_.size()));
  for (const Entry* entry : ascending()) {
    exact::append_count(out, static_cast<std::int64_t>(entry->text.size()));
    out += entry->text;
    exact::KeyForm<exact::Key128>::append(out, entry->hash);
    exact::append_count(out, entry->length);
    exact::append_count(out, entry->count);
  }
}

bool TextProfile::read_bytes(std::string_view& bytes) {
  TextProfile read;
  std::uint8_t spread = 0;
  if (!exact::read_u8(bytes, spread) || spread > 1) return false;
  if (spread == 1) {
    read.spread_ = std::make_unique<Spread>();
    if (!read.spread_->distinct.read_bytes(bytes) || !read.spread_->distinct.is_approximate() ||
        !read.spread_->lengths.read_bytes(bytes) || !read.spread_->shapes.read_bytes(bytes))
      return false;
    *this = std::move(read);
    return true;
  }
  std::int64_t entries = 0;
  if (!exact::read_count(bytes, entries) || entries > static_cast<std::int64_t>(kMostCounted))
    return false;
  for (std::int64_t i = 0; i < entries; ++i) {
    std::int64_t size = 0, length = 0, count = 0;
    exact::Key128 hash;
    if (!exact::read_count(bytes, size) || size > static_cast<std::int64_t>(kProfileTextBytes) ||
        bytes.size() < static_cast<std::size_t>(size))
      return false;
    std::string text(bytes.substr(0, static_cast<std::size_t>(size)));
    bytes.remove_prefix(text.size());
    if (!exact::KeyForm<exact::Key128>::read(bytes, hash) || !exact::read_count(bytes, length) ||
        !exact::read_count(bytes, count) || count == 0)
      return false;
    Entry& entry = read.find_or_place(hash);
    if (entry.count != 0) return false;
    entry = {hash, count, length, std::move(text)};
  }
  *this = std::move(read);
  return true;
}

}  // namespace coeval::quality

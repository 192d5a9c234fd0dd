#include "data/text_columns.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "data/hash.h"
#include "data/utf8.h"

namespace coeval::data {

namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kMostStrings = 65'536;  // then numbering no longer pays for the table
constexpr std::size_t kTrialRows = 2048;      // after which strings must have repeated

std::uint64_t load(const char* from, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, bytes);
  return word;
}

}  // namespace

StringCoder::StringCoder() : slots_(kFirstSlots) {}

StringCoder::Key StringCoder::key_of(std::string_view text) {
  const char* const at = text.data();
  const std::size_t size = text.size();
  Key key{0, 0, static_cast<std::uint32_t>(size)};
  if (size > 16) {
    const Hash128 hash = xxh3_128(text);
    return {hash.low, hash.high, key.size};
  }
  if (size > 8)
    key.low = load(at, 8), key.high = load(at + size - 8, 8);
  else if (size >= 4)
    key.low = load(at, 4) | load(at + size - 4, 4) << 8 * (size - 4);
  else if (size > 0)
    key.low = load(at, 1) | load(at + size / 2, 1) << 8 * (size / 2) |
              load(at + size - 1, 1) << 8 * (size - 1);
  return key;
}

std::int32_t StringCoder::note_absent(const Key& key, std::size_t at, std::uint32_t search) {
  sought_ = key;
  free_ = at;
  longest_search_ = std::max(longest_search_, search);
  return -1;
}

std::int32_t StringCoder::add(std::string_view text) {
  const auto code = static_cast<std::int32_t>(entries_.size());
  slots_[free_] = {word_of(sought_), sought_.size, code};
  entries_.push_back(sought_);
  bytes_.append(text);
  offsets_.push_back(static_cast<std::int32_t>(bytes_.size()));
  published_.reset();
  if (entries_.size() * 2 > slots_.size()) grow();
  return code;
}

void StringCoder::grow() {
  std::vector<Slot> wider(slots_.size() * 2);
  const std::size_t mask = wider.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.code < 0) continue;
    std::size_t at = place_of(slot.word, slot.size) & mask;
    while (wider[at].code >= 0) at = (at + 1) & mask;
    wider[at] = slot;
  }
  slots_ = std::move(wider);
}

std::shared_ptr<const Column> StringCoder::dictionary() {
  if (published_ != nullptr) return published_;
  std::vector<std::int32_t> offsets = offsets_;
  if (offsets.size() == 1) offsets.push_back(0);  // a null's code still needs an entry
  published_ = std::make_shared<const Column>(Column::strings(std::move(offsets), bytes_, {}));
  return published_;
}

TextColumn::TextColumn(Type type, bool code_strings)
    : type_(type), width_(type == Type::boolean ? 1 : width(type)) {
  if (type == Type::string && code_strings)
    coder_.emplace();
  else if (has_bytes(type))
    offsets_.push_back(0);
}

void TextColumn::reserve(std::size_t rows) {
  if (rows <= capacity_) return;
  capacity_ = rows;
  present_.resize(rows, 1);
  values_.resize(rows * width_);
  if (coder_)
    codes_.resize(rows);
  else if (has_bytes(type_))
    offsets_.resize(rows + 1);
}

void TextColumn::put_null(std::size_t row) {
  any_null_ = true;
  if (coder_)
    codes_[row] = 0;
  else if (has_bytes(type_))
    append_bytes(row, {});
  present_[row] = 0;
}

void TextColumn::append_bytes(std::size_t row, std::string_view text) {
  bytes_.resize(static_cast<std::size_t>(offsets_[row]));  // gives up what the row held before
  COEVAL_CHECK(bytes_.size() + text.size() < (std::size_t{1} << 31));
  bytes_.append(text);
  offsets_[row + 1] = static_cast<std::int32_t>(bytes_.size());
  present_[row] = 1;
}

bool TextColumn::put_string(std::size_t row, std::string_view text) {
  if (coder_) {
    std::int32_t code = coder_->find(text);
    if (code >= 0) {
      put_code(row, code);
      return true;
    }
    if (!is_utf8(text)) return false;
    if (repeats(row)) {
      put_code(row, coder_->add(text));
      return true;
    }
    stop_coding(row);
  } else if (!is_utf8(text)) {
    return false;
  }
  append_bytes(row, text);
  return true;
}

std::size_t TextColumn::put_strings(std::size_t row, const FieldRun& run) {
  if (!coder_) return put_plain(row, run);
  const std::size_t coded = put_codes(row, run);
  if (coder_ || coded == run.rows) return coded;
  FieldRun rest = run;
  rest.marks += coded * run.stride;
  rest.rows -= coded;
  return coded + put_plain(row + coded, rest);
}

// Ends before the first string that is not UTF-8, and where coding stops.
std::size_t TextColumn::put_codes(std::size_t row, const FieldRun& run) {
  std::int32_t* const codes = codes_.data() + row;
  std::uint8_t* const present = present_.data() + row;
  for (std::size_t i = 0; i < run.rows; ++i) {
    const std::string_view text = run.at(i);
    if (text.empty() && run.empty_is_null) {
      put_null(row + i);
      continue;
    }
    std::int32_t code = coder_->find_padded(text);
    if (code < 0) {
      if (!is_utf8(text)) return i;
      if (!repeats(row + i)) {
        stop_coding(row + i);
        return i;
      }
      code = coder_->add(text);
    }
    codes[i] = code;
    present[i] = 1;
  }
  return run.rows;
}

std::size_t TextColumn::put_plain(std::size_t row, const FieldRun& run) {
  constexpr std::size_t kAtOnce = 16;
  if (run.rows == 0) return 0;
  const auto begin = static_cast<std::size_t>(offsets_[row]);
  const std::size_t most = run.marks[(run.rows - 1) * run.stride + 1] - run.marks[0];
  COEVAL_CHECK(begin + most + kAtOnce < (std::size_t{1} << 31));
  bytes_.resize_and_overwrite(begin + most + kAtOnce, [&](char* bytes, std::size_t) {
    char* to = bytes + begin;
    for (std::size_t i = 0; i < run.rows; ++i) {
      const std::string_view text = run.at(i);
      if (text.size() <= kAtOnce)
        std::memcpy(to, text.data(), kAtOnce);
      else
        std::memcpy(to, text.data(), text.size());
      to += text.size();
      const bool null = text.empty() && run.empty_is_null;
      present_[row + i] = null ? 0 : 1;
      any_null_ = any_null_ || null;
      offsets_[row + i + 1] = static_cast<std::int32_t>(to - bytes);
    }
    return static_cast<std::size_t>(to - bytes);
  });
  if (is_ascii(std::string_view(bytes_).substr(begin))) return run.rows;
  std::size_t valid = 0;
  while (valid < run.rows && is_utf8(run.at(valid))) ++valid;
  return valid;
}

void TextColumn::put_list(std::size_t row, std::string_view packed) { append_bytes(row, packed); }

bool TextColumn::repeats(std::size_t row) const {
  const std::size_t strings = coder_->size(), rows = rows_before_ + row;
  return !coder_->is_slow() && (rows < kTrialRows || strings < rows / 2 || strings < kTrialRows) &&
         strings < kMostStrings;
}

void TextColumn::stop_coding(std::size_t rows) {
  offsets_.assign(capacity_ + 1, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    if (present_[row] != 0) bytes_.append(coder_->text(codes_[row]));
    offsets_[row + 1] = static_cast<std::int32_t>(bytes_.size());
  }
  coder_.reset();
  codes_ = {};
}

void TextColumn::put(std::size_t row, const Cell& cell) {
  if (const auto* boolean = std::get_if<bool>(&cell)) return put_boolean(row, *boolean);
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return put_integer(row, *integer);
  if (const auto* real = std::get_if<double>(&cell)) return put_real(row, *real);
  const auto* text = std::get_if<std::string_view>(&cell);
  if (text == nullptr) return put_null(row);
  put_string(row, *text);
}

void TextColumn::put(std::size_t row, const Value& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return put_boolean(row, *boolean);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return put_integer(row, *integer);
  if (const auto* real = std::get_if<double>(&value)) return put_real(row, *real);
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return put_null(row);
  if (type_ == Type::string)
    put_string(row, *text);
  else
    put_list(row, *text);
}

std::vector<std::uint8_t> TextColumn::validity(std::size_t rows) const {
  std::vector<std::uint8_t> bits;
  if (!any_null_) return bits;
  bits.resize((rows + 7) / 8);
  for (std::size_t row = 0; row < rows; ++row)
    bits[row >> 3] = static_cast<std::uint8_t>(bits[row >> 3] | present_[row] << (row & 7));
  return bits;
}

Column TextColumn::finish(std::size_t rows) {
  std::vector<std::uint8_t> present = validity(rows);
  const auto count = static_cast<std::int64_t>(rows);
  any_null_ = false;
  present_.clear();
  capacity_ = 0;
  rows_before_ += rows;
  if (coder_) {
    codes_.resize(rows);
    return Column::coded(std::exchange(codes_, {}), coder_->dictionary(), std::move(present));
  }
  if (has_bytes(type_)) {
    offsets_.resize(rows + 1);
    bytes_.resize(static_cast<std::size_t>(offsets_.back()));
    return Column::strings(std::exchange(offsets_, {0}), std::exchange(bytes_, {}),
                           std::move(present), type_);
  }
  if (type_ == Type::boolean) {
    std::vector<std::uint8_t> bits((rows + 7) / 8);
    for (std::size_t row = 0; row < rows; ++row)
      bits[row >> 3] = static_cast<std::uint8_t>(
          bits[row >> 3] | static_cast<std::uint8_t>(values_[row]) << (row & 7));
    values_.clear();
    return Column::boolean(std::move(bits), std::move(present), count);
  }
  return Column::fixed(type_, std::exchange(values_, {}), std::move(present), count);
}

}  // namespace coeval::data

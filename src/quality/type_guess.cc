#include "quality/type_guess.h"

#include <algorithm>

#include "base/time.h"
#include "data/cell_text.h"
#include "quality/epoch_units.h"

namespace coeval::quality {

namespace {

using data::Type;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether a text may be a number at all: codes such as 007 and +49 are none.
bool may_be_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.front() == '+') return false;
  return text.front() != '0' || text.size() == 1 || !is_digit(text[1]);
}

bool is_date(std::string_view text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' &&
         data::parse_cell(text, Type::date).has_value();
}

// With a time of day: a plain number is one of µs to the reader of cells, but tells nothing here.
bool is_time(std::string_view text) {
  return text.size() > 10 && text[4] == '-' && data::parse_cell(text, Type::timestamp).has_value();
}

}  // namespace

void TypeGuess::note_integer(std::int64_t value) {
  least_ = std::min(least_, value);
  most_ = std::max(most_, value);
  note(kInteger | kReal);
}

void TypeGuess::add_text(std::string_view text) {
  if (may_be_number(text)) {
    if (const auto integer = data::parse_cell(text, Type::int64))
      return note_integer(std::get<std::int64_t>(*integer));
    const bool all_digits = std::all_of(text.begin() + (text.front() == '-'), text.end(), is_digit);
    if (!all_digits && data::parse_cell(text, Type::float64)) return note(kReal);
  }
  unsigned kinds = 0;
  if (data::parse_cell(text, Type::boolean)) kinds |= kBoolean;
  if (is_date(text)) kinds |= kDate | kTime;
  if (is_time(text)) kinds |= kTime;
  note(kinds);
}

void TypeGuess::note_array(const data::Json::Array& array) {
  const bool numbers = std::ranges::all_of(array, [](const data::Json& element) {
    return element.integer() != nullptr || element.real() != nullptr;
  });
  const bool same = list_length_ == 0 || list_length_ == array.size();
  if (!array.empty()) list_length_ = array.size();
  note(numbers && same && !array.empty() && array.size() <= data::kMaxListLength ? kList : 0u);
  fits_ |= kNested;
}

void TypeGuess::add_json(const data::Json& value) {
  if (value.is_null()) return add_null();
  if (value.boolean() != nullptr) return note(kBoolean);
  if (value.integer() != nullptr) return note_integer(*value.integer());
  if (value.real() != nullptr) return note(kReal);
  if (value.array() != nullptr) return note_array(*value.array());
  if (value.object() != nullptr) {
    note(0);
    fits_ |= kNested;
    return;
  }
  const std::string& text = *value.string();
  note(is_date(text) ? kDate | kTime : is_time(text) ? kTime : 0u);
}

std::string_view TypeGuess::epoch_unit() const {
  if (values_ == 0 || (fits_ & kInteger) == 0) return {};
  const auto unit = epoch_unit_of(least_, most_, kFirstOfNumbers);
  return unit ? unit->name : std::string_view();
}

Type TypeGuess::type() const {
  if (values_ == 0) return Type::string;
  if ((fits_ & kBoolean) != 0) return Type::boolean;
  if ((fits_ & kInteger) != 0) {
    if (within(kFirstOfNumbers * kSecondUs, kLastMoment * kSecondUs)) return Type::timestamp;
    const bool narrow =
        within(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
    return narrow && epoch_unit().empty() ? Type::int32 : Type::int64;
  }
  if ((fits_ & kReal) != 0) return Type::float64;
  if ((fits_ & kDate) != 0) return Type::date;
  if ((fits_ & kTime) != 0) return Type::timestamp;
  if ((fits_ & kList) != 0)
    return data::list_of(Type::float32, static_cast<std::uint32_t>(list_length_));
  return Type::string;
}

}  // namespace coeval::quality

#include "data/schema_change.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "data/decimal.h"
#include "data/packed_list.h"
#include "data/row_codec.h"

namespace coeval::data {

namespace {

std::string text_of(const Field& field) { return name(field.type) + (field.nullable ? "?" : ""); }

enum class Fit { same, wider, narrower, other };

Fit fit_of_decimals(Type was, Type is) {
  if (scale_of(was) != scale_of(is)) return Fit::other;
  return precision_of(was) < precision_of(is) ? Fit::wider : Fit::narrower;
}

Fit fit_of_lists(Type was, Type is) {
  if (element_of(was) != element_of(is)) return Fit::other;
  if (list_length(is) == 0) return Fit::wider;
  return list_length(was) == 0 ? Fit::narrower : Fit::other;
}

Fit fit(Type was, Type is) {
  if (was == is) return Fit::same;
  if (was == Type::int32 && is == Type::int64) return Fit::wider;
  if (was == Type::int64 && is == Type::int32) return Fit::narrower;
  if (was == Type::float32 && is == Type::float64) return Fit::wider;
  if (was == Type::float64 && is == Type::float32) return Fit::narrower;
  if (is_decimal(was) && is_decimal(is)) return fit_of_decimals(was, is);
  if (is_list(was) && is_list(is)) return fit_of_lists(was, is);
  return Fit::other;
}

ColumnChange retyped(const Field& was, const Field& is, Fit how) {
  const std::string advice = "declare " + is.name + " as " + text_of(was) +
                             " again; a column of the new type needs a new name";
  const auto kind = how == Fit::narrower ? ColumnChangeKind::narrowed : ColumnChangeKind::retyped;
  return {is.name, kind, text_of(was), text_of(is), advice};
}

// The change of a column that is in both; false when there is none.
bool change_of(const Field& was, const Field& is, ColumnChange& change) {
  const Fit how = fit(was.type, is.type);
  if (how == Fit::narrower || how == Fit::other) {
    change = retyped(was, is, how);
  } else if (was.nullable && !is.nullable) {
    change = {is.name, ColumnChangeKind::tightened, text_of(was), text_of(is),
              "declare " + is.name + " nullable again: events of before may hold null"};
  } else if (how == Fit::wider) {
    change = {is.name, ColumnChangeKind::widened, text_of(was), text_of(is), {}};
  } else if (!was.nullable && is.nullable) {
    change = {is.name, ColumnChangeKind::loosened, text_of(was), text_of(is), {}};
  } else {
    return false;
  }
  return true;
}

ColumnChange change_of_added(const Field& field) {
  if (field.nullable) return {field.name, ColumnChangeKind::added, {}, text_of(field), {}};
  return {field.name,
          ColumnChangeKind::required,
          {},
          text_of(field),
          "declare " + field.name + " with nullable = true: events of before have no such column"};
}

bool is_new(const ColumnChange& change) {
  return change.kind == ColumnChangeKind::added || change.kind == ColumnChangeKind::required;
}

const Field& field_of(const Schema& schema, const std::string& column) {
  return schema.fields[static_cast<std::size_t>(schema.index_of(column))];
}

// The only change for which `wanted` holds, or nothing.
template <class Wanted>
ColumnChange* only(std::vector<ColumnChange>& changes, Wanted wanted) {
  if (std::ranges::count_if(changes, wanted) != 1) return nullptr;
  return &*std::ranges::find_if(changes, wanted);
}

// Of a type: exactly one column gone and one come.
void find_renamed(const Schema& was, const Schema& is, std::vector<ColumnChange>& changes) {
  for (const Field& old : was.fields) {
    ColumnChange* gone = only(changes, [&](const ColumnChange& one) {
      return one.kind == ColumnChangeKind::removed && field_of(was, one.column).type == old.type;
    });
    ColumnChange* come = only(changes, [&](const ColumnChange& one) {
      return is_new(one) && field_of(is, one.column).type == old.type;
    });
    if (gone == nullptr || come == nullptr || gone->column != old.name) continue;
    const Field& fresh = field_of(is, come->column);
    *come = {fresh.name, ColumnChangeKind::renamed, old.name + " " + text_of(old),
             fresh.name + " " + text_of(fresh), "call it " + old.name + " again"};
    changes.erase(changes.begin() + (gone - changes.data()));
  }
}

// One value on its way from one type to another. Exact, or refused.
class Cell {
 public:
  Cell(ByteReader& reader, Type from, Type to) : from_(from), to_(to) {
    std::uint32_t narrow = 0;
    std::uint64_t wide = 0;
    std::uint8_t flag = 0;
    if (from == Type::boolean) {
      reader.u8(flag);
      integer_ = flag;
    } else if (has_bytes(from)) {
      reader.text(text_);
    } else if (width(from) == 4) {
      reader.u32(narrow);
      integer_ = static_cast<std::int32_t>(narrow);
    } else {
      reader.u64(wide);
      integer_ = static_cast<std::int64_t>(wide);
    }
    if (from_ != to_ && is_float(from_)) real_ = as_real();
  }

  bool fits() const {
    if (fit(from_, to_) == Fit::other) return false;
    if (from_ == to_) return true;
    if (to_ == Type::int32) return integer_ == static_cast<std::int32_t>(integer_);
    if (to_ == Type::float32)
      return std::isnan(real_) || static_cast<double>(static_cast<float>(real_)) == real_;
    if (is_decimal(to_)) return has_digits(integer_, precision_of(to_));
    if (is_list(to_) && list_length(to_) != 0) return is_packed_list(text_, to_);
    return true;
  }

  void append_to(ColumnBuilder& builder) const {
    if (to_ == Type::boolean)
      builder.append_boolean(integer_ != 0);
    else if (has_bytes(to_))
      builder.append_string(text_);
    else if (from_ != to_ && is_float(to_))
      builder.append_real(real_);
    else
      builder.append_integer(integer_);  // floats as their bits: a NaN stays the NaN it is
  }

 private:
  double as_real() const {
    if (from_ == Type::float64) return std::bit_cast<double>(integer_);
    return static_cast<double>(
        std::bit_cast<float>(static_cast<std::uint32_t>(static_cast<std::int32_t>(integer_))));
  }

  Type from_, to_;
  std::int64_t integer_ = 0;
  double real_ = 0;
  std::string_view text_;
};

}  // namespace

std::string_view name(ColumnChangeKind kind) {
  switch (kind) {
    case ColumnChangeKind::added:
      return "added";
    case ColumnChangeKind::removed:
      return "removed";
    case ColumnChangeKind::widened:
      return "widened";
    case ColumnChangeKind::loosened:
      return "may be null now";
    case ColumnChangeKind::renamed:
      return "renamed";
    case ColumnChangeKind::narrowed:
      return "narrowed";
    case ColumnChangeKind::retyped:
      return "retyped";
    case ColumnChangeKind::tightened:
      return "may not be null any more";
    case ColumnChangeKind::required:
      return "added, and not nullable";
  }
  return "";
}

std::vector<ColumnChange> schema_changes(const Schema& was, const Schema& is,
                                         bool look_for_renamed) {
  std::vector<ColumnChange> changes;
  for (const Field& field : is.fields) {
    const int before = was.index_of(field.name);
    if (before < 0) {
      changes.push_back(change_of_added(field));
      continue;
    }
    ColumnChange change;
    if (change_of(was.fields[static_cast<std::size_t>(before)], field, change))
      changes.push_back(std::move(change));
  }
  for (const Field& field : was.fields)
    if (is.index_of(field.name) < 0)
      changes.push_back({field.name, ColumnChangeKind::removed, text_of(field), {}, {}});
  if (look_for_renamed) find_renamed(was, is, changes);
  return changes;
}

std::string to_text(const ColumnChange& change) {
  std::string text = "column " + change.column + ": ";
  text += change.was.empty() ? "was not there" : "was " + change.was;
  text += change.is.empty() ? ", is gone" : ", is " + change.is;
  text += " (" + std::string(name(change.kind)) + ")";
  return text;
}

RowConversion::RowConversion(Schema from, const Schema& to) : from_(std::move(from)) {
  for (const Field& field : to.fields) moves_.push_back({from_.index_of(field.name), field});
}

Status RowConversion::append(std::string_view bytes, std::vector<ColumnBuilder>& builders) const {
  COEVAL_CHECK(builders.size() == moves_.size());
  COEVAL_ASSIGN(const auto cells, row_cells(bytes, from_));
  const auto cell_of = [&](const Move& move) {
    ByteReader reader(cells[static_cast<std::size_t>(move.from)]);
    return Cell(reader, from_.fields[static_cast<std::size_t>(move.from)].type, move.to.type);
  };
  const auto is_null = [&](const Move& move) {
    return move.from < 0 || cells[static_cast<std::size_t>(move.from)].data() == nullptr;
  };
  for (const Move& move : moves_) {
    const bool fits = is_null(move) ? move.to.nullable : cell_of(move).fits();
    if (!fits)
      return fail(Code::type_mismatch,
                  "a stored row's column '" + move.to.name + "' does not fit " + text_of(move.to),
                  "the row was written when the source had other columns; `coeval check` lists "
                  "what changed");
  }
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    if (is_null(moves_[i]))
      builders[i].append_null();
    else
      cell_of(moves_[i]).append_to(builders[i]);
  }
  return {};
}

}  // namespace coeval::data

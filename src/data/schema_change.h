#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"

namespace coeval::data {

/// What became of a column between the schema that rows were written with and the one that they are
/// read with.
enum class ColumnChangeKind : std::uint8_t {
  added,      ///< rows have no such column: null
  removed,    ///< rows have a column that nothing reads any more
  widened,    ///< every value has the same meaning in the new type, and the same bits of it
  loosened,   ///< may be null from now on
  renamed,    ///< a column went and one of its type came: two names of one thing, by the look of it
  narrowed,   ///< not every value that was allowed fits
  retyped,    ///< a type of another kind
  tightened,  ///< null was allowed and is no longer
  required,   ///< added, but not nullable: rows have nothing to put there
};
std::string_view name(ColumnChangeKind kind);

/// One line of the difference between two schemas. Order of columns is no difference.
struct ColumnChange {
  std::string column;  ///< of a renamed one: the new name
  ColumnChangeKind kind = ColumnChangeKind::added;
  std::string was, is;  ///< "int32?", empty where there is none; of a renamed one with its names
  std::string advice;   ///< what to do; empty where nothing need be done

  /// Whether rows of the old schema can stand for rows of the new one, whatever they hold.
  bool accepted() const { return kind <= ColumnChangeKind::loosened; }
  friend bool operator==(const ColumnChange&, const ColumnChange&) = default;
};

/// How `is` differs from `was`, in the order of `is`, then what was removed. A removed and an added
/// column count as renamed where `look_for_renamed` and exactly one of each has the type.
std::vector<ColumnChange> schema_changes(const Schema& was, const Schema& is,
                                         bool look_for_renamed = true);

/// "column amount: was int64, is int32: narrowed; …", for errors.
std::string to_text(const ColumnChange& change);

/// Brings rows that were encoded under one schema to another: columns by name, absent ones null,
/// wider values as they are. Narrower ones too where the value fits: whether that may be relied
/// upon is schema_changes()'s to say. Threading: append() from one thread.
class RowConversion {
 public:
  RowConversion(Schema from, const Schema& to);

  /// Appends one row to one builder per field of the new schema. Errors: bad_file as decode_row;
  /// type_mismatch when a value does not fit, or is null where it must not be; nothing is appended
  /// then.
  Status append(std::string_view bytes, std::vector<ColumnBuilder>& builders) const;
  const Schema& from() const { return from_; }

 private:
  struct Move {
    int from = -1;  // field of the old schema; −1: null
    Field to;
  };
  Schema from_;
  std::vector<Move> moves_;
};

}  // namespace coeval::data

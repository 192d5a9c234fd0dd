#include "kernel/evaluate.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "define/functions.h"
#include "kernel/block_functions.h"
#include "kernel/block_values.h"
#include "kernel/bucket_functions.h"
#include "kernel/cast_functions.h"
#include "kernel/decimal_functions.h"
#include "kernel/list_functions.h"
#include "kernel/maths_functions.h"
#include "kernel/text_column.h"
#include "kernel/text_functions.h"
#include "kernel/time_functions.h"
#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

using data::Type;
using define::Expr;
using define::Op;

// Evaluates one block of rows after another; temporaries live until the next block.
class BlockEvaluator {
 public:
  BlockEvaluator(const data::Batch& batch, std::span<const std::int64_t> at,
                 EvaluationCounts& counts)
      : batch_(batch), at_(at), counts_(counts) {}

  // Nothing when the rows make more text than a block may: then nothing is counted either.
  std::optional<Slice> run(const Expr& expr, std::int64_t first, std::int64_t rows) {
    arena_.clear(rows > 1);
    first_ = first;
    rows_ = static_cast<std::size_t>(rows);
    const EvaluationCounts before = counts_;
    const Slice result = evaluate(expr, nullptr);
    if (!arena_.is_spent()) return result;
    counts_ = before;
    return std::nullopt;
  }

 private:
  BlockContext context(const std::uint8_t* used) { return {arena_, counts_, rows_, used}; }

  Slice evaluate(const Expr& expr, const std::uint8_t* used) {
    switch (expr.op) {
      case Op::literal:
        return literal(expr);
      case Op::column:
        return column(batch_.columns[static_cast<std::size_t>(expr.column)]);
      case Op::question_time:
        COEVAL_CHECK(!at_.empty() || rows_ == 0);
        return Slice::of(at_.data() + first_, nullptr);
      case Op::if_else:
      case Op::case_when:
        return branches(expr, used);
      case Op::coalesce:
        return coalesce(expr, used);
      case Op::fn_least:
      case Op::fn_greatest:
        return extremes(expr, used);
      default:
        return function(expr, used);
    }
  }

  // Constants that say how to compute are no values of the rows, and stay empty.
  std::span<const Slice> arguments(const Expr& expr, const std::uint8_t* used) {
    auto* args = arena_.take<Slice>(expr.args.size());
    for (std::size_t i = 0; i < expr.args.size(); ++i)
      args[i] = define::is_setting(expr, i) ? Slice() : evaluate(*expr.args[i], used);
    return {args, expr.args.size()};
  }

  Slice function(const Expr& expr, const std::uint8_t* used) {
    const std::span<const Slice> args = arguments(expr, used);
    const Slice& a = args[0];
    const Type type = expr.args[0]->type;
    const BlockContext block = context(used);
    switch (expr.op) {
      case Op::negate:
      case Op::fn_abs:
        return sign_change(expr.op, lane_of(type), a, block);
      case Op::logical_not:
        return logical_not(a, block);
      case Op::is_null:
      case Op::is_not_null:
        return is_null(a, expr.op == Op::is_null, block);
      case Op::cast:
        return cast(type, expr.type, a, block);
      case Op::convert:
      case Op::try_convert:
        return convert(expr, a, block);
      case Op::nullif:
        return null_if(lane_of(type), a, args[1], block);
      case Op::is_distinct:
        if (reads_decimals(expr)) return decimal_is_distinct(expr, a, args[1], block);
        return is_distinct(lane_of(type), a, args[1], block);
      case Op::fn_clamp:
        return clamp(lane_of(type), a, args[1], args[2], block);
      case Op::fn_seconds:
        return to_duration(kSecondUs, lane_of(type), a, block);
      case Op::fn_minutes:
        return to_duration(kMinuteUs, lane_of(type), a, block);
      case Op::fn_hours:
        return to_duration(kHourUs, lane_of(type), a, block);
      case Op::fn_days:
        return to_duration(kDayUs, lane_of(type), a, block);
      default:
        return of_topic(expr, args, block);
    }
  }

  // Where the functions of one kind are found, by the order of define::Op.
  static Slice of_topic(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
    if (expr.op >= Op::fn_element || data::is_list(expr.args[0]->type))
      return list_function(expr, args, block);
    if (expr.op <= Op::logical_or) return binary(expr, args, block);
    if (expr.op >= Op::fn_year && expr.op <= Op::fn_date_diff)
      return calendar_function(expr, args, block);
    if (expr.op >= Op::fn_sign && expr.op <= Op::fn_trunc && data::is_decimal(expr.args[0]->type))
      return decimal_function(expr, args[0], block);
    if (expr.op >= Op::fn_sign && expr.op <= Op::fn_haversine_km)
      return maths_function(expr, args, block);
    if (expr.op >= Op::fn_hash_bucket) return bucket_function(expr, args[0], block);
    return text_function(expr, args, block);
  }

  static Slice binary(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
    const Type type = expr.args[0]->type;
    const bool decimal = reads_decimals(expr);
    switch (expr.op) {
      case Op::equal:
      case Op::not_equal:
      case Op::less:
      case Op::less_equal:
      case Op::greater:
      case Op::greater_equal:
        if (decimal) return decimal_compare(expr, args[0], args[1], block);
        return compare(expr.op, lane_of(type), args[0], args[1], block);
      case Op::logical_and:
      case Op::logical_or:
        return logical(expr.op, args[0], args[1], block);
      default:
        if (decimal) return decimal_arithmetic(expr, args[0], args[1], block);
        return arithmetic(expr, type, args[0], args[1], block);
    }
  }

  Slice extremes(const Expr& expr, const std::uint8_t* used) {
    Slice best = evaluate(*expr.args[0], used);
    for (std::size_t i = 1; i < expr.args.size(); ++i)
      best = extreme(expr.op == Op::fn_greatest, lane_of(expr.type), best,
                     evaluate(*expr.args[i], used), context(used));
    return best;
  }

  // Rows of `asked` where the condition is true, and the others.
  struct Taken {
    std::uint8_t* yes;
    std::uint8_t* no;
  };
  Taken taken(const Slice& condition, const std::uint8_t* asked) {
    const Taken rows{arena_.take<std::uint8_t>(rows_), arena_.take<std::uint8_t>(rows_)};
    for (std::size_t i = 0; i < rows_; ++i) {
      const std::uint8_t holds = condition.valid == nullptr
                                     ? condition.booleans[i]
                                     : condition.booleans[i] & condition.valid[i];
      const std::uint8_t was_asked = asked == nullptr ? 1 : asked[i];
      rows.yes[i] = was_asked & holds;
      rows.no[i] = was_asked & (holds ^ 1);
    }
    return rows;
  }

  // if and case: each value is computed for the rows that take it, each condition for those that
  // are left.
  Slice branches(const Expr& expr, const std::uint8_t* used) {
    const std::size_t count = expr.args.size() / 2;
    auto* values = arena_.take<Slice>(count);
    auto** takers = arena_.take<const std::uint8_t*>(count);
    const std::uint8_t* left = used;
    for (std::size_t i = 0; i < count; ++i) {
      const Taken rows = taken(evaluate(*expr.args[2 * i], left), left);
      values[i] = evaluate(*expr.args[2 * i + 1], rows.yes);
      takers[i] = rows.yes;
      left = rows.no;
    }
    Slice result = evaluate(*expr.args.back(), left);
    for (std::size_t i = count; i-- > 0;)
      result = select(takers[i], lane_of(expr.type), values[i], result, context(used));
    return result;
  }

  Slice coalesce(const Expr& expr, const std::uint8_t* used) {
    Slice value = evaluate(*expr.args[0], used);
    for (std::size_t i = 1; i < expr.args.size() && value.valid != nullptr; ++i) {
      auto* missing = arena_.take<std::uint8_t>(rows_);
      for (std::size_t row = 0; row < rows_; ++row)
        missing[row] = value.valid[row] == 0 && (used == nullptr || used[row] != 0) ? 1 : 0;
      value = select(value.valid, lane_of(expr.type), value, evaluate(*expr.args[i], missing),
                     context(used));
    }
    return value;
  }

  template <class T>
  Slice repeated(T value) {
    auto* out = arena_.take<T>(rows_);
    std::fill_n(out, rows_, value);
    return Slice::of(out, nullptr);
  }

  Slice literal(const Expr& expr) {
    Slice out;
    switch (lane_of(expr.type)) {
      case Lane::boolean: {
        const bool* v = std::get_if<bool>(&expr.literal);
        out = repeated<std::uint8_t>(v != nullptr && *v ? 1 : 0);
        break;
      }
      case Lane::real: {
        const double* v = std::get_if<double>(&expr.literal);
        const std::int64_t* whole = std::get_if<std::int64_t>(&expr.literal);
        out = repeated<double>(v != nullptr       ? *v
                               : whole != nullptr ? static_cast<double>(*whole)
                                                  : 0.0);
        break;
      }
      case Lane::string: {
        const std::string* v = std::get_if<std::string>(&expr.literal);
        out = repeated<std::string_view>(v != nullptr ? std::string_view(*v) : std::string_view());
        break;
      }
      case Lane::integer: {
        const std::int64_t* v = std::get_if<std::int64_t>(&expr.literal);
        out = repeated<std::int64_t>(v != nullptr ? *v : 0);
        break;
      }
    }
    if (data::is_null(expr.literal)) out.valid = repeated<std::uint8_t>(0).booleans;
    return out;
  }

  const std::uint8_t* validity(const data::Column& column) {
    if (!column.has_nulls()) return nullptr;
    auto* out = arena_.take<std::uint8_t>(rows_);
    for (std::size_t i = 0; i < rows_; ++i)
      out[i] = column.is_null(first_ + static_cast<std::int64_t>(i)) ? 0 : 1;
    return out;
  }

  template <class From, class To>
  Slice widened(const data::Column& column) {
    const From* values = column.values<From>().data() + first_;
    auto* out = arena_.take<To>(rows_);
    for (std::size_t i = 0; i < rows_; ++i) out[i] = static_cast<To>(values[i]);
    return Slice::of(out, validity(column));
  }

  Slice column(const data::Column& column) {
    if (data::has_bytes(column.type())) return strings(column);
    switch (column.type()) {
      case Type::boolean: {
        auto* out = arena_.take<std::uint8_t>(rows_);
        for (std::size_t i = 0; i < rows_; ++i)
          out[i] = column.bit(first_ + static_cast<std::int64_t>(i)) ? 1 : 0;
        return Slice::of(out, validity(column));
      }
      case Type::float32:
        return widened<float, double>(column);
      case Type::float64:
        return Slice::of(column.values<double>().data() + first_, validity(column));
      case Type::int32:
      case Type::date:
        return widened<std::int32_t, std::int64_t>(column);
      default:
        return Slice::of(column.values<std::int64_t>().data() + first_, validity(column));
    }
  }

  Slice strings(const data::Column& column) {
    auto* out = arena_.take<std::string_view>(rows_);
    for (std::size_t i = 0; i < rows_; ++i) {
      const std::int64_t row = first_ + static_cast<std::int64_t>(i);
      out[i] = column.is_null(row) ? std::string_view() : column.string(row);
    }
    return Slice::of(out, validity(column));
  }

  const data::Batch& batch_;
  std::span<const std::int64_t> at_;
  EvaluationCounts& counts_;
  Arena arena_;
  std::int64_t first_ = 0;
  std::size_t rows_ = 0;
};

// Collects the blocks of a result into a column.
class Collector {
 public:
  Collector(Type type, std::int64_t rows, std::size_t max_column_bytes, EvaluationCounts& counts)
      : type_(type), rows_(rows), counts_(counts), texts_(max_column_bytes, text_type(type)) {
    const auto count = static_cast<std::size_t>(rows);
    if (type == Type::boolean)
      bits_.resize((count + 7) / 8);
    else
      values_.resize(count * data::width(type));
  }

  void add(const Slice& slice, std::int64_t first, std::int64_t rows) {
    if (data::has_bytes(type_)) return add_strings(slice, rows);
    const auto from = static_cast<std::size_t>(first);
    const auto count = static_cast<std::size_t>(rows);
    if (slice.valid != nullptr) add_validity(slice.valid, from, count);
    switch (type_) {
      case Type::boolean:
        for (std::size_t i = 0; i < count; ++i) set_bit(bits_, from + i, slice.booleans[i]);
        break;
      case Type::float32:
        put<float>(slice.reals, from, count);
        break;
      case Type::float64:
        put<double>(slice.reals, from, count);
        break;
      case Type::int32:
      case Type::date:
        put<std::int32_t>(slice.integers, from, count);
        break;
      default:
        put<std::int64_t>(slice.integers, from, count);
    }
  }

  // Only a type that has texts or lists is asked for them.
  static Type text_type(Type type) { return data::has_bytes(type) ? type : Type::string; }

  data::Column finish() {
    if (data::has_bytes(type_)) return texts_.finish();
    if (type_ == Type::boolean)
      return data::Column::boolean(std::move(bits_), std::move(validity_), rows_);
    return data::Column::fixed(type_, std::move(values_), std::move(validity_), rows_);
  }

 private:
  static void set_bit(std::vector<std::uint8_t>& bits, std::size_t row, std::uint8_t bit) {
    bits[row / 8] = static_cast<std::uint8_t>(bits[row / 8] | bit << row % 8);
  }

  template <class T, class From>
  void put(const From* from, std::size_t first, std::size_t count) {
    auto* to = reinterpret_cast<T*>(values_.data()) + first;
    // Which NaN an operation gives is the machine's choice. (semantics: A6)
    if constexpr (std::is_same_v<From, double>) {
      for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<T>(canonical_value(from[i]));
    } else if constexpr (std::is_same_v<T, From>) {
      std::copy_n(from, count, to);
    } else {
      for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]);
    }
  }

  void add_validity(const std::uint8_t* valid, std::size_t first, std::size_t count) {
    if (validity_.empty()) validity_.assign((static_cast<std::size_t>(rows_) + 7) / 8, 0xFF);
    for (std::size_t i = 0; i < count; ++i)
      if (valid[i] == 0) {
        auto& byte = validity_[(first + i) / 8];
        byte = static_cast<std::uint8_t>(byte & ~(1u << (first + i) % 8));
      }
  }

  void add_strings(const Slice& slice, std::int64_t rows) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
      const bool valid = slice.valid == nullptr || slice.valid[i] != 0;
      const bool fits = valid && slice.strings[i].size() <= kMaxResultBytes;
      counts_.long_texts += valid && !fits ? 1 : 0;
      if (!fits)
        texts_.append_null();
      else if (!texts_.append(slice.strings[i]))
        ++counts_.texts_without_room;
    }
  }

  Type type_;
  std::int64_t rows_;
  EvaluationCounts& counts_;
  std::vector<std::byte> values_;
  std::vector<std::uint8_t> bits_, validity_;
  TextColumn texts_;
};

}  // namespace

data::Column evaluate(const Expr& expr, const data::Batch& batch, std::span<const std::int64_t> at,
                      EvaluationCounts& counts, std::size_t max_column_bytes) {
  if (expr.op == Op::column) return batch.columns[static_cast<std::size_t>(expr.column)];
  BlockEvaluator evaluator(batch, at, counts);
  Collector collector(expr.type, batch.rows, max_column_bytes, counts);
  std::int64_t block = kBlockRows;
  for (std::int64_t first = 0; first < batch.rows;) {
    const std::int64_t rows = std::min(block, batch.rows - first);
    if (const auto slice = evaluator.run(expr, first, rows)) {
      collector.add(*slice, first, rows);
      first += rows;
    } else {
      block = std::max<std::int64_t>(1, rows / 2);
    }
  }
  return collector.finish();
}

}  // namespace coeval::kernel

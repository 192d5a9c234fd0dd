#include "kernel/evaluate.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/large_allocator.h"
#include "base/time.h"
#include "define/functions.h"
#include "kernel/block_bits.h"
#include "kernel/block_functions.h"
#include "kernel/block_rows.h"
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
  BlockEvaluator(const BlockLoops& loops, const data::Batch& batch,
                 std::span<const std::int64_t> at, EvaluationCounts& counts)
      : loops_(loops),
        batch_(batch),
        at_(at),
        counts_(counts),
        many_blocks_(batch.rows > kBlockRows) {}

  // Nothing when the rows make more text than a block may: then nothing is counted either.
  std::optional<Slice> run(const Expr& expr, std::int64_t first, std::int64_t rows) {
    arena_.clear(rows > 1);
    read_columns_.clear();
    first_ = first;
    rows_ = static_cast<std::size_t>(rows);
    const EvaluationCounts before = counts_;
    const Slice result = evaluate(expr, nullptr);
    if (!arena_.is_spent()) return result;
    counts_ = before;
    return std::nullopt;
  }

 private:
  BlockContext context(const std::uint8_t* used) { return {arena_, counts_, rows_, used, loops_}; }

  Slice evaluate(const Expr& expr, const std::uint8_t* used) {
    switch (expr.op) {
      case Op::literal:
        return literal(expr);
      case Op::column:
        return column(expr, Lane::integer);
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
    if (is_column_as_real(expr)) return column(*expr.args[0], Lane::real);
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
    const std::uint8_t* yes;
    const std::uint8_t* no;
  };
  Taken taken(const Slice& condition, const std::uint8_t* asked) {
    const std::uint8_t* yes = both_valid(condition.booleans, condition.valid, context(asked));
    auto* no = arena_.take<std::uint8_t>(rows_);
    if (asked == nullptr) {
      inverse(yes, no, rows_);
      return {yes, no};
    }
    first_only(asked, yes, no, rows_);
    return {both_valid(asked, yes, context(asked)), no};
  }

  bool any(const std::uint8_t* rows) const { return std::memchr(rows, 1, rows_) != nullptr; }

  // if and case: each value is computed for the rows that take it, each condition for those that
  // are left; neither where no row of the block does.
  Slice branches(const Expr& expr, const std::uint8_t* used) {
    const std::size_t count = expr.args.size() / 2;
    auto* values = arena_.take<Slice>(count + 1);
    auto** takers = arena_.take<const std::uint8_t*>(count);
    const std::uint8_t* left = used;
    std::size_t taking = 0;
    bool rest = true;
    for (std::size_t i = 0; i < count && rest; ++i) {
      const Taken rows = taken(evaluate(*expr.args[2 * i], left), left);
      left = rows.no;
      rest = any(left);
      if (!any(rows.yes)) continue;
      values[taking] = evaluate(*expr.args[2 * i + 1], rows.yes);
      takers[taking++] = rows.yes;
    }
    // The last that takes rows takes what the others leave, for unused rows may hold any value.
    Slice result = rest || taking == 0 ? evaluate(*expr.args.back(), left) : values[--taking];
    while (taking-- > 0)
      result = select(takers[taking], lane_of(expr.type), values[taking], result, context(used));
    return result;
  }

  Slice coalesce(const Expr& expr, const std::uint8_t* used) {
    Slice value = evaluate(*expr.args[0], used);
    for (std::size_t i = 1; i < expr.args.size() && value.valid != nullptr; ++i) {
      auto* missing = arena_.take<std::uint8_t>(rows_);
      if (used == nullptr)
        inverse(value.valid, missing, rows_);
      else
        first_only(used, value.valid, missing, rows_);
      if (!any(missing)) break;
      value = select(value.valid, lane_of(expr.type), value, evaluate(*expr.args[i], missing),
                     context(used));
    }
    return value;
  }

  // Literals are made once for all blocks.
  Slice literal(const Expr& expr) {
    if (!many_blocks_) return repeated(expr, arena_);
    for (const auto& [known, values] : literals_)
      if (known == &expr) return values;
    if (literals_.size() == kMaxKnown) return repeated(expr, arena_);
    return literals_.emplace_back(&expr, repeated(expr, literal_arena_)).second;
  }

  template <class T>
  Slice repeated(T value, Arena& arena) {
    const auto rows = many_blocks_ ? static_cast<std::size_t>(kBlockRows) : rows_;
    auto* out = arena.take<T>(rows);
    std::fill_n(out, rows, value);
    return Slice::of(out, nullptr);
  }

  Slice repeated(const Expr& expr, Arena& arena) {
    Slice out;
    switch (lane_of(expr.type)) {
      case Lane::boolean: {
        const bool* v = std::get_if<bool>(&expr.literal);
        out = repeated<std::uint8_t>(v != nullptr && *v ? 1 : 0, arena);
        break;
      }
      case Lane::real: {
        const double* v = std::get_if<double>(&expr.literal);
        const std::int64_t* whole = std::get_if<std::int64_t>(&expr.literal);
        const double real = whole != nullptr ? static_cast<double>(*whole) : 0.0;
        out = repeated<double>(v != nullptr ? *v : real, arena);
        break;
      }
      case Lane::string: {
        const std::string* v = std::get_if<std::string>(&expr.literal);
        out = repeated(v != nullptr ? std::string_view(*v) : std::string_view(), arena);
        break;
      }
      case Lane::integer: {
        const std::int64_t* v = std::get_if<std::int64_t>(&expr.literal);
        out = repeated<std::int64_t>(v != nullptr ? *v : 0, arena);
        break;
      }
    }
    if (data::is_null(expr.literal)) out.valid = repeated<std::uint8_t>(0, arena).booleans;
    return out;
  }

  // A cast that is done while the column is read; of int32 without int64 in between, which gives
  // the same bits.
  bool is_column_as_real(const Expr& expr) const {
    return expr.op == Op::cast && data::is_float(expr.type) && expr.args[0]->op == Op::column &&
           data::is_integer(expr.args[0]->type);
  }

  // A column read once a block however often it stands in the expression. `lane` is real for the
  // values of an integer column as reals.
  struct ReadColumn {
    int column;
    Lane lane;
    Slice values;
  };
  Slice column(const Expr& expr, Lane lane) {
    const data::Column& column = batch_.columns[static_cast<std::size_t>(expr.column)];
    const bool lies_so = data::width(column.type()) == 8 && lane == Lane::integer;
    if (rows_ == 1 || (lies_so && !column.has_nulls())) return values_of(column, lane);
    for (const ReadColumn& known : read_columns_)
      if (known.column == expr.column && known.lane == lane) return known.values;
    const Slice values = values_of(column, lane);
    if (read_columns_.size() < kMaxKnown) read_columns_.push_back({expr.column, lane, values});
    return values;
  }

  // Null where no row of the block is null.
  const std::uint8_t* validity(const data::Column& column) {
    if (!column.has_nulls()) return nullptr;
    auto* out = arena_.take<std::uint8_t>(rows_);
    return bytes_of_bits(column.validity_data(), static_cast<std::size_t>(first_), out, rows_)
               ? nullptr
               : out;
  }

  template <class From, class To>
  Slice widened(const data::Column& column, void (*widen)(const From*, To*, std::size_t)) {
    auto* out = arena_.take<To>(rows_);
    widen(column.values<From>().data() + first_, out, rows_);
    return Slice::of(out, validity(column));
  }

  Slice values_of(const data::Column& column, Lane lane) {
    if (data::has_bytes(column.type())) return strings(column);
    const bool real = lane == Lane::real;
    switch (column.type()) {
      case Type::boolean: {
        auto* out = arena_.take<std::uint8_t>(rows_);
        bytes_of_bits(static_cast<const std::uint8_t*>(column.values_data()),
                      static_cast<std::size_t>(first_), out, rows_);
        return Slice::of(out, validity(column));
      }
      case Type::float32:
        return widened(column, loops_.float32_to_reals);
      case Type::float64:
        return Slice::of(column.values<double>().data() + first_, validity(column));
      case Type::int32:
      case Type::date:
        return real ? widened(column, loops_.int32_to_reals)
                    : widened(column, loops_.int32_to_integers);
      default:
        if (real) return widened(column, loops_.integers_to_reals);
        return Slice::of(column.values<std::int64_t>().data() + first_, validity(column));
    }
  }

  Slice strings(const data::Column& column) {
    auto* out = arena_.take<std::string_view>(rows_);
    if (column.has_nulls()) {
      for (std::size_t i = 0; i < rows_; ++i) {
        const std::int64_t row = first_ + static_cast<std::int64_t>(i);
        out[i] = column.is_null(row) ? std::string_view() : column.string(row);
      }
      return Slice::of(out, validity(column));
    }
    const data::Column& texts = column.is_coded() ? column.dictionary() : column;
    const std::int32_t* const offsets = texts.offsets_data();
    const char* const bytes = texts.bytes_data();
    const auto text = [offsets, bytes](std::int64_t at) {
      const std::int32_t begin = offsets[at];
      return std::string_view(bytes + begin, static_cast<std::size_t>(offsets[at + 1] - begin));
    };
    if (column.is_coded()) {
      const auto* const codes = static_cast<const std::int32_t*>(column.values_data()) + first_;
      for (std::size_t i = 0; i < rows_; ++i) out[i] = text(codes[i]);
    } else {
      for (std::size_t i = 0; i < rows_; ++i) out[i] = text(first_ + static_cast<std::int64_t>(i));
    }
    return Slice::of(out, nullptr);
  }

  // So many columns and literals are found again; more are made again.
  static constexpr std::size_t kMaxKnown = 32;

  const BlockLoops& loops_;
  const data::Batch& batch_;
  std::span<const std::int64_t> at_;
  EvaluationCounts& counts_;
  const bool many_blocks_;
  Arena arena_;
  Arena literal_arena_;
  std::vector<ReadColumn> read_columns_;
  std::vector<std::pair<const Expr*, Slice>> literals_;
  std::int64_t first_ = 0;
  std::size_t rows_ = 0;
};

// Collects the blocks of a result of fixed width into a column.
class Collector {
 public:
  Collector(Type type, std::int64_t rows, const BlockLoops& loops)
      : type_(type), rows_(rows), loops_(loops) {
    const auto count = static_cast<std::size_t>(rows);
    bitmap_bytes_ = (count + 7) / 8;
    const std::size_t bytes = type == Type::boolean ? bitmap_bytes_ : count * data::width(type);
    values_ = allocated(bytes + bitmap_bytes_);
    validity_ = reinterpret_cast<std::uint8_t*>(values_ + bytes);
    if (type == Type::boolean) std::memset(values_, 0, bytes);
  }

  void add(const Slice& slice, std::int64_t first, std::int64_t rows) {
    const auto from = static_cast<std::size_t>(first);
    const auto count = static_cast<std::size_t>(rows);
    if (slice.valid != nullptr) add_validity(slice.valid, from, count);
    switch (type_) {
      case Type::boolean:
        set_bits(slice.booleans, reinterpret_cast<std::uint8_t*>(values_), from, count);
        break;
      case Type::float32:  // which NaN an operation gives is the machine's choice (semantics: A6)
        put<float>(slice.reals, from, count, [](double x) { return canonical_value(x); });
        break;
      case Type::float64:
        loops_.canonical(slice.reals, reinterpret_cast<double*>(values_) + from, count);
        break;
      case Type::int32:
      case Type::date:
        put<std::int32_t>(slice.integers, from, count, std::identity());
        break;
      default:
        std::memcpy(values_ + from * 8, slice.integers, count * 8);
    }
  }

  data::Column finish() {
    return data::Column::borrowed(type_, rows_, any_null_ ? validity_ : nullptr, values_, nullptr,
                                  nullptr, nullptr, std::move(owner_));
  }

 private:
  std::byte* allocated(std::size_t bytes) {
    if (bytes < kLargeBytes) {
      const auto memory = std::make_shared_for_overwrite<std::uint64_t[]>((bytes + 7) / 8);
      owner_ = memory;
      return reinterpret_cast<std::byte*>(memory.get());
    }
    const auto memory = std::make_shared<LargeVector<std::byte>>(bytes);
    owner_ = memory;
    return memory->data();
  }

  template <class T, class From, class Apply>
  void put(const From* from, std::size_t first, std::size_t count, Apply apply) {
    auto* to = reinterpret_cast<T*>(values_) + first;
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<T>(apply(from[i]));
  }

  // The bitmap is written from the first null on.
  void add_validity(const std::uint8_t* valid, std::size_t first, std::size_t count) {
    if (!any_null_ && std::memchr(valid, 0, count) == nullptr) return;
    if (!any_null_) std::memset(validity_, 0xFF, bitmap_bytes_);
    any_null_ = true;
    clear_bits(valid, validity_, first, count);
  }

  const Type type_;
  const std::int64_t rows_;
  const BlockLoops& loops_;
  std::shared_ptr<const void> owner_;
  std::byte* values_ = nullptr;
  std::uint8_t* validity_ = nullptr;
  std::size_t bitmap_bytes_ = 0;
  bool any_null_ = false;
};

// The same for texts and lists.
class TextCollector {
 public:
  TextCollector(Type type, std::size_t max_column_bytes, EvaluationCounts& counts)
      : counts_(counts), texts_(max_column_bytes, type) {}

  void add(const Slice& slice, std::int64_t, std::int64_t rows) {
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

  data::Column finish() { return texts_.finish(); }

 private:
  EvaluationCounts& counts_;
  TextColumn texts_;
};

template <class Collect>
data::Column collected(BlockEvaluator& evaluator, const Expr& expr, std::int64_t all_rows,
                       Collect collector) {
  std::int64_t block = kBlockRows;
  for (std::int64_t first = 0; first < all_rows;) {
    const std::int64_t rows = std::min(block, all_rows - first);
    if (const auto slice = evaluator.run(expr, first, rows)) {
      collector.add(*slice, first, rows);
      first += rows;
    } else {
      block = std::max<std::int64_t>(1, rows / 2);
    }
  }
  return collector.finish();
}

// For fewer rows choosing loops costs more than they save.
constexpr std::int64_t kFewRows = 16;

}  // namespace

data::Column evaluate(const Expr& expr, const data::Batch& batch, std::span<const std::int64_t> at,
                      EvaluationCounts& counts, std::size_t max_column_bytes) {
  const BlockLoops& loops = batch.rows < kFewRows ? plain_loops() : quickest_loops();
  return evaluate_by(loops, expr, batch, at, counts, max_column_bytes);
}

data::Column evaluate_by(const BlockLoops& loops, const Expr& expr, const data::Batch& batch,
                         std::span<const std::int64_t> at, EvaluationCounts& counts,
                         std::size_t max_column_bytes) {
  if (expr.op == Op::column) return batch.columns[static_cast<std::size_t>(expr.column)];
  BlockEvaluator evaluator(loops, batch, at, counts);
  if (data::has_bytes(expr.type))
    return collected(evaluator, expr, batch.rows,
                     TextCollector(expr.type, max_column_bytes, counts));
  return collected(evaluator, expr, batch.rows, Collector(expr.type, batch.rows, loops));
}

}  // namespace coeval::kernel

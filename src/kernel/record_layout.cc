#include "kernel/record_layout.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace coeval::kernel {

namespace {

using data::Type;
using define::Aggregation;
using define::Expr;
using define::ExprPtr;
using define::Op;

std::string canonical_or_nothing(const ExprPtr& expr) {
  return expr ? define::canonical(*expr) : std::string();
}

// Whether an operation of this node can make a null of arguments that are not null.
bool makes_nulls(const Expr& expr) {
  switch (expr.op) {
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::negate:
    case Op::fn_abs:
      return !data::is_float(expr.type);
    case Op::divide:
      return expr.args[1]->op == Op::cast;
    case Op::modulo:
    case Op::fn_seconds:
    case Op::fn_minutes:
    case Op::fn_hours:
    case Op::fn_days:
    case Op::if_else:
    case Op::coalesce:
    case Op::logical_and:
    case Op::logical_or:
      return true;
    default:
      return false;
  }
}

// The nullable columns of which one null makes the expression null, and nothing else does; or
// nothing when that cannot be said. Arguments with the same set share one bit.
std::optional<std::set<int>> null_causes(const Expr& expr, const data::Schema& source) {
  if (expr.op == Op::is_null || expr.op == Op::is_not_null || expr.op == Op::question_time)
    return std::set<int>{};
  if (expr.op == Op::literal && data::is_null(expr.literal)) return std::nullopt;
  if (expr.op == Op::column) {
    const bool nullable = source.fields[static_cast<std::size_t>(expr.column)].nullable;
    return nullable ? std::set<int>{expr.column} : std::set<int>{};
  }
  if (makes_nulls(expr)) return std::nullopt;
  std::set<int> all;
  for (const auto& arg : expr.args) {
    auto causes = null_causes(*arg, source);
    if (!causes) return std::nullopt;
    all.merge(*causes);
  }
  return all;
}

std::string null_key(const ExprPtr& argument, const data::Schema& source) {
  if (!argument) return {};
  const auto causes = null_causes(*argument, source);
  if (!causes) return "null in " + define::canonical(*argument);
  std::string key;
  for (const int column : *causes) key += "column " + std::to_string(column) + " ";
  return key;
}

// The argument as it is stored: without a cast that only widens.
ExprPtr stored_argument(const ExprPtr& argument) {
  if (argument && argument->op == Op::cast && argument->type == Type::int64)
    return argument->args[0];
  return argument;
}

Storage storage_of(Type type) {
  switch (type) {
    case Type::boolean:
      return Storage::bit;
    case Type::int32:
    case Type::date:
      return Storage::narrow;
    case Type::float32:
    case Type::float64:
      return Storage::real;
    default:
      return Storage::wide;
  }
}

bool is_summed(Aggregation kind) { return kind == Aggregation::sum || kind == Aggregation::mean; }
bool is_ordered(Aggregation kind) { return !is_summed(kind) && kind != Aggregation::count; }

// Gives each distinct bit and value one place.
class LayoutBuilder {
 public:
  explicit LayoutBuilder(const data::Schema& source) : source_(source) { add_bit("", {}); }

  Measure measure(const define::Aggregate& aggregate) {
    const ExprPtr argument = stored_argument(aggregate.argument);
    const std::string where = "where " + canonical_or_nothing(aggregate.where);
    const std::string nulls = null_key(argument, source_);
    Measure out;
    out.part_bit = aggregate.where || !nulls.empty()
                       ? add_bit(where + "; " + nulls, {aggregate.where, argument, false})
                       : 0;
    if (aggregate.kind == Aggregation::count) return out;
    const std::string value = where + "; value " + define::canonical(*argument);
    out.storage = storage_of(argument->type);
    if (out.storage == Storage::bit) {
      out.slot = add_bit(value, {aggregate.where, argument, true});
    } else {
      auto& slots = slots_of(out.storage);
      const auto known = std::find(slots.keys.begin(), slots.keys.end(), value);
      out.slot = static_cast<int>(known - slots.keys.begin());
      if (known == slots.keys.end()) {
        slots.keys.push_back(value);
        slots.slots->push_back({argument, out.part_bit});
      }
    }
    return out;
  }

  RecordLayout finish() {
    layout_.bit_count = layout_.bits.size();
    layout_.narrow_count = layout_.narrow.size();
    for (auto& plan : layout_.aggregates) {
      if (plan.measure.storage == Storage::bit) plan.linear = plan.measure.slot;
      if (plan.measure.storage == Storage::narrow)
        plan.linear = static_cast<int>(layout_.bit_count) + plan.measure.slot;
    }
    layout_.narrow_at = kFlagsAt + 4 * layout_.words();
    const std::size_t narrow_end = layout_.narrow_at + 4 * layout_.narrow_count;
    layout_.wide_at = (narrow_end + 7) / 8 * 8;
    layout_.real_at = layout_.wide_at + 8 * layout_.wide.size();
    layout_.stride = layout_.real_at + 8 * layout_.real.size();
    layout_.text = "record 1\n";
    for (const auto& key : bit_keys_) layout_.text += "bit " + key + "\n";
    for (const auto& [name, slots] :
         {std::pair{"narrow ", &narrow_}, std::pair{"wide ", &wide_}, std::pair{"real ", &real_}})
      for (const auto& key : slots->keys) layout_.text += name + key + "\n";
    return std::move(layout_);
  }
  RecordLayout& layout() { return layout_; }

 private:
  struct Slots {
    std::vector<RecordLayout::Slot>* slots;
    std::vector<std::string> keys;
  };

  int add_bit(const std::string& key, RecordLayout::Bit bit) {
    const auto known = std::find(bit_keys_.begin(), bit_keys_.end(), key);
    if (known != bit_keys_.end()) return static_cast<int>(known - bit_keys_.begin());
    bit_keys_.push_back(key);
    layout_.bits.push_back(std::move(bit));
    return static_cast<int>(bit_keys_.size()) - 1;
  }
  Slots& slots_of(Storage storage) {
    return storage == Storage::narrow ? narrow_ : storage == Storage::wide ? wide_ : real_;
  }

  const data::Schema& source_;
  RecordLayout layout_;
  std::vector<std::string> bit_keys_;
  Slots narrow_{&layout_.narrow, {}}, wide_{&layout_.wide, {}}, real_{&layout_.real, {}};
};

int ordered_index(std::vector<Measure>& ordered, const Measure& measure) {
  for (std::size_t i = 0; i < ordered.size(); ++i)
    if (ordered[i].part_bit == measure.part_bit && ordered[i].storage == measure.storage &&
        ordered[i].slot == measure.slot)
      return static_cast<int>(i);
  ordered.push_back(measure);
  return static_cast<int>(ordered.size()) - 1;
}

}  // namespace

Result<RecordLayout> RecordLayout::create(const define::View& view, const data::Schema& source) {
  LayoutBuilder builder(source);
  auto& layout = builder.layout();
  layout.aggregates.resize(view.aggregates.size());
  // Summed arguments come first, so that the summed slots are the leading ones.
  for (const bool summed : {true, false}) {
    for (std::size_t i = 0; i < view.aggregates.size(); ++i) {
      const auto& aggregate = view.aggregates[i];
      if (is_summed(aggregate.kind) != summed) continue;
      if (aggregate.argument && aggregate.argument->type == Type::string &&
          aggregate.kind != Aggregation::count)
        return fail(Code::unsupported,
                    "aggregate '" + view.name + "." + aggregate.name + "' is over strings",
                    "count(x) is the only aggregate over strings");
      AggregatePlan& plan = layout.aggregates[i];
      plan.kind = aggregate.kind;
      plan.result = aggregate.result;
      plan.measure = builder.measure(aggregate);
      if (is_ordered(aggregate.kind)) plan.ordered = ordered_index(layout.ordered, plan.measure);
    }
    if (summed) layout.summed_wide = layout.wide.size();
    if (summed) layout.summed_real = layout.real.size();
  }
  return builder.finish();
}

}  // namespace coeval::kernel

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
  if (!define::null_only_by_arguments(expr)) return std::nullopt;
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
  if (data::is_list(type)) return Storage::string;
  switch (type) {
    case Type::boolean:
      return Storage::bit;
    case Type::int32:
    case Type::date:
      return Storage::narrow;
    case Type::float32:
    case Type::float64:
      return Storage::real;
    case Type::string:
      return Storage::string;
    default:
      return Storage::wide;
  }
}

bool is_summed(Aggregation kind) {
  return kind == Aggregation::sum || kind == Aggregation::mean || kind == Aggregation::ratio;
}
bool is_ordered(const AggregatePlan& plan) {
  switch (plan.kind) {
    case Aggregation::min:
    case Aggregation::max:
    case Aggregation::first:
    case Aggregation::last:
      return plan.measure.storage != Storage::string;
    case Aggregation::since_first:
    case Aggregation::since_last:
      return true;
    default:
      return false;
  }
}
bool is_power(Aggregation kind) {
  return kind == Aggregation::var || kind == Aggregation::std || kind == Aggregation::var_pop ||
         kind == Aggregation::std_pop || kind == Aggregation::slope;
}

using Gather = CollectionPlan::Gather;

// What is gathered for an aggregate; nothing for those that sums or extremes answer.
std::optional<Gather> gather_of(const AggregatePlan& plan) {
  switch (plan.kind) {
    case Aggregation::distinct:
      return Gather::distinct;
    case Aggregation::quantile:
      return Gather::quantile;
    case Aggregation::mode:
    case Aggregation::top_k:
      return Gather::mode;
    case Aggregation::lag:
    case Aggregation::last_k:
    case Aggregation::latest:
      return Gather::newest;
    case Aggregation::min:
    case Aggregation::max:
    case Aggregation::first:
    case Aggregation::last:
      if (plan.measure.storage == Storage::string) return Gather::string_extremes;
      return std::nullopt;
    case Aggregation::decayed_sum:
    case Aggregation::decayed_mean:
      return Gather::decayed;
    default:
      return std::nullopt;
  }
}

std::string text_of(const Measure& measure) {
  return " " + std::to_string(measure.part_bit) + " " +
         std::to_string(static_cast<int>(measure.storage)) + " " + std::to_string(measure.slot);
}
std::string text_of(const PowerPlan& plan) {
  return (plan.against_time ? "slope" : "moments") + text_of(plan.measure) + "\n";
}
std::string text_of(const CollectionPlan& plan) {
  return "collection " + std::to_string(static_cast<int>(plan.gather)) + text_of(plan.measure) +
         " " + std::to_string(plan.counted_bit) + " " + std::to_string(plan.keep) + " " +
         std::to_string(plan.half_life_us) + "\n";
}

// Gives each distinct bit and value one place.
class LayoutBuilder {
 public:
  explicit LayoutBuilder(const data::Schema& source) : source_(source) { add_bit("", {}); }

  Measure measure(const define::Aggregate& aggregate, const ExprPtr& given) {
    const ExprPtr argument = stored_argument(given);
    const std::string where = "where " + canonical_or_nothing(aggregate.where);
    const std::string nulls = null_key(argument, source_);
    Measure out;
    out.part_bit = aggregate.where || !nulls.empty()
                       ? add_bit(where + "; " + nulls, {aggregate.where, argument, false})
                       : 0;
    if (aggregate.kind == Aggregation::count || !argument) return out;
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

  // The bit of events that `where` keeps.
  int where_bit(const define::Aggregate& aggregate) {
    define::Aggregate rows;
    rows.where = aggregate.where;
    return measure(rows, nullptr).part_bit;
  }

  RecordLayout finish() {
    layout_.bit_count = layout_.bits.size();
    layout_.narrow_count = layout_.narrow.size();
    for (auto& plan : layout_.aggregates) {
      plan.linear = linear_of(plan.measure);
      plan.divisor_linear = linear_of(plan.divisor);
    }
    layout_.narrow_at = kFlagsAt + 4 * layout_.words();
    const std::size_t narrow_end = layout_.narrow_at + 4 * layout_.narrow_count;
    layout_.wide_at = (narrow_end + 7) / 8 * 8;
    layout_.real_at = layout_.wide_at + 8 * layout_.wide.size();
    layout_.strings_at = layout_.real_at + 8 * layout_.real.size();
    layout_.name_at = layout_.strings_at + 8 * layout_.strings.size();
    layout_.sequence_at = layout_.name_at + 16;
    layout_.stride = layout_.replaceable ? layout_.sequence_at + 8 : layout_.name_at;
    layout_.text = "record 1\n";
    if (layout_.replaceable) layout_.text += "replaceable\n";
    for (const auto& key : bit_keys_) layout_.text += "bit " + key + "\n";
    for (const auto& [name, slots] : {std::pair{"narrow ", &narrow_}, std::pair{"wide ", &wide_},
                                      std::pair{"real ", &real_}, std::pair{"string ", &strings_}})
      for (const auto& key : slots->keys) layout_.text += name + key + "\n";
    for (const auto& plan : layout_.powers) layout_.text += text_of(plan);
    for (const auto& plan : layout_.collections) layout_.text += text_of(plan);
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
    switch (storage) {
      case Storage::narrow:
        return narrow_;
      case Storage::wide:
        return wide_;
      case Storage::string:
        return strings_;
      default:
        return real_;
    }
  }
  int linear_of(const Measure& measure) const {
    if (measure.storage == Storage::bit) return measure.slot;
    if (measure.storage != Storage::narrow) return -1;
    return static_cast<int>(layout_.bit_count) + measure.slot;
  }

  const data::Schema& source_;
  RecordLayout layout_;
  std::vector<std::string> bit_keys_;
  Slots narrow_{&layout_.narrow, {}}, wide_{&layout_.wide, {}}, real_{&layout_.real, {}};
  Slots strings_{&layout_.strings, {}};
};

// The index of a plan among those that there are, where it is put if it is new.
template <class Plan>
int index_of(std::vector<Plan>& plans, const Plan& plan) {
  const auto known = std::ranges::find(plans, plan);
  const auto index = static_cast<int>(known - plans.begin());
  if (known == plans.end()) plans.push_back(plan);
  return index;
}

// The plan of one aggregate whose measures are settled.
void plan_answer(const define::Aggregate& aggregate, LayoutBuilder& builder, AggregatePlan& plan) {
  RecordLayout& layout = builder.layout();
  if (is_ordered(plan)) plan.ordered = index_of(layout.ordered, plan.measure);
  if (is_power(plan.kind))
    plan.power = index_of(layout.powers, PowerPlan{plan.measure, plan.kind == Aggregation::slope});
  const auto gather = gather_of(plan);
  if (!gather) return;
  CollectionPlan collection{*gather, plan.measure, plan.measure.part_bit, 0, 0};
  plan.k = static_cast<std::size_t>(aggregate.k);
  if (*gather == Gather::newest) collection.keep = plan.k + 1;
  if (plan.kind == Aggregation::last_k) collection.keep = plan.k;
  if (plan.kind == Aggregation::latest) collection.counted_bit = builder.where_bit(aggregate);
  if (*gather == Gather::decayed) collection.half_life_us = aggregate.half_life_us;
  plan.collection = index_of(layout.collections, collection);
  if (plan.kind == Aggregation::decayed_mean)
    layout.collections[static_cast<std::size_t>(plan.collection)].weighs = true;
}

}  // namespace

RecordLayout RecordLayout::create(const define::View& view, const data::Schema& source,
                                  bool replaceable) {
  LayoutBuilder builder(source);
  auto& layout = builder.layout();
  layout.replaceable = replaceable;
  layout.aggregates.resize(view.aggregates.size());
  // Summed arguments come first, so that the summed slots are the leading ones.
  for (const bool summed : {true, false}) {
    for (std::size_t i = 0; i < view.aggregates.size(); ++i) {
      const auto& aggregate = view.aggregates[i];
      if (is_summed(aggregate.kind) != summed) continue;
      AggregatePlan& plan = layout.aggregates[i];
      plan.kind = aggregate.kind;
      plan.result = aggregate.result;
      plan.p = aggregate.p;
      if (aggregate.argument) plan.scale = data::scale_of(aggregate.argument->type);
      if (aggregate.divisor) plan.divisor_scale = data::scale_of(aggregate.divisor->type);
      plan.measure = builder.measure(aggregate, aggregate.argument);
      if (aggregate.divisor) plan.divisor = builder.measure(aggregate, aggregate.divisor);
      plan_answer(aggregate, builder, plan);
    }
    if (summed) layout.summed_wide = layout.wide.size();
    if (summed) layout.summed_real = layout.real.size();
  }
  return builder.finish();
}

}  // namespace coeval::kernel

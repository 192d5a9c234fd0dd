#include "quality/row_memory.h"

#include <algorithm>
#include <utility>

namespace coeval::quality {

namespace {

std::string key_of(const define::Check& check) {
  return std::to_string(check.other_source) + '.' + std::to_string(check.other_column);
}

}  // namespace

Result<std::unique_ptr<RowMemory>> RowMemory::create(const define::Project& project,
                                                     define::Environment environment) {
  std::unique_ptr<RowMemory> memory(new RowMemory);
  for (std::size_t i = 0; i < project.sources.size(); ++i) {
    const define::Source& source = project.sources[i];
    for (const define::Check& check : source.checks) {
      if (check.kind == define::CheckKind::refers) {
        Keys& keys = memory->keys_[key_of(check)];
        keys.source = check.other_source;
        keys.column = check.other_column;
      }
      if (check.kind != define::CheckKind::increasing) continue;
      Order& order = memory->orders_[static_cast<int>(i)];
      if (order.checks) continue;
      COEVAL_ASSIGN(order.checks, RowChecks::compile(source, environment));
    }
  }
  memory->known_keys_ = [&keys = memory->keys_](const define::Check& check,
                                                const data::Column& values,
                                                std::span<const std::int64_t> before,
                                                std::span<std::uint8_t> known) -> Status {
    const Keys& asked = keys.at(key_of(check));
    COEVAL_TRY(asked.full);
    asked.times.answer(values, before, known);
    return {};
  };
  return memory;
}

bool RowMemory::asks_for(int source) const {
  return orders_.contains(source) ||
         std::ranges::any_of(keys_, [&](const auto& keys) { return keys.second.source == source; });
}

void RowMemory::remember(int source, const data::Batch& rows,
                         std::span<const std::int64_t> known_us) {
  trial_.reset();
  if (rows.rows == 0) return;
  if (const auto order = orders_.find(source); order != orders_.end())
    order->second.checks->follow(rows, order->second.last);
  for (auto& [name, keys] : keys_)
    if (keys.source == source && keys.full)
      keys.full = keys.times.add(rows.columns[static_cast<std::size_t>(keys.column)], known_us);
}

RowContext RowMemory::context(int source, std::span<const std::int64_t> arrivals) {
  RowContext context{arrivals, nullptr, keys_.empty() ? nullptr : &known_keys_};
  if (const auto order = orders_.find(source); order != orders_.end()) {
    trial_.emplace(LastValues::over(order->second.last));
    context.last_values = &*trial_;
  }
  return context;
}

}  // namespace coeval::quality

#include "ingest/surroundings.h"

#include <algorithm>
#include <utility>

namespace coeval::ingest {

namespace {

const define::Source& source_at(const Past& past, int source) {
  return past.project.sources[static_cast<std::size_t>(source)];
}

Status has_rows_somewhere(const Past& past, int source, const std::string& asking) {
  const define::Source& other = source_at(past, source);
  if (!other.path.empty() || past.log != nullptr) return {};
  return fail(Code::no_such_file,
              "'" + asking + "' asks for rows of source '" + other.name +
                  "', which has no file, and there is no log",
              "give the source a path, or ingest it first");
}

}  // namespace

Status Surroundings::read_keys(const define::Check& check) {
  COEVAL_TRY(has_rows_somewhere(past_, check.other_source, check.rule_name()));
  auto times = std::make_unique<quality::KeyTimes>();
  const auto add = [&](const data::Batch& rows, std::span<const std::int64_t> known_us) {
    return times->add(rows.columns[static_cast<std::size_t>(check.other_column)], known_us);
  };
  COEVAL_TRY(read_past(past_, check.other_source, {}, add));
  keys_.emplace(check.name, std::move(times));
  return {};
}

Result<Surroundings> Surroundings::read_for_rows(const Past& past, int source) {
  Surroundings around(past);
  for (const define::Check& check : source_at(past, source).checks)
    if (check.kind == define::CheckKind::refers) COEVAL_TRY(around.read_keys(check));
  return around;
}

Result<Surroundings> Surroundings::read(const Past& past, int source, const std::string& file) {
  COEVAL_ASSIGN(Surroundings around, read_for_rows(past, source));
  const define::Source& declared = source_at(past, source);
  const bool asks_volume = std::ranges::any_of(declared.checks, [](const define::Check& check) {
    return check.kind == define::CheckKind::volume;
  });
  if (!asks_volume) return around;
  quality::HourlyRows hours;
  const auto add = [&](const data::Batch& rows, std::span<const std::int64_t>) -> Status {
    hours.add(rows.columns[static_cast<std::size_t>(declared.time_index)].values<std::int64_t>());
    return {};
  };
  COEVAL_TRY(read_past(past, source, file, add));
  if (!hours.rows.empty()) around.history_ = std::move(hours);
  return around;
}

quality::KnownKeys Surroundings::known_keys() const {
  return [this](const define::Check& check, const data::Column& values,
                std::span<const std::int64_t> before, std::span<std::uint8_t> known) -> Status {
    keys_.at(check.name)->answer(values, before, known);
    return {};
  };
}

quality::BatchContext Surroundings::context(std::int64_t now_us) const {
  quality::BatchContext context;
  context.now_us = now_us;
  if (history_) context.history = &*history_;
  context.other_sum = [this](int source, int column) -> Result<quality::ColumnSum> {
    const define::Source& other = source_at(past_, source);
    COEVAL_TRY(has_rows_somewhere(past_, source, "a sum"));
    quality::ColumnSum sum(other.columns[static_cast<std::size_t>(column)].type);
    const auto add = [&](const data::Batch& rows, std::span<const std::int64_t>) -> Status {
      sum.add(rows.columns[static_cast<std::size_t>(column)]);
      return {};
    };
    COEVAL_TRY(read_past(past_, source, {}, add));
    return sum;
  };
  return context;
}

}  // namespace coeval::ingest

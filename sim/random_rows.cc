#include "random_rows.h"

#include <algorithm>
#include <optional>

#include "base/time.h"
#include "data/json.h"

namespace coeval::sim {

namespace {

struct Row {
  std::int64_t ts_us = 0;
  std::string id;
  std::optional<std::string> replaces;
  bool gone = false;
  std::string key;
  std::int64_t n = 0;
  std::optional<double> x;
  std::optional<std::string> word;
};

std::string id_text(std::int64_t number) { return "e" + std::to_string(number); }

// Most events have just happened; some are late, a few beyond all windows, a few come from a clock
// that is ahead.
std::int64_t random_time(Random& random, std::int64_t now_us) {
  const std::uint64_t kind = random.below(20);
  const auto within = [&](std::int64_t us) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(us)));
  };
  if (kind == 0) return now_us + within(kHourUs);
  if (kind == 1) return now_us - within(40 * kDayUs);
  if (kind < 6) return now_us - within(3 * kHourUs);
  if (kind < 8) return now_us / kHourUs * kHourUs;
  return now_us - within(kMinuteUs);
}

Row random_row(Random& random, RowHabits& habits, std::int64_t now_us) {
  Row row;
  row.ts_us = random_time(random, now_us);
  const auto back = static_cast<std::int64_t>(random.below(12));
  const bool again = random.one_in(8);
  row.id = id_text(again ? std::max<std::int64_t>(0, habits.ids - back) : habits.ids++);
  if (random.one_in(4)) {
    const auto farther = static_cast<std::int64_t>(random.below(30));
    row.replaces = id_text(std::max<std::int64_t>(0, habits.ids + 3 - farther));
  }
  row.gone = random.one_in(6);
  row.key = std::string(1, static_cast<char>('a' + random.below(habits.keys)));
  row.n = static_cast<std::int64_t>(random.below(40)) - 10;
  const std::uint64_t x = random.below(999);
  if (!random.one_in(6)) row.x = random.one_in(12) ? 9e12 : static_cast<double>(x) / 8;
  const std::uint64_t word = random.below(4);
  // Some rows are long, so that records and segments have many lengths.
  const std::uint64_t length = random.one_in(10) ? random.below(habits.longest_text) + 1 : 1;
  if (!random.one_in(6)) row.word = std::string(length, static_cast<char>('p' + word));
  return row;
}

void append_cell(data::ColumnBuilder& to, const std::string& column, const Row& row) {
  const auto text = [&](const std::optional<std::string>& value) {
    value ? to.append_string(*value) : to.append_null();
  };
  if (column == "ts") to.append_integer(row.ts_us);
  if (column == "id") to.append_string(row.id);
  if (column == "r") text(row.replaces);
  if (column == "gone") to.append_boolean(row.gone);
  if (column == "k") to.append_string(row.key);
  if (column == "n") to.append_integer(row.n);
  if (column == "x") row.x ? to.append_real(*row.x) : to.append_null();
  if (column == "w") text(row.word);
}

}  // namespace

data::Batch random_rows(Random& random, RowHabits& habits, const define::Source& source,
                        std::int64_t rows, std::int64_t now_us) {
  std::vector<data::ColumnBuilder> builders;
  for (const data::Field& field : source.schema.fields) builders.emplace_back(field.type);
  for (std::int64_t i = 0; i < rows; ++i) {
    const Row row = random_row(random, habits, now_us);
    for (std::size_t c = 0; c < builders.size(); ++c)
      append_cell(builders[c], source.schema.fields[c].name, row);
  }
  data::Batch batch;
  batch.schema = source.schema;
  batch.rows = rows;
  for (data::ColumnBuilder& builder : builders) batch.columns.push_back(builder.finish());
  return batch;
}

std::string json_of(const data::Batch& rows, std::int64_t row) {
  data::Json json{data::Json::Object{}};
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    const data::Field& field = rows.schema.fields[i];
    json.set(field.name, data::to_json(rows.columns[i].value(row), field.type));
  }
  return json.dump();
}

}  // namespace coeval::sim

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "data/text_tables.h"
#include "define/project.h"
#include "serving/event_rows.h"

// Any bytes as a body of events. No row is lost or told twice. Of NDJSON each line that begins an
// object is judged as it is alone: the same values, or the same rules broken.

namespace {

using namespace coeval;
using serving::EventRows;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr const char* kDefinition = R"toml([project]
name = "fuzz"
[source.s]
time = "t"
known = "event time"
[source.s.columns]
t = { type = "timestamp", known = "t" }
b = { type = "bool", known = "t", nullable = true }
i = { type = "int32", known = "t", nullable = true }
l = { type = "int64", known = "t" }
f = { type = "float64", known = "t", nullable = true }
s = { type = "string", known = "t", nullable = true }
m = { type = "decimal(9,2)", known = "t", nullable = true }
v = { type = "list<float32>(2)", known = "t", nullable = true }
)toml";

const define::Source& source() {
  static const auto checked = define::check_text(kDefinition, "fuzz.toml");
  require(checked.project.has_value());
  return checked.project->sources[0];
}

// The rows are those of the body, each once, good ones and bad ones in order.
void check_rows(const EventRows& rows) {
  std::vector<int> told(static_cast<std::size_t>(rows.rows));
  const auto tell = [&](std::int64_t row) {
    require(row >= 0 && row < rows.rows);
    ++told[static_cast<std::size_t>(row)];
  };
  require(static_cast<std::int64_t>(rows.places.size()) == rows.typed.rows);
  require(rows.raw.size() == rows.places.size());
  for (const std::int64_t place : rows.places) tell(place);
  for (const auto& bad : rows.bad) {
    require(!bad.rules.empty() && !bad.reason.empty());
    tell(bad.row);
  }
  for (const int times : told) require(times == 1);
  std::int64_t last = 0;
  for (const auto& value : rows.unreadable) {
    require(value.row >= last && value.row < rows.typed.rows);
    last = value.row;
    const data::Column& column = rows.typed.columns.at(static_cast<std::size_t>(value.column));
    require(column.is_null(value.row));
  }
}

std::string text_of(const data::Batch& rows, std::int64_t row) {
  const std::int64_t wanted[] = {row};
  return data::write_jsonl(data::take(rows, wanted));
}

std::vector<std::string> rules_of(const EventRows& rows, std::int64_t row) {
  std::vector<std::string> rules;
  for (const auto& value : rows.unreadable)
    if (value.row == row) rules.push_back(value.rule);
  return rules;
}

void check_good_lines(const EventRows& rows) {
  for (std::size_t i = 0; i < rows.places.size(); ++i) {
    const auto alone = serving::read_event_rows(rows.raw[i], source());
    require(alone && alone->typed.rows == 1 && alone->bad.empty());
    require(text_of(alone->typed, 0) == text_of(rows.typed, static_cast<std::int64_t>(i)));
    require(rules_of(*alone, 0) == rules_of(rows, static_cast<std::int64_t>(i)));
  }
}

void check_bad_lines(const EventRows& rows) {
  for (const auto& bad : rows.bad) {
    if (!bad.raw.starts_with('{')) continue;
    const auto alone = serving::read_event_rows(bad.raw, source());
    if (!alone) continue;  // a body that is no JSON at all; in NDJSON it is one bad row
    require(alone->bad.size() == 1 && alone->bad[0].rules == bad.rules);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  if (const auto rows = serving::read_event_rows(body, source())) check_rows(*rows);
  const auto lines = serving::read_event_rows(body, source(), true);
  if (!lines) return 0;
  check_rows(*lines);
  check_good_lines(*lines);
  check_bad_lines(*lines);
  return 0;
}

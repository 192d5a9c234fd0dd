#include <cstdint>
#include <cstdlib>

#include "data/text_tables.h"

// Any bytes as CSV and as JSON lines. No row is lost: lines of good and bad rows ascend and are
// apart. And what was read is written to a text that reads back as the same rows.

namespace {

using namespace coeval;

void require(bool condition) {
  if (!condition) std::abort();
}

data::Schema wide_schema() {
  using data::Type;
  return {{{"b", Type::boolean, true},
           {"i", Type::int32, true},
           {"f", Type::float32, true},
           {"d", Type::float64, false},
           {"s", Type::string, true},
           {"t", Type::timestamp, true},
           {"y", Type::date, false}}};
}

void check_lines(const data::TextTable& table) {
  require(static_cast<std::int64_t>(table.lines.size()) == table.rows.rows);
  for (std::size_t i = 1; i < table.lines.size(); ++i) require(table.lines[i - 1] < table.lines[i]);
  for (std::size_t i = 1; i < table.bad.size(); ++i)
    require(table.bad[i - 1].line < table.bad[i].line);
  for (const auto& bad : table.bad) require(!bad.reason.empty());
}

using Reader = Result<data::TextTable> (*)(std::string_view, const data::Schema&);
using Writer = std::string (*)(const data::Batch&);

void check_table(std::string_view text, const data::Schema& schema, Reader read, Writer write) {
  const auto table = read(text, schema);
  if (!table) return;
  check_lines(*table);
  const std::string written = write(table->rows);
  const auto again = read(written, schema);
  require(again.has_value() && again->bad.empty() && again->rows.rows == table->rows.rows);
  require(write(again->rows) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(bytes), size);
  check_table(text, wide_schema(), data::read_csv, data::write_csv);
  check_table(text, wide_schema(), data::read_jsonl, data::write_jsonl);
  // Most bytes are no header: give them one.
  check_table("b,i,f,d,s,t,y\n" + text, wide_schema(), data::read_csv, data::write_csv);
  check_table("s\n" + text, {{{"s", data::Type::string, true}}}, data::read_csv, data::write_csv);
  return 0;
}

#include <cstdint>
#include <cstdlib>

#include "data/pieces_for_tests.h"
#include "data/text_tables.h"

// Any bytes as JSON lines. No row is lost: lines of good and bad rows ascend and are apart. What
// was read is written to a text that reads back as the same rows. And the decoder of files, given
// the text in pieces, reads what the plain reader does.

namespace {

using namespace coeval;

const std::vector<std::string> kHeld = {"p"};

void require(bool condition) {
  if (!condition) std::abort();
}

data::Schema wide_schema() {
  using data::Type;
  return {{{"b", Type::boolean, true},
           {"i", Type::int32, true},
           {"f", Type::float32, true},
           {"d", Type::float64, true},
           {"s", Type::string, true},
           {"t", Type::timestamp, true},
           {"y", Type::date, true},
           {"m", data::decimal_type(9, 2), true},
           {"p", Type::string, true},
           {"v", data::list_of(Type::float32), true}}};
}

void check_lines(const data::TextTable& table) {
  require(static_cast<std::int64_t>(table.lines.size()) == table.rows.rows);
  for (std::size_t i = 1; i < table.lines.size(); ++i) require(table.lines[i - 1] < table.lines[i]);
  for (std::size_t i = 1; i < table.bad.size(); ++i)
    require(table.bad[i - 1].line < table.bad[i].line);
  for (const auto& bad : table.bad) require(!bad.reason.empty());
}

void check_pieces(std::string_view text, const data::Schema& schema,
                  const Result<data::TextTable>& plain, std::uint64_t seed) {
  for (const std::size_t most : {std::size_t{5}, std::size_t{90}, text.size() + 1}) {
    data::TextOptions options;
    options.code_strings = most == 90;
    options.json_columns = kHeld;
    auto decoder = data::make_jsonl_decoder(schema, options);
    const auto random = [&] { return seed = seed * 6364136223846793005u + 1442695040888963407u; };
    const auto read = data::decode_in_pieces(
        *decoder, text, [&] { return (random() >> 33) % most; },
        [&] { return static_cast<std::int64_t>((random() >> 33) % 4 == 0 ? 1 : 1000); });
    require(data::difference(plain, read).empty());
  }
}

void check_table(std::string_view text, const data::Schema& schema) {
  const auto table = data::read_jsonl(text, schema, kHeld);
  check_pieces(text, schema, table, text.size());
  if (!table) return;
  check_lines(*table);
  const std::string written = data::write_jsonl(table->rows);
  const auto again = data::read_jsonl(written, schema, kHeld);
  require(again.has_value() && again->bad.empty() && again->rows.rows == table->rows.rows);
  require(data::write_jsonl(again->rows) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  check_table(std::string_view(reinterpret_cast<const char*>(bytes), size), wide_schema());
  return 0;
}

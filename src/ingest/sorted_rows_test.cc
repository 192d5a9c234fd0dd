#include "ingest/sorted_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "data/row_codec.h"
#include "stores/faulty_files.h"
#include "stores/temporary_folder.h"

namespace coeval::ingest {

namespace {

using Row = std::pair<std::int64_t, std::string>;

std::vector<Row> rows_of(const SortedRows& sorted) {
  std::vector<Row> rows;
  REQUIRE(sorted.visit([&](const EncodedRow& row) -> Status {
    rows.emplace_back(row.known.us, row.payload);
    return {};
  }));
  return rows;
}

}  // namespace

TEST_CASE("rows come in order of known time, equal ones as they came, spilled or not") {
  const stores::TemporaryFolder folder;
  for (const std::size_t memory : {std::size_t{1}, std::size_t{9} << 20, std::size_t{1} << 30}) {
    CAPTURE(memory);
    std::mt19937 random(6);
    SortedRows sorted({memory, folder.path()});
    std::vector<Row> expected;
    for (int i = 0; i < 2000; ++i) {
      const std::int64_t known = static_cast<std::int64_t>(random() % 50) - 25;
      expected.emplace_back(known, std::string(random() % 9000, 'x') + std::to_string(i));
      REQUIRE(sorted.add({KnownTime{known}, expected.back().second}));
    }
    REQUIRE(sorted.finish());
    std::ranges::stable_sort(expected, {}, &Row::first);
    CHECK(sorted.rows() == 2000);
    CHECK(sorted.first_known().us == expected.front().first);
    CHECK(sorted.spilled() == (memory < (std::size_t{1} << 30)));
    CHECK(rows_of(sorted) == expected);
    CHECK(rows_of(sorted) == expected);  // it may be asked again
  }
}

TEST_CASE("rows of tables wait as their encoded rows do") {
  const stores::TemporaryFolder folder;
  const data::Schema schema{{{"n", data::Type::int64, false}, {"s", data::Type::string, true}}};
  for (const std::size_t memory : {std::size_t{1}, std::size_t{1} << 30}) {
    CAPTURE(memory);
    std::mt19937 random(7);
    SortedRows tables({memory, folder.path()}), singles({memory, folder.path()});
    for (const int rows : {1, 3000, 0, 1500}) {
      data::ColumnBuilder numbers(data::Type::int64), texts(data::Type::string);
      std::vector<std::int64_t> known;
      for (int row = 0; row < rows; ++row) {
        known.push_back(static_cast<std::int64_t>(random() % 50) - 25);
        numbers.append_integer(static_cast<std::int64_t>(random()));
        if (random() % 4 == 0)
          texts.append_null();
        else  // some longer than a chunk of little memory
          texts.append_string(std::string(random() % 100 == 0 ? 40'000 : random() % 30, 'y'));
      }
      const data::Batch batch{schema, {numbers.finish(), texts.finish()}, rows};
      REQUIRE(tables.add(batch, known));
      for (std::int64_t row = 0; row < rows; ++row)
        REQUIRE(singles.add(
            {KnownTime{known[static_cast<std::size_t>(row)]}, data::encode_row(batch, row)}));
    }
    REQUIRE(tables.finish());
    REQUIRE(singles.finish());
    CHECK(tables.rows() == 4501);
    CHECK(tables.first_known() == singles.first_known());
    CHECK(tables.spilled() == (memory == 1));
    CHECK(rows_of(tables) == rows_of(singles));
  }
}

TEST_CASE("no rows are no rows") {
  SortedRows sorted({});
  REQUIRE(sorted.finish());
  CHECK(rows_of(sorted).empty());
  CHECK(sorted.first_known().us == INT64_MIN);
}

TEST_CASE("a full disk while rows spill is said") {
  const stores::TemporaryFolder folder;
  const auto files = std::make_shared<stores::FaultyFiles>();
  files->plan().room_bytes = 10;
  SortedRows sorted({1, folder.path(), files});
  const Status refused = sorted.add({KnownTime{1}, std::string(100'000, 'x')});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::disk_full);
}

}  // namespace coeval::ingest

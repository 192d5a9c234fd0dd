#include "stores/text_table_files.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "stores/files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

const data::Schema kFlights = {{{"origin", data::Type::string, false},
                                {"distance", data::Type::int32, true},
                                {"at", data::Type::timestamp, false}}};

ReadOptions reading(std::vector<std::string> columns = {}, std::int64_t batch_rows = 2) {
  ReadOptions options;
  options.columns = std::move(columns);
  options.batch_rows = batch_rows;
  options.schema = kFlights;
  return options;
}

data::Batch flights_batch(int first, int count) {
  data::ColumnBuilder origin(data::Type::string), distance(data::Type::int32),
      at(data::Type::timestamp);
  for (int i = first; i < first + count; ++i) {
    origin.append_string(i == 1 ? "a,\"b\"\nc" : "SFO");
    if (i == 2)
      distance.append_null();
    else
      distance.append_integer(i * 100);
    at.append_integer(991353600000001 + i);
  }
  return {kFlights, {origin.finish(), distance.finish(), at.finish()}, count};
}

// All batches of a reader, as one list of texts.
std::vector<std::string> rows_of(TableReader& reader) {
  std::vector<std::string> rows;
  for (;;) {
    const data::Batch batch = reader.next().value();
    if (batch.rows == 0) return rows;
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      std::string text;
      for (const auto& column : batch.columns)
        text += data::to_text(column.value(row), column.type()) + "|";
      rows.push_back(text);
    }
  }
}

void check_round_trip(TableFiles& files, const std::string& path) {
  auto writer = files.create(path, kFlights, {}).value();
  REQUIRE(writer->write(flights_batch(0, 3)));
  REQUIRE(writer->write(flights_batch(3, 2)));
  CHECK(!std::filesystem::exists(path));
  REQUIRE(writer->close());
  auto reader = files.open(path, reading()).value();
  CHECK(reader->schema() == kFlights);
  CHECK(reader->rows() == -1);
  const auto rows = rows_of(*reader);
  CHECK(reader->bad_rows().empty());
  REQUIRE(rows.size() == 5);
  CHECK(rows[0].starts_with("SFO|0|"));
  CHECK(rows[1].starts_with("a,\"b\"\nc|100|"));
  CHECK(rows[2].starts_with("SFO|null|"));
  CHECK(rows[4].starts_with("SFO|400|"));
  auto few = files.open(path, reading({"at", "origin"}, 100)).value();
  CHECK(few->schema().fields.size() == 2);
  CHECK(rows_of(*few)[0].ends_with("|SFO|"));
}

}  // namespace

TEST_CASE("tables of text read back in batches, whole or by column") {
  const TemporaryFolder folder;
  check_round_trip(*make_csv_files(), folder / "t.csv");
  check_round_trip(*make_jsonl_files(), folder / "t.jsonl");
}

TEST_CASE("a CSV file of several batches has one header") {
  const TemporaryFolder folder;
  auto writer = make_csv_files()->create(folder / "t.csv", kFlights, {}).value();
  REQUIRE(writer->write(flights_batch(3, 1)));
  REQUIRE(writer->write(flights_batch(4, 1)));
  REQUIRE(writer->close());
  const std::string text = read_file(folder / "t.csv").value();
  CHECK(text.starts_with("origin,distance,at"));
  CHECK(text.find("origin", 1) == std::string::npos);
}

TEST_CASE("a table without rows reads back as such") {
  const TemporaryFolder folder;
  for (auto* make : {make_csv_files, make_jsonl_files}) {
    auto writer = make()->create(folder / "empty", kFlights, {}).value();
    REQUIRE(writer->close());
    auto reader = make()->open(folder / "empty", reading()).value();
    for (int asked = 0; asked < 2; ++asked) {
      const data::Batch batch = reader->next().value();
      CHECK(batch.columns.size() == kFlights.fields.size());
      CHECK(reader->at_end(batch));
    }
  }
}

TEST_CASE("a writer that is dropped leaves no file") {
  const TemporaryFolder folder;
  {
    REQUIRE(make_csv_files()
                ->create(folder / "t.csv", kFlights, {})
                .value()
                ->write(flights_batch(0, 1)));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("rows that do not fit their types are told apart, with their lines") {
  const TemporaryFolder folder;
  std::ofstream(folder / "t.csv")
      << "origin,distance,at\nSFO,1,2001-06-01\nSFO,far,2001-06-01\nLAX,2,2001-06-02\n";
  auto reader = make_csv_files()->open(folder / "t.csv", reading({}, 100)).value();
  CHECK(reader->next().value().rows == 2);
  REQUIRE(reader->bad_rows().size() == 1);
  CHECK(reader->bad_rows()[0].line == 3);
  CHECK(!reader->bad_rows()[0].reason.empty());
  REQUIRE(reader->lines().size() == 2);
  CHECK(reader->lines()[1] == 4);
}

TEST_CASE("bad rows come beside the batch that they lie in, and alone where there is none") {
  const TemporaryFolder folder;
  std::ofstream(folder / "t.csv") << "origin,distance,at\nSFO,1,2001-06-01\nSFO,far,2001-06-01\n"
                                     "SFO,far,2001-06-01\nSFO,x,2001-06-01\nLAX,2,2001-06-02\n";
  auto reader = make_csv_files()->open(folder / "t.csv", reading({}, 2)).value();
  std::vector<std::pair<std::int64_t, std::size_t>> pieces;
  for (;;) {
    const data::Batch batch = reader->next().value();
    if (reader->at_end(batch)) break;
    pieces.emplace_back(batch.rows, reader->bad_rows().size());
  }
  CHECK(pieces == std::vector<std::pair<std::int64_t, std::size_t>>{{1, 1}, {0, 2}, {1, 0}});
  CHECK(reader->bytes_read() == reader->bytes_total());
  CHECK(reader->bytes_total() == std::filesystem::file_size(folder / "t.csv"));
}

TEST_CASE("what a text table needs and lacks is a clear error") {
  const TemporaryFolder folder;
  std::ofstream(folder / "t.csv") << "origin,distance\nSFO,12\n";
  const auto csv = make_csv_files();
  CHECK(csv->open(folder / "t.csv", {}).error().code == Code::missing_value);
  CHECK(csv->open(folder / "t.csv", reading({"nowhere"})).error().code == Code::unknown_key);
  const auto missing_column = csv->open(folder / "t.csv", reading());
  REQUIRE(!missing_column);
  CHECK(one_line(missing_column.error()).find(folder / "t.csv") != std::string::npos);
  CHECK(csv->open(folder / "none.csv", reading()).error().code == Code::no_such_file);
  auto writer = csv->create(folder / "w.csv", kFlights, {}).value();
  CHECK(writer->write({}).error().code == Code::type_mismatch);
}

}  // namespace coeval::stores

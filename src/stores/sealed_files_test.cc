#include "stores/sealed_files.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "data/batch_codec.h"
#include "data/row_codec.h"
#include "stores/event_log.h"
#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/record_names.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {
namespace {

using data::Type;

// A format that only these tests know: one batch, as it lies in memory.
class PlainTables final : public TableFiles {
 public:
  std::int64_t refuse_after = -1;  ///< files
  std::int64_t spoil = -1;         ///< the row that reads back otherwise

  Result<std::unique_ptr<TableReader>> open(const std::string& path, const ReadOptions&) override {
    COEVAL_ASSIGN(const std::string bytes, read_file(path));
    COEVAL_ASSIGN(auto batch, data::decode_batch(bytes, schemas_[path]));
    return std::make_unique<Reader>(std::move(batch), spoil);
  }
  Result<std::unique_ptr<TableWriter>> create(const std::string& path, const data::Schema& schema,
                                              const WriteOptions& options) override {
    CHECK(options.compression_level == 3);
    if (refuse_after-- == 0) return fail(Code::disk_full, "no room for '" + path + "'");
    schemas_[path] = schema;
    return std::make_unique<Writer>(path);
  }

 private:
  class Reader final : public TableReader {
   public:
    Reader(data::Batch batch, std::int64_t spoil) : batch_(std::move(batch)) {
      if (spoil >= 0) {
        std::vector<std::int64_t> rows;
        for (std::int64_t i = 0; i < batch_.rows; ++i) rows.push_back(i == spoil ? 0 : i);
        batch_ = data::take(batch_, rows);
      }
    }
    const data::Schema& schema() const override { return batch_.schema; }
    std::int64_t rows() const override { return batch_.rows; }
    Result<data::Batch> next() override { return std::exchange(batch_, {}); }

   private:
    data::Batch batch_;
  };
  class Writer final : public TableWriter {
   public:
    explicit Writer(std::string path) : path_(std::move(path)) {}
    Status write(const data::Batch& batch) override {
      bytes_ = data::encode_batch(batch);
      return {};
    }
    Status close() override { return write_file_atomically(path_, bytes_); }

   private:
    std::string path_, bytes_;
  };
  std::map<std::string, data::Schema> schemas_;
};

const data::Schema kFlights{
    {{"ts", Type::timestamp, false}, {"_known", Type::float64, true}, {"who", Type::string, true}}};

std::string row(std::int64_t ts, std::optional<double> known, const std::string& who) {
  data::Batch batch{kFlights, {}, 1};
  data::ColumnBuilder at(Type::timestamp), real(Type::float64), text(Type::string);
  at.append_integer(ts);
  known ? real.append_real(*known) : real.append_null();
  text.append_string(who);
  batch.columns = {at.finish(), real.finish(), text.finish()};
  return data::encode_row(batch, 0);
}

// A cut, events of two sources with event times out of order, and a prediction; then a second
// segment with one event.
void write_log(const std::string& folder) {
  LogOptions options{1u << 20, std::make_shared<FaultyFiles>()};
  const auto append = [&](EventLog& log, const std::string& source, std::int64_t ts) {
    const std::string bytes = row(ts, ts % 2 == 0 ? std::nullopt : std::optional(0.1), "ORD");
    REQUIRE(log.append({RecordKind::event, KnownTime{100 + ts}, source_tag(source),
                        schema_tag(kFlights), bytes})
                .has_value());
  };
  {
    const auto log = open_log(folder, options).value();
    REQUIRE(log->declare("flights", kFlights).has_value());
    REQUIRE(log->declare("trains", kFlights).has_value());
    REQUIRE(log->append({RecordKind::cut, KnownTime{0}, 0, 0, "{}"}).has_value());
    for (const std::int64_t ts : {30, 10, 20, 10}) append(*log, "flights", ts);
    append(*log, "trains", 5);
    REQUIRE(log->append({RecordKind::prediction, KnownTime{500}, 0, 0, "p"}).has_value());
    REQUIRE(log->sync().has_value());
  }
  options.new_segment = true;
  const auto log = open_log(folder, options).value();
  append(*log, "flights", 40);
  REQUIRE(log->sync().has_value());
}

const std::string kNote = "sealed/00000000000000000000.sealed";

std::string table_of(const std::string& source) {
  char tag[9];
  std::snprintf(tag, sizeof tag, "%08x", schema_tag(kFlights));
  return "sealed/" + source + "/00000000000000000000-" + tag + ".parquet";
}

TEST_CASE("a closed segment becomes one table a source, in order of event time") {
  const TemporaryFolder folder;
  write_log(folder.path());
  PlainTables tables;
  const auto report = seal_closed_segments(folder.path(), tables);
  REQUIRE(report.has_value());
  CHECK(report->sealed == 1);
  CHECK(report->rows == 5);
  CHECK(report->open_from == Position{7});
  const auto reader = tables.open(folder / table_of("flights"), {}).value();
  const auto rows = reader->next().value();
  REQUIRE(rows.columns.size() == 5);
  CHECK(rows.schema.fields[3] == data::Field{"_position", Type::int64, false});
  CHECK(rows.schema.fields[4] == data::Field{"__known", Type::timestamp, false});
  std::vector<std::int64_t> times, positions, known;
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    times.push_back(rows.columns[0].integer(i));
    positions.push_back(rows.columns[3].integer(i));
    known.push_back(rows.columns[4].integer(i));
  }
  CHECK(times == std::vector<std::int64_t>{10, 10, 20, 30});
  CHECK(positions == std::vector<std::int64_t>{2, 4, 3, 1});
  CHECK(known == std::vector<std::int64_t>{130, 130, 130, 130});  // as the log raised them
  const auto sealed = list_sealed(folder.path()).value();
  REQUIRE(sealed.size() == 1);
  CHECK(sealed[0].next == Position{7});
  CHECK(sealed[0].predictions == 1);
  CHECK(sealed[0].others == 1);
  CHECK(sealed[0].unsealed == 0);
  CHECK(seal_closed_segments(folder.path(), tables)->already == 1);
}

TEST_CASE("a full disk leaves the log as it was, says so, and the next try seals") {
  const TemporaryFolder folder;
  write_log(folder.path());
  const auto segment = read_file(folder / "log-00000000000000000000.seg").value();
  for (const std::int64_t files : {0, 1}) {
    PlainTables full;
    full.refuse_after = files;
    const auto report = seal_closed_segments(folder.path(), full);
    REQUIRE_FALSE(report.has_value());
    CHECK(report.error().code == Code::disk_full);
    CHECK(one_line(report.error()).find("which stays as it is") != std::string::npos);
    CHECK(list_sealed(folder.path())->empty());
    CHECK(read_file(folder / "log-00000000000000000000.seg").value() == segment);
  }
  PlainTables tables;
  CHECK(seal_closed_segments(folder.path(), tables)->sealed == 1);
}

TEST_CASE("a table that reads back otherwise does not count as sealed") {
  const TemporaryFolder folder;
  write_log(folder.path());
  PlainTables tables;
  tables.spoil = 3;
  const auto report = seal_closed_segments(folder.path(), tables);
  REQUIRE_FALSE(report.has_value());
  CHECK(one_line(report.error()).find("differs from the log in row 3") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / kNote));
}

TEST_CASE("the first row of many that reads back otherwise is named, on any number of threads") {
  const TemporaryFolder folder;
  LogOptions options{1u << 20, std::make_shared<FaultyFiles>()};
  {
    const auto log = open_log(folder.path(), options).value();
    REQUIRE(log->declare("flights", kFlights).has_value());
    for (std::int64_t ts = 3000; ts > 0; --ts) {
      const std::string bytes = row(ts, 0.5, "ORD");
      REQUIRE(log->append({RecordKind::event, KnownTime{4000 - ts}, source_tag("flights"),
                           schema_tag(kFlights), bytes})
                  .has_value());
    }
    REQUIRE(log->sync().has_value());
  }
  options.new_segment = true;
  REQUIRE(open_log(folder.path(), options).has_value());
  PlainTables tables;
  for (const int threads : {1, 2, 3})
    for (const std::int64_t spoiled : {1, 1023, 1024, 2500, 2999}) {
      CAPTURE(threads);
      CAPTURE(spoiled);
      tables.spoil = spoiled;
      const auto report = seal_closed_segments(folder.path(), tables, threads);
      REQUIRE(!report.has_value());
      CHECK(report.error().message.ends_with("differs from the log in row " +
                                             std::to_string(spoiled)));
    }
  tables.spoil = -1;
  CHECK(seal_closed_segments(folder.path(), tables, 2)->rows == 3000);
}

TEST_CASE("a segment that its writer took up again after it was sealed is not sealed") {
  const TemporaryFolder folder;
  write_log(folder.path());
  PlainTables tables;
  REQUIRE(seal_closed_segments(folder.path(), tables).has_value());
  const auto sealed = list_sealed(folder.path()).value();
  CHECK(find_sealed(sealed, Position{0}, Position{7}) == &sealed[0]);
  CHECK(find_sealed(sealed, Position{0}, Position{8}) == nullptr);
  CHECK(find_sealed(sealed, Position{1}, Position{7}) == nullptr);
}

TEST_CASE("two processes do not seal at once") {
  const TemporaryFolder folder;
  write_log(folder.path());
  REQUIRE(make_folders(folder / "sealed").has_value());
  const auto lock = FileLock::acquire(folder / "sealed/lock").value();
  PlainTables tables;
  CHECK(seal_closed_segments(folder.path(), tables).error().code == Code::log_locked);
}

TEST_CASE("damage to a table, a missing one and wrong counts are found, and set aside") {
  const TemporaryFolder folder;
  write_log(folder.path());
  PlainTables tables;
  REQUIRE(seal_closed_segments(folder.path(), tables).has_value());
  const auto sealed = list_sealed(folder.path())->front();
  const std::uint32_t tag = schema_tag(kFlights);
  const EventCounts counts = {{{source_tag("flights"), tag}, 4}, {{source_tag("trains"), tag}, 1}};
  CHECK(check_sealed(folder.path(), sealed, counts)->empty());
  CHECK(check_sealed(folder.path(), sealed, {})->size() == 2);
  EventCounts more = counts;
  more[{1, 2}] = 9;
  CHECK(check_sealed(folder.path(), sealed, more)->size() == 1);
  auto bytes = read_file(folder / table_of("flights")).value();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  REQUIRE(write_file_atomically(folder / table_of("flights"), bytes).has_value());
  std::filesystem::remove(folder / table_of("trains"));
  const auto problems = check_sealed(folder.path(), sealed, counts).value();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].find("has other bytes") != std::string::npos);
  CHECK(problems[1].find("is gone") != std::string::npos);
  const auto aside = set_sealed_aside(folder.path(), sealed);
  REQUIRE(aside.has_value());
  CHECK(std::filesystem::exists(*aside + "/00000000000000000000.sealed"));
  CHECK(list_sealed(folder.path())->empty());
  CHECK(seal_closed_segments(folder.path(), tables)->sealed == 1);
  CHECK(check_sealed(folder.path(), list_sealed(folder.path())->front(), counts)->empty());
}

TEST_CASE("a note with any byte changed is damaged, and its segment not sealed") {
  const TemporaryFolder folder;
  write_log(folder.path());
  PlainTables tables;
  REQUIRE(seal_closed_segments(folder.path(), tables).has_value());
  const auto text = read_file(folder / kNote).value();
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 2);
    CHECK_FALSE(decode_sealed(bad).has_value());
    CHECK_FALSE(decode_sealed(text.substr(0, at)).has_value());
  }
  REQUIRE(write_file_atomically(folder / kNote, text.substr(1)).has_value());
  std::vector<std::string> damaged;
  CHECK(list_sealed(folder.path(), &damaged)->empty());
  CHECK(damaged == std::vector<std::string>{folder / kNote});
  CHECK(seal_closed_segments(folder.path(), tables)->sealed == 1);
}

}  // namespace
}  // namespace coeval::stores

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "define/project.h"
#include "replay/history.h"
#include "stores/text_table_files.h"

// A source's text file is read piece by piece: what is told of its rows is as if it were one piece.

namespace coeval::replay {
namespace {

constexpr const char* kDefinition = R"toml(
[project]
name = "visits"
[source.visits]
path  = "visits.csv"
time  = "ts"
known = "ts + minutes(delay)"
[source.visits.columns]
ts    = { type = "timestamp", known = "ts" }
place = { type = "string", known = "ts", nullable = true }
delay = { type = "int32", min = 0, max = 600, nullable = true }
)toml";

// CSV, so many rows at a time.
class Pieces final : public stores::TableFiles {
 public:
  explicit Pieces(std::int64_t rows) : rows_(rows) {}
  Result<std::unique_ptr<stores::TableReader>> open(const std::string& path,
                                                    const stores::ReadOptions& options) override {
    stores::ReadOptions few = options;
    few.batch_rows = rows_;
    return csv_->open(path, few);
  }
  Result<std::unique_ptr<stores::TableWriter>> create(
      const std::string& path, const data::Schema& schema,
      const stores::WriteOptions& options) override {
    return csv_->create(path, schema, options);
  }

 private:
  std::int64_t rows_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
};

TEST_CASE("lines, quarantine and counts of a text do not depend on its pieces") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("coeval-text-pieces-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  // Lines 2 to 11: good, untyped, untyped, untyped, over its maximum, null of what is known, good
  // on two lines, good, untyped.
  std::ofstream(folder / "visits.csv") << "ts,place,delay\n"
                                          "2024-01-01,A,1\n"
                                          "soon,A,1\n"
                                          "2024-01-01,A\n"
                                          "2024-01-01,A,x\n"
                                          "2024-01-01,A,601\n"
                                          "2024-01-01,A,\n"
                                          "2024-01-02,\"B\nC\",2\n"
                                          "2024-01-03,,3\n"
                                          "2024-01-01,A,1,1\n";
  auto checked = define::check_text(kDefinition, (folder / "coeval.toml").string());
  REQUIRE(checked.project);
  checked.project->folder = folder.string();
  for (const std::int64_t rows : {1, 2, 3, 100}) {
    CAPTURE(rows);
    Pieces files(rows);
    const OpenFormat formats = [&](const std::string&) -> Result<stores::TableFiles*> {
      return &files;
    };
    const auto history = load_history(*checked.project, 0, formats, {});
    REQUIRE(history);
    CHECK(history->by_line);
    CHECK(history->rows.rows == 3);
    CHECK(history->file_row == std::vector<std::int64_t>{2, 8, 10});
    CHECK(history->conservation.read == 9);
    CHECK(history->conservation.accepted == 3);
    CHECK(history->conservation.quarantined == 6);
    std::vector<std::int64_t> lines;
    for (const auto& bad : history->quarantined) lines.push_back(bad.row);
    std::ranges::sort(lines);
    CHECK(lines == std::vector<std::int64_t>{3, 4, 5, 6, 7, 11});
    std::int64_t streamed = 0;
    const auto counts =
        stream_history(*checked.project, 0, formats, {}, [&](const data::Batch& piece) -> Status {
          streamed += piece.rows;
          return {};
        });
    REQUIRE(counts);
    CHECK(streamed == 3);
    CHECK(counts->read == 9);
    CHECK(counts->quarantined == 6);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace coeval::replay

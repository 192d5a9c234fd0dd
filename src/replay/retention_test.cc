#include "replay/retention.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "define/definition_for_tests.h"
#include "stores/event_log.h"
#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/record_names.h"
#include "stores/temporary_folder.h"

namespace coeval::replay {
namespace {

using stores::RecordKind;

const std::string kDefinition = R"toml([project]
name = "shop"
[source.orders]
time = "ts"
known = "event time"
retention = "10d"
[source.orders.columns]
ts = "timestamp"
user = "string"
[source.clicks]
time = "ts"
known = "event time"
[source.clicks.columns]
ts = "timestamp"
[view.v]
from = "orders"
by = ["user"]
windows = ["1h", "2d"]
lateness = "1d"
n = "count()"
)toml";

std::string with(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::optional<std::int64_t> kept(const std::string& definition, const std::string& source) {
  const auto project = define::testing::project_of(definition);
  for (const auto& one : retention_of(project))
    if (one.source == source) return one.keep_us;
  FAIL("no such source");
  return std::nullopt;
}

TEST_CASE("a source is kept as long as it declares, and longer for what still looks back") {
  CHECK(kept(kDefinition, "orders") == 10 * kDayUs);
  CHECK(kept(kDefinition, "clicks") == std::nullopt);
  // A definition whose windows reach further back does not check (C0416); should one come to, they
  // are kept for.
  define::Project project = define::testing::project_of(kDefinition);
  project.sources[static_cast<std::size_t>(project.source_index("orders"))].retention_us = kDayUs;
  CHECK(retention_of(project)[static_cast<std::size_t>(project.source_index("orders"))].keep_us ==
        3 * kDayUs);
}

// One segment a day from day 1 to `days`, each with one event; the first with the cut.
class Log {
 public:
  explicit Log(int days, bool predictions = false) {
    stores::LogOptions options;
    options.files = std::make_shared<stores::FaultyFiles>();
    options.new_segment = true;
    const std::string name = "orders";
    for (int day = 1; day <= days; ++day) {
      const auto log = stores::open_log(folder_.path(), options).value();
      if (day == 1) REQUIRE(log->append({RecordKind::cut, KnownTime{0}, 0, 0, "cut"}).has_value());
      REQUIRE(log->append({RecordKind::event, KnownTime{day * kDayUs}, stores::source_tag(name), 7,
                           "row"})
                  .has_value());
      if (predictions)
        REQUIRE(
            log->append({RecordKind::prediction, KnownTime{day * kDayUs}, 0, 0, "p"}).has_value());
      REQUIRE(log->sync().has_value());
    }
    note_sealed(days, predictions);
  }

  TrimReport trim(std::int64_t now_us, std::optional<std::int64_t> predictions = {},
                  const std::string& definition = kDefinition) {
    const auto project = define::testing::project_of(definition);
    return trim_log(project, folder_.path(), {now_us, predictions, false}).value();
  }
  std::vector<std::uint64_t> positions() const {
    std::vector<std::uint64_t> all;
    const auto log = stores::open_log_for_reading(folder_.path()).value();
    REQUIRE(log->read(Position{0},
                      [&](const stores::Record& record) {
                        all.push_back(record.position.value);
                        return true;
                      })
                .has_value());
    return all;
  }
  const std::string& folder() const { return folder_.path(); }

 private:
  // What sealing would have noted, of every segment but the last.
  void note_sealed(int days, bool predictions) {
    const auto files = stores::find_segments(folder_.path()).value();
    REQUIRE(stores::make_folders(folder_ / "sealed").has_value());
    for (int i = 0; i + 1 < days; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::int64_t us = (i + 1) * kDayUs;
      stores::SealedSegment sealed;
      sealed.first = files.segments[at].first;
      sealed.next = files.segments[at + 1].first;
      sealed.last_known = {us};
      sealed.files = {{"sealed/orders/x.parquet", "orders", 7, 1, us, us, us, "00"}};
      sealed.predictions = predictions ? 1 : 0;
      sealed.newest_prediction_us = us;
      const std::string name = stores::segment_name(sealed.first).substr(4, 20) + ".sealed";
      REQUIRE(
          stores::write_file_atomically(folder_ / ("sealed/" + name), stores::encode_sealed(sealed))
              .has_value());
    }
  }

  stores::TemporaryFolder folder_;
};

TEST_CASE("segments go from the front once all that they hold is past retention") {
  Log log(6);  // positions 0 (cut) and 1, then one a day; the last segment is open
  CHECK(log.trim(11 * kDayUs).removed.empty());  // day 1 is exactly ten days old: kept
  const auto report = log.trim(13 * kDayUs);     // days 1 and 2 are older
  CHECK(report.removed.size() == 2);
  CHECK(report.events == 2);
  CHECK(report.stopped.find("are to be kept: retention 10d") != std::string::npos);
  CHECK(log.positions() == std::vector<std::uint64_t>{0, 3, 4, 5, 6});
  CHECK(std::filesystem::exists(log.folder() + "/log-00000000000000000003.seg"));
  CHECK_FALSE(std::filesystem::exists(log.folder() + "/log-00000000000000000002.seg"));
  // Again and further: counts add up, the cut stays.
  CHECK(log.trim(100 * kDayUs).removed.size() == 3);
  CHECK(log.positions() == std::vector<std::uint64_t>{0, 6});
  const auto trim = stores::read_trim(log.folder())->value();
  CHECK(trim.find("orders")->events == 5);
  CHECK(trim.find("orders")->newest_event_us == 5 * kDayUs);
  CHECK(trim.find("orders")->oldest_known_us == 1 * kDayUs);
  CHECK(trim.kept.size() == 1);
}

TEST_CASE("nothing goes of a source without retention, nor predictions unless that is asked for") {
  Log log(3);
  CHECK(
      log.trim(1000 * kDayUs, {}, with(kDefinition, "retention = \"10d\"\n", "")).removed.empty());
  Log asked(3, true);
  CHECK(asked.trim(1000 * kDayUs).stopped.find("--keep-predictions") != std::string::npos);
  CHECK(asked.trim(20 * kDayUs, 19 * kDayUs).removed.empty());
  const auto report = asked.trim(21 * kDayUs, 19 * kDayUs);
  CHECK(report.removed.size() == 1);
  CHECK(report.predictions == 1);
}

TEST_CASE("a segment that is not sealed stays") {
  Log log(3);
  std::filesystem::remove(log.folder() + "/sealed/00000000000000000000.sealed");
  CHECK(log.trim(1000 * kDayUs).stopped.find("is not sealed") != std::string::npos);
}

TEST_CASE("what a question could see of what is gone") {
  const auto project = define::testing::project_of(kDefinition);
  stores::LogTrim trim;
  trim.sources = {{"orders", 1, 5 * kDayUs, 6 * kDayUs}};
  const std::vector<int> views = {0};
  const RemovedPast removed(project, views, trim);
  CHECK_FALSE(removed.is_seen_at(5 * kDayUs));  // nothing of it was known before
  CHECK(removed.is_seen_at(5 * kDayUs + 1));
  CHECK(removed.is_seen_at(9 * kDayUs));  // 2d + 1d of lateness after the newest event
  CHECK_FALSE(removed.is_seen_at(9 * kDayUs + 1));
  CHECK(RemovedPast(project, {}, trim).is_empty());
  CHECK(RemovedPast(project, views, std::nullopt).is_empty());
}

}  // namespace
}  // namespace coeval::replay

#include "replay/dataset.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/time.h"
#include "replay/asked_history.h"
#include "replay/explain.h"
#include "stores/text_table_files.h"

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
delay = { type = "int32", min = 0, max = 600 }
[view.place]
from    = "visits"
by      = ["place"]
windows = ["1h", "1d", "all"]
visits  = "count()"
delay   = "mean(delay)"
long    = "count() where delay > 100"
[view.everywhere]
from    = "visits"
by      = []
windows = ["90min"]
visits  = "count()"
most    = "max(delay)"
)toml";

// A folder with the definition and seeded visits; minutes only, so that ties abound.
class World {
 public:
  World()
      : folder_(std::filesystem::temp_directory_path() /
                ("coeval-replay-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    std::ofstream file(folder_ / "visits.csv");
    file << "ts,place,delay\n";
    std::mt19937 random(11);
    for (int i = 0; i < 600; ++i) {
      const std::int64_t ts = kStart + static_cast<std::int64_t>(random() % 4000) * kMinuteUs;
      file << format_time(ts) << ','
           << (random() % 10 == 0 ? "" : std::string(1, static_cast<char>('A' + random() % 4)))
           << ',' << (i == 17 ? 9999 : random() % 300) << '\n';
    }
    file.close();
    auto checked = define::check_text(kDefinition, (folder_ / "coeval.toml").string());
    REQUIRE(checked.project);
    checked.project->folder = folder_.string();
    project = std::make_shared<const define::Project>(std::move(*checked.project));
    formats = [this](const std::string&) -> Result<stores::TableFiles*> { return csv_.get(); };
  }
  ~World() { std::filesystem::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  static constexpr std::int64_t kStart = 1704067200000000;  // 2024-01-01
  std::shared_ptr<const define::Project> project;
  OpenFormat formats;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
};

Questions some_questions() {
  Questions questions;
  data::ColumnBuilder places(data::Type::string);
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    i % 20 == 0 ? places.append_null()
                : places.append_string(std::string(1, static_cast<char>('A' + random() % 5)));
    questions.at_us.push_back(World::kStart +
                              static_cast<std::int64_t>(random() % 4500) * kMinuteUs);
  }
  questions.columns.schema.fields = {{"place", data::Type::string, true}};
  questions.columns.columns = {places.finish()};
  questions.columns.rows = 300;
  return questions;
}

// Every answer as text, in question order.
std::vector<std::string> answers_of(const World& world, const Past& past,
                                    const Questions& questions, const define::FeatureSet& set,
                                    AnswerOptions options) {
  std::vector<std::string> out(questions.at_us.size());
  const auto answered = answer(
      world.project, past, questions, set.row, set.inputs, options, [&](Answers block) -> Status {
        for (std::size_t i = 0; i < block.rows.size(); ++i)
          for (std::size_t c = 0; c < block.inputs.columns.size(); ++c) {
            const auto& column = block.inputs.columns[c];
            out[static_cast<std::size_t>(block.rows[i])] +=
                data::to_text(column.value(static_cast<std::int64_t>(i)), column.type()) + " ";
          }
        return {};
      });
  REQUIRE(answered);
  return out;
}

TEST_CASE("a file is read, screened and ordered by known time, and nothing is lost") {
  const World world;
  const auto history = load_history(*world.project, 0, world.formats, {});
  REQUIRE(history);
  CHECK(history->conservation == quality::Conservation{600, 599, 1, 0});
  REQUIRE(history->quarantined.size() == 1);
  CHECK(history->quarantined[0].reason.find("9999") != std::string::npos);
  for (std::size_t i = 1; i < history->order.size(); ++i)
    CHECK(history->known_us[static_cast<std::size_t>(history->order[i - 1])] <=
          history->known_us[static_cast<std::size_t>(history->order[i])]);
  HistoryOptions options;
  options.cut_us = World::kStart + kDayUs;
  const auto before = load_history(*world.project, 0, world.formats, options);
  REQUIRE(before);
  std::int64_t expected = 0;
  for (const std::int64_t known : history->known_us) expected += known < *options.cut_us ? 1 : 0;
  CHECK(before->rows.rows == expected);
}

TEST_CASE("answers do not depend on threads or on how questions are cut into blocks") {
  const World world;
  const auto past = load_past(*world.project, world.formats, {});
  REQUIRE(past);
  const auto set = define::feature_set(*world.project, "place.*, everywhere.*");
  REQUIRE(set);
  const Questions questions = some_questions();
  const auto expected = answers_of(world, *past, questions, *set,
                                   {.threads = 1, .chunk_rows = 1 << 18, .progress = {}});
  for (const int threads : {1, 2, 3})
    for (const std::int64_t chunk : {1, 7, 299})
      CHECK(answers_of(world, *past, questions, *set,
                       {.threads = threads, .chunk_rows = chunk, .progress = {}}) == expected);
}

TEST_CASE("a state that is told of no event beyond the questions gives the same answers") {
  const World world;
  const auto past = load_past(*world.project, world.formats, {});
  REQUIRE(past);
  const Questions all = some_questions();
  for (const char* features : {"everywhere.*", "place.*", "place.*, everywhere.*"}) {
    const auto set = define::feature_set(*world.project, features);
    REQUIRE(set);
    for (const std::int64_t from_minute : {0, 3'000, 4'300}) {
      std::vector<std::int64_t> rows;
      for (std::size_t i = 0; i < all.at_us.size(); ++i)
        if (all.at_us[i] >= World::kStart + from_minute * kMinuteUs &&
            all.at_us[i] < World::kStart + 4'400 * kMinuteUs)
          rows.push_back(static_cast<std::int64_t>(i));
      const Questions questions = take(all, rows);
      INFO(features << " from minute " << from_minute);
      CHECK(answers_of(world, *past, questions, *set,
                       {.progress = {}, .way = kernel::HistoryWay::asked}) ==
            answers_of(world, *past, questions, *set,
                       {.progress = {}, .way = kernel::HistoryWay::plain}));
    }
  }
}

TEST_CASE("a history is cut to what questions can see, with room, where every window has a begin") {
  const World world;
  const auto past = load_past(*world.project, world.formats, {});
  REQUIRE(past);
  const SourceHistory& history = past->sources[0];
  const std::vector<int> everywhere = {0}, place = {1};  // by name
  // Twice 90 minutes and the lateness of a day.
  const std::int64_t first = World::kStart + 3 * kDayUs, last = first + kHourUs;
  const std::int64_t from = first - 2 * (90 * kMinuteUs + kDayUs);
  const std::vector<std::int64_t> at = {last, first};
  const auto asked = asked_history(*world.project, history, everywhere, at);
  REQUIRE(asked);
  std::size_t next = 0;
  for (const std::int64_t row : history.order) {
    const std::int64_t time = history.rows.columns[0].integer(row);
    const std::int64_t known = history.known_us[static_cast<std::size_t>(row)];
    if (known >= last || time < from) continue;
    REQUIRE(next < asked->known_us.size());
    CHECK(asked->order[next] == static_cast<std::int64_t>(next));
    CHECK(asked->known_us[next] == known);
    CHECK(asked->rows.columns[0].integer(static_cast<std::int64_t>(next)) == time);
    ++next;
  }
  CHECK(next == asked->known_us.size());
  CHECK(next > 100);
  CHECK(next < 500);
  CHECK_FALSE(asked_history(*world.project, history, place, at));  // it has a window without begin
  CHECK_FALSE(asked_history(*world.project, history, everywhere, {}));
}

TEST_CASE("counts equal the plain scan that explanations make") {
  const World world;
  const auto past = load_past(*world.project, world.formats, {});
  REQUIRE(past);
  const auto set = define::feature_set(*world.project, "place.*, everywhere.*");
  REQUIRE(set);
  const Questions questions = some_questions();
  std::int64_t events = 0;
  const auto answered = answer(
      world.project, *past, questions, set->row, set->inputs, {}, [&](Answers block) -> Status {
        for (std::size_t f = 0; f < set->row.view_features.size(); ++f) {
          const auto feature = set->row.view_features[f];
          const auto& view = world.project->views[static_cast<std::size_t>(feature.view)];
          const auto& aggregate =
              view.aggregates[static_cast<std::size_t>(feature.feature) / view.windows.size()];
          if (aggregate.kind != define::Aggregation::count) continue;
          const data::Column* counts =
              block.inputs.find(view.feature_name(static_cast<std::size_t>(feature.feature)));
          REQUIRE(counts != nullptr);
          for (std::size_t i = 0; i < block.rows.size(); ++i) {
            const std::vector<std::int64_t> row = {block.rows[i]};
            const auto scanned =
                explain_feature(*world.project, *past, feature, data::take(questions.columns, row),
                                {questions.at_us[static_cast<std::size_t>(row[0])], 0});
            REQUIRE(scanned);
            CHECK(counts->integer(static_cast<std::int64_t>(i)) ==
                  static_cast<std::int64_t>(scanned->events.size()));
            events += counts->integer(static_cast<std::int64_t>(i));
          }
        }
        return {};
      });
  REQUIRE(answered);
  CHECK(events > 1000);
}

TEST_CASE("what the sink refuses ends the run with its error") {
  const World world;
  const auto past = load_past(*world.project, world.formats, {});
  REQUIRE(past);
  const auto set = define::feature_set(*world.project, "place.*");
  REQUIRE(set);
  int blocks = 0;
  const auto answered =
      answer(world.project, *past, some_questions(), set->row, set->inputs,
             {.threads = 2, .chunk_rows = 10, .progress = {}}, [&](Answers) -> Status {
               ++blocks;
               return fail(Code::disk_full, "no room");
             });
  REQUIRE_FALSE(answered);
  CHECK(answered.error().code == Code::disk_full);
  CHECK(blocks == 1);
}

}  // namespace
}  // namespace coeval::replay

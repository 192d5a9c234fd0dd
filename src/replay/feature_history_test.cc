#include "replay/feature_history.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/time.h"
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
place = { type = "string", known = "ts" }
floor = { type = "int32", known = "ts" }
delay = { type = "int32", min = 0, max = 10000 }
mass  = { type = "float64", nullable = true }
word  = { type = "string", nullable = true }
[view.place]
from     = "visits"
by       = ["place", "floor"]
windows  = ["1h", "1d"]
lateness = "1h"
n        = "count()"
heavy    = "count(mass) where mass > 2"
total    = "sum(mass)"
mean     = "mean(mass) where delay < 100"
spread   = "std(mass)"
least    = "min(mass)"
newest   = "last(mass)"
now      = "latest(mass)"
before   = "lag(mass, 2)"
kinds    = "distinct(word)"
often    = "mode(word)"
upper    = "quantile(mass, 0.9)"
any      = "any(delay > 100)"
every    = "all(delay > 1)"
share    = "ratio(mass, delay)"
pace     = "rate()"
trend    = "slope(mass)"
since    = "since_last()"
first    = "since_first()"
recent   = "decayed_sum(mass, 30min)"
smooth   = "decayed_mean(mass, 30min)"
[view.span]
from     = "visits"
by       = ["place", "floor"]
windows  = ["6h offset 3h", "today", "this_week", "this_month", "all"]
n        = "count()"
total    = "sum(mass)"
upper    = "quantile(mass, 0.9)"
newest   = "last(mass)"
pace     = "rate()"
trend    = "slope(mass)"
)toml";

constexpr std::int64_t kStart = 1704067200000000;  // 2024-01-01

class World {
 public:
  explicit World(const std::string& rows)
      : folder_(std::filesystem::temp_directory_path() /
                ("coeval-history-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "visits.csv") << "ts,place,floor,delay,mass,word\n" << rows;
    auto checked = define::check_text(kDefinition, (folder_ / "coeval.toml").string());
    for (const auto& error : checked.errors) FAIL_CHECK(one_line(error));
    REQUIRE(checked.project);
    checked.project->folder = folder_.string();
    project = std::make_shared<const define::Project>(std::move(*checked.project));
    auto loaded = load_past(
        *project, [this](const std::string&) -> Result<stores::TableFiles*> { return csv_.get(); },
        {});
    REQUIRE(loaded);
    past = std::move(*loaded);
  }
  ~World() { std::filesystem::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  data::Batch question(const std::vector<std::string>& key) const {
    auto made = key_question(*project, project->views[0], key);
    REQUIRE(made);
    return std::move(*made);
  }
  FeatureHistory history(const std::string& name, std::int64_t at_us) const {
    const auto feature = find_feature(*project, name);
    REQUIRE(feature);
    auto found = feature_history(*project, past, *feature, question({"A,1"}), {.at_us = at_us});
    REQUIRE(found);
    return std::move(*found);
  }

  std::shared_ptr<const define::Project> project;
  Past past;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
};

std::string row(std::int64_t minute, int delay, const std::string& mass, const char* word = "w",
                const char* place = "A", int floor = 1) {
  return format_time(kStart + minute * kMinuteUs) + "," + place + "," + std::to_string(floor) +
         "," + std::to_string(delay) + "," + mass + "," + word + "\n";
}

// Lines of the file, from 2 on, in place of rows.
std::vector<std::int64_t> lines(const World& world, const std::vector<std::int64_t>& rows) {
  std::vector<std::int64_t> out;
  for (const std::int64_t row : rows) out.push_back(world.past.sources[0].place_in_file(row));
  return out;
}

using Lines = std::vector<std::int64_t>;

TEST_CASE("each event of the key is inside or has one reason to be out") {
  const World world(row(539, 0, "1") +               // 2: a minute before the window
                    row(540, 0, "1") +               // 3: at its begin
                    row(599, 0, "3") +               // 4: its last minute
                    row(600, 0, "1") +               // 5: at T
                    row(570, 30, "1") +              // 6: known at T
                    row(570, 29, "") +               // 7: null
                    row(580, 0, "5") +               // 8
                    row(580, 0, "5", "w", "B") +     // 9: another key
                    row(580, 0, "5", "w", "A", 2) +  // 10: another key
                    row(-2000, 1501, "7"));          // 11: 25 h and a minute late, just too much
  const std::int64_t at = kStart + 600 * kMinuteUs;
  const auto of = [&](const FeatureHistory& found, Exclusion reason) {
    return lines(world, found.excluded[static_cast<std::size_t>(reason)]);
  };
  const auto sum = world.history("place.total_1h", at);
  CHECK(sum.bounds == WindowBounds{at - kHourUs, at});
  CHECK(sum.key == "place=A, floor=1");
  CHECK(lines(world, sum.inside) == Lines{3, 8, 4});
  CHECK(of(sum, Exclusion::before_begin) == Lines{2});
  CHECK(of(sum, Exclusion::not_before_end) == Lines{5});
  CHECK(of(sum, Exclusion::not_yet_known) == Lines{6});
  CHECK(of(sum, Exclusion::argument_null) == Lines{7});
  CHECK(of(sum, Exclusion::dropped_late) == Lines{11});
  CHECK(of(sum, Exclusion::where_not_true).empty());
  const auto heavy = world.history("place.heavy_1h", at);
  CHECK(lines(world, heavy.inside) == Lines{8, 4});
  CHECK(of(heavy, Exclusion::where_not_true) == Lines{3, 7});  // null is not true
  const auto latest = world.history("place.now_1h", at);
  CHECK(lines(world, latest.inside) == Lines{3, 7, 8, 4});  // nulls are not passed over
}

TEST_CASE("what is behind the position in the log is not seen") {
  World world(row(10, 0, "1"));
  auto& history = world.past.sources[0];
  history.file_row = {-1 - 7};  // as if it stood at log position 7
  const auto feature = find_feature(*world.project, "place.n_1h");
  REQUIRE(feature);
  const auto count = [&](std::uint64_t position) {
    return feature_history(*world.project, world.past, *feature, world.question({"A", "1"}),
                           {kStart + kHourUs, position})
        ->inside.size();
  };
  CHECK(count(8) == 1);
  CHECK(count(7) == 0);
  CHECK(place_of(history, 0) == "log position 7");
}

std::vector<define::ViewFeature> all_features(const define::Project& project) {
  std::vector<define::ViewFeature> features;
  for (std::size_t v = 0; v < project.views.size(); ++v)
    for (std::size_t f = 0; f < project.views[v].feature_count(); ++f)
      features.push_back({static_cast<int>(v), static_cast<int>(f)});
  return features;
}

TEST_CASE("the scan and the kernel agree for every aggregate, wherever the question is put") {
  std::mt19937 random(23);
  std::string rows;
  for (int i = 0; i < 250; ++i) {
    const int delay = random() % 20 == 0 ? 2000 : static_cast<int>(random() % 200);
    const std::string mass =
        random() % 6 == 0 ? "" : std::to_string(static_cast<double>(random() % 4000) / 7 - 200);
    const std::string word = random() % 8 == 0 ? "" : std::string(1, "xyz"[random() % 3]);
    rows += row(static_cast<std::int64_t>(random() % 2400), delay, mass, word.c_str(),
                random() % 5 == 0 ? "B" : "A", 1);
  }
  const World world(rows);
  std::int64_t inside = 0;
  for (int i = 0; i < 40; ++i) {
    const std::int64_t at = kStart + static_cast<std::int64_t>(random() % 2600) * kMinuteUs;
    const auto question = world.question({i % 9 == 0 ? "nowhere,1" : "A,1"});
    for (const define::ViewFeature feature : all_features(*world.project)) {
      const auto& view = view_of(*world.project, feature);
      const auto f = static_cast<std::size_t>(feature.feature);
      CAPTURE(view.feature_name(f));
      CAPTURE(format_time(at));
      const auto found =
          feature_history(*world.project, world.past, feature, question, {.at_us = at});
      REQUIRE(found);
      const auto computed = compute(aggregate_of(*world.project, feature), found->values);
      REQUIRE(computed);
      const auto asked = ask_kernel(world.project, world.past, feature, question, {.at_us = at});
      REQUIRE(asked);
      const auto type = view.feature_type(f);
      CHECK_MESSAGE(same_bits(computed->value, *asked),
                    data::to_text(computed->value, type) << " and " << data::to_text(*asked, type));
      inside += static_cast<std::int64_t>(found->inside.size());
    }
  }
  CHECK(inside > 10'000);
}

TEST_CASE("keys are given in order or by name, and wrong ones are refused") {
  const World world(row(10, 0, "1"));
  const auto& view = world.project->views[0];
  const auto read = [&](const std::vector<std::string>& key) {
    const auto made = key_question(*world.project, view, key);
    if (!made) return code_name(made.error().code);
    return std::string(made->columns[0].string(0)) + "/" +
           std::to_string(made->columns[1].integer(0));
  };
  CHECK(read({"A,3"}) == "A/3");
  CHECK(read({"A", "3"}) == "A/3");
  CHECK(read({"floor=3", "place=A"}) == "A/3");
  CHECK(read({"floor=3,place=x=y"}) == "x=y/3");
  CHECK(read({"A"}) == "C1001");
  CHECK(read({"place=A,place=B"}) == "C1001");
  CHECK(read({"A,three"}) == "C0203");
  CHECK(find_feature(*world.project, "place.totl_1h").error().advice.find("place.total_1h") !=
        std::string::npos);
}

}  // namespace
}  // namespace coeval::replay

#include "replay/spilled_answers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/time.h"
#include "replay/feature_dataset.h"
#include "stores/files.h"
#include "stores/temporary_folder.h"
#include "stores/text_table_files.h"

namespace coeval::replay {
namespace {

constexpr std::int64_t kStart = 1704067200000000;  // 2024-01-01

const char* pick(std::mt19937& random, const std::vector<const char*>& texts) {
  return texts[random() % texts.size()];
}

// Two sources, a few views of them with drawn keys, windows and aggregates.
std::string random_definition(std::mt19937& random) {
  std::string text = R"toml([project]
name = "drawn"
[source.a]
path  = "a.csv"
time  = "ts"
known = "ts + minutes(delay)"
[source.a.columns]
ts    = { type = "timestamp", known = "ts" }
place = { type = "string", known = "ts", nullable = true }
shop  = { type = "int32", known = "ts", nullable = true }
delay = { type = "int32", known = "ts", min = 0, max = 600 }
word  = { type = "string", known = "ts", nullable = true }
[source.b]
path  = "b.csv"
time  = "ts"
known = "event time"
[source.b.columns]
ts    = { type = "timestamp", known = "ts" }
shop  = { type = "int32", known = "ts" }
price = { type = "float64", known = "ts", nullable = true }
)toml";
  const std::vector<const char*> of_a = {
      "sum(delay)", "mean(delay)",    "max(delay)", "count() where delay > 100",
      "last(word)", "distinct(word)", "mode(word)", "lag(word, 2)",
      "std(delay)", "min(delay)"};
  const std::vector<const char*> of_b = {
      "sum(price)",          "mean(price)", "max(price)", "last(price)", "count() where price > 3",
      "quantile(price, 0.5)"};
  const std::vector<const char*> keys_of_a = {R"(["place"])", R"(["shop"])", R"(["place", "shop"])",
                                              "[]"};
  const std::vector<const char*> windows = {R"(["1h"])", R"(["1d", "all"])",
                                            R"(["90min", "7d", "all"])"};
  for (int v = 0; v < 3; ++v) {
    const bool a = v < 2;
    text += "[view.v" + std::to_string(v) + "]\nfrom = \"" + (a ? "a" : "b") +
            "\"\nby = " + (a ? pick(random, keys_of_a) : R"(["shop"])") +
            "\nwindows = " + pick(random, windows) + "\nn = \"count()\"\n";
    for (int i = 0; i < 3; ++i)
      text += "x" + std::to_string(i) + " = \"" + pick(random, a ? of_a : of_b) + "\"\n";
  }
  return text;
}

// Times to the minute, so that ties abound; rows that break a rule; nulls.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    write("a.csv", "ts,place,shop,delay,word\n", 700, [&] {
      return (rare() ? "" : letter(7)) + "," + (rare() ? "" : number(9)) + "," +
             (rare() && rare() ? "9999" : number(300)) + "," + (rare() ? "" : letter(5));
    });
    write("b.csv", "ts,shop,price\n", 500,
          [&] { return number(9) + "," + (rare() ? "" : "0." + number(1000)); });
    write("questions.csv", "at,place,shop,note\n", 400, [&] {
      return (rare() ? "" : letter(9)) + "," + (rare() ? "" : number(12)) + "," + letter(20);
    });
    const std::string definition = random_definition(random_);
    auto checked = define::check_text(definition, folder_ / "coeval.toml");
    INFO(definition);
    REQUIRE(checked.project);
    checked.project->folder = folder_.path();
    project = std::make_shared<const define::Project>(std::move(*checked.project));
    formats = [this](const std::string&) -> Result<stores::TableFiles*> { return csv_.get(); };
    auto own = define::feature_set(*project, "v0.*, v1.*, v2.*");
    REQUIRE(own);
    set = std::move(*own);
    // The questions' columns that no view needs have a type too.
    auto read = read_questions(formats, folder_ / "questions.csv", "at", set.row);
    REQUIRE(read);
    questions = std::move(*read);
  }

  std::string spill_folder() const {
    std::filesystem::create_directories(folder_ / "spill");
    return folder_ / "spill";
  }

  // The bytes of the file of all answers.
  std::string whole(const AnswerOptions& options) const {
    const auto past = load_past(*project, formats, {});
    REQUIRE(past);
    const auto written = write_feature_dataset(project, *past, questions, set, formats,
                                               folder_ / "out.csv", options);
    REQUIRE(written);
    return bytes();
  }
  std::string spilled(const AnswerOptions& options, std::int64_t partitions) const {
    SpillOptions spill;
    spill.memory_bytes = 2'000'000'000;
    spill.folder = spill_folder();
    spill.partitions = partitions;
    const auto written = write_spilled_dataset(project, questions, set, formats,
                                               folder_ / "out.csv", options, spill);
    REQUIRE(written);
    CHECK(std::filesystem::is_empty(spill.folder));
    return bytes();
  }

  std::shared_ptr<const define::Project> project;
  OpenFormat formats;
  define::FeatureSet set;
  Questions questions;

 private:
  bool rare() { return random_() % 8 == 0; }
  std::string letter(unsigned of) {
    return std::string(1, static_cast<char>('A' + random_() % of));
  }
  std::string number(unsigned of) { return std::to_string(random_() % of); }
  template <class Rest>
  void write(const std::string& name, const char* header, int rows, Rest rest) {
    std::ofstream file(folder_ / name);
    file << header;
    for (int i = 0; i < rows; ++i) {
      const auto minute = static_cast<std::int64_t>(random_() % 3000);
      file << format_time(kStart + minute * kMinuteUs) << ',' << rest() << '\n';
    }
  }
  std::string bytes() const {
    const auto read = stores::read_file(folder_ / "out.csv");
    REQUIRE(read);
    return *read;
  }

  std::mt19937 random_;
  stores::TemporaryFolder folder_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Whether `part` comes out of `whole` by leaving lines out.
bool is_in_order(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  std::size_t next = 0;
  for (const auto& line : whole)
    if (next < part.size() && part[next] == line) ++next;
  return next == part.size();
}

TEST_CASE("answers by way of the disk are those in memory, whatever partitions and threads") {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    const World world(seed);
    const std::string expected = world.whole({.threads = 1, .chunk_rows = 64});
    CHECK(lines_of(expected).size() == 401);
    for (const int threads : {1, 3})
      for (const std::int64_t partitions : {0, 1, 3, 50}) {
        CAPTURE(seed);
        CAPTURE(threads);
        CAPTURE(partitions);
        CHECK(world.spilled({.threads = threads, .chunk_rows = 64}, partitions) == expected);
      }
  }
}

TEST_CASE("the buckets of a dataset are the whole, each in its order, on the disk too") {
  for (unsigned seed = 11; seed <= 16; ++seed) {
    const World world(seed);
    const auto whole = lines_of(world.whole({.threads = 2}));
    for (const std::uint32_t count : {1U, 3U, 40U}) {
      std::vector<std::string> all;
      std::size_t largest = 0;
      for (std::uint32_t i = 0; i < count; ++i) {
        AnswerOptions options{.threads = 3};
        options.bucket = QuestionBucket{i, count};
        const std::string text = world.whole(options);
        CHECK(world.spilled(options, 4) == text);
        const auto mine = lines_of(text);
        CHECK(mine.front() == whole.front());
        CHECK(is_in_order(mine, whole));
        largest = std::max(largest, mine.size() - 1);
        all.insert(all.end(), mine.begin() + 1, mine.end());
      }
      CHECK((count == 1 || largest < 400));
      std::vector<std::string> sorted(whole.begin() + 1, whole.end());
      std::ranges::sort(sorted);
      std::ranges::sort(all);
      CHECK(all == sorted);
    }
  }
}

TEST_CASE("questions about one entity are in one bucket, and it never changes") {
  data::ColumnBuilder shops(data::Type::int32), others(data::Type::string);
  for (int i = 0; i < 300; ++i) {
    shops.append_integer(i % 30);
    others.append_string(std::to_string(i));
  }
  const World world(1);
  data::Batch batch{{{{"shop", data::Type::int32, true}, {"note", data::Type::string, true}}},
                    {shops.finish(), others.finish()},
                    300};
  const auto set = define::feature_set(*world.project, "v2.*");
  REQUIRE(set);
  std::vector<int> buckets(300, -1);
  for (std::uint32_t i = 0; i < 5; ++i)
    for (const std::int64_t row : rows_of_bucket({i, 5}, *world.project, set->row, batch)) {
      CHECK(buckets[static_cast<std::size_t>(row)] == -1);
      buckets[static_cast<std::size_t>(row)] = static_cast<int>(i);
    }
  for (std::size_t i = 30; i < 300; ++i) CHECK(buckets[i] == buckets[i - 30]);
  CHECK(std::ranges::count(buckets, -1) == 0);
}

TEST_CASE("buckets that are none are refused") {
  for (const char* text :
       {"", "x", "3/2", "2/2", "-1/2", "1/", "/2", "1/0", "0/1000001", "1/2/3"}) {
    CAPTURE(text);
    const auto bucket = parse_bucket(text);
    REQUIRE_FALSE(bucket);
    CHECK(bucket.error().code == Code::usage);
  }
  const auto bucket = parse_bucket("2/16");
  REQUIRE(bucket);
  CHECK(bucket->index == 2);
  CHECK(bucket->count == 16);
}

TEST_CASE("a limit that the questions alone exceed is refused with what is needed") {
  const World world(2);
  SpillOptions spill;
  spill.memory_bytes = 1000;
  spill.folder = world.spill_folder();
  const auto sink = [](Answers) -> Status { return {}; };
  const auto answered = answer_spilled(world.project, world.formats, world.questions, world.set.row,
                                       world.set.inputs, {}, spill, sink);
  REQUIRE_FALSE(answered);
  CHECK(answered.error().code == Code::usage);
  CHECK(answered.error().message.find("400 questions") != std::string::npos);
  CHECK(answered.error().advice.find("--memory ") != std::string::npos);
}

}  // namespace
}  // namespace coeval::replay

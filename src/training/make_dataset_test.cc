#include "training/make_dataset.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "base/time.h"
#include "stores/temporary_folder.h"
#include "stores/text_table_files.h"
#include "training/build_steps.h"
#include "training/dataset_reader.h"
#include "training/model_dataset.h"

namespace coeval::training {
namespace {

/// Tables in memory, by path; an empty file stands for each.
class MemoryTables final : public stores::TableFiles {
 public:
  Result<std::unique_ptr<stores::TableReader>> open(const std::string& path,
                                                    const stores::ReadOptions& options) override {
    data::Batch all;
    COEVAL_ASSIGN(all, data::concatenate(tables_.at(path)));
    data::Batch chosen;
    chosen.rows = all.rows;
    for (const auto& column : options.columns) {
      const auto place = static_cast<std::size_t>(all.schema.index_of(column));
      chosen.schema.fields.push_back(all.schema.fields.at(place));
      chosen.columns.push_back(all.columns.at(place));
    }
    return std::make_unique<Reader>(std::move(chosen));
  }

  Result<std::unique_ptr<stores::TableWriter>> create(const std::string& path, const data::Schema&,
                                                      const stores::WriteOptions&) override {
    return std::make_unique<Writer>(tables_[path], path);
  }

  std::map<std::string, std::vector<data::Batch>>& tables() { return tables_; }

 private:
  class Reader final : public stores::TableReader {
   public:
    explicit Reader(data::Batch batch) : batch_(std::move(batch)), schema_(batch_.schema) {}
    const data::Schema& schema() const override { return schema_; }
    std::int64_t rows() const override { return batch_.rows; }
    Result<data::Batch> next() override { return std::exchange(batch_, {}); }

   private:
    data::Batch batch_;
    data::Schema schema_;
  };
  class Writer final : public stores::TableWriter {
   public:
    Writer(std::vector<data::Batch>& table, std::string path)
        : table_(table), path_(std::move(path)) {
      table_.clear();
    }
    Status write(const data::Batch& batch) override {
      table_.push_back(batch);
      return {};
    }
    Status close() override {
      std::ofstream(path_, std::ios::binary);
      return {};
    }

   private:
    std::vector<data::Batch>& table_;
    std::string path_;
  };
  std::map<std::string, std::vector<data::Batch>> tables_;
};

/// A definition with some places that vary.
struct Definition {
  std::string size_max = "100", windows = R"x("1h", "1d")x", delay = R"x("mean(delay)")x",
              label = "delay > 150", train_until = "2024-01-02T12:00:00Z", more;
  std::set<std::string> inputs = {"size", "place", "place.visits_1d", "place.delay_1d",
                                  "everywhere.most_90min"};

  std::string text() const {
    std::string list;
    for (const auto& input : inputs) list += "\"" + input + "\", ";
    return R"toml(
[project]
name = "visits"
[source.visits]
path  = "visits.csv"
time  = "ts"
known = "ts + minutes(delay)"
[source.visits.columns]
ts    = { type = "timestamp", known = "ts" }
place = { type = "string", known = "ts" }
size  = { type = "int32", known = "ts", min = 0, max = )toml" +
           size_max + R"toml( }
delay = { type = "int32", min = 0, max = 600 }
[view.place]
from    = "visits"
by      = ["place"]
windows = [)toml" +
           windows + R"toml(]
visits  = "count()"
delay   = )toml" +
           delay + R"toml(
kinds   = "distinct(size)"
[view.everywhere]
from    = "visits"
by      = []
windows = ["90min"]
most    = "max(delay)"
[model.late]
question = { from = "visits", at = "ts" }
label    = ")toml" +
           label + R"toml("
inputs   = [)toml" +
           list + R"toml(]
split    = { train_until = )toml" +
           train_until + R"toml(, validate_until = 2024-01-03, test_until = 2024-01-05 }
)toml" + more;
  }
};

class World {
 public:
  World() {
    std::ofstream file(folder_ / "visits.csv");
    file << "ts,place,size,delay\n";
    std::mt19937 random(11);
    for (int i = 0; i < 700; ++i)
      file << format_time(1704067200000000 + static_cast<std::int64_t>(random() % 5000) * kMinuteUs)
           << ',' << static_cast<char>('A' + random() % 4) << ',' << random() % 110 << ','
           << random() % 300 << '\n';
    file.close();
    auto meta = stores::make_memory_meta_store();
    REQUIRE(meta);
    meta_ = std::move(*meta);
    std::filesystem::create_directories(folder_ / ".coeval/datasets");
    shop_.state_folder = folder_ / ".coeval";
    shop_.engine = "coeval test";
    shop_.meta = meta_.get();
    shop_.clock = &clock_;
    shop_.formats = [this](const std::string& path) -> Result<stores::TableFiles*> {
      if (path.ends_with(".csv")) return csv_.get();
      return &tables_;
    };
    shop_.say = [this](const std::string& line) { said.push_back(line); };
  }

  /// Makes the dataset of a definition as a build does, beside those that are there.
  DatasetFacts build(const Definition& definition) {
    take(definition);
    said.clear();
    const define::Model& model = shop_.project->models.front();
    auto inputs = dataset_inputs(shop_, model);
    REQUIRE(inputs);
    auto plan = plan_step(shop_, model, "dataset", *inputs);
    REQUIRE(plan);
    plan->output = "datasets/late-" + plan->key.substr(0, 16) + kManifestEnding;
    const std::string manifest = shop_.state_folder + "/" + plan->output;
    auto facts = make_dataset(shop_, model, *plan, *past_, manifest, {}, kChecked);
    REQUIRE(facts);
    REQUIRE(write_dataset_facts(manifest, *facts));
    REQUIRE(remember(shop_, model, *plan));
    manifest_ = manifest;
    REQUIRE(check_dataset(manifest));
    return std::move(*facts);
  }

  /// Compares the last dataset with one that is made as a whole.
  void check_whole(const DatasetFacts& facts) {
    const std::string path = folder_ / "whole.parquet";
    const auto whole = write_model_dataset(shop_.project, shop_.project->models.front(), *past_,
                                           shop_.formats, path, {}, kChecked);
    REQUIRE(whole);
    for (std::size_t part = 0; part < kSplitParts; ++part) {
      const auto which = static_cast<SplitPart>(part);
      CHECK(facts.counts.of(which).rows == whole->counts.of(which).rows);
      CHECK(facts.counts.of(which).positives == whole->counts.of(which).positives);
    }
    CHECK(facts.skew_rows == whole->skew_rows);
    CHECK(facts.skew_differences == whole->skew_differences);
    const data::Schema& schema = tables_.tables().at(path).front().schema;
    std::size_t compared = 0;
    for (const auto& column : facts.columns) {
      if (column.name == kRefusedColumn) continue;
      INFO(column.name);
      REQUIRE(schema.index_of(column.name) >= 0);
      check_same(read(manifest_, column.name), read(path, column.name));
      ++compared;
    }
    CHECK(compared == schema.fields.size());
  }

  data::Column read(const std::string& path, const std::string& column) {
    auto reader = DatasetReader::open(shop_.formats, path, std::vector{column});
    REQUIRE(reader);
    auto batch = reader->next();
    REQUIRE(batch);
    return batch->columns.front();
  }

  static void check_same(const data::Column& a, const data::Column& b) {
    REQUIRE(a.type() == b.type());
    REQUIRE(a.size() == b.size());
    std::int64_t different = 0;
    for (std::int64_t row = 0; row < a.size(); ++row) {
      if (a.is_null(row) || b.is_null(row))
        different += a.is_null(row) == b.is_null(row) ? 0 : 1;
      else if (a.type() == data::Type::float64)
        different +=
            std::bit_cast<std::uint64_t>(a.real(row)) == std::bit_cast<std::uint64_t>(b.real(row))
                ? 0
                : 1;
      else
        different += a.value(row) == b.value(row) ? 0 : 1;
    }
    CHECK(different == 0);
  }

  /// Names of the columns that the last build said to have computed one by one.
  std::set<std::string> computed() const {
    std::set<std::string> names;
    for (const auto& line : said)
      if (line.starts_with("late: column "))
        names.insert(line.substr(13, line.find(": computed") - 13));
    return names;
  }
  bool has_said(const std::string& line) const { return std::ranges::count(said, line) > 0; }
  const std::string& manifest() const { return manifest_; }
  std::string path(const std::string& name) const { return folder_ / name; }

  /// Adds one to each value of a stored column of integers: what serving would not answer.
  void falsify(const DatasetFacts& facts, const std::string& name) {
    const auto stored = std::ranges::find(facts.columns, name, &StoredColumn::name);
    REQUIRE(stored != facts.columns.end());
    for (data::Batch& batch : tables_.tables().at(folder_ / ".coeval/datasets/" + stored->file)) {
      data::Column& column =
          batch.columns.at(static_cast<std::size_t>(batch.schema.index_of(stored->as)));
      data::ColumnBuilder values(column.type());
      for (std::int64_t row = 0; row < column.size(); ++row)
        values.append_integer(column.integer(row) + 1);
      column = values.finish();
    }
  }

  std::vector<std::string> said;

 private:
  static constexpr std::size_t kChecked = 20;

  void take(const Definition& definition) {
    auto checked = define::check_text(definition.text(), folder_ / "coeval.toml");
    for (const auto& error : checked.errors) MESSAGE(error.message);
    REQUIRE(checked.project);
    checked.project->folder = folder_.path();
    shop_.project = std::make_shared<const define::Project>(std::move(*checked.project));
    auto past = replay::load_past(*shop_.project, shop_.formats, {});
    REQUIRE(past);
    past_.emplace(std::move(*past));
  }

  stores::TemporaryFolder folder_;
  ManualClock clock_{0};
  std::unique_ptr<stores::MetaStore> meta_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
  MemoryTables tables_;
  Workshop shop_;
  std::optional<replay::Past> past_;
  std::string manifest_;
};

using Names = std::set<std::string>;

const char* const kRefusing = R"x({ value = "mean(delay)", max_age = "3h", on_stale = "refuse" })x";

}  // namespace

TEST_CASE("the first dataset is made whole; the same one again computes nothing") {
  World world;
  world.check_whole(world.build({}));
  CHECK(world.computed() == Names{"ts", "place", "size", "place.visits_1d", "place.delay_1d",
                                  "everywhere.most_90min", "label", "split"});
  CHECK(world.has_said("late: column label: computed (none is stored)"));
  world.check_whole(world.build({}));
  CHECK(world.said == std::vector<std::string>{"late: 8 columns kept"});
}

TEST_CASE("a changed feature, a new one and one that is gone touch no other column") {
  World world;
  Definition definition;
  world.build(definition);
  definition.delay = R"x("max(delay)")x";
  world.check_whole(world.build(definition));
  CHECK(world.said ==
        std::vector<std::string>{"late: column place.delay_1d: computed (definition changed)",
                                 "late: 7 columns kept"});
  definition.inputs.insert("size * 2");
  world.check_whole(world.build(definition));
  CHECK(world.computed().size() == 1);
  CHECK(world.said.front().ends_with(": computed (new)"));
  CHECK(world.has_said("late: 8 columns kept"));
  definition.inputs.erase("place.visits_1d");
  world.check_whole(world.build(definition));
  CHECK(world.said == std::vector<std::string>{"late: 8 columns kept"});
  // What it was before is there still.
  definition.delay = R"x("mean(delay)")x";
  world.check_whole(world.build(definition));
  CHECK(world.said == std::vector<std::string>{"late: 8 columns kept"});
}

TEST_CASE("other ends of the parts compute the split alone, and check other rows") {
  World world;
  Definition definition;
  const DatasetFacts before = world.build(definition);
  definition.train_until = "2024-01-02";
  const DatasetFacts after = world.build(definition);
  CHECK(world.computed() == Names{"split"});
  CHECK(after.counts.of(SplitPart::train).rows < before.counts.of(SplitPart::train).rows);
  CHECK(after.skew_rows == 20);
  world.check_whole(after);
  definition.label = "delay > 200";
  world.check_whole(world.build(definition));
  CHECK(world.computed() == Names{"label", "split"});
}

TEST_CASE("a stored column that serving would not answer is found on the checked rows") {
  World world;
  Definition definition;
  const DatasetFacts before = world.build(definition);
  CHECK(before.skew_differences == 0);
  world.falsify(before, "place.visits_1d");
  definition.train_until = "2024-01-02";  // asks for other test rows
  const DatasetFacts after = world.build(definition);
  CHECK(world.computed() == Names{"split"});
  CHECK(after.skew_rows == 20);
  CHECK(after.skew_differences == 20);
  for (const auto& column : after.columns)
    CHECK(column.differences.value_or(0) == (column.name == "place.visits_1d" ? 20 : 0));
}

TEST_CASE("a longer window counts other late events, and so changes its view's columns") {
  World world;
  Definition definition;
  world.build(definition);
  definition.windows += R"x(, "all")x";
  world.check_whole(world.build(definition));
  CHECK(world.computed() == Names{"place.visits_1d", "place.delay_1d"});
}

TEST_CASE("a rule that decides which rows there are changes every column") {
  World world;
  Definition definition;
  world.build(definition);
  definition.size_max = "90";
  world.check_whole(world.build(definition));
  CHECK(world.computed().size() == 8);
}

TEST_CASE("other rows in a file change every column, and that is what is said") {
  World world;
  world.build({});
  std::ofstream(world.path("visits.csv"), std::ios::app) << "2024-01-03T00:00:00Z,A,1,1\n";
  world.check_whole(world.build({}));
  CHECK(world.has_said("late: column label: computed (its data changed)"));
  CHECK(world.computed().size() == 8);
}

TEST_CASE("refused questions stay refused when nothing of that is computed again") {
  World world;
  Definition definition;
  definition.delay = kRefusing;
  const DatasetFacts before = world.build(definition);
  CHECK(before.counts.of(SplitPart::stale).rows > 0);
  world.check_whole(before);
  definition.inputs.erase("size");
  definition.train_until = "2024-01-02";
  const DatasetFacts after = world.build(definition);
  CHECK(world.computed() == Names{"split"});
  CHECK(after.counts.of(SplitPart::stale).rows == before.counts.of(SplitPart::stale).rows);
  world.check_whole(after);
}

TEST_CASE("a file that is gone is made again, and the others stay what they are") {
  World world;
  Definition definition;
  const DatasetFacts first = world.build(definition);
  definition.delay = R"x("max(delay)")x";
  const DatasetFacts second = world.build(definition);
  const auto in_first = [&](const StoredColumn& column) {
    return column.file == first.columns.front().file;
  };
  CHECK(std::ranges::count_if(second.columns, in_first) == 7);
  std::filesystem::remove(world.path(".coeval/datasets/" + first.columns.front().file));
  const Status whole = check_dataset(world.manifest());
  REQUIRE_FALSE(whole);
  CHECK(whole.error().message.find("is gone") != std::string::npos);
  world.check_whole(world.build(definition));
  CHECK(world.has_said("late: column label: computed (its file is gone)"));
  CHECK(world.has_said("late: 1 column kept"));
}

TEST_CASE("a manifest that is damaged, or names a file elsewhere, stores nothing") {
  World world;
  const DatasetFacts facts = world.build({});
  data::Json json = to_json(facts);
  CHECK(dataset_facts_from_json(json));
  std::string text = json.dump();
  const std::string file = "\"" + facts.columns.front().file + "\"";
  text.replace(text.find(file), file.size(), "\"../late.parquet\"");
  const auto parsed = data::parse_json(text);
  REQUIRE(parsed);
  const auto read = dataset_facts_from_json(*parsed);
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find("is no file's name") != std::string::npos);
  std::ofstream(world.manifest()) << text;
  world.check_whole(world.build({}));
  CHECK(world.has_said("late: column label: computed (none is stored)"));
}

// Whatever was built before, a dataset has the columns of one that is made whole.
TEST_CASE("any changes of a definition give the columns of a clean build") {
  const std::vector<std::string> inputs = {"size",
                                           "size * 2",
                                           "place",
                                           "hour",
                                           "place.visits_1h",
                                           "place.visits_1d",
                                           "place.delay_1h",
                                           "place.delay_1d",
                                           "place.kinds_1d",
                                           "everywhere.most_90min"};
  const std::vector<std::string> delays = {R"x("mean(delay)")x", R"x("max(delay)")x", kRefusing};
  const std::vector<std::string> more = {"", "slices = [\"place\"]\n",
                                         "weights = \"size + 1\"\nslices = [\"size > 50\"]\n",
                                         "resample = \"place\"\n"};
  std::mt19937 random(20241128);
  const auto pick = [&](const auto& list) { return list[random() % list.size()]; };
  World world;
  Definition definition;
  std::size_t kept = 0;
  for (int step = 0; step < 40; ++step) {
    INFO(step);
    switch (random() % 7) {
      case 0:
        definition.delay = pick(delays);
        break;
      case 1:
        definition.more = pick(more);
        break;
      case 2:
        definition.windows = random() % 2 == 0 ? R"x("1h", "1d")x" : R"x("1h", "1d", "all")x";
        break;
      case 3:
        definition.train_until = random() % 2 == 0 ? "2024-01-02" : "2024-01-02T12:00:00Z";
        break;
      case 4:
        definition.label = random() % 2 == 0 ? "delay > 150" : "delay > 200";
        break;
      default: {
        const std::string input = pick(inputs);
        if (definition.inputs.erase(input) == 0 || definition.inputs.empty())
          definition.inputs.insert(input);
      }
    }
    world.check_whole(world.build(definition));
    kept += std::ranges::count_if(world.said,
                                  [](const std::string& line) { return line.ends_with("kept"); });
  }
  CHECK(kept > 30);
}

}  // namespace coeval::training

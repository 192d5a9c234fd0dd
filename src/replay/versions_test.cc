// Duplicates, corrections and deletions in a source's file and in the log after it. (semantics: T7)
#include "replay/versions.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/time.h"
#include "data/row_codec.h"
#include "replay/feature_history.h"
#include "replay/labels.h"
#include "replay/past.h"
#include "stores/event_log.h"
#include "stores/record_names.h"
#include "stores/text_table_files.h"

namespace coeval::replay {
namespace {

constexpr const char* kDefinition = R"toml(
[project]
name = "payments"
[source.tx]
path     = "tx.csv"
time     = "ts"
known    = "seen"
id       = "id"
replaces = "r"
deleted  = "amount < 0"
[source.tx.columns]
ts     = { type = "timestamp", known = "ts" }
seen   = "timestamp"
id     = { type = "int64", known = "least(ts, seen)" }
r      = { type = "int64", nullable = true }
card   = { type = "string", known = "ts" }
amount = { type = "int32", known = "least(ts, seen)" }
fraud  = { type = "bool", nullable = true }
[source.backs]
path     = "backs.csv"
time     = "ts"
known    = "seen"
id       = "id"
replaces = "r"
deleted  = "card = ''"
[source.backs.columns]
ts   = { type = "timestamp" }
seen = "timestamp"
id   = "int64"
r    = { type = "int64", nullable = true }
card = "string"
[view.card]
from     = "tx"
by       = ["card"]
windows  = ["2d"]
lateness = "30d"
n        = "count()"
sum      = "sum(amount)"
[model.own]
question = { from = "tx", at = "ts" }
label    = "fraud"
inputs   = ["amount", "card.*"]
split    = { train_until = 2024-02-01, validate_until = 2024-03-01, test_until = 2024-04-01 }
[model.joined]
question = { from = "tx", at = "ts" }
label    = { value = "true", from = "backs", by = ["card"], within = "3d" }
inputs   = ["amount"]
split    = { train_until = 2024-02-01, validate_until = 2024-03-01, test_until = 2024-04-01 }
)toml";

class World {
 public:
  World(const std::string& tx, const std::string& backs)
      : folder_(std::filesystem::temp_directory_path() /
                ("coeval-versions-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "tx.csv") << "ts,seen,id,r,card,amount,fraud\n" << tx;
    std::ofstream(folder_ / "backs.csv") << "ts,seen,id,r,card\n" << backs;
    auto checked = define::check_text(kDefinition, (folder_ / "coeval.toml").string());
    for (const auto& error : checked.errors) FAIL_CHECK(one_line(error));
    REQUIRE(checked.project);
    checked.project->folder = folder_.string();
    project = std::make_shared<const define::Project>(std::move(*checked.project));
  }
  ~World() { std::filesystem::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  OpenFormat formats() const {
    return [this](const std::string&) -> Result<stores::TableFiles*> { return csv_.get(); };
  }
  Past past(PastOptions options = {}) const {
    auto loaded = load_past(*project, formats(), options);
    REQUIRE(loaded);
    return std::move(*loaded);
  }
  const SourceHistory& tx(const Past& past) const {
    return past.sources[static_cast<std::size_t>(project->source_index("tx"))];
  }
  const define::Source& source() const {
    return project->sources[static_cast<std::size_t>(project->source_index("tx"))];
  }

  // "+ 2024-01-02T00:00:00Z", "-" or "?" for each row that asks.
  std::vector<std::string> labels(const std::string& model, const Past& past) const {
    const auto found = labels_of(*project, *project->find_model(model), past);
    std::vector<std::string> out;
    for (const std::int64_t row : asking_rows(source(), tx(past))) {
      const std::int64_t known = found.known_us[static_cast<std::size_t>(row)];
      CHECK(found.label.is_null(row) == (known == Labels::kNever));
      out.push_back(found.label.is_null(row)
                        ? "?"
                        : (found.label.bit(row) ? "+ " : "- ") + format_time(known));
    }
    return out;
  }

  FeatureHistory history(const Past& past, const std::string& card, Visibility seen) const {
    const auto feature = find_feature(*project, "card.sum_2d");
    REQUIRE(feature);
    const auto question = key_question(*project, view_of(*project, *feature), {card});
    REQUIRE(question);
    auto found = feature_history(*project, past, *feature, *question, seen);
    REQUIRE(found);
    const auto by_kernel = ask_kernel(project, past, *feature, *question, seen);
    REQUIRE(by_kernel);
    const auto computed = compute(aggregate_of(*project, *feature), found->values);
    REQUIRE(computed);
    CHECK(same_bits(computed->value, *by_kernel));
    return std::move(*found);
  }

  std::shared_ptr<const define::Project> project;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
};

using Lines = std::vector<std::string>;
using Rows = std::vector<std::int64_t>;

std::int64_t moment(const std::string& text) { return *parse_time(text); }

// Row: 0 is replaced twice, 1 deleted, 3 a duplicate.
constexpr const char* kTx =
    "2024-01-10,2024-01-10T01:00,1,,a,10,false\n"    // 0, line 2
    "2024-01-11,2024-01-11T01:00,2,,a,20,true\n"     // 1
    "2024-01-12,2024-01-12T01:00,3,,b,40,\n"         // 2
    "2024-01-11,2024-01-12T02:00,2,,a,999,true\n"    // 3: as row 1
    "2024-01-10,2024-01-12T03:00,4,1,b,80,true\n"    // 4: row 0, of card b
    "2024-01-11,2024-01-12T04:00,5,2,a,-1,true\n"    // 5: takes row 1 back
    "2024-01-10,2024-01-20T00:00,6,4,b,160,false\n"  // 6: row 4
    "2024-01-12,2024-01-20T01:00,7,9,b,320,true\n"   // 7: nothing has that id
    "2024-01-13,2024-01-20T02:00,9,,b,640,true\n";   // 8: replaced before it came

TEST_CASE("rows of a file add up, and are sorted by what they are") {
  const World world(kTx, "");
  const Past past = world.past();
  const SourceHistory& tx = world.tx(past);
  CHECK(tx.conservation.read == 9);
  CHECK(tx.conservation.accepted == 8);
  CHECK(tx.conservation.duplicates == 1);
  CHECK(tx.conservation.quarantined == 0);
  CHECK(tx.conservation.holds());
  CHECK(tx.taken_back_by == Rows{4, 5, -1, -1, 6, -1, -1, -1, -1});
  CHECK(asking_rows(world.source(), tx) == Rows{0, 1, 2, 8});
  const auto newest = [&](std::int64_t row) { return newest_version(tx, row); };
  CHECK(newest(0) == 6);
  CHECK(newest(1) == -1);
  CHECK(newest(2) == 2);
  CHECK(newest(3) == -1);
  CHECK(newest(4) == 6);
  CHECK(newest(7) == 7);
  CHECK(newest(8) == 7);
}

TEST_CASE("a cut leaves out corrections that were not known yet, and counts the whole file") {
  const World world(kTx, "");
  PastOptions options;
  options.cut_us = moment("2024-01-12T04:00");
  const Past past = world.past(options);
  const SourceHistory& tx = world.tx(past);
  CHECK(tx.conservation.duplicates == 1);
  CHECK(tx.conservation.holds());
  CHECK(tx.taken_back_by == Rows{4, -1, -1, -1, -1});
  CHECK(newest_version(tx, 0) == 4);
  CHECK(newest_version(tx, 1) == 1);
}

TEST_CASE("a label is that of what stands for the row, known when that was") {
  const World world(kTx, "");
  CHECK(world.labels("own", world.past()) ==
        Lines{"- 2024-01-20T00:00:00Z", "?", "?", "+ 2024-01-20T01:00:00Z"});
  PastOptions options;
  options.as_of_us = moment("2024-01-15");
  CHECK(world.labels("own", world.past(options)) == Lines{"+ 2024-01-12T03:00:00Z", "?", "?"});
  options.as_of_us = moment("2024-01-12T03:30");
  CHECK(world.labels("own", world.past(options)) ==
        Lines{"+ 2024-01-12T03:00:00Z", "+ 2024-01-11T01:00:00Z", "?"});
  options.as_of_us = moment("2024-01-12T03:00");
  CHECK(world.labels("own", world.past(options)) ==
        Lines{"- 2024-01-10T01:00:00Z", "+ 2024-01-11T01:00:00Z", "?"});
}

TEST_CASE("an event that was taken back brings no label, and that is known no sooner") {
  const World world(
      "2024-01-10,2024-01-10T01:00,1,,a,1,\n"
      "2024-01-10,2024-01-10T01:00,2,,b,1,\n"
      "2024-01-10,2024-01-10T01:00,3,,c,1,\n"
      "2024-01-10,2024-01-10T01:00,4,,d,1,\n",
      "2024-01-11,2024-01-11,1,,a\n"
      "2024-01-11,2024-01-11,2,,b\n"
      "2024-01-11,2024-01-20,3,1,\"\"\n"  // a deletion
      "2024-01-11,2024-01-12,4,2,c\n"     // it was card c
      "2024-01-12,2024-01-12,5,,d\n"
      "2024-01-12,2024-01-12,5,,d\n"   // a duplicate
      "2024-01-12,2024-01-21,5,5,d\n"  // the same, said again
      "2024-02-01,2024-02-01,6,,z\n");
  CHECK(world.labels("joined", world.past()) ==
        Lines{"- 2024-01-20T00:00:00Z", "- 2024-01-13T00:00:00Z", "+ 2024-01-12T00:00:00Z",
              "+ 2024-01-21T00:00:00Z"});
  PastOptions options;
  options.as_of_us = moment("2024-01-19");
  CHECK(world.labels("joined", world.past(options)) ==
        Lines{"+ 2024-01-11T00:00:00Z", "- 2024-01-13T00:00:00Z", "+ 2024-01-12T00:00:00Z",
              "+ 2024-01-12T00:00:00Z"});
}

std::vector<std::size_t> excluded_counts(const FeatureHistory& history) {
  std::vector<std::size_t> counts;
  for (const auto reason : {Exclusion::duplicate, Exclusion::deletion, Exclusion::replaced})
    counts.push_back(history.excluded[static_cast<std::size_t>(reason)].size());
  return counts;
}

TEST_CASE("a feature's history says what became of each event, as the question saw it") {
  const World world(kTx, "");
  const Past past = world.past();
  using Counts = std::vector<std::size_t>;
  const auto early = world.history(past, "a", {moment("2024-01-11T12:00")});
  CHECK(early.inside == Rows{0, 1});
  CHECK(excluded_counts(early) == Counts{0, 0, 0});
  const auto late = world.history(past, "a", {moment("2024-01-12T05:00")});
  CHECK(late.inside.empty());
  CHECK(excluded_counts(late) == Counts{1, 1, 2});
  const Visibility seen{moment("2024-01-12T05:00")};
  const std::string path = world.tx(past).path;
  CHECK(fate_text(world.tx(past), 0, seen) ==
        "replaced by " + path + " line 6, known at 2024-01-12T03:00:00Z");
  CHECK(fate_text(world.tx(past), 1, seen) ==
        "deleted by " + path + " line 7, known at 2024-01-12T04:00:00Z");
  CHECK(fate_text(world.tx(past), 3, seen) == "duplicate of " + path + " line 3");
  CHECK(fate_text(world.tx(past), 5, seen) == "deletion of " + path + " line 3");
  CHECK(fate_text(world.tx(past), 0, {moment("2024-01-12T03:00")}).empty());
  CHECK(world.history(past, "b", seen).inside == Rows{2});
  CHECK(world.history(past, "b", {moment("2024-01-12T03:00")}).inside == Rows{2});
  CHECK(world.history(past, "b", {moment("2024-01-11T23:00")}).inside.empty());
  const Visibility end{moment("2024-01-20T03:00")};
  CHECK(fate_text(world.tx(past), 8, end) ==
        "replaced by " + path + " line 9, known at 2024-01-20T01:00:00Z");
}

TEST_CASE("the log goes on where the file ends: its rows take back what the file has") {
  const World world("2024-01-10,2024-01-10T01:00,1,,a,10,false\n", "");
  const auto log = stores::make_memory_log();
  const auto append = [&](std::int64_t id, std::optional<std::int64_t> replaces, int amount,
                          const std::string& known) {
    data::Batch row;
    row.schema = world.source().schema;
    row.rows = 1;
    for (const auto& field : row.schema.fields) {
      data::ColumnBuilder builder(field.type);
      if (field.name == "ts") builder.append_integer(moment("2024-01-10"));
      if (field.name == "seen") builder.append_integer(moment(known));
      if (field.name == "id") builder.append_integer(id);
      if (field.name == "r") replaces ? builder.append_integer(*replaces) : builder.append_null();
      if (field.name == "card") builder.append_string("a");
      if (field.name == "amount") builder.append_integer(amount);
      if (field.name == "fraud") builder.append_boolean(true);
      row.columns.push_back(builder.finish());
    }
    const std::string payload = data::encode_row(row, 0);
    stores::Draft draft;
    draft.kind = stores::RecordKind::event;
    draft.known = KnownTime{moment(known)};
    draft.source = stores::source_tag(world.source().name);
    draft.schema_version = stores::schema_tag(world.source().schema);
    draft.payload = payload;
    REQUIRE(log->append(draft));
  };
  append(1, {}, 77, "2024-01-10T02:00");
  append(2, 1, 20, "2024-01-10T03:00");
  append(2, 2, 40, "2024-01-10T03:00");
  REQUIRE(log->sync());
  PastOptions options;
  options.log = log.get();
  const Past past = world.past(options);
  const auto inside = [&](Visibility seen) { return world.history(past, "a", seen).inside; };
  const std::int64_t at = moment("2024-01-10T06:00");
  CHECK(inside({at, 0}) == Rows{0});
  CHECK(inside({at, 1}) == Rows{0});
  CHECK(inside({at, 2}) == Rows{2});
  CHECK(inside({at}) == Rows{3});
  CHECK(inside({moment("2024-01-10T02:30")}) == Rows{0});
  CHECK(fate_text(world.tx(past), 1, {at}).starts_with("duplicate of "));
  CHECK(fate_text(world.tx(past), 2, {at}) ==
        "replaced by log position 2, known at 2024-01-10T03:00:00Z");
  CHECK(world.labels("own", past) == Lines{"+ 2024-01-10T03:00:00Z"});
}

}  // namespace
}  // namespace coeval::replay

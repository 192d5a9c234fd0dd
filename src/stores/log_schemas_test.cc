#include "stores/log_schemas.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "stores/event_log.h"
#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/record_names.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {
namespace {

using data::Type;

const data::Schema kOld{{{"ts", Type::timestamp, false}, {"x", Type::int32, false}}};
const data::Schema kNew{
    {{"ts", Type::timestamp, false}, {"x", Type::int64, false}, {"y y", Type::string, true}}};

LogOptions quick() { return {1u << 20, std::make_shared<FaultyFiles>()}; }

Draft event(const data::Schema& schema) {
  return {RecordKind::event, KnownTime{1}, source_tag("flights"), schema_tag(schema), "row"};
}

std::vector<std::string> names(const std::vector<LogSchema>& schemas) {
  std::vector<std::string> all;
  for (const auto& one : schemas)
    all.push_back(one.source + " " + std::to_string(one.schema.fields.size()) + " " +
                  std::to_string(one.since.value));
  return all;
}

TEST_CASE("the text of a schema is pinned and reads back") {
  const LogSchema schema{"flights", schema_tag(kNew), Position{42}, kNew};
  const std::string text = encode_log_schema(schema);
  CHECK(text.starts_with("coeval log schema 1\nsource flights\ntag "));
  CHECK(text.ends_with("\nsince 42\nts\ttimestamp\nx\tint64\ny y\tstring?\n"));
  const auto back = decode_log_schema(text);
  REQUIRE(back.has_value());
  CHECK(back->schema == kNew);
  CHECK(back->source == "flights");
  CHECK(back->since == Position{42});
}

TEST_CASE("a text with any byte changed, or cut short, is no schema or the same one") {
  const LogSchema schema{"flights", schema_tag(kNew), Position{42}, kNew};
  const std::string text = encode_log_schema(schema);
  const std::size_t columns = text.find("ts\t");
  for (std::size_t at = columns; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    CHECK_FALSE(decode_log_schema(bad).has_value());
    // Without the last line end the columns are the same.
    if (at + 1 < text.size()) CHECK_FALSE(decode_log_schema(text.substr(0, at)).has_value());
  }
  CHECK(decode_log_schema("coeval log schema 2\n").error().code == Code::unsupported);
  CHECK(decode_log_schema("").error().code == Code::log_corrupt);
}

TEST_CASE("a schema is kept before the first event that has it, and not before") {
  const TemporaryFolder folder;
  {
    const auto log = open_log(folder.path(), quick()).value();
    REQUIRE(log->append({RecordKind::cut, KnownTime{0}, 0, 0, "{}"}).has_value());
    REQUIRE(log->declare("flights", kOld).has_value());
    CHECK(log->schemas()->empty());
    REQUIRE(log->append(event(kOld)).has_value());
    CHECK(names(*log->schemas()) == std::vector<std::string>{"flights 2 1"});
    REQUIRE(log->append(event(kOld)).has_value());
    REQUIRE(log->declare("flights", kNew).has_value());
    REQUIRE(log->append(event(kNew)).has_value());
    REQUIRE(log->sync().has_value());
  }
  const auto log = open_log(folder.path(), quick()).value();
  CHECK(names(*log->schemas()) == std::vector<std::string>{"flights 2 1", "flights 3 3"});
  CHECK(newest_schema(*log->schemas(), "flights")->schema == kNew);
  // Back to the old one: it is the newest again once an event has it.
  REQUIRE(log->declare("flights", kOld).has_value());
  REQUIRE(log->append(event(kOld)).has_value());
  CHECK(names(*log->schemas()) == std::vector<std::string>{"flights 3 3", "flights 2 4"});
  CHECK(names(*open_log_for_reading(folder.path()).value()->schemas()) == names(*log->schemas()));
}

TEST_CASE("the memory log keeps schemas in the same way") {
  const auto log = make_memory_log();
  REQUIRE(log->declare("flights", kOld).has_value());
  CHECK(log->schemas()->empty());
  REQUIRE(log->append(event(kOld)).has_value());
  REQUIRE(log->declare("flights", kNew).has_value());
  REQUIRE(log->append(event(kNew)).has_value());
  CHECK(names(*log->schemas()).size() == 2);
}

TEST_CASE("a log of before schemas were kept opens, and keeps the schema that is still declared") {
  const TemporaryFolder folder;
  {
    const auto log = open_log(folder.path(), quick()).value();
    REQUIRE(log->append(event(kOld)).has_value());  // nobody declared it
    REQUIRE(log->sync().has_value());
  }
  {
    const auto log = open_log(folder.path(), quick()).value();
    const Status refused = log->declare("flights", kNew);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Code::log_mismatch);
    CHECK(refused.error().advice.find("coeval log accept flights") != std::string::npos);
    CHECK(log->declare("trains", kNew).has_value());
    REQUIRE(log->declare("flights", kOld).has_value());
    CHECK(log->schemas()->size() == 1);
  }
  CHECK(open_log(folder.path(), quick()).value()->declare("flights", kNew).has_value());
}

TEST_CASE("what a dead writer left of a schema goes when the next one opens the log") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "schemas");
  const std::string left = folder / "schemas/flights-00000001.schema.pending-1-0";
  REQUIRE(write_file_atomically(left, "half"));
  REQUIRE(open_log_for_reading(folder.path()));
  CHECK(std::filesystem::exists(left));  // a reader changes nothing
  REQUIRE(open_log(folder.path(), quick()));
  CHECK_FALSE(std::filesystem::exists(left));
}

TEST_CASE("a schema file that was changed is named") {
  const TemporaryFolder folder;
  const LogSchema schema{"flights", schema_tag(kOld), Position{0}, kOld};
  REQUIRE(write_log_schema(folder.path(), schema).has_value());
  const auto entry = *std::filesystem::directory_iterator(folder / "schemas");
  REQUIRE(
      write_file_atomically(entry.path().string(), "coeval log schema 1\nsource x\n").has_value());
  const auto read = read_log_schemas(folder.path());
  REQUIRE_FALSE(read.has_value());
  CHECK(one_line(read.error()).find(entry.path().string()) != std::string::npos);
}

}  // namespace
}  // namespace coeval::stores

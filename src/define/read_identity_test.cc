#include "define/read_identity.h"

#include <doctest/doctest.h>

#include "base/time.h"
#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::errors_of;
using testing::project_of;

const std::string kPayments = R"toml([project]
name = "payments"
[source.tx]
time = "ts"
known = "ts + 1h"
id = "tx"
replaces = "was"
deleted = "void or amount < limit"
[source.tx.columns]
ts = "timestamp"
tx = "int64"
was = { type = "int64", nullable = true }
void = { type = "bool", nullable = true }
amount = "float64"
other = { type = "int32", nullable = true }
late = { type = "int64", known = "ts + 2h" }
[view.v]
from = "tx"
by = []
windows = ["1h", "7d offset 1d"]
n = "count()"
[constants]
limit = 0
)toml";

// The only error after one change: "6:6 C0412 … | …".
std::string error_of(const std::string& from, const std::string& to) {
  const auto errors = errors_of(changed(kPayments, from, to));
  for (const auto& error : errors) INFO(error);
  REQUIRE(errors.size() == 1);
  return errors[0];
}

bool begins(const std::string& text, const std::string& with) {
  CAPTURE(text);
  CHECK(text.starts_with(with));
  return text.starts_with(with);
}

TEST_CASE("what names, replaces and deletes events is read, with seven days for duplicates") {
  const Project project = project_of(kPayments);
  const Source& source = project.sources[0];
  CHECK(source.has_names());
  CHECK(source.has_corrections());
  CHECK(source.schema.fields[static_cast<std::size_t>(source.identity.id)].name == "tx");
  CHECK(source.schema.fields[static_cast<std::size_t>(source.identity.replaces)].name == "was");
  CHECK(source.identity.dedup_us == 7 * kDayUs);
  REQUIRE(source.identity.deleted);
  CHECK(source.identity.deleted->type == data::Type::boolean);
  CHECK_FALSE(source.retention_us.has_value());
  const Project more = project_of(
      changed(kPayments, "id = \"tx\"", "id = \"tx\"\ndedup = \"36h\"\nretention = \"90d\""));
  CHECK(more.sources[0].identity.dedup_us == 36 * kHourUs);
  CHECK(more.sources[0].retention_us == 90 * kDayUs);
}

TEST_CASE("a bad name is refused where it stands") {
  begins(error_of("id = \"tx\"", "id = \"txx\""),
         "6:6 C0412 unknown column 'txx' | did you mean 'tx'");
  begins(error_of("tx = \"int64\"", "tx = { type = \"int64\", nullable = true }"),
         "6:6 C0305 the id of source 'tx' may not be null");
  begins(error_of("id = \"tx\"", "id = \"late\""),
         "6:6 C0501 'id' of source 'tx' reads late, which may be known later than its row");
  for (const char* type : {"float64", "bool", "timestamp", "date"})
    begins(
        error_of("tx = \"int64\"", "tx = \"" + std::string(type) + "\""),
        "6:6 C0413 the id of source 'tx' must be string, int32 or int64, not " + std::string(type));
}

TEST_CASE("a bad correction is refused where it stands") {
  begins(error_of("replaces = \"was\"", "replaces = \"other\""),
         "7:12 C0413 'replaces' of source 'tx' must be int64 as its id, not int32");
  begins(error_of("was = { type = \"int64\", nullable = true }", "was = \"int64\""),
         "7:12 C0305 'replaces' of source 'tx' is never null");
  begins(error_of("deleted = \"void or amount < limit\"", "deleted = \"amount\""), "8:12 C0413 ");
  begins(error_of("deleted = \"void or amount < limit\"", "deleted = \"late > 3\""),
         "8:11 C0501 'deleted' of source 'tx' reads late");
  begins(error_of("replaces = \"was\"\n", ""),
         "7:1 C0304 'deleted' of source 'tx' needs 'replaces'");
  const auto without_id = errors_of(changed(kPayments, "id = \"tx\"\n", "dedup = \"1d\"\n"));
  REQUIRE(without_id.size() == 2);
  begins(without_id[0], "6:1 C0304 'dedup' of source 'tx' needs 'id'");
  begins(without_id[1], "7:1 C0304 'replaces' of source 'tx' needs 'id'");
}

TEST_CASE("durations are positive") {
  begins(error_of("id = \"tx\"", "id = \"tx\"\ndedup = \"0s\""), "7:9 C0416 ");
  begins(error_of("id = \"tx\"", "id = \"tx\"\nretention = \"ten days\""), "7:13 C0416 ");
}

TEST_CASE("windows with offset and lateness, and duplicates, lie within what the log keeps") {
  const auto keeping = [](const std::string& length, const std::string& more = "") {
    return errors_of(
        changed(kPayments, "id = \"tx\"", "id = \"tx\"\nretention = \"" + length + "\"" + more));
  };
  CHECK(keeping("9d").empty());  // 7d, 1d offset, 1d lateness
  const auto short_by_a_second = keeping("777599s");
  REQUIRE(short_by_a_second.size() == 1);
  begins(
      short_by_a_second[0],
      "21:18 C0416 window '7d_offset_1d' of view 'v', with offset and lateness, reaches back 9d, "
      "but source 'tx' keeps events for 777599s");
  const auto too_many = keeping("9d", "\ndedup = \"10d\"");
  REQUIRE(too_many.size() == 1);
  begins(too_many[0],
         "6:6 C0416 duplicates of source 'tx' are told for 10d, but it keeps events "
         "for 9d");
  const std::string kept = changed(kPayments, "id = \"tx\"", "id = \"tx\"\nretention = \"900d\"");
  const auto all = errors_of(changed(kept, "\"1h\", ", "\"all\", "));
  REQUIRE(all.size() == 1);
  begins(all[0], "21:12 C0416 window 'all' of view 'v' reads all time");
  const auto lookup =
      errors_of(kept + "[lookup.newest]\nfrom = \"tx\"\nby = [\"tx\"]\ncolumns = [\"amount\"]\n");
  REQUIRE(lookup.size() == 1);
  begins(lookup[0], "25:9 C0416 lookup 'newest' reads all time");
}

TEST_CASE(
    "each part of the declaration is part of the hashes; a default means the same written out") {
  const Project before = project_of(kPayments);
  const auto same = [&](const std::string& from, const std::string& to) {
    const Project after = project_of(changed(kPayments, from, to));
    CHECK((view_hash(after, 0) == view_hash(before, 0)) == (after.ir_hash == before.ir_hash));
    CHECK((source_hash(after, 0) == source_hash(before, 0)) == (after.ir_hash == before.ir_hash));
    return after.ir_hash == before.ir_hash;
  };
  const std::string id = "id = \"tx\"";
  CHECK(same(id, id + "\ndedup = \"168h\""));
  CHECK_FALSE(same(id, id + "\ndedup = \"167h\""));
  CHECK_FALSE(same(id, id + "\nretention = \"90d\""));
  CHECK_FALSE(same("void or amount < limit", "void"));
  CHECK_FALSE(same("deleted = \"void or amount < limit\"\n", ""));
  CHECK_FALSE(same("replaces = \"was\"\ndeleted = \"void or amount < limit\"\n", ""));
}

}  // namespace
}  // namespace coeval::define

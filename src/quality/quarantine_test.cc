#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "quality/checks.h"
#include "quality/quarantine_line.h"

namespace coeval::quality {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
  ~TemporaryFolder() { std::filesystem::remove_all(path_.data()); }
  std::string path() const { return path_.data(); }
  std::string file() const { return path() + "/quarantine/flights.jsonl"; }

 private:
  std::array<char, 40> path_{"/tmp/coeval-quarantine-XXXXXX"};
};

QuarantinedRow row_number(std::int64_t number) {
  return {"flights",     "a.parquet",
          number,        R"({"delay":-185,"rules":[]})",
          {"delay.min"}, "delay must be at least -120, found -185"};
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST_CASE("what was written is read back in order") {
  const TemporaryFolder folder;
  QuarantinedRow odd{"flights", "http", -1, "line\n\"é\" \\", {}, "not JSON"};
  QuarantinedRow bytes{"flights", "a.csv", 3, std::string("\xFF\x00,", 3), {"x.null", "y.max"}, ""};
  REQUIRE(write_quarantine(folder.path(), {row_number(1), odd, bytes}));
  const auto rows = read_quarantine(folder.path(), "flights");
  REQUIRE(rows);
  REQUIRE(rows->size() == 3);
  CHECK((*rows)[0].raw == row_number(1).raw);
  CHECK((*rows)[0].row == 1);
  CHECK((*rows)[0].rules == row_number(1).rules);
  CHECK((*rows)[0].reason == row_number(1).reason);
  CHECK((*rows)[1].raw == odd.raw);
  CHECK((*rows)[1].origin == "http");
  CHECK((*rows)[1].row == -1);
  CHECK((*rows)[2].raw == bytes.raw);
  CHECK((*rows)[2].rules == bytes.rules);
}

TEST_CASE("a line of the file is pinned") {
  // The checksum is of RFC 3720's polynomial bit by bit, by a few lines of Python.
  const TemporaryFolder folder;
  REQUIRE(write_quarantine(folder.path(), {row_number(17)}));
  CHECK(
      text_of(folder.file()) ==
      R"({"source":"flights","origin":"a.parquet","row":17,"raw":"{\"delay\":-185,\"rules\":[]}",)"
      R"("rules":["delay.min"],"reason":"delay must be at least -120, found -185","crc32c":"c7f244b7"})"
      "\n");
}

TEST_CASE("every changed byte of a line is noticed, and a line without a checksum is read") {
  const std::string line = quarantine_line(row_number(17));
  const std::string_view whole = std::string_view(line).substr(0, line.size() - 1);
  data::JsonParser parser;
  REQUIRE(parse_quarantine_line(parser, whole, 1));
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int flip : {0x01, 0x04, 0x20, 0x80}) {
      std::string damaged(whole);
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      CAPTURE(damaged);
      CHECK_FALSE(parse_quarantine_line(parser, damaged, 1));
    }
  const std::string older = quarantine_json(row_number(17)).dump();
  const auto row = parse_quarantine_line(parser, older, 1);
  REQUIRE(row);
  CHECK(row->raw == row_number(17).raw);
  CHECK_FALSE(parse_quarantine_line(parser, whole.substr(0, whole.size() / 2), 1));
}

TEST_CASE("folder and files of the quarantine are their owner's alone") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(0);
  REQUIRE(write_quarantine(folder.path(), {row_number(1)}));
  ::umask(before);
  struct stat info{};
  REQUIRE(::stat(folder.file().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(::stat((folder.path() + "/quarantine").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
}

TEST_CASE("a row is written once, however often it comes, and its four marks tell rows apart") {
  const TemporaryFolder folder;
  REQUIRE(write_quarantine(folder.path(), {row_number(1), row_number(2), row_number(1)}));
  QuarantinedRow reworded = row_number(2);
  reworded.reason = "another wording";
  QuarantinedRow elsewhere = row_number(1), changed = row_number(1);
  elsewhere.origin = "b.parquet";
  changed.raw += " ";
  REQUIRE(
      write_quarantine(folder.path(), {reworded, elsewhere, changed, row_number(3), elsewhere}));
  const auto rows = read_quarantine(folder.path(), "flights");
  REQUIRE(rows->size() == 5);
  CHECK((*rows)[1].reason == row_number(2).reason);
  CHECK((*rows)[2].origin == "b.parquet");
}

TEST_CASE("rows that came each for itself are all there, behind whatever is whole") {
  const TemporaryFolder folder;
  const std::vector<QuarantinedRow> rows = {row_number(1), row_number(1)};
  REQUIRE(append_quarantine(folder.path(), "flights", rows));
  REQUIRE(append_quarantine(folder.path(), "flights", rows));
  CHECK(read_quarantine(folder.path(), "flights")->size() == 4);
  const std::string whole = text_of(folder.file());
  // A torn line, longer than what is looked at in one step.
  std::ofstream(folder.file(), std::ios::app) << "{\"source\":\"" << std::string(10'000, 'x');
  REQUIRE(append_quarantine(folder.path(), "flights", {rows.data(), 1}));
  CHECK(text_of(folder.file()) == whole + whole.substr(0, whole.size() / 4));
  // Nothing but a torn line.
  std::ofstream(folder.file(), std::ios::trunc) << std::string(9'000, 'x');
  REQUIRE(append_quarantine(folder.path(), "flights", {rows.data(), 1}));
  CHECK(text_of(folder.file()) == whole.substr(0, whole.size() / 4));
}

TEST_CASE("rows of requests with a key are found among the last ones") {
  const TemporaryFolder folder;
  CHECK(last_keyed_rows(folder.path(), "flights").value().empty());
  QuarantinedRow keyed = row_number(1);
  keyed.request = "00000000000000010000000000000002";
  keyed.time_us = 7;
  const std::vector<QuarantinedRow> rows = {row_number(5), keyed, row_number(6)};
  REQUIRE(append_quarantine(folder.path(), "flights", rows));
  std::ofstream(folder.file(), std::ios::app) << "{\"source\":\"flights\",\"request\":\"torn";
  const auto found = last_keyed_rows(folder.path(), "flights");
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().request == keyed.request);
  CHECK(found->front().row == 1);
  CHECK(found->front().raw == keyed.raw);
}

TEST_CASE("each source has its own file, and one without is empty") {
  const TemporaryFolder folder;
  QuarantinedRow other = row_number(1);
  other.source = "weather";
  REQUIRE(write_quarantine(folder.path(), {row_number(1), other, row_number(2)}));
  CHECK(read_quarantine(folder.path(), "flights")->size() == 2);
  CHECK(read_quarantine(folder.path(), "weather")->size() == 1);
  CHECK(read_quarantine(folder.path(), "nothing")->empty());
}

TEST_CASE("a line cut short anywhere by a crash is neither read nor in the way of the next write") {
  const TemporaryFolder folder;
  REQUIRE(write_quarantine(folder.path(), {row_number(1), row_number(2)}));
  const std::string whole = text_of(folder.file());
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t size = first; size < whole.size(); size += 7) {
    REQUIRE(truncate(folder.file().c_str(), static_cast<off_t>(size)) == 0);
    REQUIRE(read_quarantine(folder.path(), "flights")->size() == 1);
    REQUIRE(write_quarantine(folder.path(), {row_number(1), row_number(2)}));
    REQUIRE(text_of(folder.file()) == whole);
  }
}

TEST_CASE("a damaged line is named") {
  const TemporaryFolder folder;
  REQUIRE(write_quarantine(folder.path(), {row_number(1)}));
  std::ofstream(folder.file(), std::ios::app) << "{\"source\":\n";
  const auto damaged = read_quarantine(folder.path(), "flights");
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code == Code::bad_json);
  CHECK(damaged.error().message.find("line 2") != std::string::npos);
  std::ofstream(folder.file(), std::ios::trunc) << "{\"source\":\"flights\",\"origin\":7}\n";
  const auto shapeless = read_quarantine(folder.path(), "flights");
  REQUIRE_FALSE(shapeless);
  CHECK(shapeless.error().message == "expected a string in member 'origin' at line 1");
}

TEST_CASE("a full disk is an error that says so") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() + "/quarantine");
  REQUIRE(symlink("/dev/full", folder.file().c_str()) == 0);
  const auto full = write_quarantine(folder.path(), {row_number(1)});
  REQUIRE_FALSE(full);
  CHECK(full.error().code == Code::disk_full);
  CHECK(full.error().message.find(folder.file()) != std::string::npos);
}

TEST_CASE("an absent project folder and a source name that leaves the folder are errors") {
  const TemporaryFolder folder;
  CHECK(write_quarantine(folder.path() + "/absent", {row_number(1)}).error().code == Code::io);
  for (const char* name : {"../flights", "a/b", "", ".hidden"}) {
    QuarantinedRow bad = row_number(1);
    bad.source = name;
    CHECK_FALSE(write_quarantine(folder.path(), {bad}));
    CHECK_FALSE(read_quarantine(folder.path(), name));
  }
  CHECK(write_quarantine(folder.path() + "/absent", {}));  // nothing to write
}

TEST_CASE("writers at the same time lose nothing and repeat nothing") {
  const TemporaryFolder folder;
  const auto write_all = [&folder](std::int64_t from) {
    for (std::int64_t number = from; number < from + 20; ++number)
      if (!write_quarantine(folder.path(), {row_number(number), row_number(number + 1)})) return;
  };
  std::vector<std::thread> writers;
  for (const std::int64_t from : {0, 10, 20}) writers.emplace_back(write_all, from);
  for (std::thread& writer : writers) writer.join();
  const auto rows = read_quarantine(folder.path(), "flights");
  REQUIRE(rows);
  std::vector<bool> seen(41);
  for (const QuarantinedRow& row : *rows) {
    REQUIRE_FALSE(seen[static_cast<std::size_t>(row.row)]);
    seen[static_cast<std::size_t>(row.row)] = true;
  }
  CHECK(rows->size() == 41);
}

}  // namespace
}  // namespace coeval::quality

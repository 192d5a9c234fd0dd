// Truncated and altered files, full disks: an Error each, never a crash and never other values.
#include <cstring>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "adapters/parquet/testing_tables.h"
#include "stores/faulty_files.h"

namespace coeval {

using namespace parquet_testing;
using data::Batch;

namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

bool same_values(const std::vector<Batch>& got, const Batch& expected) {
  std::int64_t at = 0;
  for (const auto& batch : got) {
    if (batch.columns.size() != expected.columns.size()) return false;
    for (std::size_t i = 0; i < batch.columns.size(); ++i)
      for (std::int64_t row = 0; row < batch.rows; ++row)
        if (at + row >= expected.rows ||
            batch.columns[i].value(row) != expected.columns[i].value(at + row))
          return false;
    at += batch.rows;
  }
  return at == expected.rows;
}

// Bytes from here to the end are the page index and the footer, which carry no checksum.
std::size_t footer_start(const std::string& bytes) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + bytes.size() - 8, sizeof length);
  return bytes.size() - 8 - length;
}

}  // namespace

TEST_CASE("a file cut at any place is an error that names it and says what to do") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(2'000, true);
  REQUIRE(write_table(folder / "whole.parquet", {table}).has_value());
  const std::string whole = bytes_of(folder / "whole.parquet");
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 97) {
    put_bytes(folder / "cut.parquet", whole.substr(0, size));
    const auto batches = read_table(folder / "cut.parquet");
    REQUIRE_FALSE(batches.has_value());
    CHECK(batches.error().code == Code::bad_file);
    CHECK(batches.error().message.find("cut.parquet") != std::string::npos);
    CHECK_FALSE(batches.error().advice.empty());
  }
}

TEST_CASE("a flipped bit is noticed, or changes no value") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(3'000, true);
  REQUIRE(write_table(folder / "whole.parquet", {table}).has_value());
  const std::string whole = bytes_of(folder / "whole.parquet");
  const std::size_t pages_end = footer_start(whole);
  std::int64_t noticed = 0, flips = 0, wrong = 0;
  for (std::size_t at = 4; at < pages_end; at += 1 + pages_end / 601) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
    put_bytes(folder / "flipped.parquet", flipped);
    const auto batches = read_table(folder / "flipped.parquet");
    ++flips;
    noticed += !batches.has_value();
    wrong += batches.has_value() && !same_values(*batches, table);
  }
  CHECK(wrong == 0);
  // What goes unnoticed lies in the page index or the statistics of page headers.
  CHECK(noticed * 10 > flips * 7);
}

TEST_CASE("a flipped bit in the footer does no harm beyond an error") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(300, true);
  REQUIRE(write_table(folder / "whole.parquet", {table}).has_value());
  const std::string whole = bytes_of(folder / "whole.parquet");
  std::int64_t noticed = 0;
  for (std::size_t at = footer_start(whole); at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
    put_bytes(folder / "flipped.parquet", flipped);
    noticed += !read_table(folder / "flipped.parquet").has_value();
  }
  CHECK(noticed > 0);
}

TEST_CASE("what is not there, is a folder, or is another format, is said so") {
  TemporaryFolder folder;
  CHECK(parquet_files()->open(folder / "none.parquet", {}).error().code == Code::no_such_file);
  CHECK(parquet_files()->open(folder / "", {}).error().code == Code::io);
  put_bytes(folder / "text.parquet", "a,b\n1,2\n");
  CHECK(parquet_files()->open(folder / "text.parquet", {}).error().code == Code::bad_file);
  CHECK(parquet_files()->create(folder / "no/such/folder.parquet", {}, {}).error().code ==
        Code::no_such_file);
}

TEST_CASE("a full disk is reported as such, and leaves no file") {
  TemporaryFolder folder;
  const Batch table = table_of_all_types(20'000, false);
  const auto faulty = std::make_shared<stores::FaultyFiles>();
  faulty->plan().room_bytes = 50'000;
  const auto files = parquet_adapter::make_parquet_files(faulty);
  auto writer = files->create(folder / "t.parquet", table.schema, {});
  REQUIRE(writer.has_value());
  Status done = (*writer)->write(table);
  if (done) done = (*writer)->close();
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == Code::disk_full);
  CHECK_FALSE((*writer)->close().has_value());
  writer->reset();
  CHECK(folder.files_count() == 0);
}

}  // namespace coeval

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "stores/event_log.h"
#include "stores/event_log_conformance.h"
#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

using namespace std::string_literals;

constexpr const char* kFirstSegment = "log-00000000000000000000.seg";

// Written down from an encoder of the format's prose in another language, not by this code.
const std::string kGoldenSegment =
    // header: COEVALOG, version 1, partition 0, first position 0
    "\x43\x4f\x45\x56\x41\x4c\x4f\x47\x01\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xed\x0b\x80\x7d"
    // cut 0
    "\xbf\xb5\xff\xc6\x01\x00\x00\x00\xc7\x33\xeb\x20\x03\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x01\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x63"
    // batch_begin 1
    "\x21\x68\xee\x52\x0a\x00\x00\x00\xa8\xd6\x87\xa8\x06\x00\x00\x00"
    "\x01\x00\x00\x00\x00\x00\x00\x00\x03\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\xd4\xc3\xb2\xa1\x04\x03\x02\x01\x02\x00\x00\x00\x00\x00\x00\x00"
    "\x7b\x7d"
    // event 2
    "\xdd\x4b\xd9\xa5\x01\x00\x00\x00\x93\x5f\x3c\xa9\x01\x00\x00\x00"
    "\x02\x00\x00\x00\x00\x00\x00\x00\x03\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\xd4\xc3\xb2\xa1\x04\x03\x02\x01\x78"
    // event 3
    "\x62\x6b\xf4\x24\x02\x00\x00\x00\xaf\x84\xf4\xda\x01\x00\x00\x00"
    "\x03\x00\x00\x00\x00\x00\x00\x00\x04\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\xd4\xc3\xb2\xa1\x04\x03\x02\x01\x79\x7a"
    // batch_end 4
    "\x59\x0a\xaf\x7d\x0a\x00\x00\x00\xa8\xd6\x87\xa8\x07\x00\x00\x00"
    "\x04\x00\x00\x00\x00\x00\x00\x00\x04\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\xd4\xc3\xb2\xa1\x04\x03\x02\x01\x02\x00\x00\x00\x00\x00\x00\x00"
    "\x7b\x7d"
    // note 5
    "\xe8\x79\x1c\x68\x03\x00\x00\x00\x2b\xa8\xb5\x56\x08\x00\x00\x00"
    "\x05\x00\x00\x00\x00\x00\x00\x00\x04\xc0\x2c\x7f\xa1\x85\x03\x00"
    "\xd4\xc3\xb2\xa1\x00\x00\x00\x00\x77\x68\x79"s;

const std::string kBatch = "\x02\x00\x00\x00\x00\x00\x00\x00{}"s;
const std::vector<KeptRecord> kRecords = {
    {0, RecordKind::cut, 991353600000001, 0, 0, "c"},
    {1, RecordKind::batch_begin, 991353600000003, 0xA1B2C3D4, 0x01020304, kBatch},
    {2, RecordKind::event, 991353600000003, 0xA1B2C3D4, 0x01020304, "x"},
    {3, RecordKind::event, 991353600000004, 0xA1B2C3D4, 0x01020304, "yz"},
    {4, RecordKind::batch_end, 991353600000004, 0xA1B2C3D4, 0x01020304, kBatch},
    {5, RecordKind::note, 991353600000004, 0xA1B2C3D4, 0, "why"},
};
constexpr std::size_t kBatchBegin = 1, kBatchEnd = 4;

Draft draft_of(const KeptRecord& record) {
  return {record.kind, KnownTime{record.known_us}, record.source, record.schema_version,
          record.payload};
}

void append_first(EventLog& log, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) REQUIRE(log.append(draft_of(kRecords[i])));
}

// What anybody may see when the first `count` records are there.
std::vector<KeptRecord> visible(std::size_t count) {
  if (count > kBatchBegin && count <= kBatchEnd) count = kBatchBegin;
  return {kRecords.begin(), kRecords.begin() + static_cast<std::ptrdiff_t>(count)};
}

LogOptions quick_options(std::uint64_t segment_bytes = 1u << 20) {
  return {segment_bytes, std::make_shared<FaultyFiles>()};
}

std::size_t whole_records(std::size_t bytes) {
  std::size_t end = 32, count = 0;
  for (const auto& record : kRecords) {
    end += 40 + record.payload.size();
    count += bytes >= end ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("a batch has the bytes that the format promises") {
  const TemporaryFolder folder;
  auto log = open_log(folder.path(), quick_options()).value();
  append_first(*log, kRecords.size());
  REQUIRE(log->sync());
  CHECK(read_file(folder / kFirstSegment).value() == kGoldenSegment);
  CHECK(records_of(*log) == kRecords);
  CHECK(records_of(*open_log_for_reading(folder.path()).value()) == kRecords);
}

TEST_CASE("of a log that is cut at any byte a batch is seen wholly or not at all") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  for (std::size_t bytes = 32; bytes <= kGoldenSegment.size(); ++bytes) {
    CAPTURE(bytes);
    std::filesystem::remove_all(folder.path());
    std::filesystem::create_directories(folder.path());
    std::ofstream(folder / kFirstSegment, std::ios::binary)
        .write(kGoldenSegment.data(), static_cast<std::streamsize>(bytes));
    const auto expected = visible(whole_records(bytes));
    const auto reader = open_log_for_reading(folder.path()).value();
    CHECK(records_of(*reader) == expected);
    CHECK(reader->next_position() == Position{expected.size()});
    auto log = open_log(folder.path(), quick_options()).value();
    CHECK(records_of(*log) == expected);
    CHECK(log->append(event_draft("next", INT64_MAX)).value() == Position{expected.size()});
    REQUIRE(log->sync());
    CHECK(records_of(*reader).size() == expected.size() + 1);
  }
}

TEST_CASE("a writer takes back a batch without its end, over any number of segments") {
  for (const std::uint64_t segment_bytes : {64u, 100u, 200u, 1u << 20})
    for (std::size_t count = kBatchBegin + 1; count <= kBatchEnd; ++count) {
      CAPTURE(segment_bytes);
      CAPTURE(count);
      const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
      {
        auto log = open_log(folder.path(), quick_options(segment_bytes)).value();
        append_first(*log, count);
        REQUIRE(log->sync());
        CHECK(records_of(*log) == visible(count));
      }
      CHECK(inspect_log(folder.path(), false).value().unfinished == count - kBatchBegin);
      LogOptions options = quick_options(segment_bytes);
      std::uint64_t taken_back = 0;
      options.taken_back = &taken_back;
      auto log = open_log(folder.path(), options).value();
      CHECK(taken_back == count - kBatchBegin);
      CHECK(log->next_position() == Position{kBatchBegin});
      for (std::size_t i = kBatchBegin; i < kRecords.size(); ++i)
        REQUIRE(log->append(draft_of(kRecords[i])));
      REQUIRE(log->sync());
      CHECK(records_of(*open_log_for_reading(folder.path()).value()) == kRecords);
      CHECK(inspect_log(folder.path(), false).value().unfinished == 0);
    }
}

TEST_CASE("a reader that is open sees a batch once its end is there, and in the twin too") {
  const TemporaryFolder folder;
  auto log = open_log(folder.path(), quick_options()).value();
  const auto twin = make_memory_log();
  const auto reader = open_log_for_reading(folder.path()).value();
  for (std::size_t count = 1; count <= kRecords.size(); ++count) {
    CAPTURE(count);
    for (EventLog* one : {log.get(), twin.get()}) {
      REQUIRE(one->append(draft_of(kRecords[count - 1])));
      REQUIRE(one->flush());
      CHECK(records_of(*one) == visible(count));
    }
    CHECK(records_of(*reader) == visible(count));
  }
}

TEST_CASE("a disk that is full within a batch leaves nothing of it") {
  for (std::uint64_t room = 0; room < kGoldenSegment.size() - 32; ++room) {
    CAPTURE(room);
    const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
    const auto files = std::make_shared<FaultyFiles>();
    auto log = open_log(folder.path(), {1u << 20, files}).value();
    append_first(*log, kBatchBegin);
    REQUIRE(log->sync());
    files->plan().room_bytes = room;
    bool written = true;
    for (std::size_t i = kBatchBegin; written && i <= kBatchEnd; ++i)
      written = log->append(draft_of(kRecords[i])).has_value();
    written = written && log->sync();
    CHECK(records_of(*open_log_for_reading(folder.path()).value()) ==
          visible(written ? kBatchEnd + 1 : kBatchBegin));
    files->plan().room_bytes = FaultPlan::kNever;
    REQUIRE(log->reopen());
    CHECK(records_of(*log) == visible(written ? kBatchEnd + 1 : kBatchBegin));
  }
}

}  // namespace coeval::stores
